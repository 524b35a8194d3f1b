import { calibrate } from '../harness/calibrate.ts'
import { startStopwatch } from '../harness/stopwatch.ts'
import { percentile } from '../harness/statistics.ts'
import { WrongChecksum, type RateTask } from '../harness/measure-rate.ts'

export interface LatenessFigures {
  readonly kind: 'lateness'
  readonly runMs: number
  readonly ticks: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

const timerMs = 1

/** WL-10: how much later than 1 ms the turns of an interval come while the workload runs flat out for `durationMs` or more. */
export async function measureLateness({ run, expected, step, most }: RateTask, durationMs: number): Promise<LatenessFigures> {
  const checked = async (count: number) => {
    const stopwatch = startStopwatch()
    const checksum = await run(count)
    if (checksum !== expected(count)) throw new WrongChecksum(count, checksum, expected(count))
    return stopwatch.read()
  }
  const count = await calibrate(checked, { targetMs: durationMs, step, most })
  const lateness: number[] = []
  let last = performance.now()
  const tick = () => {
    const now = performance.now()
    lateness.push(Math.max(0, now - last - timerMs))
    last = now
  }
  const timer = setInterval(tick, timerMs)
  const begin = performance.now()
  do await checked(count)
  while (performance.now() - begin < durationMs)
  const runMs = performance.now() - begin
  tick()
  clearInterval(timer)
  return {
    kind: 'lateness',
    runMs,
    ticks: lateness.length,
    p50Ms: percentile(lateness, 0.5),
    p99Ms: percentile(lateness, 0.99),
    maxMs: Math.max(...lateness),
  }
}
