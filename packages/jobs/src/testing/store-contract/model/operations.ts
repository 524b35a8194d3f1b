import type { Unique } from '../../../store.ts'
import type { Arbitrary, FastCheck, Weighed } from './fast-check.ts'

/** A job to be inserted. */
export interface DrawnJob {
  readonly queue: string
  readonly kind: string
  readonly priority: number
  readonly delayMs: number
  /** A run-at so far from now instead of the delay. */
  readonly runIn: number | undefined
  readonly unique: Unique | undefined
  /** Inserts the job of that number once more. */
  readonly again: number | undefined
  /** Gives it other args then, which is a conflict if it is there. */
  readonly clashes: boolean
}

export type EndingName = 'completed' | 'failed' | 'discarded' | 'cancelled' | 'retry' | 'snooze' | 'release'

/** One settlement: of which claim (counted from the newest), how, and the delay of a retry or snooze. */
export interface DrawnEnding {
  readonly claim: number
  readonly to: EndingName
  readonly inMs: number
}

export interface DrawnClaim {
  readonly runner: string
  readonly queue: string
  readonly limit: number
  readonly kinds: readonly string[]
}

/** One call, or what happens between calls. Jobs and claims are named by numbers, counted from the newest. */
export type Operation =
  | { readonly type: 'insert'; readonly jobs: readonly DrawnJob[] }
  | { readonly type: 'claim'; readonly claim: DrawnClaim }
  | { readonly type: 'settle'; readonly endings: readonly DrawnEnding[]; readonly next: DrawnClaim | undefined }
  | { readonly type: 'begin' | 'report'; readonly claims: readonly number[] }
  | { readonly type: 'cancel' | 'remove' | 'retry'; readonly jobs: readonly number[] }
  | { readonly type: 'reschedule'; readonly jobs: readonly number[]; readonly inMs: number }
  | { readonly type: 'pause' | 'resume' | 'clear' | 'removeQueue'; readonly queue: string }
  | { readonly type: 'heartbeat' | 'leave' | 'die'; readonly runner: string }
  | {
      readonly type: 'prune'
      readonly state: 'completed' | 'failed' | 'cancelled'
      readonly ms: number
      readonly keep: number
      readonly limit: number
    }
  | {
      readonly type: 'list'
      readonly queue: string | undefined
      readonly states: 'open' | 'ended' | 'all'
      readonly limit: number
    }
  | { readonly type: 'advance'; readonly ms: number }

const queues: readonly string[] = ['q', 'r']
export const runners: readonly string[] = ['runner-1', 'runner-2', 'runner-3']

/** Sequences of 1 to 200 operations. */
export function operations(fc: FastCheck): Arbitrary<readonly Operation[]> {
  const queue = fc.constantFrom(...queues)
  const runner = fc.constantFrom(...runners)
  const recent = fc.nat({ max: 12 })
  const recents = fc.array(recent, { minLength: 1, maxLength: 3 })
  const delay = fc.constantFrom(0, 0, 1, 10, 100, 1_000)
  const claim = fc.record({
    runner,
    queue,
    limit: fc.integer({ min: 1, max: 4 }),
    kinds: fc.constantFrom(['k'], ['k', 'l'], ['l', 'm', 'k'], ['m']),
  })
  const key = fc.constantFrom('a', 'b')
  const unique = fc.oneof<Unique>(
    fc.record({ key, until: fc.constantFrom('finished', 'started'), conflict: fc.constantFrom('keep', 'replace') }),
    fc.record({ key, until: fc.constantFrom(100, 1_500), conflict: fc.constantFrom('keep', 'replace', 'next', 'next') }),
  )
  const job: Arbitrary<DrawnJob> = fc.record({
    queue,
    kind: fc.constantFrom('k', 'k', 'l', 'm'),
    priority: fc.constantFrom(0, 0, 0, -1, 5),
    delayMs: delay,
    runIn: fc.constantFrom(undefined, undefined, undefined, -500, 50),
    unique: fc.option(unique, { nil: undefined, freq: 2 }),
    again: fc.option(recent, { nil: undefined, freq: 12 }),
    clashes: fc.boolean(),
  })
  const ending: Arbitrary<DrawnEnding> = fc.record({
    claim: recent,
    to: fc.constantFrom('completed', 'completed', 'failed', 'discarded', 'cancelled', 'retry', 'retry', 'snooze', 'release'),
    inMs: delay,
  })
  const type = <const T extends string>(...types: readonly [T, ...T[]]): Arbitrary<T> => fc.constantFrom(...types)
  const weighed = (weight: number, arbitrary: Arbitrary<Operation>): Weighed<Operation> => ({ weight, arbitrary })
  return fc.array(
    fc.oneof(
      weighed(8, fc.record({ type: type('insert'), jobs: fc.array(job, { minLength: 1, maxLength: 4 }) })),
      weighed(6, fc.record({ type: type('claim'), claim })),
      weighed(
        7,
        fc.record({
          type: type('settle'),
          endings: fc.array(ending, { maxLength: 4 }),
          next: fc.option(claim, { nil: undefined, freq: 2 }),
        }),
      ),
      weighed(2, fc.record({ type: type('begin', 'report'), claims: recents })),
      weighed(3, fc.record({ type: type('cancel', 'remove', 'retry'), jobs: recents })),
      weighed(1, fc.record({ type: type('reschedule'), jobs: recents, inMs: delay })),
      weighed(1, fc.record({ type: type('pause', 'resume', 'resume', 'clear', 'removeQueue'), queue })),
      weighed(2, fc.record({ type: type('heartbeat', 'leave', 'die', 'die'), runner })),
      weighed(
        1,
        fc.record({
          type: type('prune'),
          state: fc.constantFrom('completed', 'failed', 'cancelled'),
          ms: fc.constantFrom(0, 100, 10_000),
          keep: fc.constantFrom(0, 2, 100),
          limit: fc.integer({ min: 1, max: 5 }),
        }),
      ),
      weighed(
        1,
        fc.record({
          type: type('list'),
          queue: fc.option(queue, { nil: undefined }),
          states: fc.constantFrom('open', 'ended', 'all'),
          limit: fc.integer({ min: 1, max: 5 }),
        }),
      ),
      weighed(4, fc.record({ type: type('advance'), ms: fc.constantFrom(1, 10, 100, 1_000) })),
    ),
    { minLength: 1, maxLength: 200, size: 'max' },
  )
}

/** A sequence as one reads it. */
export function written(sequence: readonly Operation[]): string {
  return sequence.map(operation => JSON.stringify(operation)).join('\n    ')
}
