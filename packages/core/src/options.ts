import { GenStageError, show, suggestion } from './errors.ts'

/**
 * Options as they were given, reduced to what counts: own properties that are not undefined. Without a prototype, so that what
 * somebody put on `Object.prototype` counts for nothing either (BAD-21).
 */
export type OwnOptions = Readonly<Record<string, unknown>>

/** Whose options they are, for messages; a stage tells its name only when there is something to tell. */
export interface Where {
  toString(): string
  /** Name or id of the stage, if it is one. */
  readonly label?: string | undefined
}

/** An option or a call of a stage: `stage "mailer": stop`. */
export class StagePlace implements Where {
  readonly label: string
  readonly #what: string | undefined

  constructor(label: string, what?: string) {
    this.label = label
    this.#what = what
  }

  toString(): string {
    return this.#what === undefined ? `stage ${show(this.label)}` : `stage ${show(this.label)}: ${this.#what}`
  }
}

const noOptions: OwnOptions = /* @__PURE__ */ Object.freeze(Object.create(null) as OwnOptions)

/**
 * Reads an options object once, at the door. Inherited values and an own `__proto__` count for nothing; a getter that throws,
 * or something that is no options object at all, is refused with `BAD_OPTION`.
 */
export function ownOptions(where: Where, options: unknown): OwnOptions {
  if (options === undefined) return noOptions
  if (!isOptions(options))
    throw new GenStageError('BAD_OPTION', `${where.toString()}: options must be an object, not ${show(options)}`, {
      stage: where.label,
    })
  const own = Object.create(null) as Record<string, unknown>
  for (const key of Object.keys(options)) {
    if (key === '__proto__') continue
    const value = read(where, options, key)
    if (value !== undefined) own[key] = value
  }
  return own
}

/** Whether it can be an options object. */
export function isOptions(options: unknown): options is object {
  if (typeof options !== 'object' || options === null) return false
  return !(Array.isArray(options) || options instanceof Map || options instanceof Set)
}

function read(where: Where, options: object, key: string): unknown {
  try {
    return (options as OwnOptions)[key]
  } catch (cause) {
    throw new GenStageError('BAD_OPTION', `${where.toString()}: reading the option ${key} failed`, {
      stage: where.label,
      option: key,
      cause,
    })
  }
}

/** The options but some, which are for somebody else. */
export function optionsWithout(options: OwnOptions, ...names: readonly string[]): OwnOptions {
  const keys = Object.keys(options).filter(key => !names.includes(key))
  if (keys.length === 0) return noOptions
  const rest = Object.create(null) as Record<string, unknown>
  for (const key of keys) rest[key] = options[key]
  return rest
}

/** Refuses options that nobody knows, with a suggestion (GS-L4, BAD-19). */
export function refuseUnknown(where: Where, options: OwnOptions, known: readonly string[]): void {
  for (const key of Object.keys(options)) if (!known.includes(key)) throw unknownOption(where, 'option', key, known)
}

/** An option that nobody knows. */
export function unknownOption(where: Where, what: string, option: string, known: readonly string[]): GenStageError {
  const hint = suggestion(option, known) || ';'
  const text = `${where.toString()}: unknown ${what} ${show(option)}${hint} known are ${known.join(', ') || 'none'}`
  return new GenStageError('BAD_OPTION', text, { stage: where.label, option })
}

/** The options inside an option. */
export function within(where: Where, option: string): Where {
  return { label: where.label, toString: () => `${where.toString()}: ${option}` }
}

/** A refused option, told the same way everywhere: what was given, what is allowed. */
export function badOption(where: Where, option: string, value: unknown, allowed: string): GenStageError {
  return new GenStageError('BAD_OPTION', `${where.toString()}: ${option} must be ${allowed}, not ${show(value)}`, {
    stage: where.label,
    option,
  })
}

/** A whole number within bounds, or `fallback` where the option is absent. */
export function wholeNumber(
  where: Where,
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
  where: Where,
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

/** True or false; false where the option is absent. */
export function flag(where: Where, options: OwnOptions, option: string): boolean {
  const value = options[option]
  if (value === undefined || typeof value === 'boolean') return value === true
  throw badOption(where, option, value, 'true or false')
}

/** The option as a delay in milliseconds, which has to be one: above 0 and finite. */
export function delay(where: Where, options: OwnOptions, option: string, fallback?: number): number {
  const value = options[option] ?? fallback
  if (typeof value === 'number' && value > 0 && value !== Infinity) return value
  throw badOption(where, option, value, 'a number of milliseconds above 0')
}

/** A duration in milliseconds from 0, or `fallback` where it is absent; `Infinity` where it is allowed. */
export function duration(where: Where, option: string, value: unknown, infinity: boolean, fallback?: number): number {
  if (value === undefined && fallback !== undefined) return fallback
  if (typeof value === 'number' && value >= 0 && (infinity || value !== Infinity)) return value
  throw badOption(where, option, value, `a number of milliseconds from 0${infinity ? ', or Infinity' : ''}`)
}

/** A signal, or undefined where the option is absent. */
export function abortSignal(where: Where, options: OwnOptions): AbortSignal | undefined {
  const value = options['signal']
  if (value === undefined || value instanceof AbortSignal) return value
  throw badOption(where, 'signal', value, 'an AbortSignal')
}
