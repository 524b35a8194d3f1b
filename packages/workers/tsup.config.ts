import { libraryConfig } from '../../tsup.base.ts'

// With shims, because a CommonJS module has no `import.meta.url` to find the program of a thread by
export default libraryConfig({ index: 'src/index.ts', thread: 'src/thread.ts' }, { shims: true })
