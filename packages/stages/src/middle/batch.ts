import type { ProducerConsumerDefinition, Timer } from '@genstage/core'
import { duration, ownOptions, refuseUnknown, wholeNumber } from '@genstage/core/adapters'
import { inTheMiddle } from './in-the-middle.ts'

/** Options of `batch`. */
export interface BatchOptions {
  /** A batch of so many events is full. Default `Infinity`: then `withinMs` alone decides. */
  readonly size?: number
  /** Milliseconds that the first event of a batch waits at most for the others. Default `Infinity`: until the batch is full. */
  readonly withinMs?: number
}

/**
 * Collects events to arrays: one is handed on when it is full, or when its first event has waited long enough, whichever comes first.
 * The rest is handed on when the source has ended, or when the stage is drained; what waits at another end is reported as discarded.
 *
 * A batch counts as one event below. What is asked for above depends on `maxDemand` alone, and is taken in until a batch is full: `size`
 * may be larger. Needs `size` or `withinMs`; throws `BAD_OPTION`.
 *
 * ```ts
 * const { result } = pipe([1, 2, 3, 4, 5], batch({ size: 2, withinMs: 1_000 }), collect())
 * console.log(await result) // => [ [ 1, 2 ], [ 3, 4 ], [ 5 ] ]
 * ```
 */
export function batch<T>(options: BatchOptions): ProducerConsumerDefinition<T, readonly T[]> {
  const where = 'batch'
  const own = ownOptions(where, options)
  refuseUnknown(where, own, ['size', 'withinMs'])
  const withinMs = duration(where, 'withinMs', own['withinMs'], true, Infinity)
  // With neither, nothing would ever be handed on
  const size = wholeNumber(where, withinMs === Infinity ? { size: null, ...own } : own, 'size', Infinity, { min: 1 })
  return inTheMiddle<T, readonly T[]>(ctx => {
    let held: T[] = []
    let timer: Timer | undefined

    function take(): readonly T[] {
      timer?.cancel()
      timer = undefined
      const events = held
      held = []
      return events
    }

    return {
      handleEvents(events) {
        const full: (readonly T[])[] = []
        for (const event of events) {
          if (held.length === 0 && withinMs !== Infinity) timer = ctx.after(withinMs, 'late')
          held.push(event)
          if (held.length >= size) full.push(take())
        }
        return full
      },
      handleInfo: () => [take()],
      rest: () => (held.length > 0 ? [take()] : []),
      lost: take,
    }
  })
}
