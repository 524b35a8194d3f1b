import type { EventEmitter } from 'eventemitter3'
import type { EnqueueOptions } from './enqueue-options.ts'
import type { EnqueuedJob } from './enqueued-job.ts'
import type { JobEvents } from './events.ts'
import type { Job } from './job.ts'
import type { Kind } from './kind-type.ts'
import type { JobList, ListOptions } from './list-options.ts'
import type { RegisteredRunner } from './registered-runner.ts'
import type { ResultOptions } from './result-waiter.ts'
import type { LogEntry, StoreStats } from './store.ts'

/** When a job is to run: one of the two. */
export interface RescheduleOptions {
  /** So many milliseconds from now. */
  readonly delayMs?: number
  readonly runAt?: Date
}

/**
 * Puts jobs into a store, looks at them and changes them. It runs none: see `startRunner`. Everything rejects with the store's codes when
 * the store fails, and with `STOPPED` after `close`. Ids that are no UUIDs and names that are none are refused (`BAD_OPTION`,
 * `BAD_NAME`).
 */
export interface JobClient extends AsyncDisposable {
  /** The store is open. Rejects with its code if that failed; calls made before wait for it. */
  readonly ready: Promise<void>
  readonly events: EventEmitter<JobEvents>

  /**
   * Stores a job. Resolves when it is durable; it may have begun by then. Calls of one turn of the event loop become one write. Refuses
   * args that JSON would change (`BAD_PAYLOAD`), that are too large (`PAYLOAD_TOO_LARGE`) or that the schema refuses (`INVALID_ARGS`), an id
   * that another job has (`ID_CONFLICT`), a text that names no kind known here (`UNKNOWN_KIND`), and bad options (`BAD_OPTION`).
   */
  enqueue<Args, Result>(
    kind: Kind<Args, Result>,
    args: NoInfer<Args>,
    options?: EnqueueOptions,
  ): Promise<EnqueuedJob<Args, Result>>
  /** The same of a kind that takes no args. */
  enqueue<Result>(kind: Kind<void, Result>, args?: undefined, options?: EnqueueOptions): Promise<EnqueuedJob<void, Result>>
  /**
   * The same by name. Where the client was given no kinds, any name will do: queue, attempts and the rest are then those of `options`, not
   * what the kind says where it is handled.
   */
  enqueue(kind: string, args?: unknown, options?: EnqueueOptions): Promise<EnqueuedJob>
  /** Stores a job for each args, all or none, in one write; the same options for all. At most 1,000,000. The error names the `index` that was refused. */
  enqueueMany<Args, Result>(
    kind: Kind<Args, Result>,
    args: readonly Args[],
    options?: Omit<EnqueueOptions, 'id' | 'unique' | 'debounce' | 'throttle'>,
  ): Promise<readonly EnqueuedJob<Args, Result>[]>

  /** The job as it stands, in whatever queue and state it is; undefined if there is none. */
  find(id: string): Promise<Job | undefined>
  /** The same with the types of its kind; undefined also if the job is of another kind. */
  find<Args, Result>(kind: Kind<Args, Result>, id: string): Promise<Job<Args, Result> | undefined>
  /** Jobs, newest first, a page at a time (100 by default, 1,000 at most). */
  list(options?: ListOptions): Promise<JobList>
  /** The same of one kind, with its types. */
  list<Args, Result>(kind: Kind<Args, Result>, options?: Omit<ListOptions, 'kinds'>): Promise<JobList<Args, Result>>
  /** The lines that handlers wrote for this job, oldest first. */
  logs(id: string): Promise<readonly LogEntry[]>
  /** Waits for the end of a job; see `EnqueuedJob.result`. */
  result(id: string, options?: ResultOptions): Promise<unknown>

  /** Removes a job that does not run: `running` and `missing` say why it was not. */
  remove(id: string): Promise<'removed' | 'running' | 'missing'>
  /**
   * Cancels a job: at once if it does not run (`cancelled`). Else its handler's signal is aborted, in whatever process it runs
   * (`requested`); if it gives up the job is cancelled, if it returns all the same it is completed. Default reason: `cancelled`.
   */
  cancel(id: string, reason?: string): Promise<'cancelled' | 'requested' | 'finished' | 'missing'>
  /** Gives a job that does not run yet another time. */
  reschedule(id: string, options: RescheduleOptions): Promise<'rescheduled' | 'running' | 'finished' | 'missing'>
  /** Lets a delayed job run now. */
  runNow(id: string): Promise<'rescheduled' | 'running' | 'finished' | 'missing'>
  /**
   * Puts a job that failed, was discarded or cancelled back into its queue, with all attempts ahead of it. It does not take its unique key
   * again.
   */
  retry(id: string): Promise<'retried' | 'active' | 'completed' | 'missing'>

  /** Counts by queue and state, and of all that was ever processed and failed. As fast with a million jobs as with none. */
  stats(): Promise<StoreStats>
  /** How many jobs wait in a queue, delayed ones included. */
  queueDepth(queue: string): Promise<number>
  queueDepths(): Promise<Readonly<Record<string, number>>>
  /** The runners that live, of one queue or of all: those that have been heard of within their lease. */
  runners(queue?: string): Promise<readonly RegisteredRunner[]>
  /** From now on nobody claims jobs of this queue. Those that run go on. */
  pauseQueue(queue: string): Promise<void>
  resumeQueue(queue: string): Promise<void>
  /** Removes the jobs of a queue that do not run and have not ended. Answers how many. */
  clearQueue(queue: string): Promise<number>
  /** Removes a queue with its finished jobs. Rejects with `QUEUE_NOT_EMPTY` while it has others. */
  removeQueue(queue: string): Promise<void>

  /** Finishes what was called before and lets go of the store; waits for results end at once (`STOPPED`). Safe twice. */
  close(): Promise<void>
}
