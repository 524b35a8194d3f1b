import { type Server, type ServerName, urlVariables } from './server.ts'

/** The servers of a run: those that answer, and why others do not. */
export interface Servers {
  readonly found: Readonly<Partial<Record<ServerName, string>>>
  readonly missing: Readonly<Partial<Record<ServerName, string>>>
  stop(): Promise<void>
}

/** How to come to a server. Its client is loaded when it is wanted. */
interface Way {
  /** Rejects if the server that the caller names does not answer. */
  given(url: string): Promise<Server>
  /** Undefined if this machine has not got the programs. */
  start(): Promise<Server | undefined>
  readonly programs: string
}

const ways: Readonly<Record<ServerName, Way>> = {
  postgres: {
    given: async url => (await import('./postgres.ts')).givenPostgres(url),
    start: async () => (await import('./postgres.ts')).startPostgres(),
    programs: 'initdb and postgres',
  },
  redis: {
    given: async url => (await import('./redis.ts')).givenRedis(url),
    start: async () => (await import('./redis.ts')).startRedis(),
    programs: 'redis-server',
  },
}

/**
 * Servers are taken where the environment names them (`GENSTAGE_POSTGRES_URL`, `GENSTAGE_REDIS_URL`), else started from the programs
 * of this machine, for this run alone. Their URLs are in the environment afterwards, where cells look. A server that is named and does
 * not answer is an error; one that is not there is not.
 */
export async function openServers(names: readonly ServerName[], say: (line: string) => void): Promise<Servers> {
  const open: (readonly [ServerName, Server, string | undefined])[] = []
  const found: Partial<Record<ServerName, string>> = {}
  const missing: Partial<Record<ServerName, string>> = {}
  const stop = async () => {
    for (const [name, server, before] of open.splice(0)) {
      if (before === undefined) delete process.env[urlVariables[name]]
      await server.stop()
    }
  }
  try {
    for (const name of names) {
      const server = await openServer(name)
      if (server === undefined) {
        missing[name] = `neither ${urlVariables[name]} nor the programs ${ways[name].programs} are there`
        continue
      }
      open.push([name, server, process.env[urlVariables[name]]])
      process.env[urlVariables[name]] = server.url
      found[name] = server.description
      say(server.description)
    }
  } catch (error) {
    await stop()
    throw error
  }
  return { found, missing, stop }
}

async function openServer(name: ServerName): Promise<Server | undefined> {
  const url = process.env[urlVariables[name]]
  if (url === undefined || url === '') return ways[name].start()
  try {
    return await ways[name].given(url)
  } catch (cause) {
    throw new Error(
      `the server of ${urlVariables[name]} does not answer: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    )
  }
}
