import type { Clock } from '@genstage/core'

/** Rates are looked at over at least so long; what was before counts half as much each time that so long has passed. */
const windowMs = 20

/**
 * How many jobs to claim beyond those that can start at once: as many as the queue has lately ended in `prefetchMs`. So short jobs do not
 * wait for the store, and of long ones none lies claimed in one process while another has nothing to do.
 */
export class Prefetch {
  readonly #clock: Clock
  readonly #prefetchMs: number
  readonly #most: number
  #since: number
  #ended = 0
  /** Jobs per millisecond, of late. */
  #rate = 0

  constructor(clock: Clock, prefetchMs: number, most: number) {
    this.#clock = clock
    this.#prefetchMs = prefetchMs
    this.#most = most
    this.#since = clock.now()
  }

  /** Some jobs have ended. */
  ended(count: number): void {
    this.#ended += count
  }

  /** How many to hold. */
  get target(): number {
    if (this.#prefetchMs === 0) return 0
    const passed = this.#clock.now() - this.#since
    if (passed >= windowMs) {
      const before = 0.5 ** (passed / windowMs)
      this.#rate = this.#rate * before + (this.#ended / passed) * (1 - before)
      this.#ended = 0
      this.#since += passed
    }
    return Math.min(this.#most, Math.floor(this.#rate * this.#prefetchMs))
  }
}
