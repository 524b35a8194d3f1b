import { collectGarbage } from '../harness/stopwatch.ts'
import type { RateFigures } from './figures.ts'
import type { JobSystem } from './job-system.ts'
import { fill, processJobs } from './process-jobs.ts'
import type { JobsSettings } from './settings.ts'
import type { ProcessWorkload } from './workloads.ts'

/** Fills the queue, then works through it: once to warm up, once for the figures. What a cut-off run has left is removed. */
export async function measureProcess(
  system: JobSystem,
  { concurrency }: ProcessWorkload,
  { processed: count, mostMs }: JobsSettings,
): Promise<RateFigures> {
  const open = await system.open()
  const time = async (run: number) => {
    await fill(open, run, count)
    collectGarbage()
    const figures = await processJobs(open, { run, waiting: count, count, concurrency, mostMs })
    await open.clear()
    return figures
  }
  await time(0)
  const figures = await time(1)
  await open.close()
  return figures
}
