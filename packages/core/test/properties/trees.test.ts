import { describe, it } from 'vitest'
import { checkTrees } from './check-trees.ts'

// Together with trees-large.test.ts these are the 10,000 schedules of a normal run.

const minutes = 60_000

describe('small random trees', () => {
  it.each([1, 2, 3])('F50 to F59 keep INV-5 to INV-21 in 2,000 schedules (seed %i)', { timeout: 5 * minutes }, async seed => {
    await checkTrees(seed, 2_000, { maxProducers: 1, maxProducerConsumers: 1, maxConsumers: 2, maxActions: 30 })
  })
})
