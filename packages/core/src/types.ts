import type { Reason } from './reason.ts'

/** A value now, or a promise of it. A callback that returns no promise costs no promise. */
export type Maybe<T> = T | PromiseLike<T>

/** What a callback gives to its stage to dispatch: an array of events, or nothing, or a promise of either. */
export type Events<Out> = Maybe<readonly Out[] | void>

/** The role of a stage. */
export type StageType = 'producer' | 'consumer' | 'producerConsumer' | 'supervisor'

/** `forward`: demand reaches `handleDemand` at once. `accumulate`: it is held until the mode is set to forward (GS-M1 to GS-M7). */
export type DemandMode = 'forward' | 'accumulate'

/** Whether the consumer ends with its subscription: always / only if the reason is a failure / never (GS-K5). */
export type CancelMode = 'permanent' | 'transient' | 'temporary'

/** A fixed share of the events. */
export type Partition = string | number

/** Returned by a setup function: do not start this stage after all. No failure; a supervisor just goes on (GS-L2). */
export const ignore: unique symbol = Symbol('genstage.ignore')

/** Why events were given up. */
export type DiscardReason =
  | 'buffer_overflow'
  | 'consumer_crash'
  | 'producer_crash'
  | 'killed'
  | 'stopped'
  | 'accumulated_at_stop'
  | 'no_partition'
  | 'unknown_subscription'
  | 'consumer_emitted'
  | 'source_overflow'
  | 'child_start_failed'
  | 'redelivery_limit'

/** Events that were given up, as telemetry reports them all, and `formatDiscarded` and the log those of a full buffer. */
export interface Discarded {
  readonly count: number
  readonly reason: DiscardReason
  /** The events themselves, oldest first. Untyped, so that reading them leaves the inference of a definition alone. */
  readonly events: readonly unknown[]
}

/** How long to wait: `timeout` in milliseconds (default 5,000, `Infinity` allowed) rejects with `TIMEOUT`, an aborted `signal` with its reason. */
export interface WaitOptions {
  readonly timeout?: number
  readonly signal?: AbortSignal
}

/** How a stage is stopped. */
export interface StopOptions {
  /** Milliseconds until it is killed. Default 5,000, for supervisors of both kinds `Infinity`, which waits for ever. */
  readonly timeout?: number
  /** First stop asking, finish what is in flight and hand on what is buffered. Default false. */
  readonly drain?: boolean
}

/** How a subscription ended: cancelled by somebody, or the peer itself went down. */
export interface Ended {
  readonly kind: 'cancel' | 'down'
  readonly reason: Reason
}
