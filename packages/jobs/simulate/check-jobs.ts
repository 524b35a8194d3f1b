import fc from 'fast-check'
import { jobsArbitrary } from './arbitrary.ts'
import { type PlantedBug, planted } from './plants.ts'
import { type RunJobsResult, runJobs } from './run-jobs.ts'

/** An invariant was violated. */
class Violated extends Error {
  override readonly name = 'Violated'
}

/** Random plans, each with a seed of its own; throws `Violated` with all that was wrong. */
export function jobsProperty(
  plant?: PlantedBug,
  maxActions?: number,
  onRun: (result: RunJobsResult) => void = () => {},
): fc.IAsyncProperty<[plan: unknown, seed: number]> {
  const plans = jobsArbitrary(maxActions === undefined ? {} : { maxActions })
  return fc.asyncProperty(plans, fc.nat(), async (plan, seed) => {
    const result = await runJobs(plan, { seed, ...(plant === undefined ? {} : { spoilers: planted(plant) }) })
    onRun(result)
    if (result.violations.length > 0) throw new Violated(result.violations.join('\n'))
  }) as fc.IAsyncProperty<[plan: unknown, seed: number]>
}
