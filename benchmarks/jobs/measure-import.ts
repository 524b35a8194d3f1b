import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { ImportFigures } from './figures.ts'
import type { JobsSettings } from './settings.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** Plain Node, as users run it: without the TypeScript loader that this process has. */
const program = `
  const [before, begun] = [process.memoryUsage().rss, performance.now()]
  await import(process.argv[1])
  const ms = performance.now() - begun
  console.log(JSON.stringify({ ms, megabytes: (process.memoryUsage().rss - before) / 1e6 }))
  process.exit(0)`

/** Imports a package in so many processes, after one that brings its files into the cache of the system. */
export function measureImport(module: string, { imports }: Pick<JobsSettings, 'imports'>): ImportFigures {
  importOnce(module)
  const all = Array.from({ length: imports }, () => importOnce(module))
  return { kind: 'import', ms: all.map(({ ms }) => ms), megabytes: all.map(({ megabytes }) => megabytes) }
}

function importOnce(module: string): { readonly ms: number; readonly megabytes: number } {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', program, module], {
    cwd: root,
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`${module} cannot be imported:\n${stderr}`)
  return JSON.parse(stdout) as ReturnType<typeof importOnce>
}
