import type { Clock } from '@genstage/core'

interface Timer {
  readonly at: number
  readonly callback: () => void
}

/**
 * A clock that stands still until the test moves it. Timers fire in the order of their times, those of one time in the order in
 * which they were set.
 *
 * ```ts
 * const clock = new VirtualClock()
 * clock.setTimer(2_000, () => console.log('rang at', clock.now()))
 * clock.advance(5_000)
 * // => rang at 2000
 * ```
 */
export class VirtualClock implements Clock {
  #now = 0
  #wallTime: number
  /** By time, earliest first. */
  readonly #timers: Timer[] = []

  /** `wallTime` is where dates begin: milliseconds since 1970, 2000-01-01 by default. */
  constructor(wallTime: number = Date.UTC(2000, 0, 1)) {
    this.#wallTime = wallTime
  }

  now(): number {
    return this.#now
  }

  wallTime(): number {
    return this.#wallTime + this.#now
  }

  setTimer(ms: number, callback: () => void): Disposable {
    const timer: Timer = { at: this.#now + Math.max(0, ms), callback }
    const place = this.#timers.findIndex(other => other.at > timer.at)
    this.#timers.splice(place < 0 ? this.#timers.length : place, 0, timer)
    const dispose = (): void => {
      const index = this.#timers.indexOf(timer)
      if (index >= 0) this.#timers.splice(index, 1)
    }
    return { [Symbol.dispose ?? Symbol.for('Symbol.dispose')]: dispose } as Disposable
  }

  /** How many timers have not fired. */
  get pending(): number {
    return this.#timers.length
  }

  /** How many timers are the next, all at one time. */
  get nextCount(): number {
    return this.#timers.filter(timer => timer.at === this.nextAt).length
  }

  /** Moves on to the next timer, of those at one time the one at `index`, and fires it; false if there is none. */
  fireNext(index: number = 0): boolean {
    const [timer] = this.#timers.splice(index < this.nextCount ? index : 0, 1)
    if (timer === undefined) return false
    this.#now = timer.at
    timer.callback()
    return true
  }

  /** When the next timer fires; undefined if there is none. */
  get nextAt(): number | undefined {
    return this.#timers[0]?.at
  }

  /** Moves on by `ms`, and fires what becomes due on the way, also what is set meanwhile. */
  advance(ms: number): void {
    const until = this.#now + ms
    while (this.nextAt !== undefined && this.nextAt <= until) this.fireNext()
    this.#now = until
  }

  /** Sets the date forward or back, as an operator or a summer time would; durations know nothing of it. */
  jumpWallTime(ms: number): void {
    this.#wallTime += ms
  }
}
