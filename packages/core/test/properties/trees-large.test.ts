import { describe, it } from 'vitest'
import { checkTrees } from './check-trees.ts'

const minutes = 60_000

describe('large random trees', () => {
  it.each([11, 12])('F50 to F59 keep INV-5 to INV-21 in 2,000 schedules (seed %i)', { timeout: 5 * minutes }, async seed => {
    await checkTrees(seed, 2_000, { maxActions: 50 })
  })
})
