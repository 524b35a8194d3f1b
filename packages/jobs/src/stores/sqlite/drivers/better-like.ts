import type { SqliteConnection, SqliteStatement, SqlRow, SqlValue } from '../driver.ts'

/** What better-sqlite3 and libsql, which follows it, have in common. */
export interface BetterDatabase {
  exec(sql: string): unknown
  prepare(sql: string): BetterStatement
  close(): unknown
}

export interface BetterStatement {
  raw(on: boolean): unknown
  /** An array counts as the list of the parameters. */
  run(params: readonly SqlValue[]): { readonly changes: number }
  get(params: readonly SqlValue[]): unknown
  all(params: readonly SqlValue[]): unknown[]
}

export function betterConnection(database: BetterDatabase): SqliteConnection {
  return {
    exec: sql => void database.exec(sql),
    prepare: sql => betterStatement(database.prepare(sql)),
    close: () => void database.close(),
  }
}

function betterStatement(prepared: BetterStatement): SqliteStatement {
  let isRaw = false
  // Only a statement that answers rows can be told to answer them as arrays
  const raw = (): BetterStatement => {
    if (!isRaw) prepared.raw((isRaw = true))
    return prepared
  }
  return {
    run: params => prepared.run(params).changes,
    get: params => raw().get(params) as SqlRow | undefined,
    all: params => raw().all(params) as SqlRow[],
  }
}
