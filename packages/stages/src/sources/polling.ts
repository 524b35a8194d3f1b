import { GenStageError, producer } from '@genstage/core'
import type { Context, Maybe, Messages, ProducerCallbacks, ProducerDefinition, Timer } from '@genstage/core'
import { delay, oneOf, ownOptions, refuseUnknown, show, wholeNumber } from '@genstage/core/adapters'
import { checkFunction } from '../function-option.ts'
import type { Work } from '../work.ts'
import { Consumers, type OnCancel } from './consumers.ts'

/** Options of `polling`. */
export interface PollingOptions {
  /** Milliseconds from an answer that had nothing to the next call. */
  readonly everyMs: number
  /** When the function throws: `fail` (the default) ends the stage with that error; `retry` logs it and calls again after `everyMs`. */
  readonly onError?: 'fail' | 'retry'
  /** `stop`: ends when its last consumer has gone. Default `continue`. */
  readonly onCancel?: OnCancel
}

/** Options of `pollingBatches`. */
export interface PollingBatchesOptions extends PollingOptions {
  /** The most that is asked for in one call. Default: as many as are wanted. */
  readonly maxBatch?: number
}

/** A polling source is told by `ref.cast('poll')` that there is something new: it need not wait. */
export type PollingMessages = Messages<never, unknown, 'poll'>

interface Settings {
  readonly everyMs: number
  readonly maxBatch: number
  readonly onError: 'fail' | 'retry'
  readonly onCancel: OnCancel
}

/** Answers at most `limit` events; fewer if there are no more now. */
type Fetch<T> = (limit: number, work: Work) => Maybe<readonly T[]>

/**
 * A producer that asks a function for one event at a time. `undefined` or `null` says that there is none now: the next call comes
 * `everyMs` later. As long as there are some, it is called again at once, until nothing more is wanted; each event goes out as soon as
 * it is there. With no demand, or no consumer, nothing is called and no timer runs.
 *
 * `fetch` gets a signal that is aborted when the stage is told to stop; what it throws then counts for nothing. `ref.cast('poll')` says
 * that there is something new. Throws `BAD_OPTION`.
 *
 * ```ts
 * const answers = [1, undefined, 2, 3]
 * await using numbers = start(polling(async () => answers.shift(), { everyMs: 5 }))
 * for await (const number of numbers.stream({ maxDemand: 10 })) {
 *   console.log(number)
 *   // => 1
 *   // => 2
 *   // => 3
 *   if (number === 3) break
 * }
 * ```
 */
export function polling<Answer>(
  fetch: (work: Work) => Answer,
  options: PollingOptions,
): ProducerDefinition<NonNullable<Awaited<Answer>>, void, PollingMessages> {
  const where = 'polling'
  const settings = settingsFrom(where, fetch, options, ['everyMs', 'onError', 'onCancel'])
  return poll(where, { ...settings, maxBatch: 1 }, async (_limit, work) => {
    const answer = await fetch(work)
    return answer === undefined || answer === null ? [] : [answer]
  })
}

/**
 * A producer that asks a function for up to `limit` events: one query of a database for as many as are wanted. An answer with fewer says
 * that there are no more now: the next call comes `everyMs` later. In all else it is like `polling`. An answer that is no array ends the
 * stage (`BAD_RETURN`). Throws `BAD_OPTION`.
 *
 * ```ts
 * const rows = ['a', 'b', 'c']
 * const nextRows = async (limit: number) => rows.splice(0, limit)
 * await using letters = start(pollingBatches(nextRows, { everyMs: 1_000 }))
 * for await (const letter of letters.stream({ maxDemand: 2 })) {
 *   console.log(letter)
 *   // => a
 *   // => b
 *   // => c
 *   if (letter === 'c') break
 * }
 * ```
 */
export function pollingBatches<T>(
  fetch: (limit: number, work: Work) => Maybe<readonly T[]>,
  options: PollingBatchesOptions,
): ProducerDefinition<T, void, PollingMessages> {
  const where = 'pollingBatches'
  return poll(where, settingsFrom(where, fetch, options, ['everyMs', 'maxBatch', 'onError', 'onCancel']), fetch)
}

function settingsFrom(where: string, fetch: unknown, options: unknown, known: readonly string[]): Settings {
  checkFunction(where, 'fetch', fetch)
  const own = ownOptions(where, options)
  refuseUnknown(where, own, known)
  return {
    everyMs: delay(where, own, 'everyMs'),
    maxBatch: wholeNumber(where, own, 'maxBatch', Infinity, { min: 1, infinity: true }),
    onError: oneOf(where, own, 'onError', ['fail', 'retry'], 'fail'),
    onCancel: oneOf(where, own, 'onCancel', ['continue', 'stop'], 'continue'),
  }
}

function poll<T>(
  where: string,
  { everyMs, maxBatch, onError, onCancel }: Settings,
  fetch: Fetch<T>,
): ProducerDefinition<T, void, PollingMessages> {
  return producer((_: void, ctx: Context): ProducerCallbacks<T, never, unknown, 'poll', never> => {
    const consumers = new Consumers(ctx, onCancel)
    /** Events asked for that have not been found yet. */
    let wanted = 0
    /** Before this time there is nothing new. */
    let restUntil = -Infinity
    /** The next call, while it waits for its time. */
    let timer: Timer | undefined
    /** Whether the message is under way that says that its time has come. */
    let isDue = false

    /** Each call is a turn of its own: in between the stage takes in asks, casts and stops. */
    function planNext(): void {
      timer?.cancel()
      timer = undefined
      if (isDue || wanted === 0 || !consumers.areThere) return
      const wait = restUntil - ctx.clock.now()
      if (wait > 0) timer = ctx.after(wait, 'poll')
      else {
        isDue = true
        ctx.self.send('poll')
      }
    }

    async function ask(limit: number): Promise<readonly T[]> {
      return fetch(limit, { signal: ctx.stopping })
    }

    function failed(error: unknown): readonly T[] {
      if (!ctx.stopping.aborted) {
        if (onError === 'fail') throw error
        ctx.logger.warn(`${where}: fetch failed; the next try is in ${everyMs} ms`, { stage: ctx.name ?? ctx.self.id, error })
      }
      return []
    }

    return {
      handleDemand(demand) {
        wanted += demand
        planNext()
      },
      handleSubscribe() {
        consumers.come()
        planNext()
      },
      handleCancel() {
        consumers.go()
        planNext()
      },
      handleCast() {
        restUntil = -Infinity
        planNext()
      },
      async handleInfo() {
        isDue = false
        timer = undefined
        if (wanted === 0 || !consumers.areThere || ctx.stopping.aborted) return
        const limit = Math.min(wanted, maxBatch)
        const found = await ask(limit).catch(failed)
        if (!Array.isArray(found)) throw notAnArray(where, found)
        restUntil = found.length < limit ? ctx.clock.now() + everyMs : -Infinity
        wanted = Math.max(0, wanted - found.length)
        planNext()
        return found
      },
    } satisfies ProducerCallbacks<T, never, unknown, 'poll', 'poll'>
  })
}

function notAnArray(where: string, found: unknown): GenStageError {
  return new GenStageError('BAD_RETURN', `${where}: fetch must answer an array of events, not ${show(found)}`)
}
