import { libraryConfig } from '../../tsup.base.ts'

// With shims, because a CommonJS module has no `import.meta.url` to find the program of the heartbeat's thread by
export default libraryConfig(
  {
    index: 'src/index.ts',
    store: 'src/store-entry.ts',
    testing: 'src/testing/index.ts',
    threads: 'src/threads/index.ts',
    'threads-worker': 'src/threads/worker.ts',
    'heartbeat-thread': 'src/stores/sqlite/heartbeat-thread.ts',
  },
  // tsup leaves optional dependencies out of a bundle only when told so. uuid is put in, of which two functions are used: to load all of
  // it took a fifth of the time and memory of an import (GOAL-21)
  { shims: true, external: ['libsql'], noExternal: ['uuid'] },
)
