import type { RunnerOptions } from '../../src/index.ts'
import type { StoreMethod } from '../../src/testing/faulty-store.ts'

/** Where in a call of the store a process dies. */
export type FatalPlace =
  /** Before the call is made. */
  | 'before'
  /** Inside its transaction, after so many statements: see `statements`. */
  | 'inside'
  /** All is said but the COMMIT. */
  | 'before commit'
  /** It is durable; nobody has been told. */
  | 'after commit'
  /** The answer is there; what follows from it has not happened. */
  | 'answered'

/** Which call of the store is the last one. */
export interface FatalCall {
  readonly method: StoreMethod
  readonly nth: number
  readonly place: FatalPlace
  readonly statements?: number
  /** Of `claim` and `settle`: only answers that bring jobs count. Then `nth` is that of the answer. */
  readonly withJobs?: boolean
}

/** Options of a runner that can be told to another process. */
export type PlainRunnerOptions = Pick<
  RunnerOptions,
  | 'queues'
  | 'leaseMs'
  | 'heartbeatMs'
  | 'sweepMs'
  | 'pollMs'
  | 'crashLimit'
  | 'graceMs'
  | 'abandonMs'
  | 'strayErrors'
  | 'retention'
  | 'signals'
  | 'name'
>

/** What a process is given to begin with. */
export interface Opening {
  /** The file of the store. */
  readonly path: string
  readonly ledger: string
  readonly busyTimeoutMs?: number
  /** Without it the process is a client. */
  readonly runner?: PlainRunnerOptions
  readonly fatal?: FatalCall
  /** Its wall clock can be set wrong, by a command: where that of the machine cannot. */
  readonly hasClockOfItsOwn?: boolean
  /** Its start is stopped at once, so many times. */
  readonly stopsAtOnce?: number
  /** Its runner has kinds whose handlers run on so many threads (F14). */
  readonly threads?: number
  /** Listeners and a logger that do what they must not (F43). */
  readonly badListeners?: BadListeners
}

/** What listeners and the logger do. */
export type BadListeners = 'throw' | 'reject' | 'never settle' | 'are slow'
