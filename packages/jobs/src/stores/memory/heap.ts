/** Something that knows its place in the heap it is in. One heap at a time. */
export interface Placed {
  place: number
}

/**
 * A binary heap from which any item can be removed, not only the first: each knows its place. `precedes` must never call two items
 * equal, so that there is one order only. The rank of an item may change only while it is in no heap, or right before its removal.
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
    this.#items.push(item)
    this.#rise(item, this.#items.length - 1)
  }

  remove(item: T): void {
    const last = this.#items.pop()
    if (last === undefined || last === item) return
    if (item.place === 0) this.#sink(last, 0)
    else this.#sink(last, this.#rise(last, item.place))
  }

  /** All items, in no order. */
  values(): IterableIterator<T> {
    return this.#items.values()
  }

  /** Puts an item at a place, or nearer to the top, below the first that precedes it. Answers where that is. */
  #rise(item: T, from: number): number {
    let place = from
    while (place > 0) {
      const parentPlace = (place - 1) >> 1
      const parent = this.#items[parentPlace]
      if (parent === undefined || this.#precedes(parent, item)) break
      this.#put(parent, place)
      place = parentPlace
    }
    this.#put(item, place)
    return place
  }

  /** Puts an item at a place, or farther from the top, above all that it precedes. */
  #sink(item: T, from: number): void {
    let place = from
    for (;;) {
      const leftPlace = place * 2 + 1
      const left = this.#items[leftPlace]
      if (left === undefined) break
      const right = this.#items[leftPlace + 1]
      const child = right !== undefined && this.#precedes(right, left) ? right : left
      if (this.#precedes(item, child)) break
      this.#put(child, place)
      place = child === left ? leftPlace : leftPlace + 1
    }
    this.#put(item, place)
  }

  #put(item: T, place: number): void {
    this.#items[place] = item
    item.place = place
  }
}
