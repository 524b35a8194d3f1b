/** What the loop uses of SQLite: `node:sqlite` and libsql have it in common. */
export interface Sqlite {
  exec(sql: string): unknown
  prepare(sql: string): SqliteStatement
  close(): unknown
}

export interface SqliteStatement {
  run(...values: readonly unknown[]): unknown
  all(...values: readonly unknown[]): readonly unknown[]
}

type SqliteClass = new (path: string) => Sqlite

/** The driver that an embedded store would choose here: that of Node if it has one, else libsql. */
export async function loadSqlite(): Promise<SqliteClass> {
  const builtIn = 'node:sqlite'
  try {
    return ((await import(builtIn)) as { readonly DatabaseSync: SqliteClass }).DatabaseSync
  } catch {
    return (await import('libsql')).default as unknown as SqliteClass
  }
}
