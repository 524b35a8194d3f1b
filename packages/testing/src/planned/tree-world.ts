import {
  type AnyMessages,
  child,
  type ChildSpec,
  producerConsumerName,
  producerName,
  type Source,
  type StageRef,
  start,
  type SubscribeOptions,
  supervisor,
  type SupervisorRef,
} from '@genstage/core'
import type { Simulation } from '../simulation.ts'

import type { ChildPlan, SupervisorPlan, TreeAction, TreePlan } from '../tree-plan.ts'
import { type ChangeDispatcher, plannedDispatcher } from './dispatchers.ts'
import { Journal } from './journal.ts'
import { ignoreStopped } from './planned-error.ts'
import { PlannedStages, stageName } from './stages.ts'
import { supervisorName, TreeJournal } from './tree-journal.ts'

/** A tree of supervisors and stages, running: it is entered in the journals, and actions happen to it. */
export class TreeWorld {
  readonly journal: Journal
  readonly tree: TreeJournal
  readonly root: SupervisorRef<object>
  /** Commands given to supervisors that have not been answered. */
  pending = 0
  readonly #plan: TreePlan
  readonly #simulation: Simulation
  readonly #stages: PlannedStages

  readonly #change: ChangeDispatcher | undefined

  constructor(plan: TreePlan, simulation: Simulation, change?: ChangeDispatcher) {
    this.#change = change
    this.#plan = plan
    this.#simulation = simulation
    this.journal = new Journal(simulation, true)
    this.tree = new TreeJournal(plan, simulation)
    this.#stages = new PlannedStages(this.journal, plan.stages.length)
    this.root = start(this.#supervisor(plan.root, '0'), { name: supervisorName('0'), runtime: simulation.runtime })
    this.root.monitor(() => {})
  }

  act(action: Exclude<TreeAction, { readonly type: 'steps' | 'settle' | 'advance' }>): void {
    if (action.type === 'killSupervisor') {
      const { supervisors } = this.tree
      const name = supervisors[action.supervisor % supervisors.length]?.name ?? ''
      this.tree.touched.add(name)
      return void this.#find(name)?.kill()
    }
    const index = action.stage % this.#plan.stages.length
    const plan = this.#plan.stages[index]
    if (plan === undefined) return
    const name = stageName(plan, index)
    const ref = this.#find(name)
    switch (action.type) {
      case 'emit':
        if (plan.type !== 'consumer') ref?.call(action.count, { timeout: Infinity }).catch(ignoreStopped)
        return
      case 'crash':
        return ref?.cast('crash')
      case 'kill':
        this.tree.touched.add(name)
        return void ref?.kill()
      case 'stop':
        this.tree.touched.add(name)
        return void ref?.stop('shutdown', { drain: action.drain, timeout: 50 })
      default: {
        this.tree.touched.add(name)
        const above = this.#find(this.tree.placeOf(name)?.supervisor ?? '') as SupervisorRef<object> | undefined
        if (above === undefined) return
        this.pending++
        above[action.type](name).then(
          () => this.pending--,
          (error: unknown) => {
            // The child is in another state, or failed to start: that is an answer as well
            this.pending--
            this.tree.refusals.push(error)
          },
        )
      }
    }
  }

  #find(name: string): StageRef<AnyMessages> | undefined {
    return this.#simulation.runtime.whereis(name)
  }

  #supervisor(plan: SupervisorPlan, path: string) {
    const { strategy, maxRestarts, maxSeconds, backoffMs } = plan
    const backoff = backoffMs === 0 ? {} : { backoff: { minDelayMs: backoffMs, maxDelayMs: backoffMs * 8 } }
    const children = plan.children.map((each, place) => this.#child(each, `${path}.${place}`))
    return supervisor(children, { strategy, maxRestarts, maxSeconds, ...backoff })
  }

  #child(plan: ChildPlan, path: string): ChildSpec {
    const { restart, shutdown } = plan
    if ('stage' in plan) return this.#stage(plan.stage, { restart, shutdown })
    const name = supervisorName(path)
    return child(this.#supervisor(plan.supervisor, path), { id: name, name, restart, shutdown })
  }

  #stage(index: number, how: Pick<ChildPlan, 'restart' | 'shutdown'>): ChildSpec {
    const plan = this.#plan.stages[index]
    if (plan === undefined) throw new Error(`no stage ${index} in the plan`)
    const id = stageName(plan, index)
    if (plan.type === 'consumer') {
      return child(this.#stages.consumer(plan, index), { ...how, id, name: id, subscribeTo: this.#subscriptions(index) })
    }
    const { bufferSize, bufferKeep } = plan
    const producing = {
      ...how,
      id,
      dispatcher: plannedDispatcher(plan, this.journal.ledger, this.#change),
      bufferSize,
      bufferKeep,
    }
    if (plan.type === 'producer') {
      return child(this.#stages.producer(plan, index), { ...producing, name: producerName<number>(id), demand: plan.demand })
    }
    return child(this.#stages.producerConsumer(plan, index), {
      ...producing,
      name: producerConsumerName<number, number>(id),
      subscribeTo: this.#subscriptions(index),
    })
  }

  #subscriptions(consumer: number): readonly SubscribeOptions<number>[] {
    const { subscriptions, stages } = this.#plan
    return subscriptions
      .filter(each => each.consumer === consumer)
      .flatMap(({ producer, maxDemand, minDemand, cancel, partition, selective, resubscribe }) => {
        const target = stages[producer]
        if (target === undefined || target.type === 'consumer') return []
        const to: Source<number> = producerName<number>(stageName(target, producer))
        const special =
          target.dispatcher === 'partition'
            ? { partition }
            : target.dispatcher === 'broadcast' && selective
              ? { selector: (event: number) => event % 2 === 0 }
              : {}
        const again = resubscribe === undefined ? {} : { resubscribe }
        return [{ to, maxDemand, minDemand, cancel, ...again, ...special }]
      })
  }
}
