/** What the program is about: numbers that are found somewhere, and their square roots. Plain functions: nothing here knows of stages. */

/** A number as somebody has found it. */
export interface Found {
  /** Unique, and the same wherever the number turns up again: `east-7`. */
  readonly id: string
  readonly number: number
}

/** A number with its square root. */
export interface Root extends Found {
  readonly root: number
}

/**
 * Asks a server for the oldest number that nobody has got yet; undefined if it has none now. It takes no signal: what the server
 * has handed out it does not hand out again, so an answer that is under way is always waited for.
 */
export async function fetchNumber(server: string): Promise<Found | undefined> {
  const response = await fetch(`${server}/next`, { signal: AbortSignal.timeout(5_000) })
  if (response.status === 204) return undefined
  if (!response.ok) throw new Error(`${server} answered ${response.status}`)
  return (await response.json()) as Found
}

/** Whether there is a real one. */
export function hasRoot({ number }: Found): boolean {
  return number >= 0
}

export function rootOf(number: number): number {
  return Math.sqrt(number)
}
