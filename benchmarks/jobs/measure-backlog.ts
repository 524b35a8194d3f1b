import { collectGarbage } from '../harness/stopwatch.ts'
import type { BacklogFigures, RateFigures } from './figures.ts'
import type { JobSystem } from './job-system.ts'
import { fill, processJobs } from './process-jobs.ts'

export interface BacklogRequest {
  /** Jobs that wait behind the others. */
  readonly backlog: number
  readonly processed: number
  readonly runs: number
}

const concurrency = 100

/** Nobody is given longer for a run: it is a rate that counts, not that all are done. */
const mostMs = 20_000

/**
 * The same jobs with nothing behind them and with a backlog, in one process, so that they may be compared. The backlog is stored once.
 * What is measured without it stands before and after, so that a machine that becomes slower meanwhile is not taken for a slow store.
 */
export async function measureBacklog(system: JobSystem, { backlog, processed, runs }: BacklogRequest): Promise<BacklogFigures> {
  const open = await system.open()
  const rateOf = async (run: number, waiting: number) => {
    collectGarbage()
    return perSecond(await processJobs(open, { run, waiting, count: processed, concurrency, mostMs }))
  }
  let run = 0
  const alone = async () => {
    run += 1
    await fill(open, run, processed)
    const rate = await rateOf(run, processed)
    await open.clear()
    return rate
  }
  await alone()
  const before = await inTurn(runs, alone)
  run += 1
  const begun = performance.now()
  await fill(open, run, backlog)
  const fillPerSecond = perSecond({ jobs: backlog, ms: performance.now() - begun })
  const [, ...full] = await inTurn(runs + 1, () => rateOf(run, backlog))
  await open.clear()
  const after = await inTurn(runs, alone)
  await open.close()
  return { kind: 'backlog', backlog, fillPerSecond, empty: [...before, ...after], full }
}

async function inTurn(times: number, measure: () => Promise<number>): Promise<readonly number[]> {
  const rates: number[] = []
  while (rates.length < times) rates.push(await measure())
  return rates
}

function perSecond({ jobs, ms }: Pick<RateFigures, 'jobs' | 'ms'>): number {
  return (jobs * 1_000) / ms
}
