import { badOption, oneOf, ownOptions, refuseUnknown, show } from '@genstage/core/adapters'
import { textOf, toFailure, withCauses } from './failure.ts'
import { longestDelayMs, numberIn } from './numbers.ts'

/** An attempt that failed, for the function that says how long to wait. */
export interface FailedAttempt {
  /** Which one: 1 after the first. */
  readonly attempt: number
  /** What was thrown, or given to `retry`. */
  readonly error: unknown
  /** A number from 0 up to 1, of the runtime: use it, not `Math.random`, so that tests can foretell it. */
  readonly random: () => number
}

/**
 * How many milliseconds to wait before the next attempt. The built-in ones (`fixed`, `linear`, `exponential`, `jittered`, `byError`) are
 * just such functions. One of your own that throws, or answers what is no duration, costs nothing but a line in the log: `exponential()`
 * is used in its place.
 *
 * ```ts
 * const eager: Backoff = ({ attempt }) => (attempt < 3 ? 100 : 60_000)
 * console.log(eager({ attempt: 3, error: undefined, random: Math.random })) // => 60000
 * ```
 */
export type Backoff = (failed: FailedAttempt) => number

/** How a delay is spread, so that what failed together does not come back together: over all of it, over its upper half, not at all. */
export type Jitter = 'full' | 'equal' | 'none'

/** Options of `exponential`. */
export interface ExponentialOptions {
  /** Before the second attempt. Default 1,000. */
  readonly firstMs?: number
  /** How much longer each time. From 1; default 2. */
  readonly factor?: number
  /** Never longer than that. Default an hour. */
  readonly maxMs?: number
  /** Default `'full'`. */
  readonly jitter?: Jitter
}

/** Waits the same time before every attempt. Refuses what is no duration with `BAD_OPTION`. */
export function fixed(ms: number): Backoff {
  const delayMs = durationArgument('fixed', 'ms', ms)
  return () => delayMs
}

/**
 * Waits `stepMs` (default a minute) times the number of attempts that have failed.
 *
 * ```ts
 * const backoff = linear()
 * console.log([1, 2, 3].map(attempt => backoff({ attempt, error: undefined, random: Math.random }))) // => [ 60000, 120000, 180000 ]
 * ```
 */
export function linear(stepMs = 60_000): Backoff {
  const delayMs = durationArgument('linear', 'stepMs', stepMs)
  return ({ attempt }) => Math.min(longestDelayMs, delayMs * attempt)
}

/**
 * Waits longer each time: `firstMs`, then `factor` times as long and so on up to `maxMs`, spread by `jitter`. This is the default of
 * every kind. Refuses bad options with `BAD_OPTION`.
 *
 * ```ts
 * const backoff = exponential({ firstMs: 100, jitter: 'none' })
 * console.log([1, 2, 3].map(attempt => backoff({ attempt, error: undefined, random: Math.random }))) // => [ 100, 200, 400 ]
 * ```
 */
export function exponential(options?: ExponentialOptions): Backoff {
  const where = 'exponential'
  const own = ownOptions(where, options)
  refuseUnknown(where, own, ['firstMs', 'factor', 'maxMs', 'jitter'])
  const firstMs = numberIn(where, own, 'firstMs', 1000, { min: 1, max: longestDelayMs, what: 'milliseconds' })
  const factor = numberIn(where, own, 'factor', 2, { min: 1, max: 1000 })
  const maxMs = numberIn(where, own, 'maxMs', 3_600_000, { min: 1, max: longestDelayMs, what: 'milliseconds' })
  const jitter = oneOf(where, own, 'jitter', ['full', 'equal', 'none'], 'full')
  if (firstMs > maxMs) throw badOption(where, 'firstMs', firstMs, `at most maxMs (${maxMs})`)
  return ({ attempt, random }) => spread(Math.min(maxMs, firstMs * factor ** (attempt - 1)), jitter, random)
}

/**
 * Spreads the delays of another back-off: over all of it (`'full'`), or over its upper half (`'equal'`, the default).
 *
 * ```ts
 * const backoff = jittered(linear(1000))
 * console.log(backoff({ attempt: 2, error: undefined, random: () => 0.5 })) // => 1500
 * ```
 */
export function jittered(backoff: Backoff, jitter: 'full' | 'equal' = 'equal'): Backoff {
  const given = checkBackoff('jittered', backoff)
  const how = oneOf('jittered', { jitter }, 'jitter', ['full', 'equal'], 'equal')
  return failed => spread(given(failed), how, failed.random)
}

