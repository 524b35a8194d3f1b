import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

const startMs = 20_000
const stopMs = 20_000

/** A program of ours that serves. */
export interface ServerProcess {
  /** Asks it to end, and waits until it has. */
  stop(): Promise<void>
}

/** The first of these folders that has the program, then those of the path. */
export function findProgram(name: string, folders: readonly string[] = []): string | undefined {
  const path = (process.env['PATH'] ?? '').split(delimiter)
  return [...folders, ...path].map(folder => join(folder, name)).find(file => existsSync(file))
}

/** Folders `BASE/<version>/bin`, the newest version first. */
export function versionedFolders(base: string): readonly string[] {
  if (!existsSync(base)) return []
  const versions = readdirSync(base).toSorted((left, right) => Number(right) - Number(left))
  return versions.map(version => join(base, version, 'bin'))
}

/** A folder that nobody else can read; `remove` takes it away with all that is in it. */
export function temporaryFolder(name: string): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), `genstage-bench-${name}-`))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/** A port of this machine on which nobody listens now. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => void server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise(resolve => void server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no free port')
  return address.port
}

/** Whom a server runs as: some refuse to run as root. */
export interface User {
  readonly uid: number
  readonly gid: number
}

/** Ourselves; for root the first of these users that this machine has. */
export function unprivilegedUser(...names: readonly string[]): User | undefined {
  if (process.getuid?.() !== 0) return undefined
  for (const name of names) {
    const [uid, gid] = ['-u', '-g'].map(flag => spawnSync('id', [flag, name], { encoding: 'utf8' }))
    if (uid?.status === 0 && gid?.status === 0) return { uid: Number(uid.stdout), gid: Number(gid.stdout) }
  }
  throw new Error(`this server does not run as root, and there is none of the users ${names.join(', ')}`)
}

/** Starts a server and waits until `answers` no longer rejects. It ends with this process, however that ends in order. */
export async function startServer(
  program: string,
  args: readonly string[],
  user: User | undefined,
  answers: () => Promise<unknown>,
): Promise<ServerProcess> {
  const child = spawn(program, args, { ...user, stdio: ['ignore', 'ignore', 'pipe'] })
  let complaints = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints = (complaints + text).slice(-2_000)
  })
  let over = false
  const ended = new Promise<void>(resolve => {
    const end = () => {
      over = true
      resolve()
    }
    child.once('exit', end)
    child.once('error', end)
  })
  const ask = (): void => void child.kill('SIGINT')
  process.once('exit', ask)
  const stop = async () => {
    process.removeListener('exit', ask)
    ask()
    const inTime = await Promise.race([ended.then(() => true), pause(stopMs, false, { ref: false })])
    if (!inTime) child.kill('SIGKILL')
    await ended
  }
  const deadline = performance.now() + startMs
  for (;;) {
    try {
      await answers()
      return { stop }
    } catch (cause) {
      if (!over && performance.now() < deadline) await pause(50)
      else {
        await stop()
        throw new Error(`${program} did not start: ${complaints.trim() || 'it does not answer'}`, { cause })
      }
    }
  }
}
