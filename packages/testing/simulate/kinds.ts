import { runTopology, runTree, type RunOptions, type TopologyPlan, type TreePlan } from '@genstage/testing'
import { topologyArbitrary, treeArbitrary } from '@genstage/testing/arbitraries'
import fc from 'fast-check'
import type { KindName } from './options.ts'

/** What is made at random, and run. */
export interface Kind {
  readonly name: KindName
  /** Runs one, and answers what was wrong. */
  readonly property: (options: Omit<RunOptions, 'seed'>) => fc.IAsyncProperty<[plan: unknown, seed: number]>
}

/** An invariant was violated. */
export class Violated extends Error {
  override readonly name = 'Violated'
}

function claimNone(violations: readonly string[]): void {
  if (violations.length > 0) throw new Violated(violations.join('\n'))
}

export const kinds: Readonly<Record<KindName, Kind>> = {
  topology: {
    name: 'topology',
    property: options =>
      fc.asyncProperty<[unknown, number]>(topologyArbitrary({ maxActions: 60 }), fc.nat(), async (plan, seed) =>
        claimNone((await runTopology(plan as TopologyPlan, { ...options, seed })).violations),
      ),
  },
  tree: {
    name: 'tree',
    property: options =>
      fc.asyncProperty<[unknown, number]>(treeArbitrary(), fc.nat(), async (plan, seed) =>
        claimNone((await runTree(plan as TreePlan, { ...options, seed })).violations),
      ),
  },
}
