import { badOption, ownOptions, refuseUnknown } from '@genstage/core/adapters'
import { cutText } from './failure.ts'
import { longestStoredDelayMs, numberIn } from './numbers.ts'

/** Shared by all copies of this package in a process. No payload can carry a symbol, so no result is ever taken for an outcome. */
const brand: unique symbol = Symbol.for('@genstage/jobs:outcome')

interface Branded {
  readonly [brand]: true
}

/** Another attempt; this one has failed. Made by `retry`. */
export interface RetryOutcome extends Branded {
  readonly type: 'retry'
  /** When; undefined: what the back-off of the kind says. */
  readonly inMs: number | undefined
  /** Why, for the history. */
  readonly error: unknown
}

/** Later again; the attempt does not count. Made by `snooze`. */
export interface SnoozeOutcome extends Branded {
  readonly type: 'snooze'
  readonly inMs: number
}

/** Given up for good. Made by `discard`. */
export interface DiscardOutcome extends Branded {
  readonly type: 'discard'
  readonly reason: string
}

/** Not to be done any more. Made by `cancel`. */
export interface CancelOutcome extends Branded {
  readonly type: 'cancel'
  readonly reason: string
}

/** What a handler returns in place of a result, to say what is to become of its job. */
export type Outcome = RetryOutcome | SnoozeOutcome | DiscardOutcome | CancelOutcome

/** Options of `retry`. */
export interface RetryOptions {
  /** When to try again, from 0. Default: what the back-off of the kind says. */
  readonly inMs?: number
  /** Why: an error, or the message of one. Kept in the history of the job. */
  readonly error?: unknown
}

/**
 * The attempt has failed, as if the handler had thrown; but it says when to try again. Where the attempts are used up, the job has failed.
 * Refuses bad options with `BAD_OPTION`.
 *
 * ```ts
 * async function fetchPage(url: string) {
 *   const response = await fetch(url)
 *   if (response.status === 429) return retry({ inMs: 30_000, error: 'asked to slow down' })
 *   return response.status
 * }
 * ```
 */
export function retry(options?: RetryOptions): RetryOutcome {
  const where = 'retry'
  const own = ownOptions(where, options)
  refuseUnknown(where, own, ['inMs', 'error'])
  const inMs = own['inMs'] === undefined ? undefined : numberIn(where, own, 'inMs', undefined, delays(0))
  const { error } = own
  // Text is thrown by mistake, but given here on purpose: it is told as a failure like any other
  return marked({ type: 'retry', inMs, error: typeof error === 'string' ? new Error(error) : error })
}

/**
 * Not now: the job comes back in so many milliseconds (from 1), and the attempt does not count. Refuses what is no duration with
 * `BAD_OPTION`.
 *
 * ```ts
 * console.log(snooze(60_000).inMs) // => 60000
 * ```
 */
export function snooze(inMs: number): SnoozeOutcome {
  return marked({ type: 'snooze', inMs: numberIn('snooze', { inMs }, 'inMs', undefined, delays(1)) })
}

/**
 * The job can never be done: it ends `discarded`, whatever attempts are left, with the reason as its failure. Refuses what is no
 * text with `BAD_OPTION`.
 *
 * ```ts
 * console.log(discard('no such user').reason) // => no such user
 * ```
 */
export function discard(reason: string): DiscardOutcome {
  return marked({ type: 'discard', reason: checkReason('discard', reason) })
}

/**
 * The job need not be done any more: it ends `cancelled`, which is no failure. Refuses what is no text with `BAD_OPTION`.
 *
 * ```ts
 * console.log(cancel('the order was withdrawn').type) // => cancel
 * ```
 */
export function cancel(reason: string): CancelOutcome {
  return marked({ type: 'cancel', reason: checkReason('cancel', reason) })
}

/** Whether a handler returned an outcome, not a result. Never throws. */
export function isOutcome(value: unknown): value is Outcome {
  if (typeof value !== 'object' || value === null) return false
  try {
    return Reflect.get(value, brand) === true
  } catch {
    return false
  }
}

/** Why something is given up: text, of which at most 1 KiB is kept. */
export function checkReason(where: string, reason: unknown): string {
  if (typeof reason === 'string' && reason !== '') return cutText(reason, 1024)
  throw badOption(where, 'reason', reason, 'text that is not empty')
}

function marked<T extends object>(outcome: T): Readonly<T> & Branded {
  return Object.freeze({ ...outcome, [brand]: true as const })
}

function delays(min: number): { readonly min: number; readonly max: number; readonly what: string } {
  return { min, max: longestStoredDelayMs, what: 'milliseconds' }
}
