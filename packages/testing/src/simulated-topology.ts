import {
  type AnySubscription,
  broadcastDispatcher,
  consumer,
  type AnyMessages,
  type ConsumerRef,
  type Context,
  demandDispatcher,
  type Dispatched,
  type DispatcherFactory,
  type Ended,
  GenStageError,
  none,
  partitionDispatcher,
  producer,
  producerConsumer,
  type ProducerRef,
  type StageRef,
  start,
  type SubscribeOptions,
  type Subscription,
} from '@genstage/core'
import { checkAtRest, checkDemand, finalInvariants } from './invariants.ts'
import { Ledger, type StageRecord, type SubscriptionRecord } from './ledger.ts'
import { Simulation } from './simulation.ts'
import {
  type Action,
  plannedPartition,
  plannedPartitions,
  type ProducerPlan,
  type StagePlan,
  type SubscriptionPlan,
  type TopologyPlan,
} from './topology-plan.ts'

/** How a planned topology is run. */
export interface RunOptions {
  readonly seed: number
  /** Choices of an earlier run, to repeat it. */
  readonly choices?: readonly number[]
  /** Whether the ledger listens to telemetry; without it only the history is kept. Default true. */
  readonly observed?: boolean
}

/** What came of a run. */
export interface RunResult {
  /** What was wrong; empty is what it should be. */
  readonly violations: readonly string[]
  readonly ledger: Ledger
  readonly steps: number
  readonly choices: readonly number[]
}

/** Numbers of events tell where they come from: this many for each stage. */
const eventsPerStage = 1_000_000

/** An error of the plan's own making. */
class PlannedError extends Error {}

/** Runs a plan in a simulation of its own, checking the invariants on the way and at the end, when everything has been stopped. */
export async function runTopology(plan: TopologyPlan, options: RunOptions): Promise<RunResult> {
  const simulation = new Simulation(options)
  const world = new World(plan, simulation, options.observed ?? true)
  await world.play()
  const { ledger } = world
  return { violations: ledger.violations, ledger, steps: simulation.steps, choices: simulation.choices }
}

/** The stages of a plan, running, and the ledger they are entered in. */
class World {
  readonly ledger = new Ledger()
  readonly #plan: TopologyPlan
  readonly #simulation: Simulation
  readonly #observed: boolean
  readonly #refs: StageRef[] = []
  readonly #subscriptions = new Map<number, Subscription>()
  /** What callbacks returned or took, until telemetry tells that the stage has gone on with it. */
  readonly #emitting = new Map<string, readonly number[]>()
  readonly #handling = new Map<string, { readonly subscription: SubscriptionRecord; readonly events: readonly number[] }>()
  /** Which plan a subscription was made from, by its id. */
  readonly #planOf = new Map<string, SubscriptionPlan>()
  #steps = 0

  constructor(plan: TopologyPlan, simulation: Simulation, observed: boolean) {
    this.#plan = plan
    this.#simulation = simulation
    this.#observed = observed
    if (observed) this.#listen()
  }

