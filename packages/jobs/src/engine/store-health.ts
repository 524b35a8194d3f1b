import type { Clock, Logger } from '@genstage/core'
import type { JobEventBus } from '../events.ts'

const firstDelayMs = 50
const longestDelayMs = 5_000

/** Whether the store answers. */
export interface StoreHealth {
  failed(operation: string, error: unknown): void
  worked(): void
  /** How long to wait before the next try: longer with every failure in a row. */
  readonly delayMs: number
}

/** Tells of failures of the store, once at the beginning and once at the end of each row of them, and how long to wait between tries. */
export class Health implements StoreHealth {
  readonly #clock: Clock
  readonly #random: () => number
  readonly #logger: Logger
  readonly #events: JobEventBus
  /** Failures in a row. */
  #failures = 0

  constructor(clock: Clock, random: () => number, logger: Logger, events: JobEventBus) {
    this.#clock = clock
    this.#random = random
    this.#logger = logger
    this.#events = events
  }

  /** Half of it is chance, so that many runners do not come back at one moment. */
  get delayMs(): number {
    const longest = Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(this.#failures, 10))
    return longest / 2 + (longest / 2) * this.#random()
  }

  failed(operation: string, error: unknown): void {
    if (this.#failures++ === 0)
      this.#logger.error(`the store failed (${operation}); it is tried again`, { code: codeOf(error), operation, error })
    this.#events.emit('storeError', { operation, error, at: this.#clock.wallTime() })
  }

  worked(): void {
    if (this.#failures === 0) return
    this.#failures = 0
    this.#logger.info('the store works again')
    this.#events.emit('storeRecovered', { at: this.#clock.wallTime() })
  }
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : 'STORE_FAILED'
}
