import { badOption, delay, duration, oneOf, type OwnOptions, ownOptions, refuseUnknown } from '@genstage/core/adapters'
import { driverNames, type SqliteDriver, type SqliteDriverName } from './driver.ts'

/** Options of `sqliteStore`. */
export interface SqliteStoreOptions {
  /** The file; it is made if it is not there, its folder is not. `:memory:` is a database without a file, for this store alone. */
  readonly path: string
  /**
   * `full` (default): what was acknowledged survives a power cut. `normal`: it survives the death of the process, but a power cut can
   * take what was written since the last checkpoint, up to some seconds of it; the file stays whole.
   */
  readonly synchronous?: 'full' | 'normal' | undefined
  /** `auto` (default): the first that loads of `node:sqlite`, `libsql`, `better-sqlite3`. Or one of them, or your own. */
  readonly driver?: 'auto' | SqliteDriverName | SqliteDriver | undefined
  /** For so long a call waits while another process writes, before it rejects with `STORE_BUSY`. Milliseconds, 5,000 by default. */
  readonly busyTimeoutMs?: number | undefined
  /** How often it looks whether another process has changed the file, while somebody listens. Milliseconds, 50 by default. */
  readonly pollMs?: number | undefined
}

/** The options, checked, with their defaults. */
export interface SqliteSettings {
  readonly path: string
  readonly synchronous: 'full' | 'normal'
  readonly driver: 'auto' | SqliteDriverName | SqliteDriver
  readonly busyTimeoutMs: number
  readonly pollMs: number
}

const where = 'sqliteStore'

export function sqliteSettings(options: string | SqliteStoreOptions): SqliteSettings {
  const own = ownOptions(where, typeof options === 'string' ? { path: options } : options)
  refuseUnknown(where, own, ['path', 'synchronous', 'driver', 'busyTimeoutMs', 'pollMs'])
  return {
    path: pathOf(own),
    synchronous: oneOf(where, own, 'synchronous', ['full', 'normal'], 'full'),
    driver: driverOf(own),
    busyTimeoutMs: duration(where, 'busyTimeoutMs', own['busyTimeoutMs'], false, 5_000),
    pollMs: delay(where, own, 'pollMs', 50),
  }
}

function pathOf(own: OwnOptions): string {
  const path = own['path']
  // A NUL character ends the name for SQLite, and the process for one of the drivers
  if (typeof path === 'string' && path !== '' && !path.includes('\0')) return path
  throw badOption(where, 'path', path, 'the path of a file, without NUL characters, or ":memory:"')
}

function driverOf(own: OwnOptions): SqliteSettings['driver'] {
  const { driver } = own
  if (isDriver(driver)) return driver
  if (typeof driver === 'object') throw badOption(where, 'driver', driver, 'a SqliteDriver, with name, open and codeOf')
  return oneOf(where, own, 'driver', ['auto', ...driverNames], 'auto')
}

function isDriver(value: unknown): value is SqliteDriver {
  if (typeof value !== 'object' || value === null || !('name' in value && 'open' in value && 'codeOf' in value)) return false
  return typeof value.name === 'string' && typeof value.open === 'function' && typeof value.codeOf === 'function'
}
