import type { Maybe, ProducerConsumerDefinition } from '@genstage/core'
import { callbacksPerEvent, checkPerEvent, type ConcurrencyOptions } from '../per-event.ts'
import type { Work } from '../work.ts'
import { inTheMiddle } from './in-the-middle.ts'

/**
 * Puts the items of an iterable, such as an array, in the place of each event; none, if it is empty. The order is kept, whatever the
 * `concurrency`. An iterable is taken to its end at once, so it has to have one; what nobody below has asked for waits in the buffer.
 * An answer that cannot be iterated ends the stage with a `TypeError`. Throws `BAD_OPTION`.
 *
 * ```ts
 * const { result } = pipe(['to be', 'or not'], flatMap(line => line.split(' ')), collect())
 * console.log(await result) // => [ 'to', 'be', 'or', 'not' ]
 * ```
 */
export function flatMap<In, Out>(
  fn: (event: In, work: Work) => Maybe<Iterable<Out>>,
  options?: ConcurrencyOptions,
): ProducerConsumerDefinition<In, Out> {
  const concurrency = checkPerEvent('flatMap', fn, options)
  const give = (items: Iterable<Out>, _event: In, out: Out[]): void => {
    for (const item of items) out.push(item)
  }
  return inTheMiddle(ctx => callbacksPerEvent(ctx, { call: fn, give, concurrency }, true))
}
