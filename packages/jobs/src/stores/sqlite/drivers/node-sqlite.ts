import type { SqliteConnection, SqliteDriver, SqliteStatement, SqlRow, SqlValue } from '../driver.ts'

/** What we use of `node:sqlite`. The types of Node 20 do not know it. */
interface NodeSqlite {
  readonly DatabaseSync: new (path: string) => Database
}

interface Database {
  exec(sql: string): void
  prepare(sql: string): Statement
  close(): void
}

interface Statement {
  run(...params: readonly SqlValue[]): { readonly changes: number | bigint }
  get(...params: readonly SqlValue[]): unknown
  all(...params: readonly SqlValue[]): unknown[]
  /** From Node 22.16 on. */
  setReturnArrays?(on: boolean): void
}

/** The SQLite that Node brings along from 22.13 on. Throws on an older Node. */
export function loadNodeSqlite(): SqliteDriver {
  const sqlite = withoutItsWarning(() => process.getBuiltinModule('node:sqlite')) as NodeSqlite | undefined
  if (sqlite === undefined) throw new Error(`Node ${process.versions.node} has none, 22.13 and newer have`)
  return { name: 'node:sqlite', open: path => connection(new sqlite.DatabaseSync(path)), codeOf }
}

/**
 * Node prints that `node:sqlite` is experimental when it is loaded. Who starts a job runner has not chosen it, and can do nothing
 * about it: we keep back that one warning, while the module is loaded, which is synchronous.
 */
function withoutItsWarning<Loaded>(load: () => Loaded): Loaded {
  const { emitWarning } = process
  process.emitWarning = (...args: readonly unknown[]) => {
    if (!(String(args[0]).includes('SQLite') && args[1] === 'ExperimentalWarning')) Reflect.apply(emitWarning, process, args)
  }
  try {
    return load()
  } finally {
    process.emitWarning = emitWarning
  }
}

function connection(database: Database): SqliteConnection {
  return {
    exec: sql => database.exec(sql),
    prepare: sql => statement(database.prepare(sql)),
    close: () => database.close(),
  }
}

function statement(prepared: Statement): SqliteStatement {
  const asRow = prepared.setReturnArrays === undefined ? valuesOf : asItIs
  prepared.setReturnArrays?.(true)
  return {
    run: params => Number(prepared.run(...params).changes),
    get(params) {
      const row = prepared.get(...params)
      return row === undefined ? undefined : asRow(row)
    },
    all: params => prepared.all(...params).map(asRow),
  }
}

const asItIs = (row: unknown): SqlRow => row as SqlRow
const valuesOf = (row: unknown): SqlRow => Object.values(row as Readonly<Record<string, SqlValue>>)

function codeOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined
  return typeof error.errcode === 'number' ? error.errcode : undefined
}
