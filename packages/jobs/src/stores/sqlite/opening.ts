import { resolve } from 'node:path'
import type { StoreContext } from '../../store.ts'
import { JobsError } from '../../errors.ts'
import { checkPath, inMemory, warnOfNetwork } from './check-path.ts'
import { chooseDriver } from './choose-driver.ts'
import type { SqliteConnection, SqliteDriver } from './driver.ts'
import { busySpinMs, Patience } from './patience.ts'
import { migrate } from './schema.ts'
import { isBusy, storeError } from './sqlite-errors.ts'
import type { SqliteSettings } from './sqlite-options.ts'

/** An open file, and by what it was opened. */
export interface OpenFile {
  readonly driver: SqliteDriver
  readonly connection: SqliteConnection
  /** Absolute, or `:memory:`. */
  readonly path: string
}

/** Pages that are kept in memory, at most. With the 2 MiB of SQLite a backlog of some 100,000 jobs has its indexes read again and again. */
const cacheKiB = 16_000
/** When the log is begun anew, what is longer is cut off. */
const shortLogBytes = 8 * 2 ** 20

/** Opens the file, sees that it is ours, that it can be written, and that its schema is of our version. */
export async function openFile(settings: SqliteSettings, { clock, logger }: StoreContext): Promise<OpenFile> {
  const driver = chooseDriver(settings.driver)
  const isFile = settings.path !== inMemory
  const path = isFile ? resolve(settings.path) : inMemory
  if (isFile) {
    checkPath(path)
    warnOfNetwork(path, logger)
  }
  const patience = new Patience(clock, settings.busyTimeoutMs)
  for (;;) {
    try {
      const connection = openConnection(driver, path, settings.synchronous, opened => migrate(opened, path, clock.wallTime()))
      seeThatItIsWritable(connection)
      return { driver, connection, path }
    } catch (error) {
      if (!isBusy(driver, error) || !(await patience.wait())) throw storeError(driver, path, error)
    }
  }
}

/**
 * A connection with the settings that every one of ours has. Throws what the driver throws. What `prepare` does comes before all that
 * changes the file: where it throws, for the file of another application, that one is as it was.
 */
export function openConnection(
  driver: SqliteDriver,
  path: string,
  synchronous: 'full' | 'normal',
  prepare?: (connection: SqliteConnection) => void,
): SqliteConnection {
  const connection = driver.open(path)
  try {
    connection.exec(`PRAGMA busy_timeout = ${busySpinMs}`)
    checkVersion(driver, connection)
    prepare?.(connection)
    const mode = connection.prepare('PRAGMA journal_mode = WAL').get([])?.[0]
    if (path !== inMemory && mode !== 'wal')
      throw new JobsError('STORE_UNAVAILABLE', `sqliteStore: ${path}: its file system does not allow a write-ahead log`)
    connection.exec(
      `PRAGMA synchronous = ${synchronous}; PRAGMA cache_size = -${cacheKiB}; PRAGMA journal_size_limit = ${shortLogBytes}`,
    )
    return connection
  } catch (error) {
    connection.close()
    throw error
  }
}

function checkVersion(driver: SqliteDriver, connection: SqliteConnection): void {
  const version = String(connection.prepare('SELECT sqlite_version()').get([])?.[0])
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major > 3 || (major === 3 && minor >= 45)) return
  throw new JobsError('STORE_UNAVAILABLE', `sqliteStore: ${driver.name} has SQLite ${version}: 3.45 or newer is needed`)
}

/** Nothing is written; but a file that cannot be is told now, not at the first job. */
function seeThatItIsWritable(connection: SqliteConnection): void {
  try {
    // The beginning alone is refused only where there is no log yet
    connection.exec('BEGIN IMMEDIATE; UPDATE meta SET last_seq = last_seq WHERE false; ROLLBACK')
  } catch (error) {
    connection.close()
    throw error
  }
}
