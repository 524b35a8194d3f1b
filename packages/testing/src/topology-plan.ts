import type { CancelMode, ResubscribeOptions } from '@genstage/core'

/** A topology and what happens to it, as plain data: made by an arbitrary, printed with a counter-example, kept as a regression. */
export interface TopologyPlan {
  readonly stages: readonly StagePlan[]
  readonly subscriptions: readonly SubscriptionPlan[]
  readonly actions: readonly Action[]
}

export type StagePlan = ProducerPlan | ProducerConsumerPlan | ConsumerPlan

/** What all stages have in common. */
interface StartingPlan {
  /** The lives in which its setup throws: 0 for the first, 1 for that after the first restart. */
  readonly failsToStart?: readonly number[]
}

/** What stages that produce have in common. */
export interface ProducingPlan extends StartingPlan {
  readonly dispatcher: 'demand' | 'broadcast' | 'partition'
  readonly bufferSize: number
  readonly bufferKeep: 'first' | 'last'
  /** Its dispatcher takes two events in a millisecond at most, whatever the demand: the rest waits in the buffer. Default false. */
  readonly sparing?: boolean
}

interface HandlingPlan extends StartingPlan {
  /** `throws` and `never` (settles) do so at the batch numbered `failAt`, and are synchronous before. */
  readonly handler: 'sync' | 'async' | 'throws' | 'never'
  readonly failAt: number
}

/** A source: gives exactly what is asked, one less, some more, or nothing but what `emit` makes it give. */
export interface ProducerPlan extends ProducingPlan {
  readonly type: 'producer'
  readonly source: 'exact' | 'fewer' | 'more' | 'manual' | 'async'
  /** How many events it has in all, besides those of `emit`. */
  readonly limit: number
  readonly demand: 'forward' | 'accumulate'
}

/** A stage in the middle: one event for one, only every other, or two for one. */
export interface ProducerConsumerPlan extends ProducingPlan, HandlingPlan {
  readonly type: 'producerConsumer'
  readonly transform: 'same' | 'half' | 'twice'
}

export interface ConsumerPlan extends HandlingPlan {
  readonly type: 'consumer'
}

/** `consumer` and `producer` are places in the list of stages. */
export interface SubscriptionPlan {
  readonly consumer: number
  readonly producer: number
  readonly maxDemand: number
  readonly minDemand: number
  readonly cancel: CancelMode
  readonly manual: boolean
  /** Broadcast: only events whose number is even. */
  readonly selective: boolean
  readonly partition: number
  /** Below supervisors, where producers have names: subscribes again when the producer has failed. Default: it does not. */
  readonly resubscribe?: ResubscribeOptions | undefined
}

/** `stage` and `subscription` are places in their lists, counted round. */
export type Action =
  | { readonly type: 'steps'; readonly count: number }
  | { readonly type: 'settle' }
  | { readonly type: 'advance'; readonly ms: number }
  | { readonly type: 'emit'; readonly stage: number; readonly count: number }
  | { readonly type: 'ask'; readonly subscription: number; readonly count: number }
  | { readonly type: 'cancel'; readonly subscription: number; readonly side: 'consumer' | 'producer'; readonly graceful: boolean }
  | { readonly type: 'subscribe'; readonly subscription: number }
  | { readonly type: 'resubscribe'; readonly subscription: number }
  | { readonly type: 'demand'; readonly stage: number; readonly mode: 'forward' | 'accumulate' }
  | { readonly type: 'info'; readonly stage: number }
  | { readonly type: 'crash'; readonly stage: number }
  | { readonly type: 'kill'; readonly stage: number }
  | { readonly type: 'stop'; readonly stage: number; readonly drain: boolean }

/** How many partitions a planned partition dispatcher has. */
export const plannedPartitions = 3

/** The partition of an event of a planned topology; every eleventh has none. */
export function plannedPartition(event: number): number | undefined {
  return event % 11 === 10 ? undefined : event % plannedPartitions
}
