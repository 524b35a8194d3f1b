import type { Logger } from '@genstage/core'
import type { JobClient } from '../job-client.ts'
import type { JobContext } from '../job-context.ts'
import { decodePayload } from '../payload.ts'
import type { ClaimedJob, LogEntry } from '../store.ts'

/** An attempt as its handler sees it. */
export interface AttemptView {
  readonly job: ClaimedJob
  readonly signal: AbortSignal
  readonly stopping: AbortSignal
  readonly engine: { readonly logger: Logger; readonly client: JobClient }
  progress(value: unknown): void
  log(message: string, level: LogEntry['level']): void
}

/** The context of one attempt. Its signals are made when somebody reads them. */
export class AttemptContext implements JobContext {
  readonly args: unknown
  readonly #attempt: AttemptView

  constructor(attempt: AttemptView, args: unknown) {
    this.#attempt = attempt
    this.args = args
  }

  get id(): string {
    return this.#attempt.job.id
  }

  get kind(): string {
    return this.#attempt.job.kind
  }

  get queue(): string {
    return this.#attempt.job.queue
  }

  get attempt(): number {
    return this.#attempt.job.attempt
  }

  get maxAttempts(): number {
    return this.#attempt.job.maxAttempts
  }

  get crashes(): number {
    return this.#attempt.job.crashes
  }

  get priority(): number {
    return this.#attempt.job.priority
  }

  get enqueuedAt(): number {
    return this.#attempt.job.enqueuedAt
  }

  get runAt(): number {
    return this.#attempt.job.runAt
  }

  get signal(): AbortSignal {
    return this.#attempt.signal
  }

  get stopping(): AbortSignal {
    return this.#attempt.stopping
  }

  get lastProgress(): unknown {
    const { progress } = this.#attempt.job
    return progress === undefined ? undefined : decodePayload(progress)
  }

  get logger(): Logger {
    return this.#attempt.engine.logger
  }

  get client(): JobClient {
    return this.#attempt.engine.client
  }

  // Functions of their own: handlers take what they need out of the context
  readonly progress = (value: unknown): void => this.#attempt.progress(value)
  readonly log = (message: string, level: LogEntry['level'] = 'info'): void => this.#attempt.log(message, level)
}
