import type { EventEmitter } from 'eventemitter3'
import type { Clock } from './clock.ts'
import type { Logger } from './logger.ts'
import type { Reason, ReasonInput } from './reason.ts'
import type { TelemetryEvents } from './telemetry.ts'
import type { CancelMode, DemandMode, Ended, Partition, StageType, StopOptions, WaitOptions } from './types.ts'

// These types speak of each other (a ref has subscriptions, a subscription has refs, both have a runtime), so they share a file.

/**
 * The messages a stage understands, as the methods of its ref that post them. Inferred from `handleCall`, `handleCast` and
 * `handleInfo`; where there is no such callback the type is `never` and the method cannot be called.
 */
export interface Messages<in Call = never, out Reply = unknown, in Cast = never, in Info = never> {
  readonly call: (request: Call, options?: WaitOptions) => Promise<Reply>
  readonly cast: (message: Cast) => void
  readonly send: (message: Info) => void
  readonly syncInfo: (message: Info, options?: WaitOptions) => Promise<void>
  readonly asyncInfo: (message: Info) => void
}

/** The messages of a stage whose callbacks are not known to the type: anything may be sent. */
export type AnyMessages = Messages<unknown, unknown, unknown, unknown>

/**
 * The handle of a running stage. A bad option throws at the call; a stage that has ended never makes a method throw.
 * At run time every ref has all methods: one that does not fit its type (`subscribe` on a producer) throws `NOT_A_CONSUMER` or
 * `NOT_A_PRODUCER`.
 */
export interface StageRef<out M extends Messages = Messages> extends AsyncDisposable {
  /** Unique in its runtime. */
  readonly id: string
  /** The name it was started under. */
  readonly name: string | undefined
  readonly type: StageType
  readonly runtime: Runtime

  /** Setup is done, or answered `ignore`. Rejects if it failed (`SETUP_FAILED`, `BAD_CALLBACKS`, `BAD_RETURN`, `TIMEOUT`). */
  readonly ready: Promise<'started' | 'ignored'>
  /** Always resolves, with the reason of the end. Reading it counts as watching the stage. */
  readonly exited: Promise<Reason>
  /** Resolves at a graceful end, rejects at a failure (`STAGE_FAILED`). Reading it counts as watching the stage. */
  readonly done: Promise<void>

  /**
   * Posts a request for `handleCall` and waits for the reply (GS-L9). Rejects with `STOPPED` and the exit `reason` if the stage is
   * not there or ends first, with `NO_HANDLER` if it has no `handleCall` (GS-X20), with `TIMEOUT` after 5,000 ms by default.
   */
  readonly call: M['call']
  /** Posts a message for `handleCast`, whatever becomes of it (GS-L9). */
  readonly cast: M['cast']
  /** Posts a message for `handleInfo` straight to the mailbox. */
  readonly send: M['send']
  /** An info that keeps its place behind all events emitted before it (GS-I1 to GS-I5); settles once it is queued. */
  readonly syncInfo: M['syncInfo']
  /** The same, without waiting. */
  readonly asyncInfo: M['asyncInfo']

  /**
   * Orderly end: finishes the callback in hand, runs `terminate`, and resolves with the reason when it is truly over. Past `timeout`
   * (default 5,000 ms; none for supervisors, whose children have their own) it kills. Safe at any time and twice. Default reason
   * `normal` (GS-L10).
   */
  stop(reason?: ReasonInput, options?: StopOptions): Promise<Reason>
  /** Immediate end with `killed`: the mailbox is dropped, `terminate` does not run, a pending callback's result is ignored (GS-J6). */
  kill(): Promise<Reason>
  /** Calls back once when the stage has ended; at once, with `noproc`, if it already has (GS-J3). */
  monitor(listener: (down: Down) => void): Monitor
  /** A snapshot, taken when the stage comes to it: in the order of its mailbox. */
  inspect(options?: WaitOptions): Promise<Inspection>
}

declare const event: unique symbol

/** A stage that can be subscribed to, for events of type `Out`. */
export interface ProducerRef<out Out, out M extends Messages = Messages> extends StageRef<M> {
  readonly [event]: { readonly out: Out }
  /** The events as an async iterable: it subscribes when the iteration begins and cancels when it ends (GS-R1 to GS-R6). */
  stream(options?: StreamOptions<Out>): AsyncIterable<Out>
  /** How many events wait in the buffer (GS-O3). Rejects like `call`. */
  estimateBufferedCount(options?: WaitOptions): Promise<number>
  /** Rejects like `call`. */
  demandMode(options?: WaitOptions): Promise<DemandMode>
  /** Takes effect in the order of the mailbox (GS-M1). */
  setDemandMode(mode: DemandMode): void
}

