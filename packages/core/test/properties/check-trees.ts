import { runTree, type TreePlan } from '@genstage/testing'
import { treeArbitrary, type TopologyConstraints } from '@genstage/testing/arbitraries'
import fc from 'fast-check'
import { expect } from 'vitest'

/**
 * Runs `runs` random trees of supervisors above random topologies, with crashes, failing starts, commands and kills, and expects that
 * no invariant is violated. A failure prints fast-check's seed and path, and the shortest plan.
 */
export async function checkTrees(seed: number, runs: number, constraints: TopologyConstraints): Promise<void> {
  let restarts = 0
  await fc.assert(
    fc.asyncProperty(treeArbitrary(constraints), fc.nat(), async (plan: TreePlan, simulationSeed) => {
      const result = await runTree(plan, { seed: simulationSeed })
      expect(result.violations).toEqual([])
      restarts += result.restarts
    }),
    { numRuns: runs, seed },
  )
  // Else hardly anything has been tested
  expect(restarts).toBeGreaterThan(runs)
}
