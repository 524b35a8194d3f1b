import type { ProducerConsumerDefinition, Subscription } from '@genstage/core'
import { badOption, delay, ownOptions, refuseUnknown, wholeNumber } from '@genstage/core/adapters'
import { inTheMiddle } from './in-the-middle.ts'

/** Options of `rateLimited`. */
export interface RateLimitedOptions {
  /** How many events may leave within `perMs`. */
  readonly events: number
  /** Milliseconds. */
  readonly perMs: number
}

/** So many events of a subscription have left; or it is time to ask for as many again. */
class Left {
  readonly from: Subscription
  readonly count: number
  isOver = false

  constructor(from: Subscription, count: number) {
    this.from = from
    this.count = count
  }
}

/**
 * Hands on at most `events` in any stretch of `perMs` milliseconds, wherever it begins. It holds back demand, not events: it has asked
 * for so many above, and asks for one more `perMs` after one has left. So `maxDemand` of its subscription has no say. With several
 * producers each has a limit of its own.
 *
 * Where a producer of yours is to be limited, or all consumers of a stage together, take the dispatcher `rateLimit`, which has bursts as
 * well. Throws `BAD_OPTION`.
 *
 * ```ts
 * const began = performance.now()
 * await pipe([1, 2, 3, 4, 5], rateLimited({ events: 2, perMs: 20 }), forEach(() => {})).done
 * console.log(performance.now() - began >= 40) // => true
 * ```
 */
export function rateLimited<T>(options: RateLimitedOptions): ProducerConsumerDefinition<T, T> {
  const where = 'rateLimited'
  const own = ownOptions(where, options)
  refuseUnknown(where, own, ['events', 'perMs'])
  if (own['events'] === undefined) throw badOption(where, 'events', undefined, 'a whole number from 1')
  const events = wholeNumber(where, own, 'events', 1, { min: 1 })
  const perMs = delay(where, own, 'perMs')
  return inTheMiddle<T, T>(ctx => ({
    ask: from => from.ask(events),
    handleEvents(taken, from) {
      ctx.self.asyncInfo(new Left(from, taken.length)) // comes behind them, when somebody has taken them
      return taken
    },
    handleInfo(left) {
      if (!(left instanceof Left)) return []
      if (left.isOver) left.from.ask(left.count)
      else ctx.after(perMs, Object.assign(left, { isOver: true }))
      return []
    },
  }))
}
