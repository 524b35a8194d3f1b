import type { Clock } from '@genstage/core'

/** So long SQLite itself may wait for a lock, during which this process stands still: less than anybody notices. */
export const busySpinMs = 2
/** Between two tries; from one to the other twice as long. */
const longestPauseMs = 20
/** The longest time that a timer of Node takes. */
const forEver = 2 ** 31 - 1

/** How one that opens a file waits while another process writes: timers try again, until the deadline. */
export class Patience {
  readonly #clock: Clock
  readonly #deadline: number
  readonly #pauses: Pauses

  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock
    this.#deadline = clock.now() + timeoutMs
    this.#pauses = new Pauses(clock)
  }

  /** Waits a little; `false` if the time is over. */
  async wait(): Promise<boolean> {
    const left = this.#deadline - this.#clock.now()
    if (left <= 0) return false
    await this.#pauses.next(left)
    return true
  }
}

/**
 * For how long other processes have kept this one waiting, all times added up. A call notes it when it is made: what has been added
 * since is what the call has waited for others, however much of our own work stood before it.
 */
export class LockedTime {
  readonly #clock: Clock
  readonly #pauses: Pauses
  #before = 0
  /** When the lock was met; undefined while nobody keeps us waiting. */
  #since: number | undefined

  constructor(clock: Clock) {
    this.#clock = clock
    this.#pauses = new Pauses(clock)
  }

  /** Milliseconds until now. */
  get ms(): number {
    return this.#since === undefined ? this.#before : this.#before + this.#clock.now() - this.#since
  }

  /** Another process holds the lock. */
  met(): void {
    this.#since ??= this.#clock.now()
  }

  /** It does not hold it any more. */
  passed(): void {
    if (this.#since === undefined) return
    this.#before = this.ms
    this.#since = undefined
    this.#pauses.reset()
  }

  /** Waits a little before the next try, at most so long. */
  async pause(mostMs: number): Promise<void> {
    await this.#pauses.next(mostMs)
  }
}

/** The pauses between tries. */
class Pauses {
  readonly #clock: Clock
  #ms = 1

  constructor(clock: Clock) {
    this.#clock = clock
  }

  async next(mostMs: number): Promise<void> {
    await later(this.#clock, Math.min(this.#ms, mostMs))
    this.#ms = Math.min(longestPauseMs, this.#ms * 2)
  }

  reset(): void {
    this.#ms = 1
  }
}

/** The timers of a clock keep no process alive. Somebody waits for this one, so it is kept alive until then. */
async function later(clock: Clock, ms: number): Promise<void> {
  const hold = setInterval(() => {}, forEver)
  await new Promise<void>(resolve => void clock.setTimer(ms, resolve))
  clearInterval(hold)
}
