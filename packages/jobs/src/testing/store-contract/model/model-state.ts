import type { JobState, TerminalState } from '../../../store.ts'
import type { ModelJob } from './model-job.ts'
import { ModelUniques } from './model-uniques.ts'

/** What the model knows, and the steps that its calls are made of. */
export class ModelState {
  now: number
  jobs: ModelJob[] = []
  processed = 0
  failed = 0
  readonly paused: Set<string> = new Set()
  readonly knownQueues: Set<string> = new Set()
  readonly registered: Set<string> = new Set()
  readonly uniques: ModelUniques = new ModelUniques()
  /** How many jobs were ever stored, and how many claims there were of all jobs together: each has a number. */
  stored = 0
  claims = 0

  constructor(now: number) {
    this.now = now
  }

  find(id: string): ModelJob | undefined {
    return this.jobs.find(job => job.id === id)
  }

  heldBy(claim: number): ModelJob | undefined {
    return this.jobs.find(job => job.claim === claim)
  }

  /** Time passes, and what is delayed becomes due. */
  advance(ms: number): void {
    this.now += ms
    for (const job of this.jobs) if (job.state === 'delayed' && job.runAt <= this.now) job.state = 'waiting'
  }

  counts(queue: string): Record<JobState | 'paused', number | boolean> {
    const counts = { delayed: 0, waiting: 0, running: 0, completed: 0, failed: 0, discarded: 0, cancelled: 0 }
    for (const job of this.jobs) if (job.queue === queue) counts[job.state]++
    return { ...counts, paused: this.paused.has(queue) }
  }

  /** Those that pruning may remove. */
  prunable(state: TerminalState, ms: number, keep: number): readonly ModelJob[] {
    const ended = this.jobs.filter(job => job.state === state).toSorted((a, b) => (b.finishedAt ?? 0) - (a.finishedAt ?? 0))
    // Of those that ended at the same time any may be kept
    const oldestKept = keep === 0 ? Infinity : (ended[keep - 1]?.finishedAt ?? -Infinity)
    return ended.filter(
      ({ finishedAt = 0 }, n) => this.now - finishedAt > ms || (ended.length > keep && (n >= keep || finishedAt <= oldestKept)),
    )
  }

  /** How many of a state pruning has to remove when it may remove all it wants. */
  pruneCount(state: TerminalState, ms: number, keep: number): number {
    const ended = this.jobs.filter(job => job.state === state)
    return Math.max(ended.filter(({ finishedAt = 0 }) => this.now - finishedAt > ms).length, ended.length - keep)
  }

  heldByRunner(runner: string): readonly ModelJob[] {
    return this.jobs.filter(job => job.state === 'running' && job.runner === runner)
  }

  release(job: ModelJob): void {
    job.attempt--
    this.wait(job, job.runAt)
  }

  wait(job: ModelJob, runAt: number): void {
    job.runAt = runAt
    job.state = runAt <= this.now ? 'waiting' : 'delayed'
    job.claim = undefined
  }

  end(job: ModelJob, state: TerminalState): void {
    job.state = state
    job.finishedAt = this.now
    job.claim = undefined
    if (state !== 'cancelled') job.cancelReason = undefined
    if (state === 'completed') this.processed++
    if (state === 'failed' || state === 'discarded') this.failed++
    this.uniques.ended(job)
  }

  drop(jobs: readonly ModelJob[]): void {
    for (const job of jobs) this.uniques.ended(job)
    this.jobs = this.jobs.filter(job => !jobs.includes(job))
  }
}
