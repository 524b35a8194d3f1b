import type { Maybe, ProducerConsumerDefinition } from '@genstage/core'
import { callbacksPerEvent, checkPerEvent, type ConcurrencyOptions } from '../per-event.ts'
import type { Work } from '../work.ts'
import { inTheMiddle } from './in-the-middle.ts'

/**
 * Puts the result of a function in the place of each event; of an asynchronous one, what its promise brings. The order is kept, whatever
 * the `concurrency`. What the function throws ends the stage. Throws `BAD_OPTION`.
 *
 * ```ts
 * const { result } = pipe([1, 2, 3], map(number => number * 2), collect())
 * console.log(await result) // => [ 2, 4, 6 ]
 *
 * const nameOf = async (id: number) => `name ${id}`
 * console.log(await pipe([1, 2, 3], map(nameOf, { concurrency: 2 }), collect()).result) // => [ 'name 1', 'name 2', 'name 3' ]
 * ```
 */
export function map<In, Out>(
  fn: (event: In, work: Work) => Maybe<Out>,
  options?: ConcurrencyOptions,
): ProducerConsumerDefinition<In, Out> {
  const concurrency = checkPerEvent('map', fn, options)
  const give = (answer: Out, _event: In, out: Out[]): void => void out.push(answer)
  return inTheMiddle(ctx => callbacksPerEvent(ctx, { call: fn, give, concurrency }, true))
}
