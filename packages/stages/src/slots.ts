/** So many at a time: what comes beyond that waits its turn, in the order in which it came. */
export class Slots {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(count: number) {
    this.#free = count
  }

  /** Runs `work` when there is a slot; at once if there is one now. Settles as it does. */
  async run<T>(work: () => T | PromiseLike<T>): Promise<T> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>(resolve => this.#waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      // The slot is handed on: whoever comes in between does not get ahead
      if (next === undefined) this.#free++
      else next()
    }
  }
}
