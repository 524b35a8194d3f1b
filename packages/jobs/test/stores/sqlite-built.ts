/** The program of the tests' processes, bundled with the store and its thread: read as TypeScript it takes a second to begin. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'tsup'
import { afterAll } from 'vitest'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
// In the repository, so that the drivers are found from there
const cache = here('../../../../node_modules/.cache')
mkdirSync(cache, { recursive: true })
const folder = mkdtempSync(`${cache}/sqlite-`)

await build({
  config: false,
  entry: { child: here('./sqlite-child.ts'), 'heartbeat-thread': here('../../src/stores/sqlite/heartbeat-thread.ts') },
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

export const childProgram: string = `${folder}/child.js`
