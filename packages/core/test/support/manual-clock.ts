/** A clock that moves only when the test says so. */
import type { Clock } from '@genstage/core'

interface Due {
  readonly at: number
  readonly callback: () => void
}

export class ManualClock implements Clock {
  #now = 0
  readonly #timers = new Set<Due>()

  now(): number {
    return this.#now
  }

  wallTime(): number {
    return this.#now
  }

  setTimer(ms: number, callback: () => void): Disposable {
    const timer: Due = { at: this.#now + ms, callback }
    this.#timers.add(timer)
    const dispose = (): void => void this.#timers.delete(timer)
    return { [Symbol.dispose ?? Symbol.for('Symbol.dispose')]: dispose } as Disposable
  }

  /** Moves on, and calls back the timers that are due by then, one after the other. */
  advance(ms: number): void {
    const end = this.#now + ms
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#timers.delete(next)
      this.#now = next.at
      next.callback()
    }
    this.#now = end
  }

  #next(end: number): Due | undefined {
    return [...this.#timers].filter(timer => timer.at <= end).toSorted((a, b) => a.at - b.at)[0]
  }
}