  async play(): Promise<void> {
    const { stages, subscriptions, actions } = this.#plan
    stages.forEach((stage, index) => this.#start(stage, index))
    subscriptions.forEach((_, index) => this.#subscribe(index))
    for (const action of actions) await this.#act(action)
    await this.#simulation.run(this.#afterStep)
    // Asked in every run, so that one that is not observed takes the same steps
    const atRest = await checkAtRest(this.ledger, this.#simulation.runtime, () => this.#simulation.settle(this.#afterStep))
    if (this.#observed) this.ledger.violations.push(...atRest)
    await this.#stopAll()
    if (this.#observed) for (const invariant of finalInvariants) this.ledger.violations.push(...invariant(this.ledger))
    const { clock, uncaught } = this.#simulation
    if (clock.pending > 0) this.ledger.violated('INV-21', `${clock.pending} timers are left`)
    for (const error of uncaught) {
      const { cause } = error
      if (!(cause instanceof PlannedError) && !isExpected(error)) this.ledger.violated('INV-17', `raised: ${error.message}`)
    }
  }

  readonly #afterStep = (): void => {
    if (this.#observed && ++this.#steps % 8 === 0)
      this.ledger.violations.push(...checkDemand(this.ledger, this.#simulation.runtime))
  }

  // ── the stages

  #start(plan: StagePlan, index: number): void {
    const name = `${plan.type}${index}`
    const record: StageRecord = {
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
      thrown: 0,
      failed: 0,
      exited: [],
      terminated: [],
      running: 0,
    }
    this.ledger.stages.set(name, record)
    const { runtime } = this.#simulation
    const ref = plan.type === 'consumer' ? this.#startConsumer(plan, record) : this.#startProducing(plan, record, index)
    ref.monitor(({ reason }) => {
      record.exited.push(reason)
      this.ledger.history.push(`${name} exited ${reason.type}`)
    })
    this.#refs.push(ref)
    if (ref.runtime !== runtime) throw new Error('a stage in another runtime')
  }

  #startConsumer(plan: Extract<StagePlan, { type: 'consumer' }>, record: StageRecord): StageRef {
    const Definition = consumer((_: void, ctx) => ({
      handleEvents: (events: readonly number[], from) => this.#handle(plan, record, events, from, () => undefined),
      handleSubscribe: from => this.#subscribed(record, from),
      ...this.#common(record, ctx),
    }))
    return start(Definition, { name: record.name, runtime: this.#simulation.runtime })
  }

  #startProducing(plan: Exclude<StagePlan, { type: 'consumer' }>, record: StageRecord, index: number): StageRef {
    const { dispatcher, bufferSize, bufferKeep, sparing = false } = plan
    const options = {
      name: record.name,
      runtime: this.#simulation.runtime,
      dispatcher: this.#noted(sparing ? sparingly(factory(dispatcher)) : factory(dispatcher)),
      bufferSize,
      bufferKeep,
    }
    let next = index * eventsPerStage
    const made = (count: number): number[] => Array.from({ length: count }, () => next++)
    const emitting = {
      handleCall: (count: number) => {
        const events = made(count)
        record.emitted.push(...events)
        for (const event of events) record.called.add(event)
        return { reply: count, events }
      },
    }
    if (plan.type === 'producerConsumer') {
      const Definition = producerConsumer((_: void, ctx) => ({
        handleEvents: (events: readonly number[], from) =>
          this.#handle(plan, record, events, from, () => made(transformed(plan.transform, events.length))),
        handleSubscribe: (from: AnySubscription) => this.#subscribed(record, from),
        ...emitting,
        ...this.#common(record, ctx),
      }))
      return start(Definition, options)
    }
    const Definition = producer.of<number>()((_: void, ctx) => {
      let left = plan.limit
      return {
        handleDemand: (demand: number) => {
          record.demanded += demand
          this.ledger.history.push(`${record.name} demand ${demand}`)
          const count = Math.min(left, supplied(plan, demand))
          left -= count
          if (record.left !== undefined) record.left = left
          const events = made(count)
          if (plan.source !== 'async') return this.#emits(record, events)
          return this.#overlap(record, this.#simulation.delay(3)).then(() => this.#emits(record, events))
        },
        handleSubscribe: (from: AnySubscription) => void this.#subscribed(record, from),
        ...emitting,
        ...this.#common(record, ctx),
      }
    })
    return start(Definition, { ...options, demand: plan.demand })
  }

  /** What the callbacks of all kinds have in common: they enter what they are told. */
  #common(record: StageRecord, ctx: Context) {
    return {
      handleCancel: (ended: Ended, from: AnySubscription): undefined => {
        const subscription = this.#recordOf(from)
        subscription.ended[from.role === 'producer' ? 'consumer' : 'producer'].push(ended)
        this.ledger.history.push(`${record.name} ${ended.kind} ${ended.reason.type} ${from.id}`)
        return undefined
      },
      handleCast: (_message: 'crash'): undefined => {
        record.thrown++
        throw new PlannedError(`${record.name} crashes`)
      },
      handleInfo: (marker: { readonly after: number }): undefined => {
        this.#checkMarker(record, marker.after)
        return undefined
      },
      formatDiscarded: () => false,
      terminate: (reason: StageRecord['terminated'][number]): undefined => {
        record.terminated.push(reason)
        void ctx.stopping.aborted
        return undefined
      },
    }
  }

  #subscribed(record: StageRecord, from: AnySubscription): 'manual' | 'automatic' | undefined {
    const subscription = this.#recordOf(from)
    if (from.role === 'consumer') {
      subscription.subscribed.producer++
      subscription.joinedAt = record.emitted.length
      return undefined
    }
    subscription.subscribed.consumer++
    return subscription.manual ? 'manual' : 'automatic'
  }

  /** A batch: entered, checked for overlaps (INV-15) and for silence after the end (INV-12), then handled as planned. */
  #handle(
    plan: Exclude<StagePlan, { type: 'producer' }>,
    record: StageRecord,
    events: readonly number[],
    from: Subscription,
    output: () => readonly number[] | undefined,
  ): undefined | Promise<undefined> {
    const subscription = this.#recordOf(from)
    const { ledger } = this
    if (record.running > 0) ledger.violated('INV-15', `callbacks of ${record.name} overlap`)
    if (subscription.subscribed.consumer === 0) ledger.violated('INV-14', `${from.id} got events before it was announced`)
    if (subscription.ended.consumer.length > 0) ledger.violated('INV-12', `${from.id} got events after its end`)
    this.#checkBatch(subscription, events.length)
    ledger.history.push(`${record.name} handles ${events.join(' ')}`)
    const batch = this.#batches(record)
    subscription.seen.push(...events)
    this.#handling.set(record.name, { subscription, events })
    const fails = batch === plan.failAt
    if (plan.handler === 'throws' && fails) {
      record.thrown++
      throw new PlannedError(`${record.name} throws at batch ${batch}`)
    }
    if (plan.handler === 'never' && fails) return this.#overlap(record, new Promise<undefined>(() => {}))
    const result = this.#emits(record, output()) as undefined
    return plan.handler === 'async'
      ? this.#overlap(
          record,
          this.#simulation.delay(1 + (batch % 4)).then(() => result),
        )
      : result
  }

  readonly #batchCounts = new Map<string, number>()

  #batches(record: StageRecord): number {
    const count = (this.#batchCounts.get(record.name) ?? 0) + 1
    this.#batchCounts.set(record.name, count)
    return count
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
      this.#simulation.runtime.topology().edges.some(edge => edge.subscription === subscription.id)
    )
  }

  /** The same dispatcher, with its messages entered in the ledger. */
  #noted(make: DispatcherFactory<number>): DispatcherFactory<number> {
    return context => {
      const dispatcher = make(context)
      const note = (outcome: Dispatched): Dispatched => {
        for (const { to, events } of outcome.deliveries ?? [])
          if (events.length > 0) this.ledger.subscriptions.get(to.subscriptionId)?.messages.push(events.length)
        return outcome
      }
      const { ask, dispatch } = dispatcher
      dispatcher.ask = (to, demand) => note(ask.call(dispatcher, to, demand))
      dispatcher.dispatch = events => note(dispatch.call(dispatcher, events))
      return dispatcher
    }
  }

