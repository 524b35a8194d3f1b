/** Something that knows its place in the heap it is in. */
export interface Placed {
  place: number
}

/**
 * A binary heap of items that may change their rank while they are in it. `precedes` must never call two items equal: then the
 * order in which they come out is the one order there is.
 */
export class Heap<T extends Placed> {
  readonly #items: T[] = []
  readonly #precedes: (a: T, b: T) => boolean

  constructor(precedes: (a: T, b: T) => boolean) {
    this.#precedes = precedes
  }

  get size(): number {
    return this.#items.length
  }

  /** The one that precedes all others. */
  get first(): T | undefined {
    return this.#items[0]
  }

  push(item: T): void {
    item.place = this.#items.length
    this.#items.push(item)
    this.#rise(item)
  }

  remove(item: T): void {
    const last = this.#items.pop()
    if (last === undefined || last === item) return
    this.#put(last, item.place)
    this.moved(last)
  }

  /** Finds the place of an item whose rank has changed. */
  moved(item: T): void {
    this.#rise(item)
    this.#sink(item)
  }

  /** All items, in order. */
  sorted(): readonly T[] {
    return this.#items.toSorted((a, b) => (this.#precedes(a, b) ? -1 : 1))
  }

  #put(item: T, place: number): void {
    this.#items[place] = item
    item.place = place
  }

  /** Moves an item towards the top until its parent precedes it. */
  #rise(item: T): void {
    while (item.place > 0) {
      const parentPlace = (item.place - 1) >> 1
      const parent = this.#items[parentPlace]
      if (parent === undefined || this.#precedes(parent, item)) return
      this.#put(parent, item.place)
      this.#put(item, parentPlace)
    }
  }

  /** Moves an item towards the bottom until it precedes its children. */
  #sink(item: T): void {
    for (let leftPlace = item.place * 2 + 1; leftPlace < this.#items.length; leftPlace = item.place * 2 + 1) {
      const left = this.#items[leftPlace]
      if (left === undefined) return
      const right = this.#items[leftPlace + 1]
      const child = right !== undefined && this.#precedes(right, left) ? right : left
      if (this.#precedes(item, child)) return
      const { place } = child
      this.#put(child, item.place)
      this.#put(item, place)
    }
  }
}
