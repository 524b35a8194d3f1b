import type { Context, ProducerCallbacks } from './callbacks.ts'
import { producer, type ProducerDefinition } from './definition.ts'
import { GenStageError, show } from './errors.ts'
import { oneOf, ownOptions, refuseUnknown } from './options.ts'
import { Queue } from './queue.ts'
import { whenKilled } from './when-killed.ts'

/** An iterable, or a function that makes one: with a function, a restart begins anew. */
export type IterableSource<T> = Iterable<T> | AsyncIterable<T> | (() => Iterable<T> | AsyncIterable<T>)

/** Options of `fromIterable`. */
export interface FromIterableOptions {
  /** `stop`: ends when its last consumer has gone. Default `continue` (GS-E6). */
  readonly onCancel?: 'continue' | 'stop'
}

/** The iterable has ended: the stage ends behind its last event (GS-E4). */
const end: unique symbol = Symbol('end')

/** Events of an async iterable have arrived. */
const arrived: unique symbol = Symbol('arrived')

/** The iterable threw. What it had given before goes out first. */
class Failure {
  readonly error: unknown

  constructor(error: unknown) {
    this.error = error
  }
}

type Message = typeof end | typeof arrived | Failure

type Callbacks<T> = ProducerCallbacks<T, never, unknown, never, Message>

/**
 * A producer that takes from an iterable as much as is asked; it ends `normal` when the last event has been taken (GS-E2 to E8).
 * An async iterable hands its events on as they arrive. The iterator is closed (`return`) when the stage ends early (GS-J10); what
 * the iterable throws ends the stage.
 *
 * Refuses what cannot be iterated with `BAD_SOURCE`; text as well, whose letters are rarely meant.
 *
 * ```ts
 * const letters = start(fromIterable(['a', 'b', 'c']))
 * for await (const letter of letters.stream({ cancel: 'transient' })) console.log(letter)
 * // => a
 * // => b
 * // => c
 * ```
 */
export function fromIterable<T>(source: IterableSource<T>, options?: FromIterableOptions): ProducerDefinition<T> {
  const where = 'fromIterable'
  const own = ownOptions(where, options)
  refuseUnknown(where, own, ['onCancel'])
  const onCancel = oneOf(where, own, 'onCancel', ['continue', 'stop'], 'continue')
  if (typeof source !== 'function' && !isIterable(source)) throw notIterable(source)
  return producer((_: void, ctx): ProducerCallbacks<T, never, unknown, never, never> => {
    const iterable = typeof source === 'function' ? source() : source
    if (!isIterable(iterable)) throw notIterable(iterable)
    const pull = Symbol.asyncIterator in iterable ? pullAsync(openAsync(iterable), ctx) : pullSync(openSync(iterable), ctx)
    let consumers = 0
    return {
      ...pull,
      handleSubscribe() {
        consumers++
      },
      handleCancel() {
        consumers--
        if (consumers === 0 && onCancel === 'stop') ctx.stop()
      },
    } satisfies Callbacks<T>
  })
}

/** Takes exactly what is asked for, as one unit (GS-E2). */
function pullSync<T>(iterator: Iterator<T>, ctx: Context): Callbacks<T> {
  let done = false
  const close = (): void => {
    if (!done) iterator.return?.()
    done = true
  }
  whenKilled(ctx, 'fromIterable: the iterator could not be closed', close)
  return {
    handleDemand(demand) {
      const events: T[] = []
      try {
        while (events.length < demand && !done) {
          const result = checkedResult(iterator.next())
          if (result.done !== true) events.push(result.value)
          else {
            done = true
            ctx.self.asyncInfo(end)
          }
        }
      } catch (error) {
        done = true
        ctx.self.asyncInfo(new Failure(error))
      }
      return events
    },
    handleInfo(message) {
      if (message instanceof Failure) throw message.error
      ctx.stop()
    },
    terminate: close,
  }
}

/** Takes as many as are asked for, but hands on what has come: the next one may be long in coming. */
function pullAsync<T>(iterator: AsyncIterator<T>, ctx: Context): Callbacks<T> {
  const waiting = new Queue<T>()
  let wanted = 0
  let pulling = false
  /** Whether a message that says so is under way. */
  let announced = false
  /** Set when the iterable has ended: how. */
  let ending: typeof end | Failure | undefined

  async function pull(): Promise<void> {
    pulling = true
    try {
      while (wanted > 0 && ending === undefined && !ctx.stopping.aborted) {
        const result = checkedResult(await iterator.next())
        if (result.done === true) ending = end
        else {
          wanted--
          waiting.push(result.value)
        }
        announce()
      }
    } catch (error) {
      ending = new Failure(error)
      announce()
    }
    pulling = false
  }

  function announce(): void {
    if (!announced) ctx.self.send(arrived)
    announced = true
  }

  async function close(): Promise<void> {
    if (ending !== undefined) return
    ending = end
    const closed = iterator.return?.()
    // A generator closes when the item it is waiting for has come: that may be never, and nobody is interested any more
    if (!pulling) await closed
    else closed?.then(undefined, () => {})
  }

  whenKilled(ctx, 'fromIterable: the iterator could not be closed', close)
  return {
    handleDemand(demand) {
      wanted += demand
      if (!pulling && ending === undefined) void pull()
    },
    handleInfo(message) {
      if (message instanceof Failure) throw message.error
      if (message === end) return ctx.stop()
      announced = false
      if (ending !== undefined) ctx.self.asyncInfo(ending)
      return waiting.take(waiting.length)
    },
    terminate: close,
  }
}

function isIterable<T>(source: unknown): source is Iterable<T> | AsyncIterable<T> {
  if (typeof source !== 'object' || source === null) return false
  const value = source as Partial<Iterable<T> & AsyncIterable<T>>
  return typeof value[Symbol.asyncIterator] === 'function' || typeof value[Symbol.iterator] === 'function'
}

function openSync<T>(iterable: Iterable<T> | AsyncIterable<T>): Iterator<T> {
  return withNext((iterable as Iterable<T>)[Symbol.iterator]())
}

function openAsync<T>(iterable: Iterable<T> | AsyncIterable<T>): AsyncIterator<T> {
  return withNext((iterable as AsyncIterable<T>)[Symbol.asyncIterator]())
}

function withNext<I extends { next: unknown }>(iterator: I): I {
  if (typeof iterator === 'object' && iterator !== null && typeof iterator.next === 'function') return iterator
  throw new GenStageError('BAD_SOURCE', `fromIterable: the iterator has no method next: it is ${show(iterator)}`)
}

/** What `next` answered; the language itself refuses the same in a loop. */
function checkedResult<T>(result: IteratorResult<T>): IteratorResult<T> {
  if (typeof result === 'object' && result !== null) return result
  throw new TypeError(`fromIterable: next must answer { value, done }, not ${show(result)}`)
}

function notIterable(source: unknown): GenStageError {
  return new GenStageError(
    'BAD_SOURCE',
    `fromIterable: the source must be iterable (or a function that makes an iterable), not ${show(source)}`,
  )
}
