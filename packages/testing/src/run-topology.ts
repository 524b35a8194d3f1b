import type { DispatcherFactory } from '@genstage/core'
import { checkAtRest, finalInvariants } from './invariants.ts'
import type { Ledger } from './ledger.ts'
import { isPlanned } from './planned/planned-error.ts'
import { World } from './planned/world.ts'
import { Simulation } from './simulation.ts'
import type { Action, TopologyPlan } from './topology-plan.ts'

/** How a planned topology is run. */
export interface RunOptions {
  readonly seed: number
  /** Choices of an earlier run, to repeat it. */
  readonly choices?: readonly number[]
  /** Whether the ledger listens to telemetry; without it only the history is kept. Default true. */
  readonly observed?: boolean
  /** Makes the dispatchers of the plan over: to plant a bug in them, or to put others in their place. */
  readonly changeDispatcher?: (make: DispatcherFactory<number>) => DispatcherFactory<number>
}

/** What came of a run. */
export interface RunResult {
  /** What was wrong; empty is what it should be. */
  readonly violations: readonly string[]
  readonly ledger: Ledger
  readonly steps: number
  readonly choices: readonly number[]
}

/** Demand is checked once in so many steps. */
const stepsPerCheck = 8

/**
 * Runs a plan in a simulation of its own, checking the invariants on the way and at the end, when everything has been stopped.
 *
 * ```ts
 * import { runTopology, type TopologyPlan } from '@genstage/testing'
 *
 * const plan: TopologyPlan = {
 *   stages: [
 *     { type: 'producer', dispatcher: 'demand', bufferSize: 10, bufferKeep: 'last', source: 'exact', limit: 20, demand: 'forward' },
 *     { type: 'consumer', handler: 'throws', failAt: 3 },
 *   ],
 *   subscriptions: [
 *     { consumer: 1, producer: 0, maxDemand: 4, minDemand: 2, cancel: 'permanent', manual: false, selective: false, partition: 0 },
 *   ],
 *   actions: [{ type: 'settle' }, { type: 'kill', stage: 0 }],
 * }
 * console.log((await runTopology(plan, { seed: 1 })).violations) // => []
 * ```
 */
export async function runTopology(plan: TopologyPlan, options: RunOptions): Promise<RunResult> {
  const { seed, choices, observed = true, changeDispatcher } = options
  const simulation = new Simulation({ seed, ...(choices === undefined ? {} : { choices }) })
  const world = new World(plan, simulation, observed, changeDispatcher)
  const { ledger } = world
  let steps = 0
  const afterStep = (): void => {
    if (++steps % stepsPerCheck === 0) world.check()
  }
  world.begin()
  for (const action of plan.actions) await perform(action, world, simulation, afterStep)
  await simulation.run(afterStep)
  await concludeTopology(world, simulation, afterStep)
  return { violations: ledger.violations, ledger, steps: simulation.steps, choices: simulation.choices }
}

async function perform(action: Action, world: World, simulation: Simulation, afterStep: () => void): Promise<void> {
  if (action.type === 'settle') return simulation.settle(afterStep)
  if (action.type === 'advance') return simulation.advance(action.ms, afterStep)
  if (action.type !== 'steps') return world.act(action)
  for (let step = 0; step < action.count && simulation.step(); step++) afterStep()
}

/** At rest: checks what must hold then, stops everything, and checks what must hold at the very end. */
export async function concludeTopology(world: World, simulation: Simulation, afterStep?: () => void): Promise<void> {
  const { ledger, journal } = world
  // Asked in every run, so that one that is not observed takes the same steps
  const atRest = await checkAtRest(ledger, simulation.runtime, () => simulation.settle(afterStep))
  if (journal.isObserved) ledger.violations.push(...atRest)
  world.stopAll()
  await simulation.run(afterStep)
  if (journal.isObserved) for (const invariant of finalInvariants) ledger.violations.push(...invariant(ledger))
  const { clock, uncaught } = simulation
  if (clock.pending > 0) ledger.violated('INV-21', `${clock.pending} timers are left`)
  for (const error of uncaught) if (!isPlanned(error)) ledger.violated('INV-17', `raised: ${error.message}`)
}
