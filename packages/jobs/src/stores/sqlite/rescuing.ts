import type { Rescued } from '../../store.ts'
import { crashFailure, isCrash } from '../crash-failure.ts'
import type { Identity } from './claims.ts'
import { identityOf, jobEnded } from './ending.ts'
import { withRecord } from './job-rows.ts'
import { failed, cancelled, running, stateName, waiting } from './schema.ts'
import type { Session } from './session.ts'
import { type RunningJob, runningColumns, runningJob } from './settling.ts'

/** Takes back what dead runners hold, at most `limit` jobs, and forgets those that hold nothing any more. */
export function rescueJobs(session: Session, crashLimit: number, limit: number): Omit<Rescued, 'runners'> {
  const dead = 'SELECT number FROM runners WHERE is_dead = 1'
  const rows = session.rows(
    `SELECT ${runningColumns} FROM jobs WHERE state = ${running} AND holder IN (${dead}) ORDER BY holder, token LIMIT ?`,
    limit + 1,
  )
  const jobs = rows.slice(0, limit).map(row => {
    const job = runningJob(session, row)
    const identity = identityOf(session, job.seq)
    const state = rescueJob(session, job, identity, crashLimit)
    return { id: identity.id, queue: job.line.queue, kind: job.line.kind, state: stateName(state) }
  })
  const more = rows.length > limit
  if (!more) session.run('DELETE FROM runners WHERE is_dead = 1')
  return { jobs, more }
}

/** Ends an attempt whose runner has died. It counts as a crash if it may have begun; a suspect has begun when its runner has said so. */
function rescueJob(session: Session, job: RunningJob, identity: Identity, crashLimit: number): number {
  const { attempt, runner, startedAt, history, cancelReason, line, seq } = job
  const counts = isCrash(job, crashLimit)
  const crashes = job.crashes + (counts ? 1 : 0)
  const record = { attempt, runner, startedAt, endedAt: session.now, outcome: 'crash' } as const
  const state = cancelReason !== undefined ? cancelled : crashes < crashLimit ? waiting : failed
  session.run(
    `UPDATE jobs SET state = ?, attempt = attempt - 1, crashes = ?, history = ?, finished_at = ?, failure = coalesce(?, failure) WHERE seq = ?`,
    state,
    crashes,
    counts ? withRecord(history, record) : (history ?? null),
    session.now,
    state === failed ? JSON.stringify(crashFailure(crashes)) : null,
    seq,
  )
  session.book.move(line, running, state)
  if (state === waiting) session.hints.push({ type: 'waiting', queue: line.queue })
  else jobEnded(session, identity, state === failed ? 'failed' : 'cancelled')
  return state
}
