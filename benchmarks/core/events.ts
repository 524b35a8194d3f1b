/** What all peers do to events, so that only the way between the functions differs. */

/** How many sinks, sources or partitions there are where a workload has several. */
export const branches = 4

/** How many tasks run at once in WL-8b. */
export const concurrency = 10

/** `length` integers in a row. Sized beforehand: pushing them would cost more than everything else. */
export function integers(first: number, length: number): number[] {
  const events = new Array<number>(length)
  for (let index = 0; index < length; index++) events[index] = first + index
  return events
}

export function double(event: number): number {
  return event * 2
}

export function isMultipleOfThree(event: number): boolean {
  return event % 3 === 0
}

// The two batch functions write their arrow functions out: a callback imported from elsewhere is not inlined into the loop.

export function doubleAll(events: readonly number[]): number[] {
  return events.map(event => event * 2)
}

export function multiplesOfThree(events: readonly number[]): number[] {
  return events.filter(event => event % 3 === 0)
}

export function branchOf(event: number): number {
  return event % branches
}
