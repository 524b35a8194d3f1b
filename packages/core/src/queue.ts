const smallest = 4

/** Above this many places an emptied queue gives its memory back. */
const largestKept = 1024

/**
 * A first-in first-out queue that never moves its items: a ring whose size is a power of two, made at the first push.
 * `Array.shift` moves memory from some thousand items on (performance notes in the docs), a ring never does.
 */
export class Queue<T> {
  /** The places; `undefined` until something was pushed. */
  #places: (T | undefined)[] | undefined
  /** Place of the oldest item. */
  #head = 0
  #length = 0

  get length(): number {
    return this.#length
  }

  push(item: T): void {
    let places = this.#places
    if (places === undefined || this.#length === places.length) places = this.#grow()
    places[(this.#head + this.#length) & (places.length - 1)] = item
    this.#length++
  }

  /** Puts an item in front of all others. */
  unshift(item: T): void {
    let places = this.#places
    if (places === undefined || this.#length === places.length) places = this.#grow()
    this.#head = (this.#head - 1) & (places.length - 1)
    places[this.#head] = item
    this.#length++
  }

  /** Takes the oldest item; undefined if there is none. */
  shift(): T | undefined {
    const places = this.#places
    if (places === undefined || this.#length === 0) return undefined
    const item = places[this.#head]
    places[this.#head] = undefined
    this.#head = (this.#head + 1) & (places.length - 1)
    this.#length--
    if (this.#length === 0 && places.length > largestKept) this.#places = undefined
    return item
  }

  /** The item at a distance from the oldest, without taking it. */
  at(distance: number): T | undefined {
    const places = this.#places
    if (places === undefined || distance >= this.#length) return undefined
    return places[(this.#head + distance) & (places.length - 1)]
  }

  /** Takes the `count` oldest items, or all if there are fewer. */
  take(count: number): T[] {
    const taken = new Array<T>(Math.min(count, this.#length))
    for (let index = 0; index < taken.length; index++) taken[index] = this.shift() as T
    return taken
  }

  #grow(): (T | undefined)[] {
    const old = this.#places
    const places = new Array<T | undefined>(old === undefined ? smallest : old.length * 2)
    if (old !== undefined)
      for (let index = 0; index < this.#length; index++) places[index] = old[(this.#head + index) & (old.length - 1)]
    this.#places = places
    this.#head = 0
    return places
  }
}
