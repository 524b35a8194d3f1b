import { checkAtRest, finalInvariants } from './invariants.ts'
import type { Ledger } from './ledger.ts'
import { isPlanned } from './planned/planned-error.ts'
import { TreeWorld } from './planned/tree-world.ts'
import type { RunOptions } from './run-topology.ts'
import { Simulation } from './simulation.ts'
import { treeInvariants } from './tree-invariants.ts'
import type { TreeAction, TreePlan } from './tree-plan.ts'

/** What came of a run of a tree. */
export interface TreeResult {
  /** What was wrong; empty is what it should be. */
  readonly violations: readonly string[]
  readonly ledger: Ledger
  readonly steps: number
  readonly choices: readonly number[]
  /** How often a child was started again. */
  readonly restarts: number
}

/** How long a tree is given to come to rest, in virtual time. */
const settlingMs = 20_000

/** Runs a tree of supervisors in a simulation of its own, stops it, and checks the invariants of its stages and of its supervisors. */
export async function runTree(plan: TreePlan, { seed, choices, changeDispatcher }: RunOptions): Promise<TreeResult> {
  const simulation = new Simulation({ seed, ...(choices === undefined ? {} : { choices }) })
  const world = new TreeWorld(plan, simulation, changeDispatcher)
  const { ledger } = world.journal
  let restarts = 0
  simulation.runtime.telemetry.on('restarted', () => restarts++)
  for (const action of plan.actions) await perform(action, world, simulation)
  await simulation.advance(settlingMs)
  await concludeTree(world, simulation)
  return { violations: ledger.violations, ledger, steps: simulation.steps, choices: simulation.choices, restarts }
}

/** Checks what must hold at rest, stops the tree, and checks what must hold at the very end. */
export async function concludeTree(world: TreeWorld, simulation: Simulation): Promise<void> {
  const { tree, journal } = world
  const { ledger } = journal
  // A child that fails again and again, with waits that are long enough, is restarted for ever
  if (simulation.clock.pending === 0) {
    const atRest = await checkAtRest(ledger, simulation.runtime, () => simulation.settle())
    ledger.violations.push(...checkUp(world, simulation), ...atRest)
  }
  const stoppedAt = tree.count
  let isStopped = false
  void world.root.stop('shutdown').then(() => {
    isStopped = true
    if (simulation.timers > 0) ledger.violated('INV-21', `${simulation.timers} timers are left when the tree has ended`)
  })
  await simulation.run()
  if (!isStopped) ledger.violated('INV-21', 'the tree has not ended')
  if (world.pending > 0) ledger.violated('INV-21', `${world.pending} commands have not been answered`)
  checkNothingLeft(ledger, simulation)
  const history = { ledger, tree, log: simulation.log, stoppedAt }
  for (const invariant of finalInvariants) ledger.violations.push(...invariant(ledger))
  for (const invariant of treeInvariants) ledger.violations.push(...invariant(history))
}

async function perform(action: TreeAction, world: TreeWorld, simulation: Simulation): Promise<void> {
  if (action.type === 'settle') return simulation.settle()
  if (action.type === 'advance') return simulation.advance(action.ms)
  if (action.type !== 'steps') return world.act(action)
  for (let step = 0; step < action.count && simulation.step(); step++);
}

/** INV-20: at rest every child that is to be up is up, below every supervisor that is. */
function checkUp(world: TreeWorld, { runtime }: Simulation): readonly string[] {
  const { tree } = world
  return tree.places.flatMap(({ name, supervisor, restart }) => {
    if (supervisor === undefined || runtime.whereis(supervisor) === undefined) return []
    const isUp = runtime.whereis(name) !== undefined
    const last = tree.livesOf(name).at(-1)
    const mayBeDown = restart !== 'permanent' || tree.touched.has(name)
    const failed = restart === 'transient' && last?.reason?.type === 'error' && !tree.touched.has(name)
    return isUp || (mayBeDown && !failed) ? [] : [`INV-20: ${name} is ${restart} and was not started again`]
  })
}

/** INV-21: no stage, no timer, no name is left, and no failure was raised that somebody watched. */
function checkNothingLeft(ledger: Ledger, { runtime, clock, uncaught }: Simulation): void {
  const left = runtime.topology().stages.map(({ id, name = id }) => name)
  if (left.length > 0) ledger.violated('INV-21', `stages are left: ${left.join(', ')}`)
  if (clock.pending > 0) ledger.violated('INV-21', `${clock.pending} timers are left`)
  for (const error of uncaught) if (!isPlanned(error)) ledger.violated('INV-17', `raised: ${error.message}`)
}
