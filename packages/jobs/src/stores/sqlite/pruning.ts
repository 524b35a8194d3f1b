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
    const state = stateOf(name)
    const oldest = `seq IN (SELECT seq FROM jobs WHERE state = ${state} AND state >= ${completed} AND finished_at < ? ORDER BY finished_at, seq LIMIT ?)`
    const age = olderThanMs[name]
    if (age !== undefined && left > 0) left -= removeWhere(session, oldest, session.now - age, left)
    const most = keep[name]
    if (most === undefined || left === 0) continue
    session.book.save()
    const tooMany = Number(session.row(`SELECT sum(${name}) FROM lines`)?.[0] ?? 0) - most
    if (tooMany > 0) left -= removeWhere(session, oldest, Number.MAX_SAFE_INTEGER, Math.min(tooMany, left))
  }
  return limit - left
}
