import type { ConsumerDemand } from './demand.ts'
import type { Recipient } from './dispatcher.ts'
import { GenStageError, show } from './errors.ts'
import type { Address, StageMessage, Undone } from './protocol.ts'
import { normal, type Reason, reasonFrom, type ReasonInput } from './reason.ts'
import type { Edge, StageRef, Subscriber, Subscription, SubscriptionOptions } from './refs.ts'
import type { Resubscription } from './resubscription.ts'
import type { CancelMode, Ended } from './types.ts'

/** What a subscription needs of the stage that holds it. */
export interface LinkOwner {
  readonly address: Address
  post(message: StageMessage): void
  /** Subscribes again, to the producer of `link` (GS-S9). */
  resubscribe(link: UpstreamLink, options: SubscriptionOptions & { readonly reason?: ReasonInput }): Subscription
  /** Makes a subscription like `link`, which has ended, under the same `resubscription`. */
  renew(link: UpstreamLink): UpstreamLink
  /** A subscription that is made anew after failures is not wanted any more, nor is any that was made for it since. */
  giveUp(link: UpstreamLink, reason: Reason): void
}

/** What a peer in the same thread can tell about the other side of a subscription. */
export interface LocalPeer extends Address {
  /** Whether it has ended: what is posted to it now is handled by nobody. */
  readonly hasEnded: boolean
  upstream(subscription: string): UpstreamLink | undefined
  downstream(subscription: string): DownstreamLink | undefined
  /** Whether it has ended, is about to, or finishes what is on its way before it does. */
  readonly isLeaving: boolean
}

/** Which part of its life a subscription is in, as its consumer sees it. */
type Phase = 'new' | 'posted' | 'accepted' | 'ended'

/** The options of a subscription, checked (GS-S3). */
export interface SubscriptionSettings {
  /** As they were given, for the producer and for callbacks. */
  readonly options: SubscriptionOptions
  readonly mode: CancelMode
  readonly demand: ConsumerDemand
  /** How it is made anew after failures of the producer, if it is. */
  readonly resubscription: Resubscription<UpstreamLink> | undefined
  /** Whether events that are not done when the stage ends go back to the producer. */
  readonly redelivers: boolean
}

/** Events that were not done when their consumer ended. */
export interface Unfinished extends Undone {
  readonly link: UpstreamLink
}

/** A subscription, the consumer's side. */
export class UpstreamLink implements Subscription {
  readonly id: string
  readonly options: SubscriptionOptions
  readonly mode: CancelMode
  /** How often the batch in hand had been delivered before. */
  redeliveries = 0
  /** Counts in automatic mode. */
  readonly demand: ConsumerDemand
  /** Whether the callbacks ask by hand (GS-S7). */
  manual = false
  /** Set when it was replaced by a resubscription to the same producer: its cancel does not end the consumer (X13). */
  replaced = false
  /** The subscription that this one takes the place of, and why; until the request is posted. */
  current: { readonly link: UpstreamLink; readonly reason: Reason } | undefined
  /** Events that the callbacks have worked off. */
  handled = 0
  /** Where the producer is; for a name not looked up yet, a place where nobody is. */
  producerAddress: Address
  /** The name it was asked for by. */
  readonly producerName: string | undefined
  endedAs: Ended | undefined
  /** Whether events that are not done when the stage ends go back to the producer (X21). */
  readonly redelivers: boolean
  /** How it is made anew after failures of the producer, if it is (X22). */
  readonly resubscription: Resubscription<UpstreamLink> | undefined
  readonly #owner: LinkOwner
  #phase: Phase = 'new'
  #wasPosted = false
  #refusal: GenStageError | undefined
  #accepted: PromiseWithSettlers<void> | undefined
  #ended: PromiseWithSettlers<Ended> | undefined

  constructor(
    owner: LinkOwner,
    id: string,
    target: { readonly address: Address; readonly name: string | undefined },
    settings: SubscriptionSettings,
    current: UpstreamLink['current'],
  ) {
    this.#owner = owner
    this.id = id
    this.producerAddress = target.address
    this.producerName = target.name
    this.options = settings.options
    this.mode = settings.mode
    this.demand = settings.demand
    this.redelivers = settings.redelivers
    this.resubscription = settings.resubscription
    if (this.resubscription !== undefined) this.resubscription.current = this
    this.current = current
  }

