import type { Context, ProducerCallbacks } from './callbacks.ts'
import { type ProducerDefinition, StageDefinition } from './definition.ts'
import { GenStageError, show } from './errors.ts'
import { oneOf, ownOptions, refuseUnknown, wholeNumber } from './options.ts'
import { Queue } from './queue.ts'
import { isGraceful } from './reason.ts'
import type { DiscardReason } from './types.ts'
import { whenKilled } from './when-killed.ts'

/** Where a source pushes to. All three may be called at any time, also before `connect` has returned, and after the end. */
export interface PushSink<in T> {
  /** Takes an event. Answers whether it was kept: false if it was dropped, or the source is at its end. */
  push(event: T): boolean
  /** Ends the stage, `normal`, behind all that was pushed. */
  end(): void
  /** Ends the stage with this error, behind all that was pushed. */
  fail(error: unknown): void
}

/** Options of `fromPush`. */
export interface FromPushOptions {
  /** Events kept that nobody has asked for; `Infinity` allowed. Default 10,000. */
  readonly bufferSize?: number
  /**
   * What becomes of an event that finds the buffer full. `dropOldest` (the default) gives up the oldest one that waits, `dropNewest`
   * the event itself; `error` ends the source: what waits still goes out, then the stage fails with `SOURCE_OVERFLOW`.
   */
  readonly overflow?: 'dropOldest' | 'dropNewest' | 'error'
  /** `stop`: ends when its last consumer has gone. Default `continue`. */
  readonly onCancel?: 'continue' | 'stop'
}

interface Settings {
  /** Whose options they are, for errors. */
  readonly where: string
  readonly bufferSize: number
  readonly overflow: 'dropOldest' | 'dropNewest' | 'error'
}

/** So many dropped events are told of at once, if they come faster than the stage gets its turns. */
const reportSize = 1_000

/** Something has arrived. */
const arrived: unique symbol = Symbol('arrived')
/** The source has come to its end. */
const end: unique symbol = Symbol('end')

class Failure {
  readonly error: unknown

  constructor(error: unknown) {
    this.error = error
  }
}

type Message = typeof arrived | typeof end | Failure

/**
 * A producer of what somebody pushes: a callback, an emitter, a socket, anything that cannot be slowed down. `connect` runs when the
 * stage is set up, and may answer what to do to disconnect; that runs once, at the end of the stage or of the source.
 *
 * Events wait until they are asked for, as many as `bufferSize`; what is dropped beyond that is told by telemetry (`discarded` with
 * `source_overflow`) and the log. What `connect` throws fails the start. Throws `BAD_SOURCE` if `connect` is no function, `BAD_OPTION`.
 *
 * ```ts
 * const Ticks = fromPush<number>(sink => {
 *   const timer = setInterval(() => sink.push(Date.now()), 5)
 *   return () => clearInterval(timer)
 * })
 * await using ticks = start(Ticks)
 * for await (const time of ticks.stream({ maxDemand: 1 })) {
 *   console.log(typeof time) // => number
 *   break
 * }
 * ```
 */
export function fromPush<T>(
  connect: (sink: PushSink<T>) => (() => void) | void,
  options?: FromPushOptions,
): ProducerDefinition<T> {
  if (typeof connect !== 'function') {
    throw new GenStageError(
      'BAD_SOURCE',
      `fromPush: connect must be a function that is given where to push to, not ${show(connect)}`,
    )
  }
  return pushSource('fromPush', connect, options)
}

/** `fromPush` for an adapter of another name, which is what its errors say. */
export function pushSource<T>(
  where: string,
  connect: (sink: PushSink<T>) => (() => void) | void,
  options?: FromPushOptions,
): ProducerDefinition<T> {
  const own = ownOptions(where, options)
  refuseUnknown(where, own, ['bufferSize', 'overflow', 'onCancel'])
  const bufferSize = wholeNumber(where, own, 'bufferSize', 10_000, { min: 0, infinity: true })
  const overflow = oneOf(where, own, 'overflow', ['dropOldest', 'dropNewest', 'error'], 'dropOldest')
  const onCancel = oneOf(where, own, 'onCancel', ['continue', 'stop'], 'continue')
  const setup = (_: void, ctx: Context): ProducerCallbacks<T, never, unknown, never, Message> => {
    const source = new PushSource<T>(ctx, { where, bufferSize, overflow })
    source.connect(connect)
    let consumers = 0
    return {
      handleDemand: demand => source.demand(demand),
      handleInfo: (message: Message) => source.told(message),
      handleSubscribe() {
        consumers++
      },
      handleCancel() {
        consumers--
        if (consumers === 0 && onCancel === 'stop') ctx.stop()
      },
      terminate: reason => source.close(isGraceful(reason) ? 'stopped' : 'producer_crash'),
    }
  }
  // A drain hands on what waits, to a buffer that has to have room for it
  const definition = new StageDefinition('producer', setup, Math.max(bufferSize, 10_000))
  return definition as unknown as ProducerDefinition<T>
}

