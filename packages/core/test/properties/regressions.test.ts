import { runTopology, type TopologyPlan } from '@genstage/testing'
import { describe, expect, it } from 'vitest'
import { regressions } from './regressions.ts'

describe('counter-examples that were found once', () => {
  it.each(regressions)('$name', async ({ plan, seed }) => {
    const { violations } = await runTopology(plan satisfies TopologyPlan, { seed })
    expect(violations).toEqual([])
  })
})
