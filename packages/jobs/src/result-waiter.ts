import type { Clock, Logger } from '@genstage/core'
import { JobsError } from './errors.ts'
import { failureError } from './failure.ts'
import { JobLooks, type Watch } from './job-looks.ts'
import { decodePayload } from './payload.ts'
import type { Store, StoredJob } from './store.ts'
import { clearTimer } from './timers.ts'

/** How to wait for a result. */
export interface ResultOptions {
  /** Gives up after so many milliseconds (`TIMEOUT`), from the call on; the job goes on. Default: never. */
  readonly timeoutMs?: number
  /** Gives up with the signal's reason, at once if it is aborted already. */
  readonly signal?: AbortSignal
}

interface Waiter {
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
}

/** What a `ResultWaiter` is made of. */
export interface ResultWaiterParts {
  readonly store: Store
  /** Until then nothing is read; its failure is that of every wait. */
  readonly opened: Promise<void>
  readonly clock: Clock
  readonly logger: Logger
  /** How often the store is asked, whatever it tells by itself. */
  readonly pollMs: number
}

/** Waits for the ends of jobs: told by hints of the store, with a look every now and then as the net. */
export class ResultWaiter implements Watch {
  readonly #store: Store
  readonly #opened: Promise<void>
  readonly #clock: Clock
  readonly #pollMs: number
  readonly #looks: JobLooks
  readonly #waiters = new Map<string, Set<Waiter>>()
  #unlisten: (() => void) | undefined
  #timer: Disposable | undefined

  constructor({ store, opened, clock, logger, pollMs }: ResultWaiterParts) {
    this.#store = store
    this.#opened = opened
    this.#clock = clock
    this.#pollMs = pollMs
    this.#looks = new JobLooks(store, clock, logger, this)
  }

  /** Both `timeoutMs` and `signal` count from now on, whether or not the store is open. */
  wait(
    id: string,
    { timeoutMs, signal }: { readonly timeoutMs: number | undefined; readonly signal: AbortSignal | undefined },
  ): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason as Error)
      const timer =
        timeoutMs === undefined
          ? undefined
          : this.#clock.setTimer(timeoutMs, () =>
              done(() => reject(new JobsError('TIMEOUT', `job ${id} had no result after ${timeoutMs} ms`, { job: id }))),
            )
      const aborted = (): void => done(() => reject(signal?.reason as Error))
      const done = (settle: () => void): void => {
        clearTimer(timer)
        signal?.removeEventListener('abort', aborted)
        this.#remove(id, waiter)
        settle()
      }
      const waiter: Waiter = {
        resolve: result => done(() => resolve(result)),
        reject: error => done(() => reject(error as Error)),
      }
      signal?.addEventListener('abort', aborted)
      this.#add(id, waiter)
    })
  }

  /** Nobody is answered any more: all waits reject with `STOPPED`. */
  close(): void {
    for (const id of this.#waiters.keys()) this.unreadable([id], new JobsError('STOPPED', 'the client was closed'))
  }

  isAwaited(id: string): boolean {
    return this.#waiters.has(id)
  }

  awaited(): Iterator<string> {
    return this.#waiters.keys()
  }

  found(id: string, job: StoredJob | undefined): void {
    for (const waiter of this.#waiters.get(id) ?? []) answer(id, job, waiter)
  }

  unreadable(ids: readonly string[], error: unknown): void {
    for (const id of ids) for (const { reject } of this.#waiters.get(id) ?? []) reject(error)
  }

  #add(id: string, waiter: Waiter): void {
    const waiters = this.#waiters.get(id) ?? new Set()
    waiters.add(waiter)
    this.#waiters.set(id, waiters)
    this.#opened.then(() => this.#look(id), waiter.reject)
  }

  #look(id: string): void {
    if (!this.#waiters.has(id)) return
    this.#unlisten ??= this.#store.listen(hint => {
      if (hint.type === 'finished') {
        if (this.#waiters.has(hint.id)) this.#looks.lookAt(hint.id)
      } else if (hint.type === 'changed') this.#looks.lookAtAll()
    })
    this.#arm()
    this.#looks.lookAt(id)
  }

  #remove(id: string, waiter: Waiter): void {
    const waiters = this.#waiters.get(id)
    waiters?.delete(waiter)
    if (waiters?.size === 0) this.#waiters.delete(id)
    if (this.#waiters.size > 0) return
    this.#looks.stop()
    this.#unlisten?.()
    this.#unlisten = undefined
    clearTimer(this.#timer)
    this.#timer = undefined
  }

  #arm(): void {
    this.#timer ??= this.#clock.setTimer(this.#pollMs, () => {
      this.#timer = undefined
      this.#looks.lookAtAll()
      this.#arm()
    })
  }
}

function answer(id: string, job: StoredJob | undefined, { resolve, reject }: Waiter): void {
  if (job === undefined) return reject(new JobsError('JOB_REMOVED', `there is no job ${id}, or not any more`, { job: id }))
  const details = { job: id, kind: job.kind, queue: job.queue }
  switch (job.state) {
    case 'completed':
      try {
        return resolve(job.result === undefined ? undefined : decodePayload(job.result))
      } catch (error) {
        return reject(error)
      }
    case 'failed':
    case 'discarded': {
      const cause = job.failure === undefined ? undefined : failureError(job.failure)
      const code = job.state === 'failed' ? 'JOB_FAILED' : 'JOB_DISCARDED'
      return reject(
        new JobsError(
          code,
          `job ${id} (${job.kind}) ${job.state === 'failed' ? 'failed' : 'was discarded'}: ${job.failure?.message ?? 'no reason is known'}`,
          {
            ...details,
            cause,
          },
        ),
      )
    }
    case 'cancelled':
      return reject(new JobsError('JOB_CANCELLED', `job ${id} (${job.kind}) was cancelled: ${job.cancelReason ?? ''}`, details))
    default:
  }
}
