import { Queue } from './queue.ts'

/**
 * A first-in first-out queue whose items come and go by the batch: whole arrays are kept, and cut only where a take ends inside
 * one. So a batch costs the same whatever its size, where one by one its items were half the cost of a partition (WL-4). The arrays
 * are handed over: nobody changes them any more.
 */
export class BatchQueue<T> {
  readonly #batches = new Queue<readonly T[]>()
  /** How many items of the oldest batch have been taken. */
  #taken = 0
  #length = 0

  get length(): number {
    return this.#length
  }

  push(items: readonly T[]): void {
    if (items.length === 0) return
    this.#batches.push(items)
    this.#length += items.length
  }

  /** Puts items in front of all others. */
  unshift(items: readonly T[]): void {
    if (items.length === 0) return
    const oldest = this.#taken > 0 ? this.#batches.shift() : undefined
    if (oldest !== undefined) this.#batches.unshift(oldest.slice(this.#taken))
    this.#taken = 0
    this.#batches.unshift(items)
    this.#length += items.length
  }

  /** Takes the `count` oldest items, or all if there are fewer. */
  take(count: number): readonly T[] {
    const wanted = Math.min(count, this.#length)
    const oldest = this.#batches.at(0)
    if (oldest === undefined || wanted <= oldest.length - this.#taken) return this.#takeOfOldest(wanted)
    const items = new Array<T>(wanted)
    let filled = 0
    while (filled < wanted) {
      for (const item of this.#takeOfOldest(wanted - filled)) items[filled++] = item
    }
    return items
  }

  /** All items, without taking them. */
  all(): readonly T[] {
    const batches = Array.from({ length: this.#batches.length }, (_, index) => this.#batches.at(index) ?? [])
    return batches.flat(1).slice(this.#taken) as readonly T[]
  }

  #takeOfOldest(count: number): readonly T[] {
    const oldest = this.#batches.at(0)
    if (oldest === undefined) return []
    const from = this.#taken
    const until = Math.min(from + count, oldest.length)
    this.#length -= until - from
    if (until < oldest.length) this.#taken = until
    else {
      this.#batches.shift()
      this.#taken = 0
    }
    return from === 0 && until === oldest.length ? oldest : oldest.slice(from, until)
  }
}
