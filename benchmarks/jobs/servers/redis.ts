import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { findProgram, freePort, startServer, temporaryFolder } from './server-process.ts'
import type { Server } from './server.ts'

/** A server that the caller names: rejects if it does not answer. */
export async function givenRedis(url: string): Promise<Server> {
  return { url, description: await describeRedis(url), stop: async () => {} }
}

/** Starts a server of its own from the program of this machine, with its log on disk once per second; undefined if there is none. */
export async function startRedis(): Promise<Server | undefined> {
  const program = findProgram('redis-server')
  if (program === undefined) return undefined
  const folder = temporaryFolder('redis')
  try {
    const password = randomBytes(16).toString('hex')
    const port = await freePort()
    const url = `redis://:${password}@127.0.0.1:${port}/0`
    const settings = { port: String(port), bind: '127.0.0.1', dir: folder.path, appendonly: 'yes', appendfsync: 'everysec' }
    const lines = Object.entries({ ...settings, save: '""', requirepass: password }).map(([name, value]) => `${name} ${value}\n`)
    const file = join(folder.path, 'redis.conf')
    writeFileSync(file, lines.join(''), { mode: 0o600 })
    const server = await startServer(program, [file], undefined, () => describeRedis(url))
    return {
      url,
      description: `${await describeRedis(url)}, started for this run`,
      stop: async () => {
        await server.stop()
        folder.remove()
      },
    }
  } catch (error) {
    folder.remove()
    throw error
  }
}

/** `Redis 7.0.15 (appendonly yes, appendfsync everysec)`. */
async function describeRedis(url: string): Promise<string> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null, connectTimeout: 5_000 })
  client.on('error', () => {})
  try {
    await client.connect()
    const version = /redis_version:(\S+)/.exec(await client.info('server'))?.[1]
    return `Redis ${version} (${await durability(client)})`
  } finally {
    client.disconnect()
  }
}

/** A rented server may not tell its settings. */
async function durability(client: Redis): Promise<string> {
  try {
    const settings: string[] = []
    for (const name of ['appendonly', 'appendfsync']) settings.push(((await client.config('GET', name)) as string[]).join(' '))
    return settings.join(', ')
  } catch {
    return 'durability unknown'
  }
}
