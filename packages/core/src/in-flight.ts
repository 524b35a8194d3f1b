import { isThenable } from './thenable.ts'
import { GenStageError, show } from './errors.ts'

/** Work on a batch that goes on while the next one comes; made by `inFlight`. */
export class InFlight<out Result> {
  readonly #result: PromiseLike<Result>

  constructor(result: PromiseLike<Result>) {
    this.#result = result
  }

  /** Calls one of the two, once. */
  settled(done: (result: Result) => void, failed: (error: unknown) => void): void {
    this.#result.then(done, failed)
  }
}

/**
 * What `handleEvents` may answer in place of a promise: the work on this batch goes on, and the next batch may come meanwhile. Callbacks
 * still run one at a time; what overlaps is what they have begun: requests, tasks, work on another thread.
 *
 * The events are in hand until `result` has settled. Only then are they asked for again, so `maxDemand` bounds how many are under way at
 * once. A stage in the middle emits the results in the order in which the batches came. If `result` rejects, the stage fails with that
 * error; with `redeliver` all batches that were under way go back. A stop, a drain and the end of a subscription wait for them.
 *
 * Throws `BAD_OPTION` if `result` is no promise.
 *
 * ```ts
 * const fetchName = async (id: number) => `name ${id}`
 *
 * const Names = producerConsumer(() => ({
 *   handleEvents: (ids: readonly number[]) => inFlight(Promise.all(ids.map(fetchName))),
 * }))
 *
 * const ids = start(fromIterable([1, 2, 3]))
 * const names = start(Names, { subscribeTo: [{ to: ids, maxDemand: 2, minDemand: 1 }] }) // two at a time, in batches of one
 * for await (const name of names.stream({ cancel: 'transient' })) console.log(name)
 * // => name 1
 * // => name 2
 * // => name 3
 * ```
 */
export function inFlight<Result>(result: PromiseLike<Result>): InFlight<Result> {
  if (!isThenable(result)) throw new GenStageError('BAD_OPTION', `inFlight: the result must be a promise, not ${show(result)}`)
  return new InFlight(result)
}