/** A stage that can subscribe, to events of type `In`. */
export interface ConsumerRef<in In, out M extends Messages = Messages> extends StageRef<M> {
  readonly [event]: { readonly in: (event: In) => void }
  /**
   * Asks a producer for events (GS-S1). Returns at once; `await subscription.accepted` to know that the producer agreed. Bad options
   * throw `BAD_OPTION`, a target that is no ref and no name throws `NOT_A_STAGE`.
   */
  subscribe(options: SubscribeOptions<In>): Subscription
}

/** Both: a stage in the middle. */
export interface ProducerConsumerRef<in In, out Out, out M extends Messages = Messages>
  extends ProducerRef<Out, M>, ConsumerRef<In, M> {
  readonly [event]: { readonly in: (event: In) => void; readonly out: Out }
  /** Always `forward` (GS-M6, X12). */
  setDemandMode(mode: 'forward'): void
}

/** A running watch. After `cancel` no `Down` arrives, not even one that was already queued (GS-K2). */
export interface Monitor extends Disposable {
  readonly stage: StageRef
  cancel(): void
}

/** The message a monitor brings. It comes after everything the ended stage had sent (GS-A3). */
export interface Down {
  readonly type: 'down'
  readonly stage: StageRef
  readonly reason: Reason
}

/** A running stage as seen from outside, a snapshot. */
export interface Inspection {
  readonly id: string
  readonly name: string | undefined
  readonly type: StageType
  /** Messages that wait. */
  readonly mailbox: number
  /** Events that nobody has asked for. */
  readonly buffered: number
  readonly demandMode: DemandMode
  /** What the dispatcher tells about itself. */
  readonly dispatcher: unknown
  /** Its subscriptions to producers. */
  readonly producers: readonly Edge[]
  /** The subscriptions of its consumers. */
  readonly consumers: readonly Edge[]
}

// ── names

declare const accepts: unique symbol
declare const finds: unique symbol

/** A name as `start` takes it: the ref that is started must be what the name promises. */
export interface NameFor<in Ref> {
  readonly name: string
  readonly [accepts]: (ref: Ref) => void
}

/** A name as `to` takes it: looked up at the time of use, so it stays good across restarts (GS-L8). */
export interface NameOf<out Ref> {
  readonly name: string
  readonly [finds]: () => Ref
}

/** A typed name: a token that carries the type of the ref registered under it. Two tokens with one text are one name. */
export interface StageName<in out Ref> extends NameFor<Ref>, NameOf<Ref> {}

/** What can be subscribed to. A plain string cannot: nothing would check its events. */
export type Source<Event> = ProducerRef<Event> | NameOf<ProducerRef<Event>>

// ── subscriptions

/**
 * Options of one subscription. A dispatcher of your own may add some: augment this interface, and list them in
 * `Dispatcher.subscriptionOptions`. Values of known options are checked at the call (logged as `bad_opts`, then thrown); an option
 * that neither core nor the producer's dispatcher knows is refused by the producer (`BAD_OPTION`, with a suggestion).
 */
export interface SubscriptionOptions<out Event = unknown> {
  /** The most events in flight, at least 1. Default 1,000. */
  readonly maxDemand?: number
  /** Asks again when demand is at or below this. Default half of `maxDemand`, rounded down. */
  readonly minDemand?: number
  /** Default `permanent`. */
  readonly cancel?: CancelMode
  /** Broadcast: only events for which it answers true. It may rely on the consumer's event type. */
  selector?(event: Event): boolean
  /** Partition: the one to take; mandatory there. */
  readonly partition?: Partition
  /** Fair: its share, a positive number; 3 gets three times what 1 gets. Default 1. */
  readonly weight?: number
  /** Subscribe again after a failure or `noproc` of a *named* producer. Only when that gives up, `cancel` applies (X22). */
  readonly resubscribe?: ResubscribeOptions
  /** Batches that this consumer had not finished when it failed go back to the dispatcher (X21). Refused by broadcast. */
  readonly redeliver?: true | RedeliverOptions
}

/** How a consumer subscribes again. The delays are milliseconds. */
export interface ResubscribeOptions {
  /** Before the first try; doubles with each. Default 100. */
  readonly minDelayMs?: number
  /** Default 10,000. */
  readonly maxDelayMs?: number
  /** Tries in a row before giving up. Default `Infinity`. */
  readonly limit?: number
}

/** How often the same events are delivered. */
export interface RedeliverOptions {
  /** Deliveries of one batch before it is discarded (`redelivery_limit`). Default `Infinity`. */
  readonly limit?: number
}

