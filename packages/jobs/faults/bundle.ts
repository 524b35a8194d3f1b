import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'tsup'

/** The program of the processes that are to die. */
export interface Program {
  readonly path: string
  remove(): void
}

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** Bundles it once, with the store, and with what its threads run: read as TypeScript, each of thousands of processes would take a second to begin. */
export async function bundleProgram(): Promise<Program> {
  // In the repository, so that the drivers are found from there
  const cache = here('../../../node_modules/.cache')
  mkdirSync(cache, { recursive: true })
  const folder = mkdtempSync(`${cache}/genstage-faults-`)
  // One scenario runs it as nobody
  chmodSync(folder, 0o755)
  await build({
    config: false,
    entry: {
      child: here('./child/main.ts'),
      mortal: here('./child/mortal.ts'),
      'heartbeat-thread': here('../src/stores/sqlite/heartbeat-thread.ts'),
      'threads-worker': here('../src/threads/worker.ts'),
    },
    outDir: folder,
    format: ['esm'],
    target: 'es2022',
    silent: true,
    // It finds the program of its threads beside itself
    external: ['piscina'],
    noExternal: [/^@genstage\//],
    esbuildOptions(options) {
      options.conditions = ['@genstage/source', 'import']
    },
  })
  return { path: `${folder}/child.js`, remove: () => rmSync(folder, { recursive: true, force: true }) }
}
