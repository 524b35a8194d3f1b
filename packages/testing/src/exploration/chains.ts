/**
 * Numbers for sequences: two sequences have the same number if and only if they are the same. A sequence is its beginning, by number,
 * and one more entry, so that it costs as much as its last entry.
 */
export class Chains {
  readonly #numbers = new Map<string, number>()

  /** The number of the sequence `chain` with `entry` at its end; 0 is the empty one. */
  extend(chain: number, entry: string): number {
    const key = `${chain} ${entry}`
    const known = this.#numbers.get(key)
    if (known !== undefined) return known
    const made = this.#numbers.size + 1
    this.#numbers.set(key, made)
    return made
  }
}
