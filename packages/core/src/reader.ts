import { peerAddress } from './absent.ts'
import { ConsumerDemand, type Cut } from './demand.ts'
import { describeReason, GenStageError, show } from './errors.ts'
import { NameToken } from './names.ts'
import {
  abortSignal,
  badOption,
  oneOf,
  ownOptions,
  type OwnOptions,
  refuseUnknown,
  unknownOption,
  type Where,
} from './options.ts'
import type { Address, ProtocolMessage } from './protocol.ts'
import { Queue } from './queue.ts'
import { isGraceful, noproc, normal, type Reason } from './reason.ts'
import type { ProducerRef, ReaderOptions, Source, StageRef, SubscribeOptions } from './refs.ts'
import { defaultRuntime, RuntimeCore } from './runtime.ts'
import { isRef, RefBase } from './ref-base.ts'
import { checkSubscription, coreSubscriptionOptions, itemOptions } from './subscribe-options.ts'
import type { CancelMode, DemandMode } from './types.ts'

/** One subscription of a reader, as it was asked for. */
interface Wanted {
  readonly to: Address | string
  readonly options: OwnOptions
  readonly mode: CancelMode
  readonly demand: ConsumerDemand
}

/** One that runs. */
interface Running extends Wanted {
  readonly id: string
  readonly address: Address
}

/** What arrived and has not been read. */
type Arrived =
  | { readonly type: 'events'; readonly from: Running; readonly events: readonly unknown[] }
  | { readonly type: 'end'; readonly of: Running; readonly reason: Reason }

interface Plan {
  readonly subscriptions: readonly Wanted[]
  readonly runtime: RuntimeCore
  readonly signal: AbortSignal | undefined
  readonly demand: DemandMode
  readonly producers: readonly StageRef[] | undefined
}

/**
 * Events of several producers as one async iterable (GS-R1 to R6); for one producer use `ref.stream()`.
 *
 * Options are checked now (`BAD_OPTION`, `NOT_A_STAGE`); it subscribes when the iteration begins. Leaving the loop cancels
 * everything and waits for the confirmations. A permanent subscription that ends, or a transient one that fails, makes the iteration
 * throw `STOPPED` with the `reason`; to read a finite source to its end use `cancel: 'transient'`.
 *
 * ```ts
 * const numbers = start(fromIterable([1, 2, 3]))
 * for await (const event of stream([{ to: numbers, cancel: 'transient' }])) console.log(event)
 * // => 1
 * // => 2
 * // => 3
 * ```
 */
export function stream<Event>(
  subscriptions: readonly (Source<Event> | SubscribeOptions<Event>)[],
  options?: ReaderOptions,
): AsyncIterable<Event> {
  return openReader('stream', subscriptions, options) as AsyncIterable<Event>
}

/** A reader is no stage: nobody starts it again after a failure. */
const readerSubscriptionOptions = coreSubscriptionOptions.filter(option => option !== 'resubscribe' && option !== 'redeliver')

export const readerOptionNames: readonly string[] = ['signal', 'runtime', 'demand', 'producers']

/** The same without types. */
export function openReader(where: Where, subscriptions: unknown, options: unknown): AsyncIterable<unknown> {
  if (!Array.isArray(subscriptions) || subscriptions.length === 0) {
    throw badOption(where, 'subscriptions', subscriptions, 'a list of producers')
  }
  const own = ownOptions(where, options)
  refuseUnknown(where, own, readerOptionNames)
  const wanted = subscriptions.map(item => wantedFrom(where, item))
  const first = wanted.find(each => typeof each.to !== 'string')?.to
  const fallback = typeof first === 'object' ? first.ref.runtime : defaultRuntime
  const runtime = 'runtime' in own ? own['runtime'] : fallback
  if (!(runtime instanceof RuntimeCore)) throw badOption(where, 'runtime', runtime, 'made by createRuntime')
  const { producers } = own
  if (producers !== undefined && !(Array.isArray(producers) && producers.every(isRef))) {
    throw badOption(where, 'producers', producers, 'a list of refs')
  }
  const plan: Plan = {
    subscriptions: wanted,
    runtime,
    signal: abortSignal(where, own),
    demand: oneOf(where, own, 'demand', ['forward', 'accumulate'], 'forward'),
    producers: producers as readonly StageRef[] | undefined,
  }
  return { [Symbol.asyncIterator]: () => new Reading(plan) }
}

