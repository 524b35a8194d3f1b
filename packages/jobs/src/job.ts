import { decodeArgs, decodePayload } from './payload.ts'
import type { AttemptRecord, Failure, JobState, StoredJob } from './store.ts'

/** A job as it stands in its store: a snapshot. Times are milliseconds since 1970. */
export interface Job<out Args = unknown, out Result = unknown> {
  readonly id: string
  readonly kind: string
  readonly queue: string
  readonly state: JobState
  readonly args: Args
  /** Version of the args. */
  readonly version: number
  /** Lower goes first. */
  readonly priority: number
  /** The attempt that runs or ran last; 0 before the first. */
  readonly attempt: number
  readonly maxAttempts: number
  /** Attempts that were cut off by the death of their runner. They do not count as attempts. */
  readonly crashes: number
  readonly timeoutMs: number | undefined
  readonly tags: readonly string[]
  readonly enqueuedAt: number
  /** Not before that time. */
  readonly runAt: number
  /** When the last attempt began. */
  readonly startedAt: number | undefined
  readonly finishedAt: number | undefined
  /** Id of the runner that holds it, or held it last. */
  readonly runner: string | undefined
  /** What the handler returned. */
  readonly result: Result | undefined
  /** What the handler reported last. */
  readonly progress: unknown
  /** Of the last attempt that failed. */
  readonly error: Failure | undefined
  /** Why it was cancelled, or is to be. */
  readonly cancelReason: string | undefined
  /** The attempts that did not complete it, oldest first; the newest 25. */
  readonly history: readonly AttemptRecord[]
}

/** A stored job with its texts read. */
export function toJob(stored: StoredJob): Job {
  const { args, result, progress, failure, seq: _seq, uniqueKey: _uniqueKey, ...rest } = stored
  return {
    ...rest,
    args: decodeArgs(args),
    result: result === undefined ? undefined : decodePayload(result),
    progress: progress === undefined ? undefined : decodePayload(progress),
    error: failure,
  }
}