  /** Counts a callback as running while its promise is pending. */
  #overlap<T>(record: StageRecord, promise: Promise<T>): Promise<T> {
    record.running++
    return promise.finally(() => record.running--)
  }

  /** Remembers what a callback returns, until the stage has gone on with it. */
  #emits(record: StageRecord, events: readonly number[] | undefined): readonly number[] | undefined {
    if (events !== undefined) this.#emitting.set(record.name, events)
    return events
  }

  /** An info has come back: nothing that was emitted before it may still wait (INV-25). */
  #checkMarker(record: StageRecord, after: number): void {
    const stage = this.#simulation.runtime.topology().stages.find(({ name }) => name === record.name)
    const since = record.emitted.length - after
    if (this.#observed && stage !== undefined && stage.buffered > since) {
      this.ledger.violated('INV-25', `${record.name}: an info overtook ${stage.buffered - since} events`)
    }
  }

  // ── what telemetry tells

  #listen(): void {
    const { telemetry } = this.#simulation.runtime
    telemetry.on('asked', ({ subscription, demand }) => {
      const record = this.ledger.subscriptions.get(subscription)
      if (record !== undefined) record.asked += demand
    })
    telemetry.on('handled', ({ name = '' }) => {
      const handled = this.#handling.get(name)
      handled?.subscription.handled.push(...handled.events)
      this.#handling.delete(name)
      const emitted = this.#emitting.get(name)
      if (emitted !== undefined) this.ledger.stage(name).emitted.push(...emitted)
      this.#emitting.delete(name)
    })
    telemetry.on('discarded', ({ name = '', reason, events, count }) => {
      if (count !== events.length) this.ledger.violated('INV-6', `${name} reported ${count} and gave ${events.length}`)
      this.ledger.stage(name).discarded.push({ reason, events: events as readonly number[] })
    })
    telemetry.on('failed', ({ name = '', error }) => {
      this.ledger.stage(name).failed++
      if (!(error instanceof PlannedError)) this.ledger.violated('INV-17', `${name} failed: ${String(error)}`)
    })
  }

  // ── subscriptions

  #subscribe(index: number, replaces?: Subscription): void {
    const { subscriptions, stages } = this.#plan
    const plan = subscriptions[index % subscriptions.length]
    if (plan === undefined) return
    const consumerRef = this.#refs[plan.consumer] as ConsumerRef<number> | undefined
    const to = this.#refs[plan.producer] as ProducerRef<number> | undefined
    const target = stages[plan.producer]
    if (consumerRef === undefined || to === undefined || target === undefined || target.type === 'consumer') return
    const options: SubscribeOptions<number> = {
      to,
      maxDemand: plan.maxDemand,
      minDemand: plan.minDemand,
      cancel: plan.cancel,
      ...(target.dispatcher === 'partition' ? { partition: plan.partition } : {}),
      ...(target.dispatcher === 'broadcast' && plan.selective ? { selector: (event: number) => event % 2 === 0 } : {}),
      ...(replaces === undefined ? {} : { replaces }),
    }
    const subscription = consumerRef.subscribe(options)
    this.#planOf.set(subscription.id, plan)
    this.#subscriptions.set(index % subscriptions.length, subscription)
    this.#recordOf(subscription)
  }

  #recordOf(from: AnySubscription): SubscriptionRecord {
    const known = this.ledger.subscriptions.get(from.id)
    if (known !== undefined) return known
    const plan = this.#planOf.get(from.id)
    const record: SubscriptionRecord = {
      id: from.id,
      producer: from.producer.name ?? '',
      consumer: from.consumer.name ?? '',
      maxDemand: plan?.maxDemand ?? 0,
      minDemand: plan?.minDemand ?? 0,
      mode: plan?.cancel ?? 'permanent',
      manual: plan?.manual ?? false,
      selective: from.options.selector !== undefined,
      partition: plan?.partition,
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

  // ── actions

  async #act(action: Action): Promise<void> {
    switch (action.type) {
      case 'steps':
        for (let step = 0; step < action.count && this.#simulation.step(); step++) this.#afterStep()
        return
      case 'settle':
        return this.#simulation.settle(this.#afterStep)
      case 'advance':
        return this.#simulation.advance(action.ms, this.#afterStep)
      case 'ask': {
        const subscription = this.#at(action.subscription)
        const record = subscription === undefined ? undefined : this.ledger.subscriptions.get(subscription.id)
        if (record === undefined || !record.manual) return
        return subscription?.ask(action.count)
      }
      case 'cancel': {
        const subscription = this.#at(action.subscription)
        const reason = action.graceful ? 'normal' : ({ type: 'other', value: 'cancelled' } as const)
        return subscription?.cancel(reason)
      }
      case 'subscribe':
        return this.#subscribe(action.subscription)
      case 'resubscribe':
        return this.#subscribe(action.subscription, this.#at(action.subscription))
      default:
        return this.#actOn(action)
    }
  }

  #actOn(action: Extract<Action, { readonly stage: number }>): void {
    const index = action.stage % this.#refs.length
    const ref = this.#refs[index] as (StageRef<AnyMessages> & Partial<ProducerRef<number>>) | undefined
    const plan = this.#plan.stages[index]
    if (ref === undefined || plan === undefined) return
    switch (action.type) {
      case 'emit':
        if (plan.type !== 'consumer') ref.call(action.count, { timeout: Infinity }).catch(ignoreStopped)
        return
      case 'demand':
        if (plan.type !== 'producer') return
        if (action.mode === 'accumulate') this.ledger.stage(ref.name ?? '').accumulated = true
        return ref.setDemandMode?.(action.mode)
      case 'info':
        if (plan.type === 'producer') ref.asyncInfo({ after: this.ledger.stage(ref.name ?? '').emitted.length })
        return
      case 'crash':
        return ref.cast('crash')
      case 'kill':
        return void ref.kill()
      case 'stop':
        return void ref.stop('shutdown', { drain: action.drain, timeout: 50 })
    }
  }

  #at(index: number): Subscription | undefined {
    return this.#subscriptions.get(index % Math.max(1, this.#plan.subscriptions.length))
  }

  /** The end: everything that still lives is told to stop, and killed where it hangs. */
  async #stopAll(): Promise<void> {
    for (const ref of this.#refs) void ref.stop('shutdown', { timeout: 100 })
    await this.#simulation.run(this.#afterStep)
  }
}

