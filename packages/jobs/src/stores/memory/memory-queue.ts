import type { JobState, QueueStats } from '../../store.ts'
import { Heap } from './heap.ts'
import { isClaimedBefore, isDueBefore, type MemoryJob } from './memory-job.ts'

/** What a queue has that is not running or finished, in the order of claims. */
export class MemoryQueue {
  readonly name: string
  paused = false
  /** How many jobs of the queue are in each state. Kept by the job table. */
  readonly counts: Record<JobState, number> = {
    delayed: 0,
    waiting: 0,
    running: 0,
    completed: 0,
    failed: 0,
    discarded: 0,
    cancelled: 0,
  }
  /** A heap for each kind, so that a claim never looks at jobs of kinds that the runner does not know. None is empty. */
  readonly #waiting = new Map<string, Heap<MemoryJob>>()
  readonly #delayed = new Heap<MemoryJob>(isDueBefore)

  constructor(name: string) {
    this.name = name
  }

  wait(job: MemoryJob): void {
    let heap = this.#waiting.get(job.kind)
    if (heap === undefined) this.#waiting.set(job.kind, (heap = new Heap(isClaimedBefore)))
    heap.push(job)
  }

  delay(job: MemoryJob): void {
    this.#delayed.push(job)
  }

  /** Takes a job out that is waiting or delayed. */
  remove(job: MemoryJob): void {
    if (job.state === 'delayed') return this.#delayed.remove(job)
    const heap = this.#waiting.get(job.kind)
    heap?.remove(job)
    if (heap?.size === 0) this.#waiting.delete(job.kind)
  }

  /** The job that a runner with these kinds gets next. */
  first(kinds: readonly string[]): MemoryJob | undefined {
    let first: MemoryJob | undefined
    for (const kind of kinds) {
      const job = this.#waiting.get(kind)?.first
      if (job !== undefined && (first === undefined || isClaimedBefore(job, first))) first = job
    }
    return first
  }

  /** Those of the kinds that have something waiting. */
  waitingKinds(kinds: readonly string[]): readonly string[] {
    return kinds.filter(kind => this.#waiting.has(kind))
  }

  /** The delayed job that becomes due first. */
  get soonest(): MemoryJob | undefined {
    return this.#delayed.first
  }

  /** All that is waiting or delayed, in no order. */
  unclaimed(): MemoryJob[] {
    return [...[...this.#waiting.values()].flatMap(heap => [...heap.values()]), ...this.#delayed.values()]
  }

  stats(): QueueStats {
    return { ...this.counts, paused: this.paused }
  }
}
