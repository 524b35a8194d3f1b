import type { AttemptRecord, Failure, Held, Overruled, Settled, Settlement } from '../../store.ts'
import { isOverruled } from '../overruled.ts'
import type { Line } from './book.ts'
import { completeAll, type Completion } from './completing.ts'
import type { SqlRow } from './driver.ts'
import { stateAt } from './entry-rows.ts'
import { identityOf, jobEnded } from './ending.ts'
import { runnerId, withRecord } from './job-rows.ts'
import { cancelled, discarded, failed, running, waiting } from './schema.ts'
import type { Session } from './session.ts'
import { fromText, textOf, toText } from './texts.ts'

/** Ends attempts. Answers, in their order, which of them were still held. */
export function settleJobs(session: Session, settlements: readonly Settlement[]): Omit<Settled, 'claimed'> {
  const overruled: Overruled[] = []
  const settle = (one: Settlement, index: number): boolean =>
    settleOne(session, one, reason => void overruled.push({ index, reason }))
  // Of several settlements of one job the first counts: that is sure one by one
  if (new Set(settlements.map(({ seq }) => seq)).size < settlements.length)
    return { accepted: settlements.map(settle), overruled }
  const completed = completeAll(session, settlements.filter(isCompletion))
  const accepted = settlements.map((one, index) => (isCompletion(one) ? completed.has(one.seq) : settle(one, index)))
  return { accepted, overruled }
}

function isCompletion(settlement: Settlement): settlement is Completion {
  return settlement.to === 'completed'
}

function settleOne(session: Session, settlement: Settlement, overruled: (reason: string) => void): boolean {
  if (isCompletion(settlement)) return completeAll(session, [settlement]).size > 0
  const job = heldJob(session, settlement)
  if (job === undefined) return false
  session.claims.remove(job.seq)
  if (isOverruled(settlement, job.cancelReason)) overruled(job.cancelReason)
  endAttempt(session, job, settlement)
  return true
}

/** A job whose attempt runs. */
export interface RunningJob {
  readonly seq: number
  readonly line: Line
  readonly attempt: number
  readonly crashes: number
  readonly begun: boolean
  readonly runner: string
  readonly startedAt: number
  readonly cancelReason: string | undefined
  readonly history: string | undefined
}

/** What `runningJob` takes. */
export const runningColumns: string = `seq, line, attempt, crashes, begun, ${runnerId}, started_at, cancel_reason, history`

export function runningJob(session: Session, row: SqlRow): RunningJob {
  const reason = textOf(row[7])
  return {
    seq: Number(row[0]),
    line: session.book.lineById(Number(row[1])),
    attempt: Number(row[2]),
    crashes: Number(row[3]),
    begun: row[4] === 1,
    runner: String(row[5]),
    startedAt: Number(row[6]),
    cancelReason: reason === undefined ? undefined : fromText(reason),
    history: textOf(row[8]),
  }
}

/** The job that is running by this claim, and by no later one. */
function heldJob(session: Session, { seq, token }: Held): RunningJob | undefined {
  const row = session.row(`SELECT ${runningColumns} FROM jobs WHERE seq = ? AND token = ? AND state = ${running}`, seq, token)
  return row && runningJob(session, row)
}

function endAttempt(session: Session, held: RunningJob, settlement: Exclude<Settlement, Completion>): void {
  const job = { ...held, startedAt: session.now - settlement.ranMs }
  switch (settlement.to) {
    case 'failed':
    case 'discarded':
      return finish(session, job, settlement.to, { outcome: settlement.to, failure: settlement.failure })
    case 'cancelled':
      return finish(session, job, 'cancelled', { outcome: 'cancelled' }, job.cancelReason ?? settlement.reason)
    case 'retry':
      if (job.cancelReason !== undefined)
        return finish(session, job, 'cancelled', { outcome: 'cancelled', failure: settlement.failure }, job.cancelReason)
      return again(session, job, { outcome: 'retry', failure: settlement.failure, inMs: settlement.inMs, counts: true })
    case 'snooze':
      if (job.cancelReason !== undefined) return finish(session, job, 'cancelled', { outcome: 'cancelled' }, job.cancelReason)
      return again(session, job, { outcome: 'snooze', inMs: settlement.inMs, counts: false })
    case 'release':
      return release(session, job)
  }
}

/** Ends an attempt that does not count, because it has not begun or was cut off: the job waits again at its old place. */
export function release(session: Session, job: RunningJob): void {
  if (job.cancelReason !== undefined) return finish(session, job, 'cancelled', { outcome: 'cancelled' }, job.cancelReason)
  session.run(`UPDATE jobs SET state = ${waiting}, attempt = attempt - 1, started_at = ? WHERE seq = ?`, job.startedAt, job.seq)
  session.book.move(job.line, running, waiting)
  session.hints.push({ type: 'waiting', queue: job.line.queue })
}

/** How an attempt ended that did not complete the job. */
export interface Ending {
  readonly outcome: AttemptRecord['outcome']
  readonly failure?: Failure
}

/** Another attempt, later. */
function again(session: Session, job: RunningJob, ending: Ending & { readonly inMs: number; readonly counts: boolean }): void {
  const runAt = session.now + ending.inMs
  const state = stateAt(runAt, session.now)
  session.run(
    `UPDATE jobs SET state = ?, run_at = ?, attempt = attempt - ?, started_at = ?, failure = coalesce(?, failure), history = ? WHERE seq = ?`,

    state,
    runAt,
    ending.counts ? 0 : 1,
    job.startedAt,
    failureText(ending.failure),
    historyWith(session, job, ending),
    job.seq,
  )
  session.book.move(job.line, running, state)
  session.hints.push({ type: 'waiting', queue: job.line.queue })
}

/** The end of a job that is not its completion. What was asked for in vain is no reason. */
function finish(
  session: Session,
  job: RunningJob,
  to: 'failed' | 'discarded' | 'cancelled',
  ending: Ending,
  reason?: string,
): void {
  const state = { failed, discarded, cancelled }[to]
  session.run(
    `UPDATE jobs SET state = ?, started_at = ?, finished_at = ?, failure = coalesce(?, failure), cancel_reason = ?, history = ? WHERE seq = ?`,
    state,
    job.startedAt,
    session.now,
    failureText(ending.failure),
    reason === undefined ? null : toText(reason),
    historyWith(session, job, ending),
    job.seq,
  )
  session.book.move(job.line, running, state)
  jobEnded(session, identityOf(session, job.seq), to)
}

function failureText(failure: Failure | undefined): string | null {
  return failure === undefined ? null : JSON.stringify(failure)
}

function historyWith(session: Session, job: RunningJob, { outcome, failure }: Ending): string {
  const { attempt, runner, startedAt, history } = job
  const record = { attempt, runner, startedAt, endedAt: session.now, outcome, ...(failure !== undefined && { failure }) }
  return withRecord(history, record)
}
