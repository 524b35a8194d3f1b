import { randomFrom } from '../shared/random.ts'
import type { Found } from './numbers.ts'

export interface FeedOptions {
  readonly name: string
  readonly seed: number
  /** How many numbers there are at the beginning. */
  readonly waiting: number
  /** The mean time between two new ones, in milliseconds. */
  readonly meanMs: number
  /** There are no new ones from then on. */
  readonly untilMs: number
}

/** Which numbers there are by when. A number that nobody asks for waits. Time is given from outside, in milliseconds. */
export class NumberFeed {
  readonly #options: FeedOptions
  readonly #random: () => number
  #served = 0
  /** When the next number is there. */
  #nextAt: number

  constructor(options: FeedOptions) {
    this.#options = options
    this.#random = randomFrom(options.seed)
    this.#nextAt = options.waiting > 0 ? 0 : this.#after(0)
  }

  /** How many numbers have been handed out. */
  get served(): number {
    return this.#served
  }

  /** Hands out the oldest number, if there is one by now. */
  next(now: number): Found | undefined {
    if (this.#nextAt > now) return undefined
    this.#served++
    if (this.#served >= this.#options.waiting) this.#nextAt = this.#after(this.#nextAt)
    return { id: `${this.#options.name}-${this.#served}`, number: this.#number() }
  }

  #after(ms: number): number {
    const at = ms + this.#options.meanMs * (0.5 + this.#random())
    return at < this.#options.untilMs ? at : Infinity
  }

  /** Small, so that some come again; one in eight is below zero. */
  #number(): number {
    const number = Math.floor(this.#random() * 16)
    return this.#random() < 1 / 8 ? -1 - number : number
  }
}
