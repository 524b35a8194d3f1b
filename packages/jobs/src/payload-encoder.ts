import { show } from '@genstage/core/adapters'
import { JobsError } from './errors.ts'

/** Bounds of a payload. */
export interface PayloadLimits {
  /** Of the JSON text, in UTF-8 bytes. Default 256 KiB. */
  readonly maxBytes: number
  /** Arrays and objects inside one another. Default 200. */
  readonly maxDepth: number
}

/**
 * Writes one value, and knows where it is. Not `JSON.stringify` with a check before it: that reads everything twice, calls `toJSON`, and
 * writes the same object as often as it is met before anybody sees how long the text has become.
 */
export class PayloadEncoder {
  readonly #where: string
  readonly #limits: PayloadLimits
  /** What may still be written, in code units: never less than there is room in bytes. */
  #room: number
  /** The keys that lead to the value at hand, one for each array and object around it. */
  readonly #path: (string | number)[] = []
  /** The arrays and objects around it, the outermost first. */
  readonly #around: object[] = []

  constructor(where: string, limits: PayloadLimits) {
    this.#where = where
    this.#limits = limits
    this.#room = limits.maxBytes
  }

  encode(value: unknown): string {
    try {
      return this.#write(value)
    } catch (cause) {
      if (isOurs(cause)) throw cause
      // A getter, or a trap of a proxy (BAD-78)
      throw this.#error('cannot be read: it threw', cause)
    }
  }

  tooLarge(): JobsError {
    const text = `${this.#where}: the JSON text is longer than ${this.#limits.maxBytes} bytes; store large things elsewhere, and pass where they are`
    return new JobsError('PAYLOAD_TOO_LARGE', text, { path: this.#where })
  }

  #write(value: unknown): string {
    switch (typeof value) {
      case 'string':
        return this.#take(this.#text(value))
      case 'number':
        return this.#take(this.#number(value))
      case 'boolean':
        return this.#take(value ? 'true' : 'false')
      case 'object':
        return value === null ? this.#take('null') : this.#container(value)
      default:
        throw this.#error(this.#whyNot(value))
    }
  }

  #container(value: object): string {
    const depth = this.#around.length
    if (depth > 0 && this.#around.includes(value)) throw this.#error('contains itself')
    if (depth >= this.#limits.maxDepth) throw this.#error(`lies deeper than ${this.#limits.maxDepth} arrays and objects`)
    this.#around.push(value)
    const text = Array.isArray(value) ? this.#array(value) : this.#object(value)
    this.#around.pop()
    this.#path.length = depth
    return text
  }

  #array(array: readonly unknown[]): string {
    const prototype: unknown = Object.getPrototypeOf(array)
    // The prototype of arrays is an array itself, also in another realm; that of a subclass is not
    if (prototype !== Array.prototype && !Array.isArray(prototype)) throw this.#instance(array)
    const depth = this.#around.length - 1
    const { length } = array
    this.#room -= length + 1
    let text = '['
    for (let index = 0; index < length; index++) {
      this.#path[depth] = index
      const value = array[index]
      if (value === undefined) throw this.#error(this.#whyNot(value))
      text += index === 0 ? this.#write(value) : `,${this.#write(value)}`
    }
    this.#path.length = depth
    this.#refuseSymbols(array)
    if (Object.keys(array).length > length) throw this.#error('is an array with properties of its own, which JSON leaves out')
    return `${text}]`
  }

  #object(object: object): string {
    if (!isPlain(object)) throw this.#instance(object)
    this.#refuseSymbols(object)
    const depth = this.#around.length - 1
    let text = ''
    for (const key of Object.keys(object)) {
      this.#path[depth] = key
      const name = this.#take(this.#text(key))
      const value = this.#write((object as Readonly<Record<string, unknown>>)[key])
      this.#room -= 2
      text += text === '' ? `{${name}:${value}` : `,${name}:${value}`
    }
    return text === '' ? this.#take('{}') : `${text}}`
  }

