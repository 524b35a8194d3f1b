import type { Maybe, ProducerConsumerDefinition } from '@genstage/core'
import { checkFunction } from '../function-option.ts'
import { callbacksPerEvent } from '../per-event.ts'
import type { Work } from '../work.ts'
import { inTheMiddle } from './in-the-middle.ts'

/**
 * Keeps a state, and hands on what it has become with each event: running sums, running averages. Each start begins with `initial`, so
 * the function should answer a new state and leave the old one alone. It may be asynchronous. Throws `BAD_OPTION`.
 *
 * ```ts
 * const { result } = pipe([1, 2, 3], scan((sum, number) => sum + number, 0), collect())
 * console.log(await result) // => [ 1, 3, 6 ]
 * ```
 */
export function scan<In, State>(
  fn: (state: State, event: In, work: Work) => Maybe<State>,
  initial: State,
): ProducerConsumerDefinition<In, State> {
  checkFunction('scan', 'fn', fn)
  return inTheMiddle<In, State>(ctx => {
    let state = initial
    const call = (event: In, work: Work): Maybe<State> => fn(state, event, work)
    const give = (answer: State, _event: In, out: State[]): void => {
      state = answer
      out.push(state)
    }
    return callbacksPerEvent(ctx, { call, give, concurrency: undefined }, true)
  })
}
