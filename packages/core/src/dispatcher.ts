import type { LogCode } from './logger.ts'
import type { Reason } from './reason.ts'
import type { SubscriptionOptions } from './refs.ts'
import type { Discarded } from './types.ts'

/** One subscription as a dispatcher knows it. The same object every time: compare by identity. */
export interface Recipient {
  readonly subscriptionId: string
  /** The stage: two subscriptions of one consumer have the same. */
  readonly consumerId: string
}

/** Events for one recipient, as one message. Never more than it asked for. */
export interface Delivery {
  readonly to: Recipient
  readonly events: readonly unknown[]
}

/** A line for the log; the stage adds its name. */
export interface DispatcherWarning {
  readonly code: LogCode
  readonly [field: string]: unknown
}

/**
 * What the stage has to do after a dispatcher's operation. The stage keeps the account of GS-X: it serves its buffer first,
 * then asks its producer for `max(0, allowance - requested)`, where `requested` is what it asked for and nobody has answered.
 *
 * It is read at once, before the next operation, so a dispatcher may use one object again and again.
 */
export interface Dispatched {
  /** How many events it could take now, if it had them: the sum of demands, or what all can take together. */
  readonly allowance: number
  /** Ask nothing of the producer for now, whatever the allowance: a queue in here is full (`maxQueued`, X4). */
  readonly hold?: boolean | undefined
  readonly deliveries?: readonly Delivery[] | undefined
  /** Events that cannot be delivered or held now, in order: the stage buffers them. */
  readonly leftover?: readonly unknown[] | undefined
  /** Asks that the stage posts to itself in a consumer's name, as for events that a selector kept back (GS-W8). */
  readonly asks?: readonly { readonly to: Recipient; readonly demand: number }[] | undefined
  /** Subscriptions to cancel, as one whose selector threw. */
  readonly cancels?: readonly { readonly to: Recipient; readonly reason: Reason }[] | undefined
  /** Infos whose turn has come. */
  readonly infos?: readonly unknown[] | undefined
  /** Events given up, to be reported; with `no_partition` their demand is given back by a message (X3). */
  readonly discarded?: readonly Discarded[] | undefined
  /** Lines for the log (GS-D9). */
  readonly warnings?: readonly DispatcherWarning[] | undefined
  /** Call `wake` at this monotonic time; replaces the previous wish. */
  readonly wakeAt?: number | undefined
}

/**
 * Decides which consumer gets which events. A small mutable object without I/O: each operation returns what is to be done,
 * and the stage does it. It reads events and passes them on but makes none, so its type says only which ones it can read.
 *
 * The contract is GS-G1 to G8. `subscribe`, `ask`, `cancel` and `dispatch` are mandatory. A `GenStageError` thrown from
 * `subscribe` refuses that one subscription (X5); any other throw ends the stage: a `GenStageError` as it is, anything else as
 * `DISPATCHER_FAILED` with the cause. So does an answer that breaks the contract.
 */
export interface Dispatcher<in Event = unknown> {
  /** Names of subscription options that this dispatcher adds. */
  readonly subscriptionOptions?: readonly string[]
  subscribe(recipient: Recipient, options: SubscriptionOptions): Dispatched
  ask(recipient: Recipient, demand: number): Dispatched
  /** The subscription is over; what it had asked for is yours to give to others. */
  cancel(recipient: Recipient): Dispatched
  /** At least one event; possibly more than asked for, possibly nobody to take them. */
  dispatch(events: readonly Event[]): Dispatched
  /** Hold `message` until all events held here have left. Absent: it comes out at once. */
  info?(message: unknown): Dispatched
  /** The time asked for with `wakeAt` has come. */
  wake?(now: number): Dispatched
  /**
   * In place of `cancel`, with `redeliver`: the subscription is over, and its consumer has not done these events, one at least. They come as they
   * were delivered, in their order, and go before all that wait here (in a partition: in that partition); others who have demand may
   * get them at once. What can be neither delivered nor held is `leftover`: the stage puts it at the front of its buffer, exempt from
   * `bufferKeep`. A dispatcher that has `held` keeps all of them, beyond its bounds if need be. Absent: `redeliver` is refused.
   */
  giveBack?(undone: readonly Event[], from: Recipient): Dispatched
  /** Events held here, read when the stage ends so that their loss is reported. Absent: none are ever held. */
  held?(): readonly unknown[]
  /** For `ref.inspect()`. */
  inspect?(): unknown
}

/** Makes a dispatcher with fresh state; run at each start and restart. */
export interface DispatcherFactory<in Event = unknown> {
  (context: DispatcherContext): Dispatcher<Event>
}

/** What a dispatcher may need of the outside: chance and time, from the runtime. */
export interface DispatcherContext {
  /** From 0 up to 1. */
  readonly random: () => number
  /** Monotonic milliseconds. */
  readonly now: () => number
}