/** What waits between a source that pushes and a stage that is asked. */
class PushSource<T> implements PushSink<T> {
  readonly #ctx: Context
  readonly #settings: Settings
  readonly #waiting = new Queue<T>()
  /** Events asked for that have not come yet. */
  #wanted = 0
  /** Whether anybody has ever asked: a source that ends before is still there for whoever comes (GS-E4). */
  #wasAsked = false
  /** Whether a message that says so is under way. */
  #announced = false
  /** How the source has ended, once it has: nothing is taken any more. */
  #ending: typeof end | Failure | undefined
  /** Dropped, and not told yet. */
  #dropped: T[] = []
  #disconnect: (() => void) | undefined
  #isClosed = false

  constructor(ctx: Context, settings: Settings) {
    this.#ctx = ctx
    this.#settings = settings
  }

  connect(connect: (sink: PushSink<T>) => (() => void) | void): void {
    if (this.#ctx.stopping.aborted) return this.#finish(end)
    // Told to stop: nothing more is taken, and what waits is where a drain finds it
    this.#ctx.stopping.addEventListener('abort', () => this.#finish(end), { once: true })
    whenKilled(this.#ctx, `${this.#settings.where}: the source could not be disconnected`, () => this.close('killed'))
    const disconnect = connect(this)
    this.#disconnect = typeof disconnect === 'function' ? disconnect : undefined
    if (this.#ending !== undefined || this.#isClosed) this.#release()
  }

  push(event: T): boolean {
    if (this.#ending !== undefined) return this.#refuse(event)
    if (this.#waiting.length < this.#wanted + this.#settings.bufferSize) {
      this.#waiting.push(event)
      this.#announce()
      return true
    }
    if (this.#settings.overflow === 'error') {
      this.#finish(new Failure(overflown(this.#settings)))
      return this.#refuse(event)
    }
    this.#announce()
    if (this.#settings.overflow === 'dropNewest' || this.#waiting.length === 0) return this.#drop(event)
    this.#drop(this.#waiting.shift() as T)
    this.#waiting.push(event)
    return true
  }

  end(): void {
    this.#finish(end)
  }

  fail(error: unknown): void {
    this.#finish(new Failure(error))
  }

  demand(demand: number): readonly T[] {
    this.#wanted += demand
    this.#wasAsked = true
    return this.#take()
  }

  told(message: Message): readonly T[] | void {
    if (message instanceof Failure) throw message.error
    if (message === end) return this.#ctx.stop()
    this.#announced = false
    return this.#take()
  }

  /** The end of the stage: what waits is given up. */
  close(reason: DiscardReason): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#ending ??= end
    this.#report()
    this.#ctx.discard(this.#waiting.take(this.#waiting.length), reason)
    this.#release()
  }

  #take(): readonly T[] {
    this.#report()
    // What waits goes where a drain finds it, whether or not it is asked for
    const count = this.#ctx.stopping.aborted ? this.#waiting.length : Math.min(this.#wanted, this.#waiting.length)
    const events = this.#waiting.take(count)
    this.#wanted = Math.max(0, this.#wanted - count)
    if (this.#mayEnd) this.#ctx.self.asyncInfo(this.#ending)
    return events
  }

  get #mayEnd(): boolean {
    if (this.#ending === undefined || this.#waiting.length > 0) return false
    return this.#wasAsked || this.#ending !== end || this.#ctx.stopping.aborted
  }

  #finish(ending: typeof end | Failure): void {
    if (this.#ending !== undefined) return
    this.#ending = ending
    this.#announce()
    this.#release()
  }

  #announce(): void {
    if (this.#announced) return
    this.#announced = true
    this.#ctx.self.send(arrived)
  }

  /** An event that comes behind the end. One that comes because of an overflow is lost like the one that made it. */
  #refuse(event: T): boolean {
    const { error } = this.#ending instanceof Failure ? this.#ending : { error: undefined }
    if (error instanceof GenStageError && error.code === 'SOURCE_OVERFLOW') this.#drop(event)
    return false
  }

  #drop(event: T): false {
    this.#dropped.push(event)
    if (this.#dropped.length >= reportSize || this.#isClosed) this.#report()
    return false
  }

  #report(): void {
    const dropped = this.#dropped
    this.#dropped = []
    this.#ctx.discard(dropped)
  }

  #release(): void {
    const disconnect = this.#disconnect
    this.#disconnect = undefined
    disconnect?.()
  }
}

function overflown({ where, bufferSize }: Settings): GenStageError {
  return new GenStageError(
    'SOURCE_OVERFLOW',
    `${where}: the source made more than is asked for, and the buffer is full (bufferSize ${bufferSize})`,
    { option: 'bufferSize' },
  )
}
