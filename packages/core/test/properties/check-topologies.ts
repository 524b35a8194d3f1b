import { runTopology, type TopologyPlan } from '@genstage/testing'
import { topologyArbitrary, type TopologyConstraints } from '@genstage/testing/arbitraries'
import fc from 'fast-check'
import { expect } from 'vitest'

/**
 * Runs `runs` random topologies with random schedules, each in a simulation with a seed of its own, and expects that no invariant is
 * violated. A failure prints fast-check's seed and path, and the shortest plan: put it into regressions.ts.
 */
export async function checkTopologies(seed: number, runs: number, constraints: TopologyConstraints): Promise<void> {
  await fc.assert(
    fc.asyncProperty(topologyArbitrary(constraints), fc.nat(), async (plan: TopologyPlan, simulationSeed) => {
      const { violations } = await runTopology(plan, { seed: simulationSeed })
      expect(violations).toEqual([])
    }),
    { numRuns: runs, seed },
  )
}