/** Options of a subscription, and what to subscribe to. */
export interface SubscribeOptions<out Event> extends SubscriptionOptions<Event> {
  readonly to: Source<Event>
  /**
   * Takes the place of this subscription, which is cancelled with `reason` (default `normal`) without ending the consumer (GS-S9,
   * X13). It has to be one to the same producer: with another nothing is cancelled.
   */
  readonly replaces?: Subscription | { readonly subscription: Subscription; readonly reason: ReasonInput }
}

interface SubscriptionSide {
  /** The same on both sides. */
  readonly id: string
  readonly producer: StageRef
  readonly consumer: StageRef
  readonly options: SubscriptionOptions
  /** Resolves once, when it is over for this side. */
  readonly ended: Promise<Ended>
  /** Requests the end; the confirmation comes as `ended` and `handleCancel` (GS-K9). Safe twice. Default reason `normal`. */
  cancel(reason?: ReasonInput): void
}

/** A subscription as its consumer holds it: what `subscribe` returns and what callbacks get as `from`. Carries no event type, for inference. */
export interface Subscription extends SubscriptionSide {
  /** What the peer is. */
  readonly role: 'producer'
  /** Resolves when the producer has accepted; rejects with the code if it refused (`ALREADY_SUBSCRIBED`, `NOT_A_PRODUCER`, …) or is gone (`STOPPED`). */
  readonly accepted: Promise<void>
  /** How often the batch now in `handleEvents` had been delivered before; 0 where no consumer of the producer uses `redeliver`. */
  readonly redeliveries: number
  /**
   * Asks for `n` more events (GS-S7). In automatic mode they come on top of what the stage asks by itself; after the end nothing
   * happens. Throws `BAD_DEMAND` for anything but a whole number from 0.
   */
  ask(n: number): void
  /** Subscribes again to the same producer with other options. For another producer `subscribe` to that, and cancel this one. */
  resubscribe(options?: SubscriptionOptions & { readonly reason?: ReasonInput }): Subscription
}

/** The same subscription as its producer holds it. */
export interface Subscriber extends SubscriptionSide {
  readonly role: 'consumer'
}

/** Either side; `role` tells. */
export type AnySubscription = Subscription | Subscriber

// ── readers

/** Options of a reader over one producer. */
export interface StreamOptions<out Event> extends SubscriptionOptions<Event>, ReaderOptions {}

/** Options of a reader. */
export interface ReaderOptions {
  /** Ends the iteration by throwing the signal's reason. */
  readonly signal?: AbortSignal
  /** Default: that of the first ref subscribed to, else `defaultRuntime`. */
  readonly runtime?: Runtime
  /** Mode to set on `producers` once subscribed. Default `forward` (GS-R4). */
  readonly demand?: DemandMode
  /** Default: the producers subscribed to. */
  readonly producers?: readonly ProducerRef<unknown>[]
}

// ── the runtime

/** Everything with time, chance, order or names. One per process by default, one of its own per test. */
export interface Runtime extends AsyncDisposable {
  readonly clock: Clock
  /** Chance: a number from 0 up to 1. */
  readonly random: () => number
  readonly logger: Logger
  readonly telemetry: EventEmitter<TelemetryEvents>
  /** The stage registered under a name now. */
  whereis<Ref>(name: NameOf<Ref>): Ref | undefined
  /** Look-up by plain text, for tools: the ref cannot be subscribed to. */
  whereis(name: string): StageRef<AnyMessages> | undefined
  /** The running picture: stages, edges and their figures. */
  topology(): Topology
  /** Keeps the process alive while stages run, until disposed; waiting stages alone do not. */
  keepAlive(): Disposable
  /** Stops everything in it. Resolves when it is truly over. */
  stop(options?: StopOptions): Promise<void>
}

/** The running picture: a snapshot. */
export interface Topology {
  readonly stages: readonly TopologyStage[]
  readonly edges: readonly Edge[]
  /** As Mermaid text. */
  toMermaid(): string
}

/** One stage of the picture. */
export interface TopologyStage {
  readonly id: string
  readonly name: string | undefined
  readonly type: StageType
  /** Id of the supervisor that started it, if one did. */
  readonly supervisor: string | undefined
  /** Messages that wait. */
  readonly mailbox: number
  /** Events that nobody has asked for. */
  readonly buffered: number
}

/** One subscription with its figures. */
export interface Edge {
  readonly subscription: string
  /** Id of the producer. */
  readonly producer: string
  /** Id of the consumer. */
  readonly consumer: string
  /** Asked for and not yet delivered. */
  readonly demand: number
  /** Delivered and not yet handled. */
  readonly inFlight: number
  readonly delivered: number
  /** Events per second since the picture before this one, or since the subscription began. */
  readonly rate: number
}
