import { setTimeout as sleep } from 'node:timers/promises'
import { collectGarbage } from '../harness/stopwatch.ts'
import type { Flow, Peer } from './peer.ts'

export interface BacklogFigures {
  readonly kind: 'backlog'
  readonly made: number
  readonly used: number
  /** The most events that were made and not yet used at any moment. */
  readonly mostWaiting: number
  readonly peakHeapGrowthMb: number
  /** What is still there after a collection, while the source and the sink still run. */
  readonly liveHeapGrowthMb: number
}

const sampleEveryMs = 10
const bytesPerMb = 1024 * 1024

/** WL-9: lets a fast source run into a slow sink for a while, and looks at what piles up between them. */
export async function measureBacklog(start: NonNullable<Peer['backlog']>, durationMs: number): Promise<BacklogFigures> {
  const flow = new Counters()
  collectGarbage()
  const before = process.memoryUsage().heapUsed
  let peak = before
  const sampling = setInterval(() => (peak = Math.max(peak, process.memoryUsage().heapUsed)), sampleEveryMs)
  start(flow)
  await sleep(durationMs)
  clearInterval(sampling)
  const { made, used, mostWaiting } = flow
  collectGarbage()
  const live = process.memoryUsage().heapUsed
  return {
    kind: 'backlog',
    made,
    used,
    mostWaiting,
    peakHeapGrowthMb: (peak - before) / bytesPerMb,
    liveHeapGrowthMb: (live - before) / bytesPerMb,
  }
}

class Counters implements Flow {
  made = 0
  used = 0
  mostWaiting = 0

  make(count: number): void {
    this.made += count
    this.mostWaiting = Math.max(this.mostWaiting, this.made - this.used)
  }

  use(count: number): void {
    this.used += count
  }
}
