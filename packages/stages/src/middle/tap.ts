import type { Maybe, ProducerConsumerDefinition } from '@genstage/core'
import { callbacksPerEvent, checkPerEvent, type ConcurrencyOptions } from '../per-event.ts'
import type { Work } from '../work.ts'
import { inTheMiddle } from './in-the-middle.ts'

/**
 * Calls a function with each event, waits for its promise if it returns one, and hands the event on as it is: for counters, logs,
 * copies. What the function throws ends the stage. Throws `BAD_OPTION`.
 *
 * ```ts
 * let seen = 0
 * await pipe(['a', 'b'], tap(() => void seen++), forEach(() => {})).done
 * console.log(seen) // => 2
 * ```
 */
export function tap<T>(fn: (event: T, work: Work) => unknown, options?: ConcurrencyOptions): ProducerConsumerDefinition<T, T> {
  const concurrency = checkPerEvent('tap', fn, options)
  const call: (event: T, work: Work) => Maybe<unknown> = fn
  const give = (_answer: unknown, event: T, out: T[]): void => void out.push(event)
  return inTheMiddle(ctx => callbacksPerEvent(ctx, { call, give, concurrency }, true))
}