  #text(value: string): string {
    if (value.length > this.#room) throw this.tooLarge()
    if (value.length < 100 && unescaped.test(value)) return `"${value}"`
    const text = JSON.stringify(value)
    // Only what needs an escape is looked at: a NUL, and half a surrogate pair, are written as one
    if (text.length > value.length + 2 && text.includes('\\u')) this.#refuseHalves(value)
    return text
  }

  #refuseHalves(value: string): void {
    if (value.includes('\0')) throw this.#error('has the character U+0000, which not every store can hold')
    if (/\p{Surrogate}/u.test(value)) throw this.#error('has half a surrogate pair, which is no text')
  }

  #number(value: number): string {
    if (Object.is(value, -0)) return '-0'
    if (Number.isFinite(value) && (Number.isSafeInteger(value) || !Number.isInteger(value))) return String(value)
    throw this.#error(this.#whyNot(value))
  }

  #refuseSymbols(value: object): void {
    for (const symbol of Object.getOwnPropertySymbols(value))
      if (Object.getOwnPropertyDescriptor(value, symbol)?.enumerable === true)
        throw this.#error(`has the property ${symbol.toString()}, which JSON leaves out`)
  }

  /** Counts what is written. Without it, objects that are met again and again could make a text of any length. */
  #take(text: string): string {
    this.#room -= text.length
    if (this.#room < 0) throw this.tooLarge()
    return text
  }

  #instance(value: object): JobsError {
    const name = nameOfClass(value)
    const hint = hints.get(name) ?? 'give a plain object'
    if (value instanceof Date && Number.isNaN(value.getTime())) return this.#error('is an invalid Date')
    return this.#error(`is ${/^[aeiou]/i.test(name) ? 'an' : 'a'} ${name}; ${hint}`)
  }

  #whyNot(value: unknown): string {
    if (value === undefined)
      return this.#path.length === 0
        ? 'must not be undefined'
        : 'is undefined, which JSON leaves out or makes null; leave the property out, or give null'
    if (typeof value === 'bigint') return 'is a bigint; give it as text'
    if (typeof value === 'number' && Number.isInteger(value))
      return `is ${value}: above 2^53 whole numbers lose digits; give it as text`
    return `is ${show(value)}, which JSON cannot tell`
  }

  #error(problem: string, cause?: unknown): JobsError {
    const path = this.#path.reduce<string>((before, key) => before + pathStep(key), this.#where)
    return new JobsError('BAD_PAYLOAD', `${path} ${problem}`, { path, cause })
  }
}

/** Text that JSON writes as it is. To ask is quicker than to write, for short text. */
const unescaped = /^[ !#-[\]-~]*$/

/** What may be given in place of an instance. */
const hints: ReadonlyMap<string, string> = new Map([
  ['Date', 'give text (toISOString()) or a number (getTime())'],
  ['Map', 'give an object (Object.fromEntries(map)) or an array ([...map])'],
  ['Set', 'give an array ([...set])'],
  ['URL', 'give text (url.href)'],
  ['RegExp', 'give text (regexp.source)'],
  ['Error', 'give text (error.message)'],
  ['Buffer', "give text (buffer.toString('base64'))"],
  ['Uint8Array', "give text (Buffer.from(bytes).toString('base64'))"],
])

/** A plain object: made by `{}`, by JSON, also in another realm, or without a prototype. */
function isPlain(object: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(object)
  if (prototype === Object.prototype || prototype === null) return true
  if (typeof prototype !== 'object' || prototype === null) return false
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf')
}

function nameOfClass(value: object): string {
  const { constructor } = value as { readonly constructor?: unknown }
  return typeof constructor === 'function' && constructor.name !== '' ? constructor.name : 'object with a prototype'
}

/** One step of a path, as it is appended: `.items`, `[3]`. */
export function pathStep(key: PropertyKey): string {
  if (typeof key === 'number') return `[${key}]`
  if (typeof key === 'string' && /^[A-Za-z_$][\w$]{0,40}$/.test(key)) return `.${key}`
  return `[${show(key)}]`
}

function isOurs(error: unknown): error is JobsError {
  try {
    return error instanceof JobsError
  } catch {
    return false
  }
}
