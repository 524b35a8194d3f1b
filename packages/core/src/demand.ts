/** How one message of events is cut into batches: their size, and what to ask for after each (GS-Q2). */
export interface Cut {
  readonly size: number
  readonly ask: number
}

/**
 * The demand of one automatic subscription, as its consumer counts it (GS-Q1 to GS-Q6). Between messages
 * `min < pending <= max`, and all that was asked for minus all that was counted is `pending` (GS-Q10).
 */
export class ConsumerDemand {
  readonly max: number
  readonly min: number
  /** Asked for and not yet received. */
  pending: number

  constructor(max: number, min: number) {
    this.max = max
    this.min = min
    this.pending = max
  }

  /** The largest batch. */
  get chunk(): number {
    return this.max - this.min
  }

  /** Counts a batch that was asked for; answers how many to ask for after it. */
  count(size: number): number {
    this.pending -= size
    if (this.pending > this.min) return 0
    const ask = this.max - this.pending
    this.pending = this.max
    return ask
  }

  /** Counts a whole message of `count` events, and tells which batches bring more than was asked for (GS-Q6). */
  cut(count: number): { readonly cuts: readonly Cut[]; readonly excess: readonly number[] } {
    const cuts: Cut[] = []
    const excess: number[] = []
    let left = this.pending
    for (let done = 0; done < count; done += this.chunk) {
      const size = Math.min(this.chunk, count - done)
      const counted = Math.min(size, left)
      if (counted < size) excess.push(size - counted)
      left -= counted
      cuts.push({ size, ask: this.count(counted) })
    }
    return { cuts, excess }
  }
}

/**
 * What a producing stage owes (X1, X2, X3, X17): `requested` units were sent upstream and have not been answered. Every event
 * that a callback emits answers one, whatever becomes of it.
 */
export class Account {
  requested = 0

  /** Events were emitted. */
  answer(count: number): void {
    const left = this.requested - count
    this.requested = left > 0 ? left : 0
  }

  /** How many more events the producer is to be asked for, when the dispatcher could take `allowance` now. */
  request(allowance: number): number {
    const up = allowance - this.requested
    if (up <= 0) return 0
    this.requested = allowance
    return up
  }

  /** A held request of `demand` was answered by events emitted before it (X17): it is dropped, but not below the allowance. */
  drop(demand: number, allowance: number): void {
    this.requested = Math.max(Math.min(this.requested, allowance), this.requested - demand)
  }
}

/** Adds demand without ever leaving the whole numbers that are exact (INV-3). */
export function addDemand(demand: number, more: number): number {
  const sum = demand + more
  return sum <= Number.MAX_SAFE_INTEGER ? sum : Number.MAX_SAFE_INTEGER
}
