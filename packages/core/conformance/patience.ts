/** How long the runner waits for a scenario to come to rest: long where something goes on, briefly where nothing does. */

/** Turns of the event loop in a row without an observation: far more than any step takes. */
const idleTurns = 200
/** Turns in all. */
const mostTurns = 100_000
/** Observations, so that a scenario without end fails before memory does. A million events make two to four million. */
const mostObservations = 5_000_000

export class Patience {
  /** How much was ever observed. */
  readonly #observed: () => number
  readonly #most: number
  readonly #first: number
  #last: number
  #turns = 0
  #idle = 0

  constructor(observed: () => number, most = mostObservations) {
    this.#observed = observed
    this.#most = most
    this.#first = this.#last = observed()
  }

  /** Takes one more turn into account; false when it has been enough. */
  lasts(): boolean {
    const observed = this.#observed()
    this.#idle = observed === this.#last ? this.#idle + 1 : 0
    this.#last = observed
    this.#turns++
    return this.#idle <= idleTurns && this.#turns <= mostTurns && observed - this.#first <= this.#most
  }

  /** What has been waited for in vain. */
  get spent(): string {
    if (this.#idle > idleTurns) return `nothing was observed in ${idleTurns} turns, and messages still wait`
    return `${this.#last - this.#first} observations in ${this.#turns} turns, and no end`
  }
}
