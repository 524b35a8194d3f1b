import type { Claimed, ClaimedJob, ClaimRequest } from '../../store.ts'
import type { Line } from './book.ts'
import type { SqlRow } from './driver.ts'
import { claimColumns, claimedJob, wholeJobs } from './job-rows.ts'
import { delayed, running, waiting } from './schema.ts'
import type { Session } from './session.ts'
import { textOf } from './texts.ts'
import { keyStarted } from './uniques.ts'

/**
 * So many delayed jobs become waiting at one go. Where more are due at the same moment, the others follow with the next claims:
 * the order of claims is kept among those that wait.
 */
const awakenedAtOnce = 500

const fromLine = `SELECT ${claimColumns} FROM ${wholeJobs} WHERE line = ? AND state = ${waiting}`
const inOrder = 'ORDER BY priority, run_at, seq LIMIT ?'
/** More lines than this are asked in several statements, as SQLite takes so many parts in one. */
const linesAtOnce = 256

const take = `
  UPDATE jobs SET state = ${running}, token = ? + j.key, holder = ?, started_at = ?, attempt = attempt + 1, begun = 0
  FROM json_each(?) AS j WHERE jobs.seq = j.value`

/** Gives a runner the next jobs of a queue. One that is not registered gets none: nobody would know when it has died with them. */
export function claimJobs(session: Session, { runner, queue, limit, kinds }: ClaimRequest): Claimed {
  const { book } = session
  const lines = book.linesOf(queue)
  const nextAt = awaken(session, lines.values())
  const soon = nextAt === undefined ? {} : { nextInMs: Math.max(0, nextAt - session.now) }
  if (book.isPaused(queue)) return { jobs: [], paused: true, ...soon }

  const ready = withWaiting(lines, kinds)
  const holder =
    ready.length === 0 ? undefined : session.row('SELECT number FROM runners WHERE id = ? AND is_dead = 0', runner)?.[0]
  if (holder === undefined) return { jobs: [], paused: false, ...soon }

  const rows = firstOf(session, ready, limit)
  const token = book.takeTokens(rows.length)
  session.run(take, token, holder, session.now, JSON.stringify(rows.map(row => row[0])))
  return { jobs: rows.map((row, index) => taken(session, row, token + index)), paused: false, ...soon }
}

/** The lines of these kinds that have something waiting. */
function withWaiting(lines: ReadonlyMap<string, Line>, kinds: readonly string[]): readonly Line[] {
  const ready: Line[] = []
  for (const kind of new Set(kinds)) {
    const line = lines.get(kind)
    if (line !== undefined && (line.counts[waiting] ?? 0) > 0) ready.push(line)
  }
  return ready
}

function taken(session: Session, row: SqlRow, token: number): ClaimedJob {
  const line = session.book.lineById(Number(row[2]))
  session.book.move(line, waiting, running)
  const job = claimedJob(row, line, token, session.now)
  const keyText = textOf(row[13])
  if (keyText !== undefined) keyStarted(session, job.id, keyText)
  session.claims.add({ seq: job.seq, token, id: job.id, line: line.id, keyText })
  return job
}

/** The first jobs of several lines, in the order of claims. Reads no more than it answers, and one more of each line. */
function firstOf(session: Session, lines: readonly Line[], limit: number): readonly SqlRow[] {
  if (lines.length > linesAtOnce) {
    const parts = [lines.slice(0, linesAtOnce), lines.slice(linesAtOnce)]
    return parts
      .flatMap(part => firstOf(session, part, limit))
      .sort(byOrderOfClaims)
      .slice(0, limit)
  }
  // The parts are ordered by their index and merged: `SELECT … UNION ALL SELECT … ORDER BY` sorts nothing
  const sql = statementFor(lines.length)
  return session.rows(sql, ...lines.map(({ id }) => id), ...padding(lines.length), limit)
}

/** Statements are prepared for 1, 2, 4, 8 … lines; a line that is not there costs nothing. */
function statementFor(lines: number): string {
  return `${Array.from({ length: lines + padding(lines).length }, () => fromLine).join(' UNION ALL ')} ${inOrder}`
}

function padding(lines: number): readonly number[] {
  return Array.from({ length: 2 ** Math.ceil(Math.log2(lines)) - lines }, () => -1)
}

function byOrderOfClaims(a: SqlRow, b: SqlRow): number {
  return Number(a[5]) - Number(b[5]) || Number(a[12]) - Number(b[12]) || Number(a[0]) - Number(b[0])
}

/** Lets delayed jobs wait that have become due. Answers when the next one will be. */
function awaken(session: Session, lines: Iterable<Line>): number | undefined {
  let next: number | undefined
  for (const line of lines) {
    if ((line.counts[delayed] ?? 0) === 0) continue
    let soonest = soonestOf(session, line)
    if (soonest !== undefined && soonest <= session.now) {
      const awakened = session.run(
        `UPDATE jobs SET state = ${waiting} WHERE seq IN
         (SELECT seq FROM jobs WHERE line = ? AND state = ${delayed} AND run_at <= ? ORDER BY run_at, seq LIMIT ${awakenedAtOnce})`,
        line.id,
        session.now,
      )
      session.book.move(line, delayed, waiting, awakened)
      soonest = soonestOf(session, line)
    }
    if (soonest !== undefined && (next === undefined || soonest < next)) next = soonest
  }
  return next
}

function soonestOf(session: Session, line: Line): number | undefined {
  const row = session.row(`SELECT run_at FROM jobs WHERE line = ? AND state = ${delayed} ORDER BY run_at LIMIT 1`, line.id)
  return row === undefined ? undefined : Number(row[0])
}
