import { JobsError } from '../../errors.ts'
import type { Inserted, NewJob } from '../../store.ts'
import type { Line } from './book.ts'
import type { SqlValue } from './driver.ts'
import { delayed, waiting } from './schema.ts'
import type { Session } from './session.ts'
import { toText } from './texts.ts'
import { type Hold, holdOf, takeKey } from './uniques.ts'

const columns = 'seq, id, line, state, priority, run_at, enqueued_at, version, max_attempts, timeout_ms, unique_key, tags, args'
const insertRow = `INSERT INTO jobs (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
/** Many rows in one call, which costs half of what as many calls cost. */
const insertRows = `
  INSERT INTO jobs (${columns})
  SELECT ${Array.from({ length: 13 }, (_, index) => `value ->> ${index}`).join(', ')} FROM json_each(?) WHERE true
  ON CONFLICT (id) DO NOTHING`

/** Stores jobs in their order. Throws `ID_CONFLICT`: then the transaction has to be undone. */
export function insertJobs(session: Session, jobs: readonly NewJob[]): readonly Inserted[] {
  return insertPlain(session, jobs) ?? jobs.map((job, index) => insertOne(session, job, index))
}

/** All jobs at once, where none has a key and all are new. Answers undefined where it is not so, and has changed nothing. */
function insertPlain(session: Session, jobs: readonly NewJob[]): readonly Inserted[] | undefined {
  if (jobs.length < 2 || jobs.some(({ unique }) => unique !== undefined)) return undefined
  const { book, now } = session
  const first = book.takeSeqs(jobs.length)
  const entries = jobs.map((job, index) => entryOf(job, book.line(job.queue, job.kind), first + index, runAtOf(job, now), now))
  if (session.run(insertRows, JSON.stringify(entries.map(({ row }) => row))) < jobs.length) {
    session.run('DELETE FROM jobs WHERE seq >= ?', first)
    return undefined
  }
  for (const { line, state } of entries) book.move(line, undefined, state)
  return jobs.map(({ id }) => ({ id, outcome: 'inserted' }))
}

function insertOne(session: Session, job: NewJob, index: number): Inserted {
  const known = session.row('SELECT line, version, args FROM jobs WHERE id = ?', job.id)
  if (known !== undefined) {
    const { queue, kind } = session.book.lineById(Number(known[0]))
    if (queue === job.queue && kind === job.kind && known[1] === job.version && known[2] === job.args)
      return { id: job.id, outcome: 'duplicate' }
    throw idConflict(job, index)
  }
  const { unique } = job
  const runAt = runAtOf(job, session.now)
  const hold = unique && holdOf(session, unique.key)
  if (unique === undefined || hold === undefined) return store(session, job, runAt, session.now, false)
  if (unique.conflict === 'replace' && replace(session, hold, job, runAt)) return { id: hold.job, outcome: 'replaced' }
  if (unique.conflict === 'next' && !hold.isNext && hold.endsAt !== undefined)
    return store(session, job, hold.endsAt, hold.endsAt, true)
  return { id: hold.job, outcome: 'duplicate' }
}

/** The window of its key, if it has one, begins at `from`. */
function store(session: Session, job: NewJob, runAt: number, from: number, isNext: boolean): Inserted {
  const { book } = session
  const { line, state, row } = entryOf(job, book.line(job.queue, job.kind), book.takeSeqs(1), runAt, session.now)
  session.run(insertRow, ...row)
  book.move(line, undefined, state)
  if (job.unique !== undefined) takeKey(session, job.id, job.unique, from, isNext)
  return { id: job.id, outcome: 'inserted' }
}

/** The holder takes over what is new, if it has not started and is of the same kind and queue: args of another kind would not fit. */
function replace(session: Session, hold: Hold, job: NewJob, runAt: number): boolean {
  const holder = session.row('SELECT seq, line, state FROM jobs WHERE id = ?', hold.job)
  if (holder === undefined) return false
  const [seq, lineId, before] = holder.map(Number)
  const line = session.book.lineById(lineId ?? 0)
  if (line.queue !== job.queue || line.kind !== job.kind || (before !== delayed && before !== waiting)) return false
  const after = stateAt(runAt, session.now)
  session.run(
    'UPDATE jobs SET state = ?, version = ?, args = ?, priority = ?, max_attempts = ?, run_at = ? WHERE seq = ?',
    after,
    job.version,
    job.args,
    job.priority,
    job.maxAttempts,
    runAt,
    seq ?? 0,
  )
  session.book.move(line, before, after)
  return true
}

interface Entry {
  readonly line: Line
  readonly state: number
  /** In the order of `columns`. */
  readonly row: readonly SqlValue[]
}

function entryOf(job: NewJob, line: Line, seq: number, runAt: number, now: number): Entry {
  const state = stateAt(runAt, now)
  const key = job.unique === undefined ? null : toText(job.unique.key)
  const tags = job.tags === undefined || job.tags.length === 0 ? null : JSON.stringify(job.tags)
  const row = [
    seq,
    job.id,
    line.id,
    state,
    job.priority,
    runAt,
    now,
    job.version,
    job.maxAttempts,
    job.timeoutMs ?? null,
    key,
    tags,
    job.args,
  ]
  return { line, state, row }
}

function runAtOf({ runAt, delayMs }: NewJob, now: number): number {
  return runAt ?? now + delayMs
}

/** The state of a job that may run from a time on. */
export function stateAt(runAt: number, now: number): number {
  return runAt <= now ? waiting : delayed
}

function idConflict({ id, queue, kind }: NewJob, index: number): JobsError {
  const message = `job ${id} is there already, with another queue, kind, version or args; give each job an id of its own`
  return new JobsError('ID_CONFLICT', message, { job: id, queue, kind, index })
}
