import { calibrate } from './calibrate.ts'
import { collectGarbage, startStopwatch, type Elapsed } from './stopwatch.ts'

/** One run of a workload: `count` source events go through, and the checksum comes back. */
export type Run = (count: number) => number | Promise<number>

/** What the runs of one process should be like. */
export interface RateSettings {
  /** Processor time of one run. */
  readonly targetMs: number
  /** Counted runs. */
  readonly runs: number
}

/** What is to be run, and how its checksum is known. */
export interface RateTask {
  readonly run: Run
  /** The closed formula of the checksum. */
  expected(count: number): number
  readonly step: number
  readonly most: number
}

/** The counted runs of one process. */
export interface RateFigures {
  readonly kind: 'rate'
  readonly count: number
  readonly runs: readonly Elapsed[]
}

/** The checksum of a run was not what the closed formula says: events were lost, made twice, or changed. */
export class WrongChecksum extends Error {
  constructor(count: number, actual: number, expected: number) {
    super(`wrong checksum after ${count} events: ${actual} instead of ${expected}`)
    this.name = 'WrongChecksum'
  }
}

/** The share of a run that goes ahead of each counted one: a collection drops compiled code along with the objects it was made for. */
const rehearsal = 0.5

/** Calibrates, warms up with one run of full size, then measures. The checksum of every run is checked, counted or not. */
export async function measureRate(task: RateTask, { targetMs, runs }: RateSettings): Promise<RateFigures> {
  const time = (count: number) => timedRun(task, count)
  const count = await calibrate(time, { targetMs, step: task.step, most: task.most })
  await time(count)
  const measured: Elapsed[] = []
  while (measured.length < runs) {
    collectGarbage()
    await time(Math.max(task.step, Math.round((count * rehearsal) / task.step) * task.step))
    measured.push(await time(count))
  }
  return { kind: 'rate', count, runs: measured }
}

async function timedRun({ run, expected }: RateTask, count: number): Promise<Elapsed> {
  const stopwatch = startStopwatch()
  const checksum = await run(count)
  const elapsed = stopwatch.read()
  if (checksum !== expected(count)) throw new WrongChecksum(count, checksum, expected(count))
  return elapsed
}
