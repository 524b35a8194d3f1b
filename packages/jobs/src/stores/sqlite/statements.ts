import type { SqliteConnection, SqliteStatement, SqlRow, SqlValue } from './driver.ts'

/** A connection whose statements are prepared once. Their texts are few: parameters carry all that varies. */
export class Statements {
  readonly #connection: SqliteConnection
  readonly #prepared = new Map<string, SqliteStatement>()

  constructor(connection: SqliteConnection) {
    this.#connection = connection
  }

  /** Runs a statement; answers how many rows were changed. */
  run(sql: string, ...params: readonly SqlValue[]): number {
    return this.#statement(sql).run(params)
  }

  /** The first row. */
  row(sql: string, ...params: readonly SqlValue[]): SqlRow | undefined {
    return this.#statement(sql).get(params)
  }

  rows(sql: string, ...params: readonly SqlValue[]): SqlRow[] {
    return this.#statement(sql).all(params)
  }

  /** Runs statements that are not kept. */
  exec(sql: string): void {
    this.#connection.exec(sql)
  }

  close(): void {
    this.#prepared.clear()
    this.#connection.close()
  }

  #statement(sql: string): SqliteStatement {
    let statement = this.#prepared.get(sql)
    if (statement === undefined) this.#prepared.set(sql, (statement = this.#connection.prepare(sql)))
    return statement
  }
}
