import type { JobClient } from './job-client.ts'
import type { QueueOptions } from './queue-options.ts'

/** How a runner stops. */
export interface RunnerStopOptions {
  /** How long running handlers may take to finish before their `signal` is aborted. Default: `graceMs` of the runner. 0 aborts at once. */
  readonly graceMs?: number
}

/** A queue as a runner works on it: everything here is about this runner alone. See `JobClient.pauseQueue` for all runners. */
export interface RunnerQueue {
  readonly name: string
  readonly concurrency: number
  /** Handlers that run. */
  readonly running: number
  /** Attempts that have ended, however they ended. */
  readonly processed: number
  readonly isPaused: boolean
  /** From now on so many handlers at once; those that run are not touched. Refuses bad numbers with `BAD_OPTION`. */
  resize(concurrency: number): void
  /** Begins no more jobs here, and gives back those that have not begun. */
  pause(): void
  resume(): void
}

/** A client that also works: claims jobs of its queues and calls their handlers. */
export interface JobRunner extends JobClient {
  /** Under which the store knows it. A new one after the runner was taken for dead. */
  readonly id: string
  /**
   * Resolves when the runner has stopped; rejects if it could not start, or had to stop because of a stray error (`STRAY_ERROR`). A start that
   * fails while nobody has asked for `ready` or `done` is raised, as a rejection that nobody handles.
   */
  readonly done: Promise<void>
  /** Whether a stop was requested, by `stop` or by a signal. */
  readonly isStopping: boolean
  readonly queues: readonly RunnerQueue[]
  /** Throws `UNKNOWN_QUEUE` if the runner does not work on it. */
  queue(name: string): RunnerQueue
  /** Works on one more queue from now on. Refuses bad options (`BAD_OPTION`), bad names and one it works on already (`BAD_NAME`). */
  addQueue(name: string, options: number | QueueOptions): RunnerQueue
  /** Works on it no longer: resolves when what ran there has ended, as with `stop`. The jobs stay in the store. `UNKNOWN_QUEUE` if it is none of its. */
  dropQueue(name: string, options?: RunnerStopOptions): Promise<void>
  /**
   * Claims nothing more, lets running handlers finish for `graceMs`, aborts the others, gives unfinished jobs back with no attempt used
   * up, writes everything, leaves the store. Resolves when that is over. Safe at any time and twice; a second call with a shorter grace
   * shortens it. A handler may call it, but must not wait for it: it waits for the handler.
   */
  stop(options?: RunnerStopOptions): Promise<void>
}
