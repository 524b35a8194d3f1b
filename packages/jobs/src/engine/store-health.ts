import type { Clock, Logger } from '@genstage/core'
import type { JobEventBus } from '../events.ts'

const firstDelayMs = 50
const longestDelayMs = 5_000

/** Whether the store answers. */
export interface StoreHealth {
  failed(operation: string, error: unknown): void
  worked(operation: string): void
  /** How long to wait before this is tried again: longer with every failure of it in a row, whatever else works meanwhile. */
  delayMs(operation: string): number
}

/** Tells of failures of the store, once at the beginning and once at the end of each row of them, and how long to wait between tries. */
export class Health implements StoreHealth {
  readonly #clock: Clock
  readonly #random: () => number
  readonly #logger: Logger
  readonly #events: JobEventBus
  /** Failures in a row, by operation. */
  readonly #failures = new Map<string, number>()
  /** The last call has failed. */
  #isFailing = false

  constructor(clock: Clock, random: () => number, logger: Logger, events: JobEventBus) {
    this.#clock = clock
    this.#random = random
    this.#logger = logger
    this.#events = events
  }

  /** Half of it is chance, so that many runners do not come back at one moment. */
  delayMs(operation: string): number {
    const longest = Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(this.#failures.get(operation) ?? 0, 10))
    return longest / 2 + (longest / 2) * this.#random()
  }

  failed(operation: string, error: unknown): void {
    this.#failures.set(operation, (this.#failures.get(operation) ?? 0) + 1)
    if (!this.#isFailing)
      this.#logger.error(
        `the store failed (${operation}); ${operation === 'report' ? 'what was reported is given up' : 'it is tried again'}`,
        {
          code: codeOf(error),
          operation,
          error,
        },
      )
    this.#isFailing = true
    this.#events.emit('storeError', { operation, error, at: this.#clock.wallTime() })
  }

  worked(operation: string): void {
    this.#failures.delete(operation)
    if (!this.#isFailing) return
    this.#isFailing = false
    this.#logger.info('the store works again')
    this.#events.emit('storeRecovered', { at: this.#clock.wallTime() })
  }
}

/** The code of what a store rejected with. */
export function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : 'STORE_FAILED'
}
