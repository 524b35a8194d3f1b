import { JobsError } from '../../errors.ts'
import type { Inserted, NewJob } from '../../store.ts'
import { entryOf, insertEntries, insertEntry } from './entry-rows.ts'
import { jobsById } from './job-rows.ts'
import { delayed, waiting } from './schema.ts'
import type { Session } from './session.ts'
import { type Hold, holdOf, takeKey } from './uniques.ts'

/** With all attempts ahead of it. */
const becomeAnother =
  'UPDATE jobs SET state = ?, priority = ?, run_at = ?, attempt = 0, crashes = 0, progress = NULL WHERE seq = ?'
const becomeAnotherPayload = 'UPDATE payloads SET args = ?, version = ?, max_attempts = ?, timeout_ms = ?, tags = ? WHERE seq = ?'

/** Stores jobs in their order. Throws `ID_CONFLICT`: then the transaction has to be undone. */
export function insertJobs(session: Session, jobs: readonly NewJob[]): readonly Inserted[] {
  return insertPlain(session, jobs) ?? jobs.map((job, index) => insertOne(session, job, index))
}

/** All jobs at once, where none has a key and all are new. Answers undefined where it is not so, and has changed nothing. */
function insertPlain(session: Session, jobs: readonly NewJob[]): readonly Inserted[] | undefined {
  if (jobs.some(({ unique }) => unique !== undefined)) return undefined
  const entries = jobs.map(job => entryOf(session, job, runAtOf(job, session.now)))
  if (!insertEntries(session, session.book.takeSeqs(jobs.length), entries)) return undefined
  return jobs.map(({ id }) => ({ id, outcome: 'inserted' }))
}

function insertOne(session: Session, job: NewJob, index: number): Inserted {
  const known = session.row(`SELECT line, version, args FROM ${jobsById} WHERE id = ?`, job.id)
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
  const queue = queueOf(session, hold.job)
  return { id: hold.job, outcome: 'duplicate', ...(queue !== undefined && queue !== job.queue && { queue }) }
}

/** The queue of a job, if it is still there. */
function queueOf(session: Session, id: string): string | undefined {
  const line = session.row(`SELECT line FROM ${jobsById} WHERE id = ?`, id)?.[0]
  return line === undefined ? undefined : session.book.lineById(Number(line)).queue
}

/** The window of its key, if it has one, begins at `from`. */
function store(session: Session, job: NewJob, runAt: number, from: number, isNext: boolean): Inserted {
  insertEntry(session, session.book.takeSeqs(1), entryOf(session, job, runAt))
  if (job.unique !== undefined) takeKey(session, job.id, job.unique, from, isNext)
  return { id: job.id, outcome: 'inserted' }
}

/** The holder becomes the new job, if it does not run and is of the same kind and queue: args of another kind would not fit. */
function replace(session: Session, hold: Hold, job: NewJob, runAt: number): boolean {
  const holder = session.row(`SELECT seq, line, state FROM ${jobsById} WHERE id = ?`, hold.job)
  if (holder === undefined) return false
  const [seq = 0, lineId = 0, before = 0] = holder.map(Number)
  const line = session.book.lineById(lineId)
  if (line.queue !== job.queue || line.kind !== job.kind || (before !== delayed && before !== waiting)) return false
  const { state, manner } = entryOf(session, job, runAt)
  session.run(becomeAnother, state, job.priority, runAt, seq)
  session.run(becomeAnotherPayload, job.args, ...manner, seq)
  session.book.move(line, before, state)
  return true
}

function runAtOf({ runAt, delayMs }: NewJob, now: number): number {
  return runAt ?? now + delayMs
}

function idConflict({ id, queue, kind }: NewJob, index: number): JobsError {
  const message = `job ${id} is there already, with another queue, kind, version or args; give each job an id of its own`
  return new JobsError('ID_CONFLICT', message, { job: id, queue, kind, index })
}
