import {
  type AnyMessages,
  type ConsumerRef,
  type ProducerRef,
  type StageRef,
  start,
  type SubscribeOptions,
  type Subscription,
} from '@genstage/core'
import { checkDemand } from '../invariants.ts'
import type { Ledger } from '../ledger.ts'
import type { Simulation } from '../simulation.ts'
import type { Action, StagePlan, TopologyPlan } from '../topology-plan.ts'
import { type ChangeDispatcher, plannedDispatcher } from './dispatchers.ts'
import { Journal } from './journal.ts'
import { ignoreStopped } from './planned-error.ts'
import { PlannedStages, stageName } from './stages.ts'

/** The stages of a plan, running: they are entered in the journal, and actions happen to them. */
export class World {
  readonly journal: Journal
  readonly #plan: TopologyPlan
  readonly #simulation: Simulation
  readonly #stages: PlannedStages
  readonly #refs: StageRef[] = []
  readonly #subscriptions = new Map<number, Subscription>()

  readonly #change: ChangeDispatcher | undefined

  constructor(plan: TopologyPlan, simulation: Simulation, isObserved: boolean, change?: ChangeDispatcher) {
    this.#change = change
    this.#plan = plan
    this.#simulation = simulation
    this.journal = new Journal(simulation, isObserved)
    this.#stages = new PlannedStages(this.journal, plan.stages.length)
  }

  get ledger(): Ledger {
    return this.journal.ledger
  }

  /** Starts all stages, and asks for all subscriptions. */
  begin(): void {
    const { stages, subscriptions } = this.#plan
    stages.forEach((plan, index) => this.#start(plan, index))
    subscriptions.forEach((_, index) => this.#subscribe(index))
  }

  /** Does what can be done at once; actions that let time pass or steps be taken are not for it. */
  act(action: Action): void {
    switch (action.type) {
      case 'steps':
      case 'settle':
      case 'advance':
        return
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

  /** The stage that an action is done to. */
  target(action: Action): StageRef | undefined {
    if ('stage' in action) return this.#refs[action.stage % this.#refs.length]
    if (!('subscription' in action)) return undefined
    const { subscriptions } = this.#plan
    return this.#refs[subscriptions[action.subscription % subscriptions.length]?.consumer ?? -1]
  }

  /** INV-1, INV-2 and INV-3, as far as can be told between two steps. */
  check(): void {
    if (this.journal.isObserved) this.ledger.violations.push(...checkDemand(this.ledger, this.#simulation.runtime))
  }

  /** The end: everything that still lives is told to stop, and killed where it hangs. */
  stopAll(): void {
    for (const ref of this.#refs) void ref.stop('shutdown', { timeout: 100 })
  }

  #start(plan: StagePlan, index: number): void {
    const ref = this.#started(plan, index)
    const name = stageName(plan, index)
    this.journal.open(ref.id, name, plan)
    ref.monitor(({ reason }) => this.ledger.history.push(`${name} exited ${reason.type}`))
    this.#refs.push(ref)
  }

  #started(plan: StagePlan, index: number): StageRef {
    const options = { name: stageName(plan, index), runtime: this.#simulation.runtime }
    if (plan.type === 'consumer') return start(this.#stages.consumer(plan, index), options)
    const { bufferSize, bufferKeep } = plan
    const producing = { ...options, dispatcher: plannedDispatcher(plan, this.ledger, this.#change), bufferSize, bufferKeep }
    if (plan.type === 'producerConsumer') return start(this.#stages.producerConsumer(plan, index), producing)
    return start(this.#stages.producer(plan, index), { ...producing, demand: plan.demand })
  }

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
    this.#subscriptions.set(index % subscriptions.length, subscription)
    this.journal.enter(subscription, plan)
  }

  #at(index: number): Subscription | undefined {
    return this.#subscriptions.get(index % Math.max(1, this.#plan.subscriptions.length))
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
        if (action.mode === 'accumulate') this.ledger.stage(ref.id).accumulated = true
        return ref.setDemandMode?.(action.mode)
      case 'info':
        if (plan.type === 'producer') ref.asyncInfo({ after: this.ledger.stage(ref.id).emitted.length })
        return
      case 'crash':
        return ref.cast('crash')
      case 'kill':
        return void ref.kill()
      case 'stop':
        return void ref.stop('shutdown', { drain: action.drain, timeout: 50 })
    }
  }
}
