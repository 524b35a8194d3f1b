import type { Job } from './job.ts'
import type { ResultOptions } from './result-waiter.ts'
import type { Inserted } from './store.ts'

/** What became of a request to cancel. */
export type CancelAnswer = 'cancelled' | 'requested' | 'finished' | 'missing'

/** A job that is in its store: what `enqueue` answers. */
export interface EnqueuedJob<out Args = unknown, out Result = unknown> {
  readonly id: string
  readonly kind: string
  /** Where the job is: for a duplicate, that of the job that was there. */
  readonly queue: string
  /**
   * `inserted`; or, for one with a unique key: `duplicate`, if a job with the key was there (`id` is its id), `replaced`, if that one has
   * taken over the new args.
   */
  readonly outcome: Inserted['outcome']
  /** Whether this call has stored a job of its own. */
  readonly isNew: boolean
  /**
   * What the handler returned, once the job is completed. Rejects when it ends otherwise (`JOB_FAILED`, `JOB_DISCARDED`, `JOB_CANCELLED`,
   * `JOB_REMOVED`), with `TIMEOUT` after `timeoutMs`, with the signal's reason, and with `STOPPED` when the client is closed. Where the
   * store fails, it waits on, and a line of the log tells; with what does not pass by itself (`STORE_CORRUPT`, `SCHEMA_TOO_NEW`,
   * `BAD_CONFIG`), or a store that could not be opened, it rejects.
   */
  result(options?: ResultOptions): Promise<Result>
  /** The job as it stands now; undefined if it was removed. */
  find(): Promise<Job<Args, Result> | undefined>
  /** See `JobClient.cancel`. */
  cancel(reason?: string): Promise<CancelAnswer>
}

/** Who looks a job up for its handle. */
interface Owner {
  result(id: string, options?: ResultOptions): Promise<unknown>
  find(id: string): Promise<Job | undefined>
  cancel(id: string, reason?: string): Promise<CancelAnswer>
}

/** The same, at run time. */
export class JobHandle implements EnqueuedJob {
  readonly id: string
  readonly kind: string
  readonly queue: string
  readonly outcome: Inserted['outcome']
  readonly #owner: Owner

  constructor(owner: Owner, { id, outcome }: Inserted, kind: string, queue: string) {
    this.id = id
    this.kind = kind
    this.queue = queue
    this.outcome = outcome
    this.#owner = owner
  }

  get isNew(): boolean {
    return this.outcome === 'inserted'
  }

  result(options?: ResultOptions): Promise<unknown> {
    return this.#owner.result(this.id, options)
  }

  find(): Promise<Job | undefined> {
    return this.#owner.find(this.id)
  }

  cancel(reason?: string): Promise<CancelAnswer> {
    return this.#owner.cancel(this.id, reason)
  }
}
