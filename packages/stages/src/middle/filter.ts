import type { Maybe, ProducerConsumerDefinition } from '@genstage/core'
import { callbacksPerEvent, checkPerEvent, type ConcurrencyOptions } from '../per-event.ts'
import type { Work } from '../work.ts'
import { inTheMiddle } from './in-the-middle.ts'

/**
 * Lets through the events for which a function answers true, or a promise of it. The order is kept, whatever the `concurrency`. What is
 * kept back is asked for again above, so nobody below gets less. Throws `BAD_OPTION`.
 *
 * ```ts
 * const { result } = pipe([1, 2, 3, 4], filter(number => number % 2 === 0), collect())
 * console.log(await result) // => [ 2, 4 ]
 * ```
 */
export function filter<In, Out extends In>(fn: (event: In, work: Work) => event is Out): ProducerConsumerDefinition<In, Out>
export function filter<T>(
  fn: (event: T, work: Work) => Maybe<boolean>,
  options?: ConcurrencyOptions,
): ProducerConsumerDefinition<T, T>
export function filter<T>(
  fn: (event: T, work: Work) => Maybe<boolean>,
  options?: ConcurrencyOptions,
): ProducerConsumerDefinition<T, T> {
  const concurrency = checkPerEvent('filter', fn, options)
  const give = (answer: boolean, event: T, out: T[]): void => {
    if (answer) out.push(event)
  }
  return inTheMiddle(ctx => callbacksPerEvent(ctx, { call: fn, give, concurrency }, true))
}
