import type { Dispatcher } from '../dispatcher.ts'

/**
 * How a dispatcher that chooses among events waiting in it takes a limit around it: it puts the limit behind its choice. A limit in
 * front would leave it one event at a time, and so nothing to choose from.
 */
export interface LimitedInside extends Dispatcher {
  /** The same dispatcher, which hands out its events through what `limit` makes of its inner one. */
  limitedBy(limit: (inner: Dispatcher) => Dispatcher): Dispatcher
}

export function isLimitedInside(dispatcher: Dispatcher): dispatcher is LimitedInside {
  return typeof (dispatcher as Partial<LimitedInside>).limitedBy === 'function'
}
