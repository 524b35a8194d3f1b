import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chownSync, mkdirSync, writeFileSync } from 'node:fs'
import { totalmem } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { findProgram, freePort, startServer, temporaryFolder, unprivilegedUser, versionedFolders } from './server-process.ts'
import type { Server } from './server.ts'

const gigabyte = 2 ** 30

/** Durable, and with the memory that a server of some use has. Everything else is as PostgreSQL ships. */
const settings: Readonly<Record<string, string>> = {
  fsync: 'on',
  synchronous_commit: 'on',
  shared_buffers: totalmem() > 8 * gigabyte ? '1GB' : '256MB',
  max_wal_size: '4GB',
  max_connections: '200',
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
}

const told = ['fsync', 'synchronous_commit', 'shared_buffers', 'max_wal_size'] as const

/** A server that the caller names: rejects if it does not answer. */
export async function givenPostgres(url: string): Promise<Server> {
  return { url, description: await describePostgres(url), stop: async () => {} }
}

/** Starts a server of its own from the programs of this machine; undefined if there are none. */
export async function startPostgres(): Promise<Server | undefined> {
  const folders = versionedFolders('/usr/lib/postgresql')
  const [initdb, postgres] = ['initdb', 'postgres'].map(name => findProgram(name, folders))
  if (initdb === undefined || postgres === undefined) return undefined
  const user = unprivilegedUser('postgres', 'nobody')
  const folder = temporaryFolder('postgres')
  try {
    const password = randomBytes(16).toString('hex')
    const data = join(folder.path, 'data')
    const passwordFile = join(folder.path, 'password')
    mkdirSync(data, { mode: 0o700 })
    writeFileSync(passwordFile, password, { mode: 0o600 })
    if (user) for (const path of [folder.path, data, passwordFile]) chownSync(path, user.uid, user.gid)
    const options = ['--username=bench', `--pwfile=${passwordFile}`, '--auth=scram-sha-256', '--encoding=UTF8', '--no-locale']
    const made = spawnSync(initdb, [`--pgdata=${data}`, ...options], { ...user, cwd: folder.path, encoding: 'utf8' })
    if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr || made.error?.message}`)
    const port = await freePort()
    const url = `postgres://bench:${password}@127.0.0.1:${port}/postgres`
    const flags = Object.entries({ ...settings, port: String(port) }).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    const server = await startServer(postgres, ['-D', data, ...flags], user, () => describePostgres(url))
    return {
      url,
      description: `${await describePostgres(url)}, started for this run`,
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

/** `PostgreSQL 15.18 (fsync on, …)`. */
async function describePostgres(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 })
  client.on('error', () => {})
  await client.connect()
  try {
    const { rows } = await client.query<{ name: string; value: string }>(
      'select name, current_setting(name) as value from unnest($1::text[]) as name',
      [['server_version', ...told]],
    )
    const [version, ...others] = rows.map(row => row)
    return `PostgreSQL ${version?.value.split(' ')[0]} (${others.map(({ name, value }) => `${name} ${value}`).join(', ')})`
  } finally {
    await client.end()
  }
}
