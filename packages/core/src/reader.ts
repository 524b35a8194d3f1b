import { peerAddress } from './absent.ts'
import { ConsumerDemand, type Cut } from './demand.ts'
import { GenStageError, show } from './errors.ts'
import { NameToken } from './names.ts'
import { abortSignal, badOption, oneOf, ownOptions, type OwnOptions, refuseUnknown } from './options.ts'
import type { Address, ProtocolMessage } from './protocol.ts'
import { Queue } from './queue.ts'
import { describeReason, isGraceful, noproc, normal, type Reason } from './reason.ts'
import type { ProducerRef, ReaderOptions, Source, StageRef, SubscribeOptions } from './refs.ts'
import { defaultRuntime, RuntimeCore } from './runtime.ts'
import { isRef, RefBase } from './ref-base.ts'
import { checkSubscription, itemOptions } from './subscribe-options.ts'
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
  return openReader(subscriptions, options) as AsyncIterable<Event>
}

/** The same without types. */
export function openReader(subscriptions: unknown, options: unknown): AsyncIterable<unknown> {
  const where = 'stream'
  if (!Array.isArray(subscriptions) || subscriptions.length === 0)
    throw badOption(where, 'subscriptions', subscriptions, 'a list of producers')
  const own = ownOptions(where, options)
  refuseUnknown(where, own, ['signal', 'runtime', 'demand', 'producers'])
  const wanted = subscriptions.map(item => wantedFrom(where, item))
  const first = wanted.find(each => typeof each.to !== 'string')?.to
  const runtime = own['runtime'] ?? (typeof first === 'object' ? first.ref.runtime : defaultRuntime)
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
  return { [Symbol.asyncIterator]: () => read(plan) }
}

function wantedFrom(where: string, item: unknown): Wanted {
  const given = itemOptions(where, item)
  const { to } = given
  const address = RefBase.addressOf(to)
  if (address === undefined && !(to instanceof NameToken)) {
    throw new GenStageError('NOT_A_STAGE', `${where}: to must be a ref or a typed name of a producer, not ${show(to)}`, {
      option: 'to',
    })
  }
  const { options, mode, demand } = checkSubscription(where, given)
  // A reader may be iterated again: each time with a demand of its own
  return { to: address ?? (to as NameToken).name, options: options as OwnOptions, mode, demand }
}

/** One iteration. */
async function* read(plan: Plan): AsyncGenerator<unknown, void, undefined> {
  const reader = new Reader(plan)
  const onAbort = (): void => reader.wake()
  plan.signal?.addEventListener('abort', onAbort)
  try {
    plan.signal?.throwIfAborted()
    reader.open()
    while (reader.isOpen || reader.hasArrived) {
      const arrived = reader.take()
      if (arrived === undefined) await reader.arrival()
      else if (arrived.type === 'end') reader.end(arrived.of, arrived.reason)
      else if (reader.has(arrived.from)) {
        let done = 0
        for (const { size, ask } of reader.count(arrived.from, arrived.events.length)) {
          for (const event of arrived.events.slice(done, done + size)) {
            yield event
            plan.signal?.throwIfAborted()
          }
          // The code that reads has come back for more: only now is the batch handled (GS-R3)
          done += size
          reader.ask(arrived.from, ask)
        }
      }
      plan.signal?.throwIfAborted()
    }
  } finally {
    plan.signal?.removeEventListener('abort', onAbort)
    await reader.close()
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
        throw stopped(String(wanted.to), noproc)
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

  has(subscription: Running): boolean {
    return this.#running.has(subscription.id)
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
