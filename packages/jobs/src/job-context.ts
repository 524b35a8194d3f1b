import type { Logger } from '@genstage/core'
import type { JobClient } from './job-client.ts'
import type { LogEntry } from './store.ts'

/** What a handler gets besides the args: its job, its signals, and what it may tell meanwhile. */
export interface JobContext {
  readonly id: string
  readonly kind: string
  readonly queue: string
  /** 1 in the first attempt. */
  readonly attempt: number
  readonly maxAttempts: number
  /** How often the process died under this job. */
  readonly crashes: number
  readonly priority: number
  /** Milliseconds since 1970. */
  readonly enqueuedAt: number
  readonly runAt: number
  /**
   * Aborted when the handler has to end: at its timeout, when the job is cancelled, when a stop has used up its time, when the job was
   * taken away. Its `reason` is a `JobsError` that says which (`JOB_TIMEOUT`, `JOB_CANCELLED`, `STOPPED`, `LEASE_LOST`).
   */
  readonly signal: AbortSignal
  /** Aborted as soon as the runner is to stop: there is still time to finish, or to give up at a good point. */
  readonly stopping: AbortSignal
  /** What an earlier attempt reported last, to go on from there. */
  readonly lastProgress: unknown
  /** Keeps how far the handler is, with the job. Written in batches; the newest value counts. Refuses what JSON would change (`BAD_PAYLOAD`). */
  progress(value: unknown): void
  /** Keeps a line with the job: the newest 1,000 are kept, at most 4 KiB of each. */
  log(message: string, level?: LogEntry['level']): void
  readonly logger: Logger
  /** To enqueue more, to look at other jobs. */
  readonly client: JobClient
}

/**
 * Wraps every handler: it may look at the job, do things before and after, and must call `next`, whose result it returns (or one of
 * its own). What it throws is the attempt's failure.
 */
export type Middleware = (job: JobContext & { readonly args: unknown }, next: () => Promise<unknown>) => Promise<unknown>
