/** What happened in this process, from the events of its runner: handlers and queues know nothing of it. */
import type { JobRunner } from '@genstage/jobs'

/** Attempts of one kind in one queue. */
export interface Attempts {
  readonly kind: string
  readonly queue: string
  readonly ended: number
  readonly failed: number
  readonly totalMs: number
  readonly longestMs: number
}

/** An attempt that failed. */
export interface Mishap {
  /** Of the job. */
  readonly id: string
  readonly attempt: number
  readonly message: string
  /** What follows. */
  readonly next: string
}

export interface Figures {
  /** In the order in which they first happened. */
  readonly attempts: readonly Attempts[]
  /** The newest first; a few of them. */
  readonly mishaps: readonly Mishap[]
  /** Jobs that were taken back from runners that died. */
  readonly rescued: number
}

const mishapsKept = 8

/** Counts from now on. What it returns is always the newest. */
export function watch({ events }: Pick<JobRunner, 'events'>): Figures {
  const attempts = new Map<string, Attempts>()
  const figures = { rescued: 0, mishaps: [] as Mishap[] }
  const ended = (failed: 0 | 1, event: { kind: string; queue: string; durationMs: number }): void => {
    const { kind, queue, durationMs } = event
    const known = attempts.get(`${queue}/${kind}`) ?? { kind, queue, ended: 0, failed: 0, totalMs: 0, longestMs: 0 }
    attempts.set(`${queue}/${kind}`, {
      ...known,
      ended: known.ended + 1,
      failed: known.failed + failed,
      totalMs: known.totalMs + durationMs,
      longestMs: Math.max(known.longestMs, durationMs),
    })
  }
  const keep = (mishap: Mishap): void => {
    figures.mishaps = [mishap, ...figures.mishaps].slice(0, mishapsKept)
  }
  events.on('completed', event => ended(0, event))
  events.on('failed', event => {
    ended(1, event)
    const { id, attempt, failure, retryInMs } = event
    const message = failure.code === 'JOB_TIMEOUT' ? 'took too long' : failure.message
    keep({ id, attempt, message, next: retryInMs === undefined ? 'given up' : `again in ${(retryInMs / 1_000).toFixed(1)} s` })
  })
  events.on('discarded', event => {
    ended(1, event)
    keep({ id: event.id, attempt: event.attempt, message: event.failure.message, next: 'discarded' })
  })
  events.on('rescued', () => figures.rescued++)
  return {
    get attempts() {
      return [...attempts.values()]
    },
    get mishaps() {
      return figures.mishaps
    },
    get rescued() {
      return figures.rescued
    },
  }
}
