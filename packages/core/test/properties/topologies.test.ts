import { describe, it } from 'vitest'
import { checkTopologies } from './check-topologies.ts'

// INV-1 to 10, 12 to 15, 17 and 18, 21, 23, 25: see invariants.ts of @genstage/testing. Together with topologies-large.test.ts these
// are the 10,000 schedules of a normal run.

const minutes = 60_000

describe('small random topologies', () => {
  it.each([1, 2, 3, 4])('keep INV-1 to INV-25 in 2,000 schedules (seed %i)', { timeout: 5 * minutes }, async seed => {
    await checkTopologies(seed, 2_000, { maxProducers: 2, maxProducerConsumers: 2, maxConsumers: 3, maxActions: 60 })
  })
})
