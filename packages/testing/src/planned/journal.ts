import type { AnySubscription, Subscription } from '@genstage/core'
import { Ledger, type StageRecord, type SubscriptionRecord } from '../ledger.ts'
import type { Simulation } from '../simulation.ts'
import type { StagePlan, SubscriptionPlan } from '../topology-plan.ts'
import { isPlannedFailure } from './planned-error.ts'

/** Keeps the ledger of a running topology: what callbacks tell, what telemetry tells, and what is wrong with it at once. */
export class Journal {
  readonly ledger: Ledger = new Ledger()
  readonly simulation: Simulation
  /** Whether it listens to telemetry; without it only the history is kept. */
  readonly isObserved: boolean
  /** What callbacks returned or took, until telemetry tells that the stage has gone on with it; by stage. */
  readonly #emitting = new Map<string, readonly number[]>()
  readonly #handling = new Map<string, { readonly subscription: SubscriptionRecord; readonly events: readonly number[] }>()
  /** Which plan a subscription was made from, by its id. */
  readonly #planOf = new Map<string, SubscriptionPlan>()

  constructor(simulation: Simulation, isObserved: boolean) {
    this.simulation = simulation
    this.isObserved = isObserved
    if (isObserved) this.#listen()
  }

  // ── stages

  /** The page of a stage, from its start. */
  open(id: string, name: string, plan: StagePlan): StageRecord {
    const known = this.ledger.stages.get(id)
    if (known !== undefined) return known
    const record: StageRecord = {
      id,
      name,
      type: plan.type,
      dispatcher: plan.type === 'consumer' ? undefined : plan.dispatcher,
      sparing: plan.type !== 'consumer' && plan.sparing === true,
      emitted: [],
      called: new Set(),
      accumulated: plan.type === 'producer' && plan.demand === 'accumulate',
      discarded: [],
      left: plan.type === 'producer' && plan.source === 'exact' ? plan.limit : undefined,
      demanded: 0,
      batches: 0,
      thrown: [],
      failed: 0,
      exited: [],
      terminated: [],
      running: 0,
    }
    this.ledger.stages.set(id, record)
    return record
  }

  /** Counts a callback as running while its promise is pending. */
  overlap<T>(record: StageRecord, promise: Promise<T>): Promise<T> {
    record.running++
    return promise.finally(() => record.running--)
  }

  /** Remembers what a callback returns, until the stage has gone on with it. */
  emits(record: StageRecord, events: readonly number[] | undefined): readonly number[] | undefined {
    if (events !== undefined) this.#emitting.set(record.id, events)
    return events
  }

  /** An info has come back: nothing that was emitted before it may still wait (INV-25). */
  checkMarker(record: StageRecord, after: number): void {
    const stage = this.simulation.runtime.topology().stages.find(({ id }) => id === record.id)
    const since = record.emitted.length - after
    if (this.isObserved && stage !== undefined && stage.buffered > since) {
      this.ledger.violated('INV-25', `${record.name}: an info overtook ${stage.buffered - since} events`)
    }
  }

  // ── batches

  /** A batch has come: entered, checked for overlaps (INV-15) and for silence after the end (INV-12). Answers its number. */
  batch(record: StageRecord, events: readonly number[], from: Subscription): number {
    const subscription = this.recordOf(from)
    const { ledger } = this
    if (record.running > 0) ledger.violated('INV-15', `callbacks of ${record.name} overlap`)
    if (subscription.subscribed.consumer === 0) ledger.violated('INV-14', `${from.id} got events before it was announced`)
    if (subscription.ended.consumer.length > 0) ledger.violated('INV-12', `${from.id} got events after its end`)
    this.#checkBatch(subscription, events.length)
    ledger.history.push(`${record.name} handles ${events.join(' ')}`)
    subscription.seen.push(...events)
    this.#handling.set(record.id, { subscription, events })
    return ++record.batches
  }