function wantedFrom(where: Where, item: unknown): Wanted {
  const given = itemOptions(where, 'the list', item)
  const { to } = given
  const address = RefBase.addressOf(to)
  if (address === undefined && !(to instanceof NameToken)) {
    throw new GenStageError(
      'NOT_A_STAGE',
      `${where.toString()}: to must be a ref or a typed name of a producer, not ${show(to)}`,
      {
        option: 'to',
      },
    )
  }
  for (const option of ['replaces', 'resubscribe', 'redeliver']) {
    if (option in given) throw unknownOption(where, 'option', option, readerSubscriptionOptions)
  }
  const { options, mode, demand } = checkSubscription(where, given, undefined)
  // A reader may be iterated again: each time with a demand of its own
  return { to: address ?? (to as NameToken).name, options: options as OwnOptions, mode, demand }
}

/**
 * One iteration. Written by hand, because a generator would await the events: one that is a promise, or only looks like one, is
 * handed on as it is (BAD-56).
 */
class Reading implements AsyncIterableIterator<unknown> {
  readonly #plan: Plan
  readonly #reader: Reader
  /** The batch in hand: its events, and how many have been read. */
  #batch: { readonly from: Running; readonly events: readonly unknown[]; readonly ask: number } | undefined
  #read = 0
  /** The batches that follow it in the same message. */
  #rest: { readonly from: Running; readonly events: readonly unknown[]; readonly ask: number }[] = []
  #phase: 'new' | 'open' | 'over' = 'new'
  /** Calls of `next` wait for each other, as those of a generator do. */
  #turn: Promise<unknown> = Promise.resolve()
  readonly #onAbort = (): void => this.#reader.wake()

  constructor(plan: Plan) {
    this.#plan = plan
    this.#reader = new Reader(plan)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<unknown, undefined>> {
    return this.#inTurn(() => this.#next())
  }

  return(): Promise<IteratorResult<unknown, undefined>> {
    return this.#inTurn(async () => {
      await this.#close()
      return { done: true, value: undefined }
    })
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work)
    this.#turn = result.catch(() => {})
    return result
  }

  async #next(): Promise<IteratorResult<unknown, undefined>> {
    if (this.#phase === 'over') return { done: true, value: undefined }
    try {
      if (this.#phase === 'new') this.#open()
      this.#plan.signal?.throwIfAborted()
      while (!this.#hasNext()) {
        if (!this.#reader.isOpen && !this.#reader.hasArrived) {
          await this.#close()
          return { done: true, value: undefined }
        }
        if (!this.#reader.hasArrived) await this.#reader.arrival()
        this.#plan.signal?.throwIfAborted()
        this.#take()
      }
    } catch (error) {
      await this.#close()
      throw error
    }
    return { done: false, value: this.#batch?.events[this.#read++] }
  }

  #open(): void {
    this.#plan.signal?.throwIfAborted()
    this.#phase = 'open'
    this.#plan.signal?.addEventListener('abort', this.#onAbort)
    this.#reader.open()
  }

  /** Whether there is an event in hand. The code that reads has come back: a batch that it has read to its end is handled (GS-R3). */
  #hasNext(): boolean {
    while (this.#batch !== undefined && this.#read >= this.#batch.events.length) {
      this.#reader.ask(this.#batch.from, this.#batch.ask)
      this.#batch = this.#rest.shift()
      this.#read = 0
    }
    return this.#batch !== undefined
  }

  /** Takes the next of what has arrived in hand. */
  #take(): void {
    const arrived = this.#reader.take()
    if (arrived === undefined) return
    if (arrived.type === 'end') return this.#reader.end(arrived.of, arrived.reason)
    let done = 0
    this.#rest = this.#reader.count(arrived.from, arrived.events.length).map(({ size, ask }) => {
      const events = arrived.events.slice(done, done + size)
      done += size
      return { from: arrived.from, events, ask }
    })
    this.#batch = this.#rest.shift()
    this.#read = 0
  }

  async #close(): Promise<void> {
    this.#phase = 'over'
    this.#batch = undefined
    this.#rest = []
    this.#plan.signal?.removeEventListener('abort', this.#onAbort)
    await this.#reader.close()
  }
}