function ignoreStopped(error: unknown): void {
  if (!(error instanceof GenStageError && error.code === 'STOPPED')) throw error
}

/** Failures that follow from what the plan does: refused subscriptions, cancels with a failure reason. */
function isExpected(error: GenStageError): boolean {
  const { reason } = error
  if (reason === undefined || reason.type !== 'error') return true
  return (
    reason.error instanceof PlannedError || (reason.error instanceof GenStageError && reason.error.code !== 'DISPATCHER_FAILED')
  )
}

function factory(kind: 'demand' | 'broadcast' | 'partition'): DispatcherFactory<number> {
  if (kind === 'demand') return demandDispatcher()
  if (kind === 'broadcast') return broadcastDispatcher()
  return partitionDispatcher({ partitions: plannedPartitions, hash: (event: number) => plannedPartition(event) ?? none })
}

/** Takes two events in a millisecond at most: what is left over while there is demand waits in the stage's buffer. */
function sparingly(make: DispatcherFactory<number>): DispatcherFactory<number> {
  return context => {
    const dispatcher = make(context)
    const { subscribe, ask, cancel, dispatch } = dispatcher
    let last: Dispatched = { allowance: 0 }
    let usedAt = -Infinity
    const keep = (outcome: Dispatched): Dispatched => {
      last = { allowance: outcome.allowance, hold: outcome.hold }
      return outcome
    }
    dispatcher.subscribe = (to, options) => keep(subscribe.call(dispatcher, to, options))
    dispatcher.ask = (to, demand) => keep(ask.call(dispatcher, to, demand))
    dispatcher.cancel = to => keep(cancel.call(dispatcher, to))
    dispatcher.wake = () => last
    dispatcher.dispatch = events => {
      const now = context.now()
      if (usedAt === now) return { ...last, leftover: events, wakeAt: now + 1 }
      usedAt = now
      const outcome = keep(dispatch.call(dispatcher, events.slice(0, 2)))
      if (events.length <= 2) return outcome
      return { ...outcome, leftover: [...(outcome.leftover ?? []), ...events.slice(2)], wakeAt: now + 1 }
    }
    return dispatcher
  }
}

function supplied(plan: ProducerPlan, demand: number): number {
  if (plan.source === 'fewer') return Math.max(0, demand - 1)
  if (plan.source === 'more') return demand + 2
  return plan.source === 'manual' ? 0 : demand
}

function transformed(transform: 'same' | 'half' | 'twice', count: number): number {
  if (transform === 'half') return Math.floor(count / 2)
  return transform === 'twice' ? count * 2 : count
}
