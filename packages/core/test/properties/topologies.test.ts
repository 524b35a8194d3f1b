import { runTopology } from '@genstage/testing'
import { topologyArbitrary } from '@genstage/testing/arbitraries'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

describe('random topologies', () => {
  it('hold INV-1 to INV-25', { timeout: 600_000 }, async () => {
    const t = performance.now()
    let steps = 0, runs = 0
    await fc.assert(
      fc.asyncProperty(topologyArbitrary(), fc.nat(), async (plan, seed) => {
        const result = await runTopology(plan, { seed })
        steps += result.steps; runs++
        expect(result.violations).toEqual([])
      }),
      { numRuns: 300, seed: 1, endOnFailure: false },
    )
    console.log(runs, steps, performance.now() - t)
  })
})
