import type { Found } from './numbers.ts'

/** A table of numbers, as a database would have it: rows are claimed, by a query that takes its time. */
export class NumberTable {
  readonly #rows: readonly Found[]
  #claimed = 0

  constructor(rows: readonly Found[]) {
    this.#rows = rows
  }

  /** How many rows have been claimed. */
  get claimed(): number {
    return this.#claimed
  }

  /** Claims at most `limit` rows: nobody else gets them. */
  async claim(limit: number): Promise<readonly Found[]> {
    const rows = this.#rows.slice(this.#claimed, this.#claimed + limit)
    this.#claimed += rows.length
    return rows
  }
}
