/** The servers that peers need. */
export type ServerName = 'postgres' | 'redis'

/** A server that answers. */
export interface Server {
  readonly url: string
  /** Version and settings that decide what its figures mean. */
  readonly description: string
  /** Ends it if it was started here, with all its data. */
  stop(): Promise<void>
}

/**
 * Where a server is found, by cells as well: in the environment and not on a command line, which others may read, since the URL holds
 * the password.
 */
export const urlVariables = {
  postgres: 'GENSTAGE_POSTGRES_URL',
  redis: 'GENSTAGE_REDIS_URL',
} as const satisfies Record<ServerName, string>

/** The URL of a server that a cell needs. */
export function urlOf(name: ServerName): string {
  const url = process.env[urlVariables[name]]
  if (url === undefined || url === '') throw new Error(`no ${name}: ${urlVariables[name]} is not set`)
  return url
}
