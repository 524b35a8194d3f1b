const smallest = 4

/** An emptied queue gives places back when they are fewer than so many, or more: in between it will need them again. */
const keptFrom = 8
const keptUpTo = 1024

/**
 * A first-in first-out queue that never moves its items: the oldest has a place of its own, the others are in a ring whose size is a
 * power of two. Most queues of an idle stage hold one item at a time, so most never have a ring (WL-11); and `Array.shift` moves
 * memory from some thousand items on, a ring never does.
 */
export class Queue<T> {
  /** The oldest item. */
  #oldest: T | undefined
  /** The items behind it; undefined until there are any. */
  #ring: (T | undefined)[] | undefined
  /** Place of the second oldest item in the ring. */
  #head = 0
  #length = 0

  get length(): number {
    return this.#length
  }

  push(item: T): void {
    if (this.#length === 0) this.#oldest = item
    else {
      const ring = this.#roomyRing()
      ring[(this.#head + this.#length - 1) & (ring.length - 1)] = item
    }
    this.#length++
  }

  /** Puts an item in front of all others. */
  unshift(item: T): void {
    if (this.#length > 0) {
      const ring = this.#roomyRing()
      this.#head = (this.#head - 1) & (ring.length - 1)
      ring[this.#head] = this.#oldest
    }
    this.#oldest = item
    this.#length++
  }

  /** Takes the oldest item; undefined if there is none. */
  shift(): T | undefined {
    if (this.#length === 0) return undefined
    const item = this.#oldest
    this.#length--
    const ring = this.#ring
    if (this.#length > 0 && ring !== undefined) {
      this.#oldest = ring[this.#head]
      ring[this.#head] = undefined
      this.#head = (this.#head + 1) & (ring.length - 1)
      return item
    }
    this.#oldest = undefined
    if (ring !== undefined && (ring.length < keptFrom || ring.length > keptUpTo)) this.#ring = undefined
    return item
  }

  /** The item at a distance from the oldest, without taking it. */
  at(distance: number): T | undefined {
    if (distance === 0) return this.#oldest
    const ring = this.#ring
    if (ring === undefined || distance >= this.#length) return undefined
    return ring[(this.#head + distance - 1) & (ring.length - 1)]
  }

  /** Takes the `count` oldest items, or all if there are fewer. */
  take(count: number): T[] {
    const taken = new Array<T>(Math.min(count, this.#length))
    for (let index = 0; index < taken.length; index++) taken[index] = this.shift() as T
    return taken
  }

  /** The ring, with room for one more item behind the oldest. */
  #roomyRing(): (T | undefined)[] {
    const ring = this.#ring
    if (ring !== undefined && this.#length <= ring.length) return ring
    const roomy = new Array<T | undefined>(ring === undefined ? smallest : ring.length * 2)
    for (let index = 1; ring !== undefined && index < this.#length; index++) roomy[index - 1] = this.at(index)
    this.#ring = roomy
    this.#head = 0
    return roomy
  }
}
