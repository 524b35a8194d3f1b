import fc from 'fast-check'
import { describe, it } from 'vitest'
import { jobsProperty } from '../simulate/check-jobs.ts'

// Runners on one store in virtual time, with crashes, freezes, faults of the store, lost hints, jumps of the date and commands at any
// moment. A failure prints fast-check's seed and path and the shortest plan: put it into regressions.ts, and
// `npm run simulate -- jobs --seed S --path P` shows it again.

const minutes = 60_000

describe('the engine in simulation keeps JOB-1, 3 to 10, 12 to 14, 16 to 19 and INV-21', () => {
  it.each([1, 2])('in 2,500 schedules (seed %i)', { timeout: 5 * minutes }, async seed => {
    await fc.assert(jobsProperty(), { seed, numRuns: 2_500 })
  })
})
