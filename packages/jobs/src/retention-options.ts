import { badOption, ownOptions, type OwnOptions, refuseUnknown } from '@genstage/core/adapters'
import type { PruneRequest, TerminalState } from './store.ts'

/**
 * How long finished jobs are kept, by how they ended: so many milliseconds, and so many of the newest. `Infinity` keeps them for good.
 * Jobs that are not finished are never touched.
 */
export interface RetentionOptions {
  /** Default a day. */
  readonly completedMs?: number
  /** Default 30 days. */
  readonly failedMs?: number
  /** Default 30 days. */
  readonly discardedMs?: number
  /** Default 7 days. */
  readonly cancelledMs?: number
  /** Default 1,000,000. */
  readonly completedKeep?: number
  /** Default `Infinity`, as for the others. */
  readonly failedKeep?: number
  readonly discardedKeep?: number
  readonly cancelledKeep?: number
}

/** What the leader prunes. */
export type RetentionSettings = Pick<PruneRequest, 'olderThanMs' | 'keep'>

const dayMs = 86_400_000
const states: readonly TerminalState[] = ['completed', 'failed', 'discarded', 'cancelled']

/** What holds where nothing else is said. */
const defaultRetention: Required<RetentionOptions> = Object.freeze({
  completedMs: dayMs,
  failedMs: 30 * dayMs,
  discardedMs: 30 * dayMs,
  cancelledMs: 7 * dayMs,
  completedKeep: 1_000_000,
  failedKeep: Infinity,
  discardedKeep: Infinity,
  cancelledKeep: Infinity,
})

/** Checks the option `retention`: `false` keeps everything (`BAD_OPTION`, BAD-110). */
export function retentionSettings(where: string, retention: unknown): RetentionSettings | undefined {
  if (retention === false) return undefined
  const inside = `${where}: retention`
  const own = ownOptions(inside, retention)
  refuseUnknown(inside, own, Object.keys(defaultRetention))
  return { olderThanMs: byState(inside, own, 'Ms'), keep: byState(inside, own, 'Keep') }
}

function byState(where: string, own: OwnOptions, unit: 'Ms' | 'Keep'): Readonly<Partial<Record<TerminalState, number>>> {
  const found: Partial<Record<TerminalState, number>> = {}
  for (const state of states) {
    const option = `${state}${unit}` as const
    const given = own[option]
    const value = given === undefined ? defaultRetention[option] : given
    const fits = typeof value === 'number' && value >= 0 && (value === Infinity || value <= Number.MAX_SAFE_INTEGER)
    if (!fits || (unit === 'Keep' && value !== Infinity && !Number.isInteger(value)))
      throw badOption(
        where,
        option,
        value,
        unit === 'Ms' ? 'a number of milliseconds from 0, or Infinity' : 'a whole number from 0, or Infinity',
      )
    if (value !== Infinity) found[state] = value
  }
  return found
}
