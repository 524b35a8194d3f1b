/** Checks of values from a file. What does not fit is refused by place, with what is allowed there and what was found. */
import { ScenarioError } from './scenario.ts'

/** Throws a `ScenarioError` if the value does not fit; `place` is where it stands in its entry. */
export type Check = (value: unknown, place: string) => void

type Fields = Readonly<Record<string, Check>>

/** Longer values are cut in messages. */
const maxWidth = 60

/** Takes everything, also nothing: the library is the judge, of values that may be wrong on purpose. */
export const anything: Check = () => {}

export const text: Check = (value, place) => {
  if (typeof value !== 'string') refuse(place, 'a string', value)
}

export const number: Check = (value, place) => {
  if (typeof value !== 'number') refuse(place, 'a number', value)
}

export const textOrNumber: Check = (value, place) => {
  if (typeof value !== 'string' && typeof value !== 'number') refuse(place, 'a string or a number', value)
}

export function optional(check: Check): Check {
  return (value, place) => {
    if (value !== undefined) check(value, place)
  }
}

export function oneOf(...words: readonly string[]): Check {
  return (value, place) => {
    if (!words.some(word => word === value)) refuse(place, wordsOf(words), value)
  }
}

/** A list of what the check takes; `allowed` says what that is. */
export function listOf(check: Check, allowed = 'a list'): Check {
  return (value, place) => {
    if (!Array.isArray(value)) return refuse(place, allowed, value)
    for (const [index, item] of value.entries()) check(item, `${place}[${index}]`)
  }
}

/** A record with keys of any name. */
export function recordOf(check: Check): Check {
  return (value, place) => {
    for (const [key, item] of Object.entries(record(value, place, 'an object'))) check(item, `${place}.${key}`)
  }
}

/** A record with these fields. Other keys are notes of the file's author. */
export function open(what: string, fields: Fields): Check {
  return (value, place) => {
    const given = record(value, place, `${what}: an object with ${Object.keys(fields).join(', ')}`)
    for (const [key, check] of Object.entries(fields)) check(given[key], `${place}.${key}`)
  }
}

/** A record with these fields and no others: a key that nobody reads would be a mistake that nobody sees. */
export function exactly(what: string, fields: Fields): Check {
  const checkFields = open(what, fields)
  return (value, place) => {
    checkFields(value, place)
    const unknown = Object.keys(Object(value)).find(key => !Object.hasOwn(fields, key))
    if (unknown === undefined) return
    throw new ScenarioError(`${place} has the unknown key ${shown(unknown)}; ${what} has ${Object.keys(fields).join(', ')}`)
  }
}

/** A record of one of several kinds; the field `key` tells which. */
export function kindOf(key: string, what: string, kinds: Fields): Check {
  return (value, place) => {
    const kind = record(value, place, `${what}: an object with ${key} and more`)[key]
    const check = typeof kind === 'string' && Object.hasOwn(kinds, kind) ? kinds[kind] : undefined
    if (check === undefined) return refuse(`${place}.${key}`, wordsOf(Object.keys(kinds)), kind)
    check(value, place)
  }
}

export function refuse(place: string, allowed: string, value: unknown): never {
  throw new ScenarioError(`${place} must be ${allowed}${value === undefined ? '; it is missing' : `, not ${shown(value)}`}`)
}

function record(value: unknown, place: string, allowed: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuse(place, allowed, value)
  return Object.fromEntries(Object.entries(value))
}

function wordsOf(words: readonly string[]): string {
  return words.map(word => JSON.stringify(word)).join(' or ')
}

function shown(value: unknown): string {
  const json = JSON.stringify(value)
  return json.length > maxWidth ? `${json.slice(0, maxWidth)}…` : json
}
