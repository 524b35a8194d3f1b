import type { Store } from '../../store.ts'
import { jobEnded } from './ending.ts'
import { stateAt } from './entry-rows.ts'
import { jobsById } from './job-rows.ts'
import { removeWhere } from './removing.ts'
import { cancelled, completed, delayed, running, waiting } from './schema.ts'
import type { Session } from './session.ts'
import { textOf, toText } from './texts.ts'

/** What a call that takes ids answers for each of them. */
type Answer<Call extends 'remove' | 'cancel' | 'reschedule' | 'retry'> = Awaited<ReturnType<Store[Call]>>[number]

interface Found {
  readonly seq: number
  readonly line: number
  readonly state: number
  readonly keyText: string | undefined
}

function findJob(session: Session, id: string): Found | undefined {
  const row = session.row(`SELECT seq, line, state, unique_key FROM ${jobsById} WHERE id = ?`, id)
  return row && { seq: Number(row[0]), line: Number(row[1]), state: Number(row[2]), keyText: textOf(row[3]) }
}

export function removeJob(session: Session, id: string): Answer<'remove'> {
  const job = findJob(session, id)
  if (job === undefined) return 'missing'
  if (job.state === running) return 'running'
  removeWhere(session, 'seq = ?', job.seq)
  return 'removed'
}

export function cancelJob(session: Session, id: string, reason: string): Answer<'cancel'> {
  const job = findJob(session, id)
  if (job === undefined) return 'missing'
  if (job.state >= completed) return 'finished'
  if (job.state === running) {
    session.run('UPDATE jobs SET cancel_reason = coalesce(cancel_reason, ?) WHERE seq = ?', toText(reason), job.seq)
    session.hints.push({ type: 'cancelled' })
    return 'requested'
  }
  session.run(
    `UPDATE jobs SET state = ${cancelled}, cancel_reason = ?, finished_at = ? WHERE seq = ?`,
    toText(reason),
    session.now,
    job.seq,
  )
  session.book.move(session.book.lineById(job.line), job.state, cancelled)
  jobEnded(session, { id, keyText: job.keyText }, 'cancelled')
  return 'cancelled'
}

export function rescheduleJob(session: Session, id: string, inMs: number): Answer<'reschedule'> {
  const job = findJob(session, id)
  if (job === undefined) return 'missing'
  if (job.state === running) return 'running'
  if (job.state >= completed) return 'finished'
  const runAt = session.now + inMs
  const state = stateAt(runAt, session.now)
  session.run('UPDATE jobs SET state = ?, run_at = ? WHERE seq = ?', state, runAt, job.seq)
  moved(session, job, state)
  // Who sleeps until the next one is due has to know that this may be it
  if (state === delayed) session.hints.push({ type: 'waiting', queue: session.book.lineById(job.line).queue })
  return 'rescheduled'
}

export function retryJob(session: Session, id: string): Answer<'retry'> {
  const job = findJob(session, id)
  if (job === undefined) return 'missing'
  if (job.state === completed) return 'completed'
  if (job.state < completed) return 'active'
  session.run(
    `UPDATE jobs SET state = ${waiting}, run_at = ?, attempt = 0, crashes = 0, cancel_reason = NULL WHERE seq = ?`,
    session.now,
    job.seq,
  )
  moved(session, job, waiting)
  return 'retried'
}

function moved(session: Session, job: Found, state: number): void {
  const line = session.book.lineById(job.line)
  session.book.move(line, job.state, state)
  session.hints.push({ type: 'waiting', queue: line.queue })
}
