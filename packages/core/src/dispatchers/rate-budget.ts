import { Queue } from '../queue.ts'

/** How many events may pass, by the clock. It never gives more than its limit allows, whatever it is asked. */
export interface RateBudget {
  /** How many may pass now. */
  available(now: number): number
  /** So many pass now: at most what is available. */
  spend(count: number, now: number): void
  /** When more will be available than now, for somebody who could use `wanted` in all; undefined if that will never be. */
  moreAt(wanted: number, now: number): number | undefined
}

/** At most `events` in any stretch of `perMs` milliseconds, wherever it begins: what left at one moment is made up for `perMs` later. */
export class WindowBudget implements RateBudget {
  readonly #events: number
  readonly #perMs: number
  /** What passed within the last `perMs`, oldest first. */
  readonly #passed = new Queue<{ readonly at: number; count: number }>()
  #newest: { readonly at: number; count: number } | undefined
  #used = 0

  constructor(events: number, perMs: number) {
    this.#events = events
    this.#perMs = perMs
  }

  available(now: number): number {
    for (let oldest = this.#passed.at(0); oldest !== undefined && this.#endOf(oldest.at) <= now; oldest = this.#passed.at(0)) {
      this.#used -= oldest.count
      this.#passed.shift()
    }
    return this.#events - this.#used
  }

  spend(count: number, now: number): void {
    this.#used += count
    if (this.#newest?.at === now && this.#passed.length > 0) this.#newest.count += count
    else {
      this.#newest = { at: now, count }
      this.#passed.push(this.#newest)
    }
  }

  moreAt(wanted: number, now: number): number | undefined {
    if (wanted <= this.available(now)) return undefined
    const oldest = this.#passed.at(0)
    return oldest === undefined ? undefined : this.#endOf(oldest.at)
  }

  #endOf(at: number): number {
    return at + this.#perMs
  }
}

/**
 * A bucket that holds `burst` tokens and gets `events` of them in `perMs` milliseconds, evenly; each event takes one out. So in any
 * stretch of w milliseconds at most burst + w · events / perMs pass.
 */
export class BucketBudget implements RateBudget {
  readonly #events: number
  readonly #perMs: number
  readonly #burst: number
  /** When the bucket was full for the last time, or at least when something was first taken out since. */
  #fullAt = 0
  /** How many were taken out since then. Whole numbers at both ends: nothing adds up to a little too much. */
  #taken = 0

  constructor(events: number, perMs: number, burst: number) {
    this.#events = events
    this.#perMs = perMs
    this.#burst = burst
  }

  available(now: number): number {
    return Math.min(this.#burst, this.#burst + this.#refilled(now) - this.#taken)
  }

  spend(count: number, now: number): void {
    if (this.available(now) === this.#burst) {
      this.#fullAt = now
      this.#taken = 0
    }
    this.#taken += count
  }

  /** With an empty bucket the next token, else as many as are wanted: one at a time is dear, and those there are come first. */
  moreAt(wanted: number, now: number): number | undefined {
    const available = this.available(now)
    const goal = available === 0 ? 1 : Math.min(wanted, this.#burst)
    if (goal <= available) return undefined
    const refilled = this.#taken - this.#burst + goal
    let at = this.#fullAt + (refilled * this.#perMs) / this.#events
    // The sum may be a rounding error early: then the token would not be there yet
    for (let step = Math.max(at * Number.EPSILON, Number.MIN_VALUE); this.#refilled(at) < refilled; step *= 2) at += step
    return at
  }

  /** Whole tokens that have come since the bucket was full. */
  #refilled(now: number): number {
    return Math.floor(((now - this.#fullAt) * this.#events) / this.#perMs)
  }
}