/** A consumer that is no stage: whoever iterates is its handler. It speaks the protocol itself (GS-A7). */
class Reader {
  readonly #plan: Plan
  readonly #address: Address
  readonly #running = new Map<string, Running>()
  readonly #arrived = new Queue<Arrived>()
  #wake: (() => void) | undefined
  #closing = false

  constructor(plan: Plan) {
    this.#plan = plan
    const id = plan.runtime.newId('reader')
    this.#address = peerAddress(plan.runtime, { id, type: 'consumer', post: message => this.#receive(message) })
  }

  get isOpen(): boolean {
    return this.#running.size > 0
  }

  get hasArrived(): boolean {
    return this.#arrived.length > 0
  }

  /** Subscribes to all, and asks each for its first events (GS-R2). */
  open(): void {
    const { subscriptions, runtime, producers, demand } = this.#plan
    const reached: StageRef[] = []
    for (const wanted of subscriptions) {
      const address = typeof wanted.to === 'string' ? runtime.find(wanted.to) : wanted.to
      if (address === undefined) {
        if (wanted.mode === 'temporary') continue
        throw stopped(typeof wanted.to === 'string' ? wanted.to : wanted.to.id, noproc)
      }
      const { max, min } = wanted.demand
      const running: Running = { ...wanted, demand: new ConsumerDemand(max, min), id: runtime.newId('subscription'), address }
      this.#running.set(running.id, running)
      const { id: subscription, options } = running
      address.post({ type: 'subscribe', from: this.#address, subscription, options, current: undefined })
      this.ask(running, max)
      reached.push(address.ref)
    }
    for (const ref of producers ?? reached) if ('setDemandMode' in ref) (ref as ProducerRef<unknown>).setDemandMode(demand)
  }

  take(): Arrived | undefined {
    return this.#arrived.shift()
  }

  /** Resolves when something has arrived, or the signal was aborted. Somebody waits, so the process has to live. */
  async arrival(): Promise<void> {
    const release = this.#plan.runtime.holdWhile()
    await new Promise<void>(resolve => {
      this.#wake = resolve
    })
    this.#wake = undefined
    release()
  }

  wake(): void {
    this.#wake?.()
  }

  count(subscription: Running, count: number): readonly Cut[] {
    return subscription.demand.cut(count).cuts
  }

  ask({ id: subscription, address }: Running, demand: number): void {
    if (demand > 0) address.post({ type: 'ask', from: this.#address, subscription, demand })
  }

  /** A subscription is over: for some that ends the iteration with an error (GS-R5). */
  end({ id, mode, address }: Running, reason: Reason): void {
    this.#running.delete(id)
    if (mode === 'permanent' || (mode === 'transient' && !isGraceful(reason)))
      throw stopped(address.ref.name ?? address.id, reason)
  }

  /** Cancels what is open, and waits until everybody has confirmed or ended (GS-R6). */
  async close(): Promise<void> {
    this.#closing = true
    for (let arrived = this.#arrived.shift(); arrived !== undefined; arrived = this.#arrived.shift()) {
      if (arrived.type === 'end') this.#running.delete(arrived.of.id)
    }
    for (const { id: subscription, address } of this.#running.values()) {
      address.post({ type: 'cancel', from: this.#address, subscription, reason: normal })
    }
    while (this.#running.size > 0) await this.arrival()
  }

  #receive(message: ProtocolMessage): void {
    const running = this.#running.get(message.subscription)
    if (running === undefined) return
    const isEnd = message.type === 'cancelled' || message.type === 'producerDown'
    if (this.#closing && isEnd) this.#running.delete(message.subscription)
    else if (isEnd) this.#arrived.push({ type: 'end', of: running, reason: message.reason })
    else if (message.type === 'events' && !this.#closing)
      this.#arrived.push({ type: 'events', from: running, events: message.events })
    this.#wake?.()
  }
}

function stopped(stage: string, reason: Reason): GenStageError {
  return new GenStageError(
    'STOPPED',
    `stage ${show(stage)}: the subscription that was read has ended: ${describeReason(reason)}`,
    {
      stage,
      reason,
      cause: reason.type === 'error' ? reason.error : undefined,
    },
  )
}
