import { JobsError, type JobsErrorCode } from '../../errors.ts'
import type { SqliteDriver } from './driver.ts'

/** Result codes of SQLite: the low eight bits. The others say more of the same. */
export const sqliteBusy = 5
const sqliteLocked = 6

const codes: ReadonlyMap<number, readonly [JobsErrorCode, string]> = new Map([
  [3, ['STORE_READ_ONLY', 'this process may not write to it']],
  [sqliteBusy, ['STORE_BUSY', 'another process holds the lock on it']],
  [sqliteLocked, ['STORE_BUSY', 'another connection of this process holds the lock on it']],
  [8, ['STORE_READ_ONLY', 'it, or its folder, is read-only']],
  [11, ['STORE_CORRUPT', 'it is damaged']],
  [13, ['STORE_FULL', 'the disk is full']],
  [14, ['STORE_UNAVAILABLE', 'it cannot be opened']],
  [26, ['STORE_CORRUPT', 'it is no SQLite database, or its beginning is damaged']],
])

/** SQLITE_IOERR of a disk that is full carries this in the code of the system, which drivers do not show; the messages do. */
const fullDisk = /ENOSPC|no space left/i

/** Whether the error says that somebody else is writing: worth another try. */
export function isBusy(driver: SqliteDriver, error: unknown): boolean {
  const code = driver.codeOf(error)
  return code !== undefined && ((code & 0xff) === sqliteBusy || (code & 0xff) === sqliteLocked)
}

/** What the driver has thrown, as one of ours. Ours are what they are. */
export function storeError(driver: SqliteDriver, path: string, error: unknown): JobsError {
  if (error instanceof JobsError) return error
  const code = driver.codeOf(error)
  const message = error instanceof Error ? error.message : String(error)
  const [ours, meaning] =
    (code === undefined ? undefined : codes.get(code & 0xff)) ?? (fullDisk.test(message) ? codes.get(13) : undefined) ?? otherwise
  return new JobsError(ours, `sqliteStore: ${path}: ${meaning} (${driver.name}: ${message})`, { cause: error })
}

const otherwise: readonly [JobsErrorCode, string] = ['STORE_FAILED', 'it failed']
