/** How a file is to be counted: which queue, when, and what its disk will do. Plain functions, without jobs. */
import { createHash } from 'node:crypto'
import { hashOf } from '../word-count/text.ts'

/** What the simulated disk does to a file, the same each time it is asked. */
export type Trouble = 'none' | 'flaky' | 'broken' | 'stuck' | 'slow' | 'late'

/** How often, out of a thousand files. All others have no trouble. */
const perThousand: readonly (readonly [Exclude<Trouble, 'none'>, number])[] = [
  ['broken', 8],
  ['stuck', 4],
  ['flaky', 50],
  ['slow', 50],
  ['late', 40],
]

/** The trouble that a file has, by its path. */
export function troubleOf(path: string): Trouble {
  let left = hashOf(path) % 1_000
  for (const [trouble, count] of perThousand) {
    if (left < count) return trouble
    left -= count
  }
  return 'none'
}

/** A number from 0 up to `sides` that only looks random: the same for the same path. The low bits of the hash are left out, they are no good dice. */
export function diceOf(path: string, sides: number): number {
  return (hashOf(path) >>> 8) % sides
}

/** Where and when a file is counted. */
export interface Plan {
  readonly queue: 'small' | 'large' | 'slow'
  readonly delayMs: number
}

/** Files from this size on have a queue of their own, so that small ones need not wait for them. */
const largeBytes = 32 * 1024

/** Plans one file. */
export function planOf(path: string, bytes: number, trouble: Trouble): Plan {
  const delayMs = trouble === 'late' ? 2_000 + diceOf(path, 8) * 1_000 : 0
  if (trouble === 'slow') return { queue: 'slow', delayMs }
  return { queue: bytes < largeBytes ? 'small' : 'large', delayMs }
}

/** The same id for the same names, always and everywhere: a UUID of version 8, from their SHA-256. */
export function idOf(...names: readonly string[]): string {
  const hex = createHash('sha256').update(names.join('\0')).digest('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `a${hex.slice(17, 20)}`, hex.slice(20, 32)].join('-')
}
