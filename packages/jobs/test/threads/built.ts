/** What the threads of the tests run, bundled: a thread that reads it as TypeScript takes a second to begin. This side stays source. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'tsup'
import { afterAll } from 'vitest'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
// In the repository, so that piscina is found from there
const cache = here('../../../../node_modules/.cache')
mkdirSync(cache, { recursive: true })
const folder = mkdtempSync(`${cache}/job-threads-`)

await build({
  config: false,
  entry: {
    'threads-worker': here('../../src/threads/worker.ts'),
    functions: here('./functions.ts'),
    child: here('./threads-child.ts'),
  },
  outDir: folder,
  format: ['esm', 'cjs'],
  shims: true,
  target: 'es2022',
  silent: true,
  external: ['libsql', 'piscina'],
  noExternal: [/^@genstage\//],
  esbuildOptions(options) {
    options.conditions = ['@genstage/source', 'import']
  },
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

export const builtWorker: string = pathToFileURL(`${folder}/threads-worker.js`).href
export const builtFunctions: URL = pathToFileURL(`${folder}/functions.js`)
/** Programs of their own, as ES module and CommonJS. */
export const builtPrograms: readonly string[] = [`${folder}/child.js`, `${folder}/child.cjs`]
