import { setTimeout as pause } from 'node:timers/promises'
import type { LatencyFigures } from './figures.ts'
import type { JobSystem } from './job-system.ts'
import { payloadOf } from './payload.ts'
import type { JobsSettings } from './settings.ts'

/** Long enough for everything to be idle again after a job. */
const restMs = 5

/** Samples that are not counted: connections open, code compiles. */
const warmUp = 3

/** No system is given longer than so many times `mostMs`: who polls every two seconds has fewer samples. */
const mostRuns = 5

const concurrency = 10

/** Adds one job at a time to a worker that has nothing else to do. */
export async function measureLatency(system: JobSystem, { latencySamples, mostMs }: JobsSettings): Promise<LatencyFigures> {
  const open = await system.open()
  let started: (at: number) => void = () => {}
  const stop = await open.work(concurrency, () => started(performance.now()))
  const samplesMs: number[] = []
  const first = performance.now()
  for (let n = 0; n < warmUp + latencySamples; n++) {
    const start = new Promise<number>(resolve => {
      started = resolve
    })
    const begun = performance.now()
    const [at] = await Promise.all([start, open.add(payloadOf(0, n))])
    const enough = performance.now() - first > mostMs * mostRuns
    if (n >= warmUp || (enough && n > 0)) samplesMs.push(at - begun)
    if (enough && samplesMs.length > 0) break
    await pause(restMs)
  }
  await stop()
  await open.close()
  return { kind: 'latency', samplesMs }
}
