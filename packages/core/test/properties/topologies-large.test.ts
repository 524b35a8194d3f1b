import { describe, it } from 'vitest'
import { checkTopologies } from './check-topologies.ts'

const minutes = 60_000

describe('large random topologies', () => {
  it.each([11, 12, 13, 14])('keep INV-1 to INV-25 in 1,000 schedules (seed %i)', { timeout: 5 * minutes }, async seed => {
    await checkTopologies(seed, 1_000, { maxActions: 120 })
  })
})
