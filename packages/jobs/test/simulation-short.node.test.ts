import fc from 'fast-check'
import { describe, it } from 'vitest'
import { jobsProperty } from '../simulate/check-jobs.ts'

const minutes = 60_000

describe('the engine in simulation keeps JOB-1, 3 to 10, 12 to 14, 16 to 19 and INV-21', () => {
  it.each([11, 12])('in 1,500 short schedules (seed %i)', { timeout: 5 * minutes }, async seed => {
    await fc.assert(jobsProperty(undefined, 12), { seed, numRuns: 1_500 })
  })
})
