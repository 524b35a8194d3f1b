import { randomFrom } from '../shared/random.ts'

/** Makes a program crash at random: the same dice for the same seed. */
export class Accidents {
  readonly #probability: number
  readonly #random: () => number
  #count = 0

  constructor(probability: number, seed: number) {
    this.#probability = probability
    this.#random = randomFrom(seed)
  }

  get count(): number {
    return this.#count
  }

  /** Throws, now and then. */
  mayHappen(): void {
    if (this.#random() >= this.#probability) return
    this.#count++
    throw new Error(`accident ${this.#count}`)
  }
}
