import type { Clock } from '@genstage/core'
import { JobsError } from './errors.ts'
import { failureError } from './failure.ts'
import { decodePayload } from './payload.ts'
import type { Store, StoredJob } from './store.ts'
import { clearTimer } from './timers.ts'

/** How to wait for a result. */
export interface ResultOptions {
  /** Gives up after so many milliseconds (`TIMEOUT`); the job goes on. Default: never. */
  readonly timeoutMs?: number
  /** Gives up with the signal's reason. */
  readonly signal?: AbortSignal
}

interface Waiter {
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
}

/** Waits for the ends of jobs: told by hints of the store, with a look every now and then as the net. */
export class ResultWaiter {
  readonly #store: Store
  readonly #clock: Clock
  /** How often the store is asked, whatever it tells by itself. */
  readonly #pollMs: number
  readonly #waiters = new Map<string, Set<Waiter>>()
  #unlisten: (() => void) | undefined
  #timer: Disposable | undefined
  #looking: Set<string> | undefined
  #isClosed = false

  constructor(store: Store, clock: Clock, pollMs: number) {
    this.#store = store
    this.#clock = clock
    this.#pollMs = pollMs
  }

  wait(
    id: string,
    { timeoutMs, signal }: { readonly timeoutMs: number | undefined; readonly signal: AbortSignal | undefined },
  ): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason as Error)
      if (this.#isClosed) return reject(closed())
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
    this.#isClosed = true
    for (const waiters of this.#waiters.values()) for (const { reject } of waiters) reject(closed())
  }

  #add(id: string, waiter: Waiter): void {
    const waiters = this.#waiters.get(id) ?? new Set()
    waiters.add(waiter)
    this.#waiters.set(id, waiters)
    this.#unlisten ??= this.#store.listen(hint => {
      if (hint.type === 'finished') {
        if (this.#waiters.has(hint.id)) this.#look([hint.id])
      } else if (hint.type === 'changed') this.#look(this.#waiters.keys())
    })
    this.#arm()
    this.#look([id])
  }

  #remove(id: string, waiter: Waiter): void {
    const waiters = this.#waiters.get(id)
    waiters?.delete(waiter)
    if (waiters?.size === 0) this.#waiters.delete(id)
    if (this.#waiters.size > 0) return
    this.#unlisten?.()
    this.#unlisten = undefined
    clearTimer(this.#timer)
    this.#timer = undefined
  }

  #arm(): void {
    this.#timer ??= this.#clock.setTimer(this.#pollMs, () => {
      this.#timer = undefined
      if (this.#waiters.size === 0) return
      this.#look(this.#waiters.keys())
      this.#arm()
    })
  }

  /** Looks at these jobs; what is asked in the same turn goes into one read. */
  #look(ids: Iterable<string>): void {
    if (this.#looking !== undefined) {
      for (const id of ids) this.#looking.add(id)
      return
    }
    this.#looking = new Set(ids)
    queueMicrotask(() => {
      const looking = [...(this.#looking ?? [])]
      this.#looking = undefined
      void this.#read(looking)
    })
  }

  async #read(ids: readonly string[]): Promise<void> {
    let jobs: readonly (StoredJob | undefined)[]
    try {
      jobs = await this.#store.find(ids)
    } catch {
      return // the next look may do better
    }
    for (const [index, id] of ids.entries()) for (const waiter of this.#waiters.get(id) ?? []) answer(id, jobs[index], waiter)
  }
}

function closed(): JobsError {
  return new JobsError('STOPPED', 'the client was closed')
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
