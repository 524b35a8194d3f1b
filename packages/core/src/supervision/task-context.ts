import { abortError } from '../context.ts'
import type { Logger } from '../logger.ts'
import type { Reason } from '../reason.ts'

/** What an async function that handles one event gets. */
export interface TaskContext {
  /** Aborted when the task was told to stop and the time of `shutdown` is up. Give up at once: nobody waits any longer. */
  readonly signal: AbortSignal
  /** Aborted as soon as a stop is requested, of the supervisor or of this task. */
  readonly stopping: AbortSignal
  /** How often this event has been tried before; 0 in the first try. */
  readonly restartCount: number
  readonly logger: Logger
}

/** The context of one try. Its signals are made when somebody reads them: most tasks never do. */
export class LazyTaskContext implements TaskContext {
  readonly restartCount: number
  readonly logger: Logger
  #stopping: AbortController | undefined
  #signal: AbortController | undefined
  /** Why the signals are aborted, once they are. */
  #stoppingFor: Reason | undefined
  #signalFor: Reason | undefined

  constructor(restartCount: number, logger: Logger) {
    this.restartCount = restartCount
    this.logger = logger
  }

  get stopping(): AbortSignal {
    this.#stopping ??= controller(this.#stoppingFor)
    return this.#stopping.signal
  }

  get signal(): AbortSignal {
    this.#signal ??= controller(this.#signalFor)
    return this.#signal.signal
  }

  /** A stop was requested. */
  abortStopping(reason: Reason): void {
    if (this.#stoppingFor !== undefined) return
    this.#stoppingFor = reason
    this.#stopping?.abort(abortError(reason))
  }

  /** Time is up. */
  abortAll(reason: Reason): void {
    this.abortStopping(reason)
    if (this.#signalFor !== undefined) return
    this.#signalFor = reason
    this.#signal?.abort(abortError(reason))
  }
}

/** A controller; aborted already if the signal is read too late. */
function controller(reason: Reason | undefined): AbortController {
  const made = new AbortController()
  if (reason !== undefined) made.abort(abortError(reason))
  return made
}
