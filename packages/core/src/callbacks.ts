import type { Clock } from './clock.ts'
import type { InFlight } from './in-flight.ts'
import type { Logger } from './logger.ts'
import type { Reason, ReasonInput } from './reason.ts'
import type { AnyMessages, AnySubscription, Monitor, Runtime, StageRef, Subscriber, Subscription } from './refs.ts'
import type { Discarded, DiscardReason, Ended, Events, Maybe, StopOptions } from './types.ts'

/**
 * What a setup function gets besides its argument. It never mentions the events of the stage: that is what lets them be
 * inferred from the callbacks. Name the messages for checked timers: `(arg, ctx: Context<'poll'>) => …`.
 *
 * `Self` is the plain `StageRef`, unless the event types were written with `.of`: then `ctx.self` is the ref with its
 * events, and `ctx.self.subscribe({ to })` subscribes the stage from inside.
 */
export interface Context<in Message = unknown, out Self = StageRef<AnyMessages>> {
  /** This stage, to hand to others or to post to. A stage must not await a call to itself (GS-A9). */
  readonly self: Self
  readonly name: string | undefined
  /** How often a supervisor has restarted this child; 0 in its first life. */
  readonly restartCount: number
  /** Aborted when a stop is requested. Stop taking new work in; what is in hand may still be finished. */
  readonly stopping: AbortSignal
  /** Aborted when time is up: at the deadline of a stop, by `kill`, or when the start fails. Give up at once: there is no `terminate`. */
  readonly signal: AbortSignal
  /**
   * Ends this stage after the current callback; the events it returns are dispatched first (those of `handleCancel` are not). With
   * `drain: true` it asks for nothing more, finishes what is on its way, hands on what is buffered, and then ends: there is no time limit.
   */
  stop(reason?: ReasonInput, options?: Pick<StopOptions, 'drain'>): void
  /** Posts `message` to `handleInfo` once, after `ms`. Cancelled when the stage ends. */
  after(ms: number, message: Message): Timer
  /** Posts `message` to `handleInfo` every `ms`; a tick that is still waiting in the mailbox is not posted twice. */
  every(ms: number, message: Message): Timer
  /** Posts a `Down` to `handleInfo` when `stage` has ended, or at once, with `noproc`, if it already has (GS-J3). */
  monitor(stage: StageRef): Monitor
  /**
   * Reports events that the stage gives up before it has emitted them, to telemetry and the log, so that no loss is silent. Default
   * reason `source_overflow`: more came than could be kept.
   */
  discard(events: readonly unknown[], reason?: DiscardReason): void
  readonly clock: Clock
  readonly logger: Logger
  readonly runtime: Runtime
}

/** A timer of a stage. */
export interface Timer extends Disposable {
  cancel(): void
}

/**
 * The answer of `handleCall`: with `reply` it answers now, without it the answer comes later through `reply(value)`. Other keys are
 * refused (`BAD_RETURN`).
 */
export interface CallResult<out Reply, out Out = never> {
  readonly reply?: Reply
  /** Dispatched before the reply is sent (GS-C4). */
  readonly events?: readonly Out[]
}

/** Callbacks that every stage may have. One at a time: while a returned promise is pending, the mailbox waits (GS-A1). */
export interface StageCallbacks<Out, Call, Reply, Cast, Info> {
  /** Answers `ref.call(request)`. To answer later, annotate `reply`: `handleCall(id: string, reply: (row: Row) => void)`. */
  handleCall?(request: Call, reply: (value: Reply) => void): Maybe<CallResult<Reply, Out> | void>
  /** Takes `ref.cast(message)`. */
  handleCast?(message: Cast): Events<Out>
  /** Takes `ref.send`, `syncInfo`, `asyncInfo`, timers and `Down`. Without it such a message is logged and dropped. */
  handleInfo?(message: Info): Events<Out>
  /** The last step of a life. Not called after `kill`, nor if the setup failed. */
  terminate?(reason: Reason): Maybe<void>
}

/** What a producer may do besides producing: both kinds that have consumers. */
export interface ProducingCallbacks<Out, Call, Reply, Cast, Info> extends StageCallbacks<Out, Call, Reply, Cast, Info> {
  /** Events did not fit the buffer (`buffer_overflow` alone; other losses go to telemetry). Return false to keep the warning out of the log (GS-B6). */
  formatDiscarded?(discarded: Discarded): boolean
}

/** The behaviour of a producer. An unknown `handle…` key is refused when the stage is set up, with a suggestion. */
export interface ProducerCallbacks<Out, Call, Reply, Cast, Info> extends ProducingCallbacks<Out, Call, Reply, Cast, Info> {
  /** `demand` more events are wanted. Fewer may be returned, the rest later from any callback; more are buffered (GS-P2). */
  handleDemand(demand: number): Events<Out>
  /** A consumer has subscribed. */
  handleSubscribe?(from: Subscriber): Maybe<void>
  /** A consumer has gone (GS-K10). */
  handleCancel?(ended: Ended, from: Subscriber): Events<Out>
}

/** The behaviour of a consumer. It returns no events. */
export interface ConsumerCallbacks<In, Call, Reply, Cast, Info> extends StageCallbacks<never, Call, Reply, Cast, Info> {
  /** Takes at most `maxDemand - minDemand` events of one subscription; the next ask goes out when this has settled (GS-Q4). */
  handleEvents(events: readonly In[], from: Subscription): Maybe<void> | InFlight<unknown>
  /** Subscribed. Answer `manual` to ask by hand with `from.ask(n)` (GS-S7). */
  handleSubscribe?(from: Subscription): Maybe<'automatic' | 'manual' | void>
  /** A subscription ended. The stage follows it, or not, by its cancel mode after this (GS-K3 to K5). */
  handleCancel?(ended: Ended, from: Subscription): Maybe<void>
}

/** The behaviour of a stage in the middle. Demand passes through it by itself: there is no `handleDemand`. */
export interface ProducerConsumerCallbacks<In, Out, Call, Reply, Cast, Info> extends ProducingCallbacks<
  Out,
  Call,
  Reply,
  Cast,
  Info
> {
  /** What it returns goes downstream. */
  handleEvents(events: readonly In[], from: Subscription): Events<Out> | InFlight<readonly Out[] | void>
  /** `from.role` tells the side: `producer` for one above, `consumer` for one below; only the former can be `manual`. */
  handleSubscribe?(from: AnySubscription): Maybe<'automatic' | 'manual' | void>
  handleCancel?(ended: Ended, from: AnySubscription): Events<Out>
}

/** The callbacks as the stage calls them: what they take is right by the types above, what they return is checked. */
export interface CheckedCallbacks {
  handleDemand?(demand: number): unknown
  handleEvents?(events: readonly unknown[], from: Subscription): unknown
  handleSubscribe?(from: AnySubscription): unknown
  handleCancel?(ended: Ended, from: AnySubscription): unknown
  handleCall?(request: unknown, reply: (value: unknown) => void): unknown
  handleCast?(message: unknown): unknown
  handleInfo?(message: unknown): unknown
  formatDiscarded?(discarded: Discarded): unknown
  terminate?(reason: Reason): unknown
}
