import { badOption, type OwnOptions, type Where } from '@genstage/core/adapters'

/** The longest timeout or back-off: 2^31 - 1 milliseconds, almost 25 days, which is what timers everywhere can do. */
export const longestDelayMs: number = 2 ** 31 - 1

/**
 * The longest delay of a job, and window of a key: 3,650 days. They are kept in the store, as dates, and no timer waits for them. What is
 * longer is mostly a date that was given for a delay by mistake (BAD-92).
 */
export const longestStoredDelayMs: number = 3650 * 86_400_000

/** Between which numbers an option may lie. */
export interface Range {
  readonly min: number
  readonly max: number
  /** Of what, for the message: `milliseconds`. */
  readonly what?: string
  readonly whole?: boolean
  /** What there is for what lies beyond, for the message. */
  readonly beyond?: string
}

/** A number within bounds, or `fallback` where the option is absent and there is one. */
export function numberIn(where: Where, options: OwnOptions, option: string, fallback: number | undefined, range: Range): number {
  const given = options[option]
  const value = given === undefined ? fallback : given
  if (typeof value === 'number' && value >= range.min && value <= range.max && (range.whole !== true || Number.isInteger(value)))
    return value
  const sort = `a${range.whole === true ? ' whole' : ''} number${range.what === undefined ? '' : ` of ${range.what}`}`
  const beyond = range.beyond === undefined ? '' : ` (beyond that: ${range.beyond})`
  throw badOption(where, option, value, `${sort} from ${range.min} to ${range.max}${beyond}`)
}

/** A whole number within bounds, or `fallback` where the option is absent and there is one. */
export function wholeIn(
  where: Where,
  options: OwnOptions,
  option: string,
  fallback: number | undefined,
  min: number,
  max: number,
): number {
  return numberIn(where, options, option, fallback, { min, max, whole: true })
}

/** A number of milliseconds above 0, or `fallback` where the option is absent and there is one. */
export function millisecondsIn(
  where: Where,
  options: OwnOptions,
  option: string,
  fallback?: number,
  max: number = longestDelayMs,
): number {
  return numberIn(where, options, option, fallback, { min: 1, max, what: 'milliseconds' })
}
