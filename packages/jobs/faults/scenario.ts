import { setTimeout as sleep } from 'node:timers/promises'
import type { Tally } from './tally.ts'

/** What a scenario is given. */
export interface Context {
  readonly rounds: number
  /** Numbers from 0 up to 1, the same for the same seed. */
  readonly random: () => number
  /** Its own folder, on a disk. */
  readonly folder: string
  /** The program of child processes. */
  readonly program: string
  /** Less of everything that does not come in rounds. */
  readonly isShort?: boolean
  /** To be called after each round. */
  readonly passed: () => void
  /** Aborted when the run is to end early. */
  readonly signal: AbortSignal
}

/** What came out. */
export interface Outcome {
  readonly tally: Tally
  /** What was seen, in a few words, for the table. */
  readonly seen: string
  /** Rounds that were run, where that is not what was asked for. */
  readonly rounds?: number
}

/** One row of the fault matrix. */
export interface Scenario {
  readonly id: string
  readonly fault: string
  /** How often, unless something else is asked for. */
  readonly rounds: number
  /** The fewest that show anything; a shorter run does at least these. */
  readonly leastRounds?: number
  run(context: Context): Promise<Outcome>
}

/** Runs `work` so many times, some at once, and waits for all. */
export async function inLanes(count: number, lanes: number, work: (index: number, lane: number) => Promise<void>): Promise<void> {
  let next = 0
  const lane = async (number: number): Promise<void> => {
    while (next < count) await work(next++, number)
  }
  await Promise.all(Array.from({ length: Math.min(lanes, count) }, (_, number) => lane(number)))
}

/** Rounds in groups that share a store: small enough to be checked whole. */
export function groupsOf(rounds: number, most: number): readonly number[] {
  const groups = Math.ceil(rounds / most)
  return Array.from({ length: groups }, (_, index) => Math.floor((rounds + index) / groups))
}

/** Asks again and again. Answers false if it did not become true in time. */
export async function within(ms: number, condition: () => boolean | Promise<boolean>): Promise<boolean> {
  const deadline = performance.now() + ms
  for (;;) {
    if (await condition()) return true
    if (performance.now() >= deadline) return false
    await sleep(10)
  }
}

/** A whole number from `low` to `high`. */
export function between(random: () => number, low: number, high: number): number {
  return low + Math.floor(random() * (high - low + 1))
}

export function pick<Value>(random: () => number, values: readonly [Value, ...Value[]]): Value {
  return values[Math.floor(random() * values.length)] ?? values[0]
}

/** A UUID out of the numbers of the run. */
export function uuid(random: () => number): string {
  const digits = (count: number): string => Array.from({ length: count }, () => Math.floor(random() * 16).toString(16)).join('')
  return `${digits(8)}-${digits(4)}-4${digits(3)}-8${digits(3)}-${digits(12)}`
}

/** The code of an error of ours, for sentences. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error)
}
