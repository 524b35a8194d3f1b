import { consumer, type ConsumerCallbacks, type ConsumerDefinition, type Context, type Subscription } from '@genstage/core'
import { callbacksPerEvent, checkPerEvent, type ConcurrencyOptions } from '../per-event.ts'
import type { Work } from '../work.ts'

/**
 * A consumer that calls a function with each event, and waits for its promise if it returns one. With `concurrency` so many calls are
 * under way at once, and they may end in any order. What the function throws ends the stage; the signals of the others are aborted then.
 * At the end of the source, at a stop and in a drain the calls under way are finished. Throws `BAD_OPTION`.
 *
 * ```ts
 * const save = async (row: string) => console.log(row) // => a
 * // => b
 * await start(forEach(save, { concurrency: 4 }), { subscribeTo: [start(fromIterable(['a', 'b']))] }).done
 * ```
 */
export function forEach<T>(fn: (event: T, work: Work) => unknown, options?: ConcurrencyOptions): ConsumerDefinition<T> {
  const concurrency = checkPerEvent('forEach', fn, options)
  return consumer((_: void, ctx: Context): ConsumerCallbacks<T, never, unknown, never, never> => {
    const { handleEvents, ask, close } = callbacksPerEvent<T, unknown, never>(
      ctx,
      { call: fn, give: () => {}, concurrency },
      false,
    )
    return {
      handleEvents(events: readonly T[], from: Subscription) {
        const outcome = handleEvents(events, from)
        if ('length' in outcome) return undefined
        return 'then' in outcome ? outcome.then(() => {}) : outcome
      },
      handleSubscribe(from) {
        ask?.(from)
        return ask === undefined ? 'automatic' : 'manual'
      },
      terminate: close,
    }
  })
}
