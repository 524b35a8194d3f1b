import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { jobsArbitrary } from '../simulate/arbitrary.ts'
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
    ['lost-settlement', /^JOB-1: .* never end/],
    ['double-claim', /^JOB-[45]: .* was claimed/],
    ['lying-heart', /^JOB-8: .* has been dead for/],
    ['hot-retry', /^JOB-13: job .* comes back 0 ms after attempt \d, not \d/],
    ['late-retry', /^JOB-13: job .* comes back \d+ ms after attempt \d, not \d/],
    ['greedy-pruning', /^JOB-14: job .* was pruned \d+ ms after it was/],
  ] as const satisfies readonly (readonly [PlantedBug, RegExp])[])('%s is found within 200 schedules', async (bug, message) => {
    const found = await fc.check(jobsProperty(bug), { seed: 1, numRuns: 200, endOnFailure: true })
    expect(found.failed).toBe(true)
    expect(found.errorInstance).toMatchObject({ message: expect.stringMatching(message) as string })
  })
})

describe('a simulation', () => {
  it('INV-27 runs the same for the same seed, and otherwise for another', async () => {
    const plans = fc.sample(jobsArbitrary(), { seed: 3, numRuns: 20 })
    const counts = async (seed: number): Promise<unknown> =>
      Promise.all(plans.map(async plan => (await runJobs(plan, { seed })).counts))
    const first = await counts(1)
    expect(await counts(1)).toEqual(first)
    expect(await counts(2)).not.toEqual(first)
  })
})
