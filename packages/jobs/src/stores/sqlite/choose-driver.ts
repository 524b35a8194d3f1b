import { JobsError } from '../../errors.ts'
import { driverNames, type SqliteDriver, type SqliteDriverName } from './driver.ts'
import { loadBetterSqlite3 } from './drivers/better-sqlite3.ts'
import { loadLibsql } from './drivers/libsql.ts'
import { loadNodeSqlite } from './drivers/node-sqlite.ts'

type Loaders = Readonly<Record<SqliteDriverName, () => SqliteDriver>>

const ours: Loaders = {
  'node:sqlite': loadNodeSqlite,
  libsql: loadLibsql,
  'better-sqlite3': loadBetterSqlite3,
}

/** The driver that was chosen, or the first that loads. Throws `STORE_UNAVAILABLE`, which tells of each why it did not. */
export function chooseDriver(wish: 'auto' | SqliteDriverName | SqliteDriver, loaders: Loaders = ours): SqliteDriver {
  if (typeof wish === 'object') return wish
  const failures: { readonly name: string; readonly error: unknown }[] = []
  for (const name of wish === 'auto' ? driverNames : [wish]) {
    try {
      return loaders[name]()
    } catch (error) {
      failures.push({ name, error })
    }
  }
  throw noDriver(wish, failures)
}

function noDriver(wish: string, failures: readonly { readonly name: string; readonly error: unknown }[]): JobsError {
  const what = wish === 'auto' ? 'no SQLite driver loads' : `the SQLite driver ${wish} does not load`
  const reasons = failures.map(({ name, error }) => `${name} (${firstLine(error)})`).join(', ')
  const advice = 'Use Node 22.13 or newer, or npm install libsql'
  const cause = new AggregateError(failures.map(({ error }) => error))
  return new JobsError('STORE_UNAVAILABLE', `sqliteStore: ${what}: ${reasons}. ${advice}`, { cause })
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? ''
}
