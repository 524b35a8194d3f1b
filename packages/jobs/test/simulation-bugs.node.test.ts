import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { jobsProperty } from '../simulate/check-jobs.ts'
import type { PlantedBug } from '../simulate/plants.ts'
import { regressions } from '../simulate/regressions.ts'
import { runJobs } from '../simulate/run-jobs.ts'

describe('counter-examples that were found once', () => {
  it.each(regressions)('$name', async ({ plan, seed }) => {
    expect((await runJobs(plan, { seed })).violations).toEqual([])
  })
})

describe('planted bugs', () => {
  it.each([
    ['lost-settlement', /^JOB-1: .* never end/, 'JOB-1'],
    ['double-claim', /^JOB-4: .* was claimed by .* while .* holds it/, 'JOB-4'],
    ['lying-heart', /^JOB-8: .* has been dead for/, 'JOB-8'],
  ] as const satisfies readonly (readonly [PlantedBug, RegExp, string])[])(
    '%s is found within 200 schedules',
    async (bug, message) => {
      const found = await fc.check(jobsProperty(bug), { seed: 1, numRuns: 200, endOnFailure: true })
      expect(found.failed).toBe(true)
      expect(found.errorInstance).toMatchObject({ message: expect.stringMatching(message) as string })
    },
  )
})

describe('a simulation', () => {
  it('INV-27 is the same again for the same seed', async () => {
    const [sample] = fc.sample(jobsProperty(), { seed: 3, numRuns: 1 })
    expect(sample).toBeDefined()
  })
})
