/** What the SQLite store says to its driver, and how SQLite would carry it out. */
import type { SqliteConnection, SqliteDriver, SqliteStatement, SqlRow, SqlValue } from '../../src/stores/sqlite/driver.ts'

/** A driver that notes which statements have been run. */
export interface RecordingDriver extends SqliteDriver {
  /** The statements that `work` runs, each once, in their order. Those that were prepared before are among them. */
  during(work: () => Promise<unknown>): Promise<readonly string[]>
}

export function recordingDriver(inner: SqliteDriver): RecordingDriver {
  let ran = new Set<string>()
  const recorded = (sql: string, { run, get, all }: SqliteStatement): SqliteStatement => {
    const noting =
      <Answer>(call: (params: readonly SqlValue[]) => Answer) =>
      (params: readonly SqlValue[]): Answer => {
        ran.add(sql)
        return call(params)
      }
    return { run: noting(run), get: noting(get), all: noting(all) }
  }
  return {
    ...inner,
    open(path) {
      const { exec, prepare, close } = inner.open(path)
      return { exec, prepare: sql => recorded(sql, prepare(sql)), close }
    },
    async during(work) {
      ran = new Set()
      await work()
      return [...ran]
    },
  }
}

/** How SQLite carries out a statement: a line for each table that it reads, and for each thing that it sorts. */
export function planOf(connection: SqliteConnection, sql: string): readonly string[] {
  const params = [...sql.matchAll(/\?/g)].map(() => null)
  return connection
    .prepare(`EXPLAIN QUERY PLAN ${sql}`)
    .all(params)
    .map((row: SqlRow) => String(row[3]))
}

/** Which of these tables grow with the jobs; those of lines, queues and runners do not. */
const growing = ['jobs', 'payloads', 'uniques', 'logs'] as const

/** Rows are read whole and put in order, because no index has them in it. */
export const sorts = 'sorts'

/** What a plan uses of the tables that grow: their indexes, and what takes longer the more jobs there are. */
export interface Use {
  readonly indexes: readonly string[]
  readonly troubles: readonly string[]
}

export function useOf(plans: readonly string[]): Use {
  const table = `(?:${growing.join('|')})`
  const index = new RegExp(`^(?:SEARCH|SCAN) ${table} USING (?:COVERING )?INDEX (\\w+)`)
  const isTrouble = new RegExp(`^SCAN ${table}\\b|TEMP B-TREE|AUTOMATIC`)
  const indexes = plans.map(line => index.exec(line)?.[1]).filter(name => name !== undefined)
  // How much of an order is sorted is told in words that differ between versions of SQLite
  const troubles = plans.filter(line => isTrouble.test(line)).map(line => (line.includes('TEMP B-TREE') ? sorts : line))
  return { indexes: [...new Set(indexes)].sort(), troubles: [...new Set(troubles)].sort() }
}
