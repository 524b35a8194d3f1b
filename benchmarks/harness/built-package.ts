import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** Cells measure what users get, the built package. Builds it if it is missing or older than its source, and says so. */
export function ensureBuilt(name: string, say: (line: string) => void): void {
  const folder = join(root, 'packages', name)
  const built = join(folder, 'dist', 'index.js')
  const state = stateOf(built, newestIn(join(folder, 'src')))
  if (state === 'fresh') return
  say(`building @genstage/${name}: its dist is ${state}`)
  const { status, stdout, stderr } = spawnSync('npm', ['run', 'build', '-w', `@genstage/${name}`], {
    cwd: root,
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`@genstage/${name} does not build:\n${stdout}${stderr}`)
}

function stateOf(built: string, newestSource: number): 'missing' | 'stale' | 'fresh' {
  if (!existsSync(built)) return 'missing'
  return statSync(built).mtimeMs < newestSource ? 'stale' : 'fresh'
}

function newestIn(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
  return Math.max(...files.map(file => statSync(join(file.parentPath, file.name)).mtimeMs))
}
