import { TreeWorld } from '../planned/tree-world.ts'
import { World } from '../planned/world.ts'
import { concludeTopology } from '../run-topology.ts'
import { concludeTree } from '../run-tree.ts'
import type { Action, TopologyPlan } from '../topology-plan.ts'
import type { TreeAction, TreePlan } from '../tree-plan.ts'
import { explore } from './explore.ts'
import type { Exploration, ExploreOptions, Scene } from './scene.ts'

/**
 * The scene of a planned topology, for `explore` and `replay`: all invariants are checked, those on demand after every step. Its
 * actions happen in their order, each at any moment; `steps`, `settle` and `advance` mean nothing here.
 */
export function topologyScene(plan: TopologyPlan): Scene {
  return simulation => {
    const world = new World(plan, simulation, true)
    world.begin()
    return {
      actions: plan.actions.filter(isPrompt).map(action => {
        const of = world.target(action)
        return { run: () => world.act(action), name: JSON.stringify(action), ...(of === undefined ? {} : { of }) }
      }),
      check: () => {
        world.check()
        return world.ledger.violations
      },
      end: async () => {
        await concludeTopology(world, simulation)
        return world.ledger.violations
      },
      // What was not expected is among the violations already
      isExpected: () => true,
    }
  }
}

/**
 * Runs a planned topology in every order that its messages and actions allow, and checks all invariants.
 *
 * ```ts
 * import { exploreTopology, type TopologyPlan } from '@genstage/testing'
 *
 * const plan: TopologyPlan = {
 *   stages: [
 *     { type: 'producer', dispatcher: 'demand', bufferSize: 10, bufferKeep: 'last', source: 'exact', limit: 2, demand: 'forward' },
 *     { type: 'consumer', handler: 'sync', failAt: 1 },
 *   ],
 *   subscriptions: [
 *     { consumer: 1, producer: 0, maxDemand: 1, minDemand: 0, cancel: 'permanent', manual: false, selective: false, partition: 0 },
 *   ],
 *   actions: [{ type: 'cancel', subscription: 0, side: 'consumer', graceful: true }],
 * }
 * const { complete, counterExample } = await exploreTopology(plan)
 * console.log(complete, counterExample) // => true undefined
 * ```
 */
export function exploreTopology(plan: TopologyPlan, options?: ExploreOptions): Promise<Exploration> {
  return explore(topologyScene(plan), options)
}

/** Whether it is done at once: neither lets time pass nor steps be taken. */
function isPrompt<Any extends Action | TreeAction>(
  action: Any,
): action is Exclude<Any, { readonly type: 'steps' | 'settle' | 'advance' }> {
  return !['steps', 'settle', 'advance'].includes(action.type)
}

/** The scene of a tree of supervisors, for `explore` and `replay`; of its actions too, each happens at any moment. */
export function treeScene(plan: TreePlan): Scene {
  return simulation => {
    const world = new TreeWorld(plan, simulation)
    const { ledger } = world.journal
    return {
      actions: plan.actions.filter(isPrompt).map(action => ({ run: () => world.act(action), name: JSON.stringify(action) })),
      check: () => ledger.violations,
      end: async () => {
        await concludeTree(world, simulation)
        return ledger.violations
      },
      isExpected: () => true,
    }
  }
}