  /** Whether it belongs to `owner`. */
  isOf(owner: LinkOwner): boolean {
    return this.#owner === owner
  }

  get role(): 'producer' {
    return 'producer'
  }

  get producer(): StageRef {
    return this.producerAddress.ref
  }

  get consumer(): StageRef {
    return this.#owner.address.ref
  }

  /** Name or id of the producer, for the log and for messages. */
  get producerLabel(): string {
    return this.producer.name ?? this.producer.id
  }

  get isProducerLeaving(): boolean {
    const producer = this.producerAddress
    return 'isLeaving' in producer && (producer as LocalPeer).isLeaving
  }

  get isOpen(): boolean {
    return this.#phase === 'posted' || this.#phase === 'accepted'
  }

  get accepted(): Promise<void> {
    if (this.#accepted === undefined) {
      this.#accepted = settlers<void>()
      if (this.#phase === 'accepted' || (this.#phase === 'ended' && this.#refusal === undefined)) this.#accepted.resolve()
      else if (this.#refusal !== undefined) this.#accepted.reject(this.#refusal)
    }
    return this.#accepted.promise
  }

  get ended(): Promise<Ended> {
    if (this.#ended === undefined) {
      this.#ended = settlers<Ended>()
      if (this.endedAs !== undefined) this.#ended.resolve(this.endedAs)
    }
    return this.#ended.promise
  }

  ask(n: number): void {
    if (typeof n !== 'number' || !Number.isSafeInteger(n) || n < 0) {
      const { ref } = this.#owner.address
      throw new GenStageError(
        'BAD_DEMAND',
        `stage ${show(ref.name ?? ref.id)}: ask takes a whole number from 0, not ${show(n)}`,
        {
          stage: ref.name ?? ref.id,
        },
      )
    }
    if (n === 0) return
    this.#whenPosted(() => this.post(n))
  }

  /** Sends an ask that is known to be right. */
  post(demand: number): void {
    this.producerAddress.post({ type: 'ask', from: this.#owner.address, subscription: this.id, demand })
  }

  cancel(reason?: ReasonInput): void {
    const checked = checkedReason(this.#owner.address.ref, reason)
    const latest = this.resubscription?.current ?? this
    latest.requestCancel(checked)
  }

  requestCancel(reason: Reason): void {
    this.#whenPosted(() => this.postCancel(reason))
    if (this.resubscription !== undefined) this.#owner.post({ type: 'later', work: () => this.#owner.giveUp(this, reason) })
  }

  /** Sends a request to cancel, after the one to subscribe. */
  postCancel(reason: Reason): void {
    this.producerAddress.post({ type: 'cancel', from: this.#owner.address, subscription: this.id, reason })
  }

  resubscribe(options: SubscriptionOptions & { readonly reason?: ReasonInput } = {}): Subscription {
    return this.#owner.resubscribe(this, options)
  }

  /** Its figures: those of the producer's side where that is in this thread, else what the consumer can tell. */
  edge(now: number): Edge {
    const producer = this.producerAddress
    const downstream = 'downstream' in producer ? (producer as LocalPeer).downstream(this.id) : undefined
    if (downstream !== undefined) return downstream.edge(now)
    const { id: subscription, demand, handled } = this
    const ends = { subscription, producer: producer.id, consumer: this.consumer.id }
    return { ...ends, demand: demand.pending, inFlight: 0, delivered: handled, rate: 0 }
  }

  /** The request has been posted. */
  markPosted(): void {
    this.#phase = 'posted'
    this.#wasPosted = true
  }

  markAccepted(): void {
    if (this.#phase !== 'posted') return
    this.#phase = 'accepted'
    this.#accepted?.resolve()
    this.resubscription?.succeeded()
  }

  /** It is over. `refusal` tells those who wait for `accepted` why, if the producer had not accepted yet. */
  finish(ended: Ended, refusal: () => GenStageError): void {
    if (this.#phase === 'ended') return
    if (this.#phase !== 'accepted') {
      this.#refusal = refusal()
      this.#accepted?.reject(this.#refusal)
    }
    this.#phase = 'ended'
    this.endedAs = ended
    this.#ended?.resolve(ended)
  }

  /**
   * Does `work` at once, or after the request for this subscription if that still waits in the mailbox. What is said after the end is
   * posted too, and means nothing to the producer (GS-A4).
   */
  #whenPosted(work: () => void): void {
    if (this.#wasPosted) work()
    else if (this.#phase === 'new') this.#owner.post({ type: 'later', work: () => this.#wasPosted && work() })
  }
}

/** A subscription, the producer's side. */
export class DownstreamLink implements Subscriber, Recipient {
  readonly id: string
  readonly options: SubscriptionOptions
  /** Where the consumer is. */
  readonly consumerAddress: Address
  /** Asked for and not yet delivered. */
  outstanding = 0
  delivered = 0
  endedAs: Ended | undefined
  /** Deliveries of a batch that its consumer does not finish; 0 if such batches do not come back (X21). */
  deliveryLimit = 0
  /** The consumer, if it is in this thread and such batches come back: to see whether it has ended. */
  peer: LocalPeer | undefined
  /** What was delivered when the consumer had ended already: that news is on its way. */
  bounced: Undone[] | undefined
  readonly #owner: LinkOwner
  #ended: PromiseWithSettlers<Ended> | undefined
  /** The last look at `delivered`, for the rate. */
  #seen = 0
  #seenAt: number

  constructor(owner: LinkOwner, consumerAddress: Address, id: string, options: SubscriptionOptions, now: number) {
    this.#owner = owner
    this.consumerAddress = consumerAddress
    this.id = id
    this.options = options
    this.#seenAt = now
  }

  get role(): 'consumer' {
    return 'consumer'
  }

  get subscriptionId(): string {
    return this.id
  }

  get consumerId(): string {
    return this.consumerAddress.id
  }

  get producer(): StageRef {
    return this.#owner.address.ref
  }

  get consumer(): StageRef {
    return this.consumerAddress.ref
  }

  get ended(): Promise<Ended> {
    if (this.#ended === undefined) {
      this.#ended = settlers<Ended>()
      if (this.endedAs !== undefined) this.#ended.resolve(this.endedAs)
    }
    return this.#ended.promise
  }

  cancel(reason?: ReasonInput): void {
    const why = checkedReason(this.#owner.address.ref, reason)
    if (this.endedAs === undefined) this.#owner.post({ type: 'cancelSubscriber', subscription: this.id, reason: why })
  }

  finish(ended: Ended): void {
    this.endedAs = ended
    this.#ended?.resolve(ended)
  }

  /** Its figures, with those of the consumer's side where that is in this thread. */
  edge(now: number): Edge {
    const upstream = 'upstream' in this.consumerAddress ? (this.consumerAddress as LocalPeer).upstream(this.id) : undefined
    const elapsed = now - this.#seenAt
    const rate = elapsed > 0 ? ((this.delivered - this.#seen) * 1_000) / elapsed : 0
    this.#seen = this.delivered
    this.#seenAt = now
    return {
      subscription: this.id,
      producer: this.#owner.address.id,
      consumer: this.consumerAddress.id,
      demand: this.outstanding,
      inFlight: upstream === undefined ? 0 : Math.max(0, this.delivered - upstream.handled),
      delivered: this.delivered,
      rate,
    }
  }
}

interface PromiseWithSettlers<T> {
  readonly promise: Promise<T>
  readonly resolve: (value: T) => void
  readonly reject: (error: unknown) => void
}

/** A promise and how to settle it, made when somebody first reads it. */
export function settlers<T>(): PromiseWithSettlers<T> {
  let resolve!: (value: T) => void
  let reject!: (error: unknown) => void
  const promise = new Promise<T>((onValue, onError) => {
    resolve = onValue
    reject = onError
  })
  return { promise, resolve, reject }
}

/** The reason given, or `normal`; refuses what is none. */
export function checkedReason(ref: StageRef, reason: ReasonInput | undefined): Reason {
  if (reason === undefined) return normal
  const checked = reasonFrom(reason)
  if (checked !== undefined) return checked
  const stage = ref.name ?? ref.id
  throw new GenStageError(
    'BAD_OPTION',
    `stage ${show(stage)}: a reason is 'normal', 'shutdown' or { type: … }, not ${show(reason)}`,
    {
      stage,
      option: 'reason',
    },
  )
}
