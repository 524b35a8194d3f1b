/** The value below which a share of the values lies, by the nearest rank: `percentile(values, 0.99)`. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((left, right) => left - right)
  const rank = Math.max(1, Math.ceil(share * sorted.length))
  const value = sorted[rank - 1]
  if (value === undefined) throw new RangeError('no values to take a percentile of')
  return value
}

/** The value in the middle, or the mean of the two there. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right)
  const upper = sorted[Math.floor(sorted.length / 2)]
  const lower = sorted[Math.floor((sorted.length - 1) / 2)]
  if (upper === undefined || lower === undefined) throw new RangeError('no values to take a median of')
  return (lower + upper) / 2
}

/** A median with the lowest and the highest value beside it. */
export interface Spread {
  readonly median: number
  readonly lowest: number
  readonly highest: number
}

export function spread(values: readonly number[]): Spread {
  return { median: median(values), lowest: Math.min(...values), highest: Math.max(...values) }
}

/** A median with the interval in which the true one lies, and how certain that is. */
export interface Interval {
  readonly median: number
  readonly from: number
  readonly to: number
  readonly certainty: number
}

/**
 * The interval of the median by the signs: the true median lies between the lowest and the highest of n values but once in
 * 2 ** (n - 1) times, and so on inwards, whatever the values are drawn from. The narrowest that is `wanted` certain; with fewer than
 * six values none is 0.95, and the widest is taken.
 */
export function medianInterval(values: readonly number[], wanted = 0.95): Interval {
  const sorted = values.toSorted((left, right) => left - right)
  let outside = 0
  let cut = 0
  let certainty = 1 - 2 * chanceOf(0, sorted.length)
  for (let next = 0; next < sorted.length / 2; next++) {
    outside += chanceOf(next, sorted.length)
    if (1 - 2 * outside < wanted) break
    cut = next
    certainty = 1 - 2 * outside
  }
  const [from, to] = [sorted[cut], sorted[sorted.length - 1 - cut]]
  if (from === undefined || to === undefined) throw new RangeError('no values to take the interval of')
  return { median: median(sorted), from, to, certainty: Math.max(0, certainty) }
}

/** The chance of so many heads in `tosses` tosses of a coin. */
function chanceOf(heads: number, tosses: number): number {
  let chance = 0.5 ** tosses
  for (let head = 0; head < heads; head++) chance *= (tosses - head) / (head + 1)
  return chance
}
