import { GenStageError, producerConsumer, type ProducerConsumerDefinition } from '@genstage/core'
import { oneOf, ownOptions, refuseUnknown, show } from '@genstage/core/adapters'
import type { DoneWhen, Operators } from './operator-chain.ts'
import { OperatorStage } from './operator-stage.ts'

/** Options of `throughOperators`. */
export interface ThroughOperatorsOptions {
  /**
   * When an event counts as done, so that another one is asked for. At most `maxDemand` events of a subscription are not done.
   *
   * - `taken` (the default): when the operators have taken it. Right for those that work at once: `map`, `filter`, `scan`,
   *   `bufferCount`. What operators keep, as `delay` and `mergeMap` do, is not counted, and so not bounded.
   * - `result`: when a result has come out. Right where each event gives exactly one, later: `mergeMap` over a request, `delay`.
   * - `manual`: when the function calls `done()`, its second argument: for all others that work later.
   */
  readonly doneWhen?: DoneWhen
}

/**
 * A stage in the middle whose events go through rxjs operators. The function is called when the stage is set up; it gets the events as
 * an observable, and answers the observable of the results.
 *
 * Events are given to the operators only while consumers want results, and wait while the operators are not subscribed. `doneWhen`
 * decides how many may be inside; operators that work later need it to be `result` or `manual`, or they take in all there is.
 *
 * When the stage ends with its producer, the events complete, results that are late still come out and are taken, then the stage
 * ends. If the operators complete by themselves (`take`), the stage ends `normal` behind the last result, and its subscriptions with it; if
 * they fail, it ends with that very error. What the function throws fails the start.
 *
 * Throws `BAD_OPTION`, `BAD_SOURCE` if it is given no function; the start fails with `BAD_SOURCE` if that answers no observable.
 *
 * ```ts
 * import { filter, map, type Observable } from 'rxjs'
 *
 * const EvenSquares = throughOperators((numbers$: Observable<number>) =>
 *   numbers$.pipe(filter(number => number % 2 === 0), map(number => number * number)),
 * )
 * const numbers = start(fromIterable([1, 2, 3, 4]))
 * const squares = start(EvenSquares, { subscribeTo: [numbers] })
 * for await (const square of squares.stream({ cancel: 'transient' })) console.log(square)
 * // => 4
 * // => 16
 * ```
 */
export function throughOperators<In, Out>(
  operators: Operators<In, Out>,
  options?: ThroughOperatorsOptions,
): ProducerConsumerDefinition<In, Out> {
  const where = 'throughOperators'
  if (typeof operators !== 'function') {
    throw new GenStageError('BAD_SOURCE', `${where}: give a function from observable to observable, not ${show(operators)}`)
  }
  const own = ownOptions(where, options)
  refuseUnknown(where, own, ['doneWhen'])
  const doneWhen = oneOf(where, own, 'doneWhen', ['taken', 'result', 'manual'], 'taken')
  return producerConsumer.of<In, Out>()((_: void, ctx) => new OperatorStage(ctx, operators, doneWhen))
}
