import type { ProducerConsumerDefinition, Subscription } from '@genstage/core'
import { badOption } from '@genstage/core/adapters'
import { inTheMiddle } from './in-the-middle.ts'

/** The most that is asked for ahead. */
const window = 1_000

/** All have been handed on: the stage ends behind the last of them. */
const enough: unique symbol = Symbol('enough')

/**
 * Hands on the first `count` events, and ends behind them; in a `pipe` that ends the whole chain. It never asks for more than it needs,
 * so nothing is taken in vain; only with several producers there may be some too many, which are reported as discarded. Throws
 * `BAD_OPTION`.
 *
 * ```ts
 * function* numbers() {
 *   for (let number = 1; ; number++) yield number
 * }
 * console.log(await pipe(numbers, take(3), collect()).result) // => [ 1, 2, 3 ]
 * ```
 */
export function take<T>(count: number): ProducerConsumerDefinition<T, T> {
  if (!Number.isSafeInteger(count) || count < 1) throw badOption('take', 'count', count, 'a whole number from 1')
  return inTheMiddle<T, T>(ctx => {
    let left = count
    /** What each producer was asked for and has not brought. */
    const open = new WeakMap<Subscription, number>()

    function ask(from: Subscription): void {
      const asked = open.get(from) ?? 0
      const more = Math.max(0, Math.min(left, window) - asked)
      open.set(from, asked + more)
      from.ask(more)
    }

    return {
      ask,
      handleEvents(events, from) {
        const taken = events.slice(0, left)
        ctx.discard(events.slice(taken.length), 'stopped')
        if (left > 0 && taken.length === left) ctx.self.asyncInfo(enough)
        left -= taken.length
        open.set(from, (open.get(from) ?? 0) - events.length)
        ask(from)
        return taken
      },
      handleInfo(message) {
        if (message === enough) ctx.stop()
        return []
      },
    }
  })
}
