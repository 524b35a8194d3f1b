import type { Shutdown } from '@genstage/core'
import fc from 'fast-check'
import { actionArbitrary, topologyArbitrary, type TopologyConstraints } from './topology-arbitraries.ts'
import type { Action, StagePlan } from './topology-plan.ts'
import type { ChildPlan, SupervisorPlan, TreeAction, TreePlan } from './tree-plan.ts'

const place = fc.nat({ max: 63 })

/** One thing that happens to a tree. */
export const treeActionArbitrary: fc.Arbitrary<TreeAction> = fc.oneof(
  { arbitrary: fc.record({ type: fc.constant('crash' as const), stage: place }), weight: 6 },
  { arbitrary: fc.record({ type: fc.constant('steps' as const), count: fc.integer({ min: 1, max: 20 }) }), weight: 8 },
  { arbitrary: fc.record({ type: fc.constant('advance' as const), ms: fc.integer({ min: 1, max: 3_000 }) }), weight: 4 },
  { arbitrary: actionArbitrary.filter(isForTrees) as fc.Arbitrary<TreeAction>, weight: 6 },
  {
    arbitrary: fc.record({
      type: fc.constantFrom('terminateChild' as const, 'restartChild' as const, 'deleteChild' as const),
      stage: place,
    }),
    weight: 2,
  },
  { arbitrary: fc.record({ type: fc.constant('killSupervisor' as const), supervisor: place }), weight: 1 },
)

function isForTrees({ type }: Action): boolean {
  return ['settle', 'emit', 'kill', 'stop'].includes(type)
}

const supervising = {
  strategy: fc.constantFrom('one_for_one' as const, 'one_for_all' as const, 'rest_for_one' as const),
  maxRestarts: fc.integer({ min: 0, max: 4 }),
  maxSeconds: fc.integer({ min: 1, max: 3 }),
  backoffMs: fc.constantFrom(0, 0, 0, 10, 400),
}

const restart = fc.constantFrom('permanent' as const, 'permanent' as const, 'transient' as const, 'temporary' as const)

/** Random trees of supervisors above random topologies, with crashes and whatever else may happen to them. */
export function treeArbitrary(constraints: TopologyConstraints = {}): fc.Arbitrary<TreePlan> {
  const { maxActions = 40, ...sizes } = constraints
  return topologyArbitrary({ maxProducers: 2, maxProducerConsumers: 2, maxConsumers: 3, ...sizes, maxActions: 0 }).chain(
    ({ stages, subscriptions }) =>
      fc
        .record({
          starts: fc.tuple(...stages.map(() => fc.oneof({ arbitrary: fc.constant([]), weight: 8 }, badStarts))),
          again: fc.tuple(...subscriptions.map(() => resubscribing)),
          root: nestedArbitrary(stages),
          actions: fc.array(treeActionArbitrary, { maxLength: maxActions, size: 'max' }),
        })
        .map(({ starts, again, root, actions }) => ({
          stages: stages.map((stage, index) => ({ ...stage, failsToStart: starts[index] ?? [] })),
          subscriptions: subscriptions.map((subscription, index) => ({
            ...subscription,
            manual: false,
            resubscribe: again[index],
          })),
          root,
          actions,
        })),
  )
}

const resubscribing = fc.option(
  fc.record({
    minDelayMs: fc.constantFrom(1, 20),
    maxDelayMs: fc.constantFrom(20, 500),
    limit: fc.integer({ min: 1, max: 6 }),
  }),
  { nil: undefined },
)

/** Lives in which the setup throws: not the first, or the tree would hardly ever come up. */
const badStarts = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 2 })

/** Stages in groups below supervisors, and those in groups again, below the root. */
function nestedArbitrary(stages: readonly StagePlan[]): fc.Arbitrary<SupervisorPlan> {
  const leaves = fc.tuple(...stages.map((plan, stage) => leafArbitrary(plan, stage)))
  return leaves
    .chain(children => grouped(children))
    .chain(children => grouped(children))
    .chain(children => fc.record({ ...supervising, children: fc.constant(children) }))
}

function leafArbitrary(plan: StagePlan, stage: number): fc.Arbitrary<ChildPlan> {
  // One that never settles is ended by its time limit only
  const patient = plan.type !== 'producer' && plan.handler === 'never' ? [] : ['infinity' as const]
  const shutdown = fc.constantFrom<Shutdown>(5, 100, 5_000, 'brutal_kill', ...patient)
  return fc.record({ stage: fc.constant(stage), restart, shutdown })
}

/** Neighbours are put below a supervisor of their own, or left where they are. */
function grouped(children: readonly ChildPlan[]): fc.Arbitrary<readonly ChildPlan[]> {
  return fc.array(fc.integer({ min: 1, max: 3 }), { minLength: children.length, maxLength: children.length }).chain(sizes => {
    const groups: ChildPlan[][] = []
    let from = 0
    for (const size of sizes) {
      if (from < children.length) groups.push(children.slice(from, from + size))
      from += size
    }
    return fc.tuple(...groups.map(group => groupArbitrary(group))).map(parts => parts.flat())
  })
}

function groupArbitrary(children: readonly ChildPlan[]): fc.Arbitrary<readonly ChildPlan[]> {
  const nested = fc
    .record({
      supervisor: fc.record({ ...supervising, children: fc.constant(children) }),
      restart,
      shutdown: shutdownOfSupervisor,
    })
    .map(child => [child])
  return fc.oneof({ withCrossShrink: true }, { arbitrary: fc.constant(children), weight: 2 }, { arbitrary: nested, weight: 1 })
}

const shutdownOfSupervisor = fc.constantFrom<Shutdown>('infinity', 'infinity', 1_000, 'brutal_kill')
