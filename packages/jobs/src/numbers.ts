import { badOption, type OwnOptions, type Where } from '@genstage/core/adapters'

/**
 * The longest delay, timeout or window: 2^31 - 1 milliseconds, almost 25 days. What is longer is a date, and given as one (`runAt`); as
 * a number it is a mistake more often than not (BAD-92).
 */
export const longestDelayMs: number = 2 ** 31 - 1

/** Between which numbers an option may lie. */
export interface Range {
  readonly min: number
  readonly max: number
  /** Of what, for the message: `milliseconds`. */
  readonly what?: string
  readonly whole?: boolean
}

/** A number within bounds, or `fallback` where the option is absent and there is one. */
export function numberIn(where: Where, options: OwnOptions, option: string, fallback: number | undefined, range: Range): number {
  const given = options[option]
  const value = given === undefined ? fallback : given
  if (typeof value === 'number' && value >= range.min && value <= range.max && (range.whole !== true || Number.isInteger(value)))
    return value
  const sort = `a${range.whole === true ? ' whole' : ''} number${range.what === undefined ? '' : ` of ${range.what}`}`
  throw badOption(where, option, value, `${sort} from ${range.min} to ${range.max}`)
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
