import { type Context, producer, type ProducerCallbacks, type ProducerDefinition, type Timer } from '@genstage/core'
import { badOption, oneOf, ownOptions, refuseUnknown } from '@genstage/core/adapters'
import { Consumers, type OnCancel } from './consumers.ts'

/** Options of `interval`. */
export interface IntervalOptions {
  /**
   * What becomes of a number that nobody wants at its time: `skip` (the default) leaves it out, so that the numbers that come tell how
   * much time has passed; `keep` puts it in the buffer of the stage, which keeps 10,000 unless `bufferSize` says otherwise.
   */
  readonly missed?: 'skip' | 'keep'
  /** `stop`: ends when its last consumer has gone. Default `continue`. */
  readonly onCancel?: OnCancel
}

/**
 * A producer of 0, 1, 2 …: the number n at `(n + 1) * everyMs` milliseconds after its start, by the clock: nothing adds up to a delay.
 * When it comes too late for several, only the last of them is there with `missed: 'skip'`, and all with `keep`. With nobody who wants
 * a number, and `skip`, no timer runs. Throws `BAD_OPTION`.
 *
 * ```ts
 * await using ticks = start(interval(5))
 * for await (const tick of ticks.stream({ maxDemand: 1 })) {
 *   console.log(tick >= 0) // => true
 *   break
 * }
 * ```
 */
export function interval(everyMs: number, options?: IntervalOptions): ProducerDefinition<number> {
  const where = 'interval'
  if (typeof everyMs !== 'number' || !(everyMs > 0) || everyMs === Infinity)
    throw badOption(where, 'everyMs', everyMs, 'a number of milliseconds above 0')
  const own = ownOptions(where, options)
  refuseUnknown(where, own, ['missed', 'onCancel'])
  const missed = oneOf(where, own, 'missed', ['skip', 'keep'], 'skip')
  const onCancel = oneOf(where, own, 'onCancel', ['continue', 'stop'], 'continue')
  return producer((_: void, ctx: Context): ProducerCallbacks<number, never, unknown, never, never> => {
    const consumers = new Consumers(ctx, onCancel)
    const began = ctx.clock.now()
    let wanted = 0
    /** The first number whose time has not been seen to come. */
    let next = 0
    let timer: Timer | undefined

    /** How many numbers' time has come. */
    const dueCount = (): number => Math.floor((ctx.clock.now() - began) / everyMs)

    function planNext(): void {
      if (timer !== undefined || ctx.stopping.aborted || (missed === 'skip' && wanted === 0)) return
      next = Math.max(next, dueCount())
      timer = ctx.after(Math.max(0, began + (next + 1) * everyMs - ctx.clock.now()), 'tick')
    }

    function takeDue(): readonly number[] {
      const due = dueCount()
      const first = missed === 'skip' ? Math.max(next, due - 1) : next
      const numbers = Array.from({ length: Math.max(0, due - first) }, (_each, index) => first + index)
      next = Math.max(next, due)
      return numbers
    }

    if (missed === 'keep') planNext()
    return {
      handleDemand(demand) {
        wanted += demand
        planNext()
      },
      handleSubscribe: () => consumers.come(),
      handleCancel: () => consumers.go(),
      handleInfo() {
        timer = undefined
        const numbers = takeDue()
        wanted = Math.max(0, wanted - numbers.length)
        planNext()
        return numbers
      },
    } satisfies ProducerCallbacks<number, never, unknown, never, 'tick'>
  })
}
