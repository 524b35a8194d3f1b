import { GenStageError, isGraceful, producer } from '@genstage/core'
import type { Context, Messages, ProducerCallbacks, ProducerDefinition } from '@genstage/core'
import { oneOf, ownOptions, refuseUnknown, wholeNumber } from '@genstage/core/adapters'
import { Consumers, type OnCancel } from './consumers.ts'

/** Options of `buffering`. */
export interface BufferingOptions {
  /**
   * Events kept that nobody has asked for; `Infinity` allowed. Default 10,000. For more than that, start the stage with as large a
   * `bufferSize`: that is where a drain finds them.
   */
  readonly size?: number
  /**
   * What becomes of an event that finds the buffer full. `dropOldest` (the default) gives up the oldest one that waits, `dropNewest` the
   * event itself; `error` ends the stage with `SOURCE_OVERFLOW`. What is given up is told by telemetry (`discarded`) and the log.
   */
  readonly overflow?: 'dropOldest' | 'dropNewest' | 'error'
  /** `stop`: ends when its last consumer has gone. Default `continue`. */
  readonly onCancel?: OnCancel
}

/** `ref.cast(events)` puts events in; `ref.call(events)` as well, and tells how many events wait then: a reason to slow down. */
export type BufferingMessages<T> = Messages<readonly T[], number, readonly T[]>

/** The stage is to stop. */
const leaving: unique symbol = Symbol('leaving')

/**
 * A producer that is given its events by messages, and keeps them until they are asked for. What comes by callbacks is better taken by
 * `fromPush`. Throws `BAD_OPTION`.
 *
 * ```ts
 * await using inbox = start(buffering<string>({ size: 2, overflow: 'dropNewest' }))
 * inbox.cast(['a'])
 * console.log(await inbox.call(['b'])) // => 2
 * for await (const letter of inbox.stream({ maxDemand: 1 })) {
 *   console.log(letter)
 *   // => a
 *   // => b
 *   if (letter === 'b') break
 * }
 * ```
 */
export function buffering<T>(options?: BufferingOptions): ProducerDefinition<T, void, BufferingMessages<T>> {
  const where = 'buffering'
  const own = ownOptions(where, options)
  refuseUnknown(where, own, ['size', 'overflow', 'onCancel'])
  const size = wholeNumber(where, own, 'size', 10_000, { min: 0, infinity: true })
  const overflow = oneOf(where, own, 'overflow', ['dropOldest', 'dropNewest', 'error'], 'dropOldest')
  const onCancel = oneOf(where, own, 'onCancel', ['continue', 'stop'], 'continue')
  return producer((_: void, ctx: Context): ProducerCallbacks<T, readonly T[], number, readonly T[], never> => {
    const consumers = new Consumers(ctx, onCancel)
    /** Never both: events that wait, and demand that waits. */
    const waiting: T[] = []
    let wanted = 0

    function put(events: readonly T[]): readonly T[] {
      for (const event of events) waiting.push(event)
      return take()
    }

    /** What is wanted leaves; what then waits and finds no room is given up. In a drain all leaves, to where the drain finds it. */
    function take(): readonly T[] {
      const events = waiting.splice(0, ctx.stopping.aborted ? waiting.length : wanted)
      wanted = Math.max(0, wanted - events.length)
      const excess = waiting.length - size
      if (excess > 0) giveUp(excess)
      return events
    }

    function giveUp(excess: number): void {
      if (overflow === 'error') {
        const text = `${where}: more events came than were asked for, and the buffer is full (size ${size})`
        throw new GenStageError('SOURCE_OVERFLOW', text, { option: 'size' })
      }
      ctx.discard(overflow === 'dropOldest' ? waiting.splice(0, excess) : waiting.splice(size))
    }

    ctx.stopping.addEventListener('abort', () => ctx.self.send(leaving), { once: true })
    ctx.signal.addEventListener('abort', () => ctx.discard(waiting.splice(0), 'killed'), { once: true })
    return {
      handleDemand(demand) {
        wanted += demand
        return take()
      },
      handleCast: put,
      handleCall(events) {
        const leave = put(events)
        return { reply: waiting.length, events: leave }
      },
      handleInfo: take,
      handleSubscribe: () => consumers.come(),
      handleCancel: () => consumers.go(),
      terminate(reason) {
        ctx.discard(waiting.splice(0), isGraceful(reason) ? 'stopped' : 'producer_crash')
      },
    } satisfies ProducerCallbacks<T, readonly T[], number, readonly T[], typeof leaving>
  })
}
