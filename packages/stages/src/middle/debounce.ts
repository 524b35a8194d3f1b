import type { ProducerConsumerDefinition, Timer } from '@genstage/core'
import { badOption } from '@genstage/core/adapters'
import { inTheMiddle } from './in-the-middle.ts'

/**
 * Hands on an event when no other has come for `ms` milliseconds; of those that follow each other faster, only the last. At the end of
 * the source, and in a drain, the one that waits is handed on at once. Throws `BAD_OPTION`.
 *
 * ```ts
 * const { result } = pipe(['h', 'he', 'hel'], debounce(50), collect())
 * console.log(await result) // => [ 'hel' ]
 * ```
 */
export function debounce<T>(ms: number): ProducerConsumerDefinition<T, T> {
  if (typeof ms !== 'number' || !(ms > 0) || ms === Infinity)
    throw badOption('debounce', 'ms', ms, 'a number of milliseconds above 0')
  return inTheMiddle<T, T>(ctx => {
    /** The last event, or none. */
    let held: readonly T[] = []
    let timer: Timer | undefined

    function take(): readonly T[] {
      timer?.cancel()
      const events = held
      held = []
      return events
    }

    return {
      handleEvents(events) {
        take()
        held = events.slice(-1)
        timer = ctx.after(ms, 'quiet')
      },
      handleInfo: take,
      rest: take,
      lost: take,
    }
  })
}
