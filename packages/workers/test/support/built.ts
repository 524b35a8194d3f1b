/**
 * The program of the threads and the stages of the tests, bundled: a thread that reads them as TypeScript takes half a second to begin.
 * This side stays source.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'tsup'
import { afterAll } from 'vitest'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const cache = here('../../../../node_modules/.cache')
mkdirSync(cache, { recursive: true })
const folder = mkdtempSync(`${cache}/threads-`)

await build({
  config: false,
  entry: { thread: here('../../src/thread.ts'), stages: here('./stages.ts'), program: here('./program.ts') },
  outDir: folder,
  format: ['esm'],
  target: 'es2022',
  silent: true,
  noExternal: [/^@genstage\//],
  esbuildOptions(options) {
    options.conditions = ['@genstage/source', 'import']
  },
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

export const builtProgram: URL = pathToFileURL(`${folder}/thread.js`)
export const builtStages: URL = pathToFileURL(`${folder}/stages.js`)
/** Programs of their own, with both sides bundled. */
export const builtPrograms: string = `${folder}/program.js`
