import { consumerWithResult, type ResultDefinition } from '../results.ts'

/**
 * A consumer that collects all events in an array; it is had by `resultOf(ref)`, or as the `result` of a `pipe`. All of it is kept in
 * memory: for a source without end put a `take` before it.
 *
 * ```ts
 * console.log(await pipe([1, 2, 3], collect()).result) // => [ 1, 2, 3 ]
 * ```
 */
export function collect<T>(): ResultDefinition<T, readonly T[]> {
  return consumerWithResult<T, readonly T[]>(() => {
    const all: T[] = []
    return {
      handleEvents(events) {
        for (const event of events) all.push(event)
      },
      result: () => all,
    }
  })
}