  /** A batch is as large as it may be, or all that is left of its message; the whole message by hand, and after the end (GS-Q2, Q7). */
  #checkBatch(subscription: SubscriptionRecord, size: number): void {
    const { id, manual, maxDemand, minDemand, messages, begun } = subscription
    const message = messages[0] ?? 0
    const left = message - begun
    const expected = manual ? message : Math.min(left, maxDemand - minDemand)
    const isWhole = begun === 0 && size === message && !this.#isOpen(subscription)
    if (size === 0 || (size !== expected && !isWhole))
      this.ledger.violated('GS-Q2', `${id} got a batch of ${size} where ${expected} were due`)
    subscription.begun += size
    if (subscription.begun < message) return
    messages.shift()
    subscription.begun = 0
  }

  #isOpen(subscription: SubscriptionRecord): boolean {
    return (
      subscription.ended.consumer.length === 0 &&
      this.simulation.runtime.topology().edges.some(edge => edge.subscription === subscription.id)
    )
  }

  // ── subscriptions

  /** The page of a subscription that was made from `plan`. */
  enter(subscription: AnySubscription, plan: SubscriptionPlan): void {
    this.#planOf.set(subscription.id, plan)
    this.recordOf(subscription)
  }

  /** One side is told of a subscription. */
  subscribed(record: StageRecord, from: AnySubscription): SubscriptionRecord {
    const subscription = this.recordOf(from)
    subscription.producer = from.producer.id
    if (from.role === 'consumer') {
      subscription.subscribed.producer++
      subscription.joinedAt = record.emitted.length
    } else subscription.subscribed.consumer++
    return subscription
  }

  recordOf(from: AnySubscription): SubscriptionRecord {
    const known = this.ledger.subscriptions.get(from.id)
    if (known !== undefined) return known
    const plan = this.#planOf.get(from.id)
    const { maxDemand = plan?.maxDemand, minDemand = plan?.minDemand, cancel = plan?.cancel, partition } = from.options
    const record: SubscriptionRecord = {
      id: from.id,
      producer: from.producer.id,
      consumer: from.consumer.id,
      maxDemand: maxDemand ?? 0,
      minDemand: minDemand ?? 0,
      mode: cancel ?? 'permanent',
      manual: plan?.manual ?? false,
      selective: from.options.selector !== undefined,
      partition: plan?.partition ?? (typeof partition === 'number' ? partition : undefined),
      asked: 0,
      extra: 0,
      handled: [],
      seen: [],
      subscribed: { consumer: 0, producer: 0 },
      ended: { consumer: [], producer: [] },
      messages: [],
      begun: 0,
      joinedAt: 0,
    }
    this.ledger.subscriptions.set(from.id, record)
    return record
  }

  // ── what telemetry tells

  #listen(): void {
    const { telemetry } = this.simulation.runtime
    const { ledger } = this
    telemetry.on('asked', ({ subscription, demand }) => {
      const record = ledger.subscriptions.get(subscription)
      if (record !== undefined) record.asked += demand
    })
    telemetry.on('handled', ({ stage }) => {
      const handled = this.#handling.get(stage)
      handled?.subscription.handled.push(...handled.events)
      this.#handling.delete(stage)
      const emitted = this.#emitting.get(stage)
      if (emitted !== undefined) ledger.stage(stage).emitted.push(...emitted)
      this.#emitting.delete(stage)
    })
    telemetry.on('discarded', ({ stage, name = stage, reason, events, count }) => {
      if (count !== events.length) ledger.violated('INV-6', `${name} reported ${count} and gave ${events.length}`)
      ledger.stage(stage).discarded.push({ reason, events: events as readonly number[] })
    })
    telemetry.on('failed', ({ stage, name = stage, error }) => {
      const record = ledger.stages.get(stage)
      if (record !== undefined) record.failed++
      if (!isPlannedFailure(error)) ledger.violated('INV-17', `${name} failed: ${String(error)}`)
    })
    telemetry.on('exited', ({ stage, reason }) => ledger.stages.get(stage)?.exited.push(reason))
  }
}