/** What errors a rule is for: those of a class, or with that text as `code` or `name`. */
export type ErrorMatch = string | (abstract new (...args: never) => unknown)

/**
 * A back-off for each sort of error: the first rule that fits, else `otherwise` (default `exponential()`). A rule fits the error itself,
 * one of its causes, or one inside an `AggregateError`: what `fetch` throws is a `TypeError` whose cause has the code.
 *
 * ```ts
 * const backoff = byError([[TypeError, fixed(10)], ['ECONNREFUSED', fixed(5000)]], linear(1000))
 * console.log(backoff({ attempt: 2, error: new TypeError('x'), random: Math.random })) // => 10
 * console.log(backoff({ attempt: 2, error: new Error('x'), random: Math.random })) // => 2000
 * ```
 */
export function byError(rules: readonly (readonly [ErrorMatch, Backoff])[], otherwise: Backoff = exponential()): Backoff {
  const where = 'byError'
  if (!Array.isArray(rules)) throw badOption(where, 'rules', rules, 'an array of [error, back-off]')
  const checked = rules.map((rule: unknown, index) => {
    const [match, backoff] = Array.isArray(rule) ? (rule as unknown[]) : []
    if (typeof match !== 'function' && (typeof match !== 'string' || match === ''))
      throw badOption(where, `rules[${index}][0]`, match, 'a class of errors, or the code or name of one')
    return [match as ErrorMatch, checkBackoff(`${where}: rules[${index}]`, backoff)] as const
  })
  const other = checkBackoff(`${where}: otherwise`, otherwise)
  return failed => (checked.find(([match]) => matchesError(failed.error, match))?.[1] ?? other)(failed)
}

/** Whether what was thrown, or one of its causes, is of that class, or bears that code or name. Never throws. */
function matchesError(thrown: unknown, match: ErrorMatch): boolean {
  for (const error of withCauses(thrown)) if (isOf(error, match)) return true
  return false
}

function isOf(error: object, match: ErrorMatch): boolean {
  if (typeof match === 'string') return textOf(error, 'code') === match || textOf(error, 'name') === match
  try {
    return error instanceof match
  } catch {
    return false
  }
}

/** A back-off as it was given; `BAD_OPTION` if it is no function (BAD-97). */
export function checkBackoff(where: string, backoff: unknown): Backoff {
  if (typeof backoff === 'function') return backoff as Backoff
  throw badOption(where, 'backoff', backoff, 'a function such as exponential(), linear() or fixed(1000)')
}

/** The back-off of kinds that name none. */
export const defaultBackoff: Backoff = /* @__PURE__ */ exponential()

/**
 * How long to wait after a failed attempt: a whole number of milliseconds, at least 1, so that nothing is ever tried in a hot loop
 * (JOB-13), and at most 2^31 - 1. If the back-off does what it must not, the delay is that of `exponential()`, and `problem` says
 * what it did (BAD-97).
 */
export function delayAfter(backoff: Backoff, failed: FailedAttempt): { readonly inMs: number; readonly problem?: string } {
  let problem: string
  try {
    const ms: unknown = backoff(failed)
    if (typeof ms === 'number' && ms >= 0 && ms <= Number.MAX_SAFE_INTEGER) return { inMs: wholeDelay(ms) }
    if (ms instanceof Promise) ms.catch(() => {}) // nobody will look at it
    problem = `returned ${ms instanceof Promise ? 'a promise' : show(ms)}, not a number of milliseconds`
  } catch (error) {
    problem = `threw ${describe(error)}`
  }
  return { inMs: wholeDelay(defaultBackoff(failed)), problem }
}

function wholeDelay(ms: number): number {
  return Math.min(longestDelayMs, Math.max(1, Math.ceil(ms)))
}

function spread(ms: number, jitter: Jitter, random: () => number): number {
  if (jitter === 'none') return ms
  return jitter === 'full' ? ms * random() : ms / 2 + (ms / 2) * random()
}

function durationArgument(where: string, argument: string, value: unknown): number {
  return numberIn(where, { [argument]: value }, argument, undefined, { min: 0, max: longestDelayMs, what: 'milliseconds' })
}

function describe(error: unknown): string {
  const { name, message } = toFailure(error)
  return `${name}: ${message.slice(0, 200)}`
}
