import type { CancelMode, DiscardReason, Ended, Reason } from '@genstage/core'

/** One subscription, as it was seen from both sides. */
export interface SubscriptionRecord {
  readonly id: string
  /** Id of the stage; known for sure when either side has been told of the beginning. */
  producer: string
  readonly consumer: string
  readonly maxDemand: number
  readonly minDemand: number
  readonly mode: CancelMode
  readonly manual: boolean
  readonly selective: boolean
  readonly partition: number | undefined
  /** How many were asked for by the consumer. */
  asked: number
  /** Asks made by hand on an automatic subscription: they come on top. */
  extra: number
  /** Events that a callback has worked off, in order. */
  readonly handled: number[]
  /** Events that got as far as a callback, in order, whatever became of them. */
  readonly seen: number[]
  /** How often each side was told of the beginning and of the end. */
  subscribed: { consumer: number; producer: number }
  ended: { consumer: Ended[]; producer: Ended[] }
  /** Sizes of the messages that its dispatcher sent, and how far the consumer's callback has come in them. */
  readonly messages: number[]
  begun: number
  /** How many events its producer had emitted when the producer was told of it. */
  joinedAt: number
}

/** One stage, as it was seen. */
export interface StageRecord {
  /** Each life of a stage has an id, and a record, of its own. */
  readonly id: string
  readonly name: string
  readonly type: 'producer' | 'producerConsumer' | 'consumer'
  readonly dispatcher: 'demand' | 'broadcast' | 'partition' | undefined
  /** Whether its dispatcher leaves events in the buffer that are wanted: their demand is asked for again. */
  readonly sparing: boolean
  /** Events that left its callbacks, in order. */
  readonly emitted: number[]
  /** Those of them that answered a call, while others answered demand. */
  readonly called: Set<number>
  /** Whether it ever accumulated: then what a call emits may be logged behind a demand, and be overtaken by what that brings (GS-M4). */
  accumulated: boolean
  /** Events given up, as they were reported. */
  readonly discarded: { readonly reason: DiscardReason; readonly events: readonly number[] }[]
  /** Of a source that gives exactly what it is asked for: how many events it has left. */
  left: number | undefined
  /** Demand that `handleDemand` was called with, in all. */
  demanded: number
  /** Batches that its `handleEvents` has got. */
  batches: number
  /** Errors thrown by its callbacks, and failures told of it. */
  readonly thrown: unknown[]
  failed: number
  exited: Reason[]
  terminated: Reason[]
  /** Callbacks under way: more than one is an overlap. */
  running: number
}

/** Everything that happened, by ids of stages and subscriptions: what the invariants are checked against. */
export class Ledger {
  readonly stages: Map<string, StageRecord> = new Map()
  readonly subscriptions: Map<string, SubscriptionRecord> = new Map()
  /** What was seen to be wrong at once. */
  readonly violations: string[] = []
  /** One line for each thing that happened, in order: equal runs have equal histories. */
  readonly history: string[] = []

  stage(id: string): StageRecord {
    const record = this.stages.get(id)
    if (record === undefined) throw new Error(`no stage ${id} in the ledger`)
    return record
  }

  violated(invariant: string, what: string): void {
    this.violations.push(`${invariant}: ${what}`)
  }
}
