import type { Maybe } from '@genstage/core'
import { checkFunction } from '../function-option.ts'
import { oneByOne } from '../per-event.ts'
import { consumerWithResult, type ResultDefinition } from '../results.ts'
import { isPromise, type Work, workUntilGivenUp } from '../work.ts'

/**
 * A consumer that makes one value out of all events; it is had by `resultOf(ref)`, or as the `result` of a `pipe`. Each start begins with
 * `initial`, so the function should answer a new state and leave the old one alone. It may be asynchronous. Throws `BAD_OPTION`.
 *
 * ```ts
 * const { result } = pipe([1, 2, 3], fold((sum, number) => sum + number, 0))
 * console.log(await result) // => 6
 * ```
 */
export function fold<In, State>(
  fn: (state: State, event: In, work: Work) => Maybe<State>,
  initial: State,
): ResultDefinition<In, State> {
  checkFunction('fold', 'fn', fn)
  return consumerWithResult<In, State>(ctx => {
    const { work, giveUp } = workUntilGivenUp(ctx)
    let state = initial
    const call = (event: In): Maybe<State> => fn(state, event, work)
    const give = (answer: State): void => void (state = answer)
    return {
      handleEvents(events) {
        const done = oneByOne(events, work, call, give)
        return isPromise(done) ? done.then(() => {}) : undefined
      },
      result: () => state,
      close: giveUp,
    }
  })
}
