import { GenStageError, show, suggestion } from './errors.ts'

/** Options as they were given, reduced to what counts: own properties that are not undefined. */
export type OwnOptions = Readonly<Record<string, unknown>>

const noOptions: OwnOptions = Object.freeze({})

/**
 * Reads an options object once, at the door. Inherited values and an own `__proto__` count for nothing; a getter that throws,
 * or something that is no options object at all, is refused with `BAD_OPTION`.
 */
export function ownOptions(where: string, options: unknown): OwnOptions {
  if (options === undefined) return noOptions
  if (
    typeof options !== 'object' ||
    options === null ||
    Array.isArray(options) ||
    options instanceof Map ||
    options instanceof Set
  )
    throw new GenStageError('BAD_OPTION', `${where}: options must be an object, not ${show(options)}`)
  const own: Record<string, unknown> = {}
  for (const key of Object.keys(options)) {
    if (key === '__proto__') continue
    const value = read(where, options, key)
    if (value !== undefined) own[key] = value
  }
  return own
}

function read(where: string, options: object, key: string): unknown {
  try {
    return (options as OwnOptions)[key]
  } catch (cause) {
    throw new GenStageError('BAD_OPTION', `${where}: reading the option ${key} failed`, { option: key, cause })
  }
}

/** Refuses options that nobody knows, with a suggestion (GS-L4, BAD-19). */
export function refuseUnknown(where: string, options: OwnOptions, known: readonly string[]): void {
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue
    throw new GenStageError(
      'BAD_OPTION',
      `${where}: unknown option ${show(key)}${suggestion(key, known) || ';'} known are ${known.join(', ') || 'none'}`,
      {
        option: key,
      },
    )
  }
}

/** A refused option, told the same way everywhere: what was given, what is allowed. */
export function badOption(where: string, option: string, value: unknown, allowed: string): GenStageError {
  return new GenStageError('BAD_OPTION', `${where}: ${option} must be ${allowed}, not ${show(value)}`, { option })
}

/** A whole number within bounds, or `fallback` where the option is absent. */
export function wholeNumber(
  where: string,
  options: OwnOptions,
  option: string,
  fallback: number,
  bounds: { readonly min: number; readonly infinity?: boolean },
): number {
  const value = options[option]
  if (value === undefined) return fallback
  if (value === Infinity && bounds.infinity === true) return Infinity
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= bounds.min) return value
  throw badOption(
    where,
    option,
    value,
    `a whole number from ${bounds.min}${bounds.infinity === true ? ', or Infinity' : ' to 2^53 - 1'}`,
  )
}

/** One of a few words, or `fallback` where the option is absent. */
export function oneOf<const Word extends string>(
  where: string,
  options: OwnOptions,
  option: string,
  words: readonly Word[],
  fallback: Word,
): Word {
  const value = options[option]
  if (value === undefined) return fallback
  const word = words.find(each => each === value)
  if (word === undefined) throw badOption(where, option, value, `one of ${words.map(each => `'${each}'`).join(', ')}`)
  return word
}

/** A duration in milliseconds from 0; `Infinity` where it is allowed. */
export function duration(where: string, option: string, value: unknown, infinity: boolean): number {
  if (typeof value === 'number' && value >= 0 && (infinity || value !== Infinity)) return value
  throw badOption(where, option, value, `a number of milliseconds from 0${infinity ? ', or Infinity' : ''}`)
}

/** A signal, or undefined where the option is absent. */
export function abortSignal(where: string, options: OwnOptions): AbortSignal | undefined {
  const value = options['signal']
  if (value === undefined || value instanceof AbortSignal) return value
  throw badOption(where, 'signal', value, 'an AbortSignal')
}
