import type { WordCount } from './text.ts'

/** What was counted: by one counter over its share of the words, or by all of them together. */
export interface Counts {
  readonly words: number
  readonly distinct: number
  /** The most frequent words; equal counts in the order of the words. */
  readonly top: readonly WordCount[]
}

/** Sums up a table of words. */
export function summarize(table: ReadonlyMap<string, number>, top: number): Counts {
  let words = 0
  for (const count of table.values()) words += count
  return { words, distinct: table.size, top: mostFrequent(table, top) }
}

/** Joins the counts of shares that have no word in common. */
export function merge(shares: readonly Counts[], top: number): Counts {
  return {
    words: shares.reduce((sum, share) => sum + share.words, 0),
    distinct: shares.reduce((sum, share) => sum + share.distinct, 0),
    top: mostFrequent(
      shares.flatMap(share => share.top),
      top,
    ),
  }
}

function mostFrequent(pairs: Iterable<WordCount>, top: number): readonly WordCount[] {
  return [...pairs]
    .sort(([word, count], [otherWord, otherCount]) => otherCount - count || (word < otherWord ? -1 : 1))
    .slice(0, top)
}
