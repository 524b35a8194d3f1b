import type { NewJob } from '../../store.ts'
import type { Line } from './book.ts'
import type { SqlValue } from './driver.ts'
import { inPieces } from './pieces.ts'
import { delayed, nobody, noToken, waiting } from './schema.ts'
import type { Session } from './session.ts'
import { toText } from './texts.ts'

/** A job as it goes into its two tables. */
export interface Entry {
  readonly job: NewJob
  readonly line: Line
  readonly state: number
  /** `version`, `max_attempts`, `timeout_ms`, `tags` of `payloads`: often the same for many. */
  readonly manner: readonly SqlValue[]
  /** `line`, `state`, `priority`, `run_at` of `jobs`: often the same for many. */
  readonly place: readonly SqlValue[]
}

export function entryOf({ book, now }: Session, job: NewJob, runAt: number): Entry {
  const line = book.line(job.queue, job.kind)
  const state = stateAt(runAt, now)
  const tags = job.tags === undefined || job.tags.length === 0 ? null : JSON.stringify(job.tags)
  const manner = [job.version, job.maxAttempts, job.timeoutMs ?? null, tags]
  return { job, line, state, manner, place: [line.id, state, job.priority, runAt] }
}

/** The state of a job that may run from a time on. */
export function stateAt(runAt: number, now: number): number {
  return runAt <= now ? waiting : delayed
}

const payloads = 'INSERT INTO payloads (seq, id, args, version, max_attempts, timeout_ms, tags, unique_key, enqueued_at)'
const jobs = 'INSERT INTO jobs (seq, line, state, priority, run_at, started_at, finished_at, token, holder)'
/** The values of the last columns of `jobs`, as wide as what claim and completion put there. */
const unclaimed = `?, ?, ${noToken}, ${nobody}`

const onePayload = `${payloads} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`
const oneJob = `${jobs} VALUES (?, ?, ?, ?, ?, ${unclaimed})`

/** Stores one job. Answers false, and has changed nothing, where its id is there already. */
export function insertEntry(session: Session, seq: number, { job, line, state, manner, place }: Entry): boolean {
  const { now, book } = session
  const key = job.unique === undefined ? null : toText(job.unique.key)
  if (session.run(onePayload, seq, job.id, job.args, ...manner, key, now) === 0) return false
  session.run(oneJob, seq, ...place, now, now)
  book.move(line, undefined, state)
  return true
}

// Many rows go in by one call. To take a value out of the JSON costs a quarter of a row: what all have in common comes as parameters
const isNew = 'WHERE true ON CONFLICT (id) DO NOTHING'
const payloadsAlike = `${payloads} SELECT ? + key, value ->> 0, value ->> 1, ?, ?, ?, ?, NULL, ? FROM json_each(?) ${isNew}`
const payloadsVaried = `
  ${payloads} SELECT ? + key, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, NULL, ? FROM json_each(?) ${isNew}`
const jobsAlike = `${jobs} SELECT seq, ?, ?, ?, ?, ${unclaimed} FROM payloads WHERE seq >= ?`
const jobsVaried = `${jobs} SELECT ? + key, value ->> 0, value ->> 1, value ->> 2, value ->> 3, ${unclaimed} FROM json_each(?)`

/** Stores jobs without keys, whose numbers begin with `first`. Answers false, and has changed nothing, where an id is there already. */
export function insertEntries(session: Session, first: number, entries: readonly Entry[]): boolean {
  const [only] = entries
  if (entries.length === 1 && only !== undefined) return insertEntry(session, first, only)
  const { now, book } = session
  const manner = inCommon(entries.map(entry => entry.manner))
  const place = inCommon(entries.map(entry => entry.place))
  let seq = first
  for (const piece of inPieces(entries, ({ job }) => job.args.length)) {
    const stored =
      manner === undefined
        ? session.run(payloadsVaried, seq, now, JSON.stringify(piece.map(({ job, manner: own }) => [job.id, job.args, ...own])))
        : session.run(payloadsAlike, seq, ...manner, now, JSON.stringify(piece.map(({ job }) => [job.id, job.args])))
    if (stored < piece.length) {
      session.run('DELETE FROM payloads WHERE seq >= ?', first)
      session.run('DELETE FROM jobs WHERE seq >= ?', first)
      return false
    }
    if (place === undefined) session.run(jobsVaried, seq, now, now, JSON.stringify(piece.map(entry => entry.place)))
    else session.run(jobsAlike, ...place, now, now, seq)
    seq += piece.length
  }
  for (const { line, state } of entries) book.move(line, undefined, state)
  return true
}

/** The values, if they are the same in all rows. */
function inCommon(rows: readonly (readonly SqlValue[])[]): readonly SqlValue[] | undefined {
  const [first] = rows
  return rows.every(row => row.every((value, column) => value === first?.[column])) ? first : undefined
}
