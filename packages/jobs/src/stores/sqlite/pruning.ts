import type { PruneRequest, TerminalState } from '../../store.ts'
import { removeWhere } from './removing.ts'
import { completed, stateOf } from './schema.ts'
import type { Session } from './session.ts'
import { pruneKeys } from './uniques.ts'

const terminalStates: readonly TerminalState[] = ['completed', 'failed', 'discarded', 'cancelled']

/** Removes finished jobs that are too old or too many, the oldest first. Answers how many. */
export function pruneJobs(session: Session, { olderThanMs, keep = {}, limit }: PruneRequest): number {
  pruneKeys(session, limit)
  let left = limit
  for (const name of terminalStates) {
    const oldest = (finished: string): string =>
      `seq IN (SELECT seq FROM jobs WHERE state = ${stateOf(name)} AND state >= ${completed} AND finished_at ${finished} ? ORDER BY finished_at, seq LIMIT ?)`
    const age = olderThanMs[name]
    if (age !== undefined && left > 0) left -= removeWhere(session, oldest('<'), session.now - age, left)
    const most = keep[name]
    if (most === undefined || left === 0) continue
    session.book.save()
    let tooMany = Number(session.row(`SELECT sum(${name}) FROM lines`)?.[0] ?? 0) - most
    // Nothing ends in the future: those ended before the clock was put back, and so before all others
    for (const finished of ['>', '<=']) {
      if (tooMany <= 0 || left === 0) break
      const removed = removeWhere(session, oldest(finished), session.now, Math.min(tooMany, left))
      tooMany -= removed
      left -= removed
    }
  }
  return limit - left
}
