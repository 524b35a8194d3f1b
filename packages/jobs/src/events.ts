import { EventEmitter } from 'eventemitter3'
import type { Failure, Inserted, JobState } from './store.ts'
import { isThenable } from './thenable.ts'

/** What every event of a job says. `at` is milliseconds since 1970, by the clock of this process. */
export interface JobEvent {
  readonly id: string
  readonly kind: string
  readonly queue: string
  readonly at: number
}

/** An event of an attempt. */
export interface AttemptEvent extends JobEvent {
  readonly attempt: number
  readonly maxAttempts: number
  readonly runner: string
}

/** An attempt that is over, and whose end the store has taken. */
export interface EndedEvent extends AttemptEvent {
  /** How long the handler ran. */
  readonly durationMs: number
}

/**
 * What a client and a runner tell, each about what happened in this process. The end of an attempt is told once the store has it. A
 * listener that throws changes nothing for the job: what it threw is logged (JOB-18).
 */
export interface JobEvents {
  /** Stored, or found to be there already. */
  enqueued: [event: JobEvent & { readonly outcome: Inserted['outcome'] }]
  started: [event: AttemptEvent]
  completed: [event: EndedEvent & { readonly result: unknown }]
  /** An attempt failed. `state` is what became of the job: `delayed` or `waiting` if it is tried again, after `retryInMs`. */
  failed: [event: EndedEvent & { readonly failure: Failure; readonly state: JobState; readonly retryInMs: number | undefined }]
  discarded: [event: EndedEvent & { readonly failure: Failure }]
  /** A job that this runner held is cancelled. One that nobody held was cancelled by the call alone, and no event tells of it. */
  cancelled: [event: JobEvent & { readonly reason: string }]
  snoozed: [event: EndedEvent & { readonly inMs: number }]
  /** An attempt that had begun was given back unfinished, because the runner stops. */
  released: [event: AttemptEvent]
  progress: [event: AttemptEvent & { readonly progress: unknown }]
  /** Taken back from a runner that died. */
  rescued: [event: JobEvent & { readonly state: JobState }]
  /** The job was taken away from this runner while it ran; what its handler brings is refused. */
  leaseLost: [event: AttemptEvent]
  /** A handler did not end although its signal is aborted. Its place is given to others; what it brings is not waited for (`HANDLER_STUCK`). */
  stuck: [event: AttemptEvent]
  /** The event loop was blocked for so long (`EVENT_LOOP_BLOCKED`). */
  blocked: [event: { readonly ms: number; readonly at: number }]
  /** A call of the store failed; it is tried again. */
  storeError: [event: { readonly operation: string; readonly error: unknown; readonly at: number }]
  /** After failures the store answers again. */
  storeRecovered: [event: { readonly at: number }]
  /** A stop was requested; running handlers may finish. */
  stopping: [event: { readonly at: number }]
  queueAdded: [event: { readonly queue: string; readonly at: number }]
  queueRemoved: [event: { readonly queue: string; readonly at: number }]
  /** A queue has found nothing to do. */
  idle: [event: { readonly queue: string; readonly at: number }]
  pruned: [event: { readonly count: number; readonly at: number }]
}

type Listener = Parameters<EventEmitter<JobEvents>['on']>[1]

/** The bus: a listener that throws is told about by `report`, and nothing else comes of it. */
export class JobEventBus extends EventEmitter<JobEvents> {
  readonly #report: (name: string, error: unknown) => void
  /** By listener, then by event. */
  readonly #guards = new WeakMap<Listener, Map<keyof JobEvents, Listener>>()

  constructor(report: (name: string, error: unknown) => void) {
    super()
    this.#report = report
  }

  override on(...[name, listener, context]: Parameters<EventEmitter<JobEvents>['on']>): this {
    return super.on(name, this.#guarded(name, listener), context)
  }

  override addListener(...args: Parameters<EventEmitter<JobEvents>['on']>): this {
    return this.on(...args)
  }

  override once(...[name, listener, context]: Parameters<EventEmitter<JobEvents>['once']>): this {
    return super.once(name, this.#guarded(name, listener), context)
  }

  override removeListener(...[name, listener, context, once]: Parameters<EventEmitter<JobEvents>['removeListener']>): this {
    return super.removeListener(name, listener === undefined ? undefined : this.#guarded(name, listener), context, once)
  }

  override off(...args: Parameters<EventEmitter<JobEvents>['removeListener']>): this {
    return this.removeListener(...args)
  }

  /** The same guard for the same listener, so that it can be removed. */
  #guarded(name: keyof JobEvents, listener: Listener): Listener {
    const guards = this.#guards.get(listener) ?? new Map<keyof JobEvents, Listener>()
    const known = guards.get(name)
    if (known !== undefined) return known
    const failed = (error: unknown): void => this.#report(name, error)
    const guard = function (this: unknown, ...events: Parameters<Listener>): void {
      try {
        const value: unknown = listener.apply(this, events)
        // An async listener that rejects would otherwise end the process
        if (isThenable(value)) value.then(undefined, failed)
      } catch (error) {
        failed(error)
      }
    }
    this.#guards.set(listener, guards.set(name, guard))
    this.#guards.set(guard, new Map([[name, guard]]))
    return guard
  }
}
