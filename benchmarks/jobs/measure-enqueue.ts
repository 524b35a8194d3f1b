import { collectGarbage } from '../harness/stopwatch.ts'
import type { RateFigures } from './figures.ts'
import type { JobSystem, OpenJobSystem } from './job-system.ts'
import { payloadOf, payloadsOf } from './payload.ts'
import type { JobsSettings } from './settings.ts'
import type { EnqueueWorkload } from './workloads.ts'

/** Adds jobs until there are enough, or the time is over: once to warm up, once for the figures. */
export async function measureEnqueue(
  system: JobSystem,
  workload: EnqueueWorkload,
  { enqueued, enqueuedInBulk, mostMs }: JobsSettings,
): Promise<RateFigures> {
  const count = workload.batch > 1 ? enqueuedInBulk : enqueued
  const open = await system.open()
  await addFor(open, workload, { run: 0, count, mostMs })
  await open.clear()
  collectGarbage()
  const figures = await addFor(open, workload, { run: 1, count, mostMs })
  await open.close()
  return figures
}

interface Run {
  readonly run: number
  readonly count: number
  readonly mostMs: number
}

async function addFor(open: OpenJobSystem, workload: EnqueueWorkload, { run, count, mostMs }: Run): Promise<RateFigures> {
  const { callers, batch } = workload
  let next = 0
  let stored = 0
  const begun = performance.now()
  const call = async () => {
    while (next < count && performance.now() - begun < mostMs) {
      const first = next
      next += batch
      if (batch === 1) await open.add(payloadOf(run, first))
      else await open.addMany(payloadsOf(run, first, batch))
      stored += batch
    }
  }
  await Promise.all(Array.from({ length: callers }, call))
  return { kind: 'rate', jobs: stored, ms: performance.now() - begun }
}
