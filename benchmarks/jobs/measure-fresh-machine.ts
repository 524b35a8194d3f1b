import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { InstallFigures } from './figures.ts'
import { temporaryFolder } from './servers/server-process.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

const firstJob = `
  import { kind, sqliteStore, startRunner } from '@genstage/jobs'
  const hello = kind('hello', name => 'hello ' + name)
  const runner = startRunner({ store: sqliteStore('jobs.db'), kinds: [hello], queues: { default: 1 }, signals: false })
  const job = await runner.enqueue(hello, 'world')
  console.log(await job.result())
  await runner.stop()`

/** What npm says when it cannot reach its registry. */
const unreachable = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ERR_SOCKET_TIMEOUT|ENOTCACHED/

/**
 * A new user's first minute: an empty folder, an empty cache, the packed packages; `npm install` with scripts off, and one job. What has
 * to be downloaded comes from the registry, so the network has its part in the figure; without one it is skipped.
 */
export function measureFreshMachine(): InstallFigures {
  const folder = temporaryFolder('install')
  try {
    const [packed, fresh] = ['packed', 'fresh'].map(name => join(folder.path, name))
    if (packed === undefined || fresh === undefined) throw new Error('no folders')
    for (const path of [packed, fresh]) mkdirSync(path)
    must(npm(root, 'pack', '--workspace=@genstage/core', '--workspace=@genstage/jobs', `--pack-destination=${packed}`))
    const packages = readdirSync(packed).map(file => join(packed, file))
    writeFileSync(join(fresh, 'package.json'), '{ "name": "fresh", "private": true, "type": "module" }\n')
    writeFileSync(join(fresh, 'first-job.js'), firstJob)

    const begun = performance.now()
    const cache = `--cache=${join(folder.path, 'cache')}`
    const installed = npm(fresh, 'install', '--ignore-scripts', '--no-audit', '--no-fund', cache, ...packages)
    if (installed.status !== 0 && unreachable.test(installed.stderr)) {
      return { kind: 'install', skipped: 'the registry cannot be reached' }
    }
    must(installed)
    const installMs = performance.now() - begun
    const answer = must(spawnSync(process.execPath, ['first-job.js'], { cwd: fresh, encoding: 'utf8' }))
    const firstJobMs = performance.now() - begun - installMs
    if (answer.trim() !== 'hello world') throw new Error(`the first job answered ${JSON.stringify(answer)}`)
    return { kind: 'install', installMs, firstJobMs, ...countsOf(fresh) }
  } finally {
    folder.remove()
  }
}

interface Ended {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** npm in a folder of its own: one that runs inside another would take over the folder of that one. */
function npm(cwd: string, ...args: readonly string[]): Ended {
  const { npm_config_local_prefix: _, ...env } = process.env
  return spawnSync('npm', args, { cwd, env, encoding: 'utf8' })
}

/** What a program printed; throws what it complained about if it failed. */
function must({ status, stdout, stderr }: Ended): string {
  if (status !== 0) throw new Error(stderr.trim() || `ended with ${status}`)
  return stdout
}

function countsOf(folder: string): { readonly packages: number; readonly installScripts: readonly string[] } {
  const lock = JSON.parse(readFileSync(join(folder, 'node_modules', '.package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly hasInstallScript?: boolean }>>
  }
  const entries = Object.entries(lock.packages)
  return { packages: entries.length, installScripts: entries.filter(([, entry]) => entry.hasInstallScript).map(([path]) => path) }
}
