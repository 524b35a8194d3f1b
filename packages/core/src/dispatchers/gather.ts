import type { Dispatched } from '../dispatcher.ts'
import type { Outcome } from './outcome.ts'

/**
 * Adds the answer of a dispatcher inside to the answer of the one around it: all but `leftover`, which the one around has to deal
 * with. The newest allowance, hold and wish to be woken count.
 */
export function gather(into: Outcome, from: Dispatched): void {
  into.allowance = from.allowance
  into.hold = from.hold === true
  into.deliveries = both(into.deliveries, from.deliveries)
  into.asks = both(into.asks, from.asks)
  into.cancels = both(into.cancels, from.cancels)
  into.infos = both(into.infos, from.infos)
  into.discarded = both(into.discarded, from.discarded)
  into.warnings = both(into.warnings, from.warnings)
  if (from.wakeAt !== undefined) into.wakeAt = from.wakeAt
}

function both<T>(first: readonly T[] | undefined, second: readonly T[] | undefined): readonly T[] | undefined {
  if (first === undefined || first.length === 0) return second
  return second === undefined || second.length === 0 ? first : [...first, ...second]
}
