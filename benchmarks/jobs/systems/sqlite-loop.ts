/**
 * The floor of an embedded store: SQLite in a loop, without handlers, events or timers. One transaction completes the last batch and
 * claims the next; completed rows are kept; the log is synced at every commit. The size of a batch is the concurrency of the workload.
 */
import type { JobSystem, OpenJobSystem } from '../job-system.ts'
import type { Payload } from '../payload.ts'
import { temporaryFolder } from '../servers/server-process.ts'
import { loadSqlite, type Sqlite } from './sqlite-driver.ts'

export const sqliteLoop: JobSystem = {
  label: 'SQLite in a loop (the floor)',
  has: ['enqueue-1', 'enqueue-bulk', 'process-1', 'process-10', 'process-100', 'process-1000'],
  open,
}

const [ready, running, completed] = [0, 1, 2]

const schema = `
  pragma journal_mode = wal;
  pragma synchronous = full;
  create table job (
    id integer primary key, queue text not null, priority integer not null, run_at integer not null,
    state integer not null, args text not null, started_at integer, finished_at integer
  );
  create index job_ready on job (queue, priority, run_at, id) where state = ${ready};`

const insertOne = `insert into job (queue, priority, run_at, state, args) values ('notes', 0, ?, ${ready}, ?)`

const insertMany = `insert into job (queue, priority, run_at, state, args)
  select 'notes', 0, ?, ${ready}, value from json_each(?)`

const claim = `update job set state = ${running}, started_at = ?
  where id in (select id from job where state = ${ready} and queue = 'notes' and run_at <= ?
    order by priority, run_at, id limit ?)
  returning id, args`

const complete = `update job set state = ${completed}, finished_at = ? where id in (select value from json_each(?))`

interface Row {
  readonly id: number
  readonly args: string
}

async function open(): Promise<OpenJobSystem> {
  const folder = temporaryFolder('sqlite')
  const Database = await loadSqlite()
  const database = new Database(`${folder.path}/jobs.db`)
  database.exec(schema)
  return {
    ...insertsOf(database),
    work: async (batch, handle) => loopOver(database, batch, handle),
    clear: async () => database.exec(`delete from job where state = ${ready}`),
    async close() {
      database.close()
      folder.remove()
    },
  }
}

function insertsOf(database: Sqlite): Pick<OpenJobSystem, 'add' | 'addMany'> {
  const [one, many] = [insertOne, insertMany].map(sql => database.prepare(sql))
  return {
    add: async job => one?.run(Date.now(), JSON.stringify(job)),
    addMany: async jobs => many?.run(Date.now(), JSON.stringify(jobs.map(job => JSON.stringify(job)))),
  }
}

/** Goes on until it is stopped. Between two batches the event loop has its turn, so that it can be. */
function loopOver(database: Sqlite, batch: number, handle: (job: Payload) => void): () => Promise<void> {
  const [claiming, completing] = [claim, complete].map(sql => database.prepare(sql))
  let stopped = false
  let held: readonly Row[] = []
  const step = (limit: number) => {
    const now = Date.now()
    database.exec('begin immediate')
    if (held.length > 0) completing?.run(now, JSON.stringify(held.map(row => row.id)))
    held = limit > 0 ? ((claiming?.all(now, now, limit) ?? []) as readonly Row[]) : []
    database.exec('commit')
    for (const row of held) handle(JSON.parse(row.args) as Payload)
  }
  const loop = (async () => {
    while (!stopped) {
      step(batch)
      await new Promise(resolve => void setImmediate(resolve))
    }
    step(0)
  })()
  return () => {
    stopped = true
    return loop
  }
}
