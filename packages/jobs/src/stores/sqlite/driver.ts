/** What SQLite carries for us. Texts hold no NUL character and no half of a surrogate pair: not every driver brings them back. */
export type SqlValue = number | string | null
/** A row, in the order of its columns. */
export type SqlRow = readonly SqlValue[]

/** A prepared statement. Everything is synchronous: SQLite is a library, not a server. */
export interface SqliteStatement {
  /** Answers how many rows were changed. */
  run(params: readonly SqlValue[]): number
  get(params: readonly SqlValue[]): SqlRow | undefined
  all(params: readonly SqlValue[]): SqlRow[]
}

/** An open database file. */
export interface SqliteConnection {
  /** Runs statements without parameters or rows. */
  exec(sql: string): void
  prepare(sql: string): SqliteStatement
  close(): void
}

/**
 * The port behind which a library of SQLite stands. Yours fits as well: give it as the `driver` option of `sqliteStore`. It needs
 * SQLite 3.45 or newer, and integers that come back as numbers.
 */
export interface SqliteDriver {
  /** For messages: `node:sqlite`. */
  readonly name: string
  /** Opens a file, or makes it. Throws what the library throws. */
  open(path: string): SqliteConnection
  /** The result code of SQLite that an error of this driver carries (5 is SQLITE_BUSY); undefined where it is no error of SQLite. */
  codeOf(error: unknown): number | undefined
}

/** The drivers that come with the package, in the order in which they are tried. */
export const driverNames = ['node:sqlite', 'libsql', 'better-sqlite3'] as const
export type SqliteDriverName = (typeof driverNames)[number]
