import type { Clock } from '@genstage/core'

/** So long SQLite itself may wait for a lock, during which this process stands still: less than anybody notices. */
export const busySpinMs = 2
/** Between two tries; from one to the other twice as long. */
const longestPauseMs = 20
/** The longest time that a timer of Node takes. */
const forEver = 2 ** 31 - 1

/** How a call waits while another process writes: timers try again, until the deadline. */
export class Patience {
  readonly #clock: Clock
  readonly #deadline: number
  #pauseMs = 1

  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock
    this.#deadline = clock.now() + timeoutMs
  }

  /** Waits a little; `false` if the time is over. */
  async wait(): Promise<boolean> {
    const left = this.#deadline - this.#clock.now()
    if (left <= 0) return false
    await later(this.#clock, Math.min(this.#pauseMs, left))
    this.#pauseMs = Math.min(longestPauseMs, this.#pauseMs * 2)
    return true
  }
}

/** The timers of a clock keep no process alive. Somebody waits for this one, so it is kept alive until then. */
async function later(clock: Clock, ms: number): Promise<void> {
  const hold = setInterval(() => {}, forEver)
  await new Promise<void>(resolve => void clock.setTimer(ms, resolve))
  clearInterval(hold)
}
