import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeArgs, decodePayload, encodeArgs, encodePayload } from '../src/payload.ts'
import { refused } from './support/refusal.ts'

const encode = (value: unknown): string => encodePayload(value, 'args')
const copy = (value: unknown): unknown => decodePayload(encode(value))
const message = (value: unknown): string => refused('BAD_PAYLOAD', () => encode(value)).message

/** So many arrays inside one another. */
function nested(depth: number): unknown {
  let value: unknown = []
  for (let level = 1; level < depth; level++) value = [value]
  return value
}

describe('a payload', () => {
  it.each([
    [{ n: 1, to: 'x' }],
    ['text'],
    [''],
    ['"quotes" \\ \n \u2028 é 😀'],
    [0],
    [-1.5e-7],
    [Number.MAX_SAFE_INTEGER],
    [true],
    [null],
    [[]],
    [{}],
    [{ '': [{ a: [null, { b: false }] }], 'a b': 1 }],
  ])('comes back as it was: %j', value => {
    expect(copy(value)).toStrictEqual(value)
  })

  it('is written as JSON.stringify writes it', () => {
    const value = { a: [1, 'zwei', null, { b: true }], 'c d': { é: '"' } }
    expect(encode(value)).toBe(JSON.stringify(value))
  })

  it('may be an object without a prototype', () => {
    expect(encode(Object.assign(Object.create(null), { a: 1 }))).toBe('{"a":1}')
  })

  it('is read once, so that it cannot change after it was checked', () => {
    let reads = 0
    const value = {
      get n() {
        return ++reads
      },
    }
    expect(encode(value)).toBe('{"n":1}')
    expect(reads).toBe(1)
  })

  it('may contain the same object twice', () => {
    const point = { x: 1 }
    expect(copy([point, point, { point }])).toEqual([{ x: 1 }, { x: 1 }, { point: { x: 1 } }])
  })

  it('leaves no trace of what was put on prototypes', () => {
    const prototype = Object.prototype as unknown as { toJSON?: () => string; extra?: number }
    prototype.toJSON = () => 'changed'
    prototype.extra = 1
    try {
      expect(encode({ a: [1] })).toBe('{"a":[1]}')
    } finally {
      delete prototype.toJSON
      delete prototype.extra
    }
  })
})

describe('a payload that JSON would change is refused, and the place is named:', () => {
  it('BAD-69 a bigint', () => {
    expect(message({ id: 10n })).toBe('args.id is a bigint; give it as text')
    expect(refused('BAD_PAYLOAD', () => encode([1, [2n]])).path).toBe('args[1][0]')
  })

  it('BAD-70 a cycle', () => {
    const user: Record<string, unknown> = { name: 'ada', text: 'x'.repeat(10_000) }
    user['friends'] = [user]
    expect(message({ user })).toBe('args.user.friends[0] contains itself')
  })

  it('BAD-71 undefined, as the whole', () => {
    expect(message(undefined)).toBe('args must not be undefined')
    expect(message({ a: { b: undefined } })).toBe(
      'args.a.b is undefined, which JSON leaves out or makes null; leave the property out, or give null',
    )
  })

  it('BAD-72 functions and symbols, also as keys', () => {
    expect(message({ done() {} })).toBe('args.done is a function, which JSON cannot tell')
    expect(message([Symbol('x')])).toBe('args[0] is Symbol(x), which JSON cannot tell')
    expect(message({ a: { [Symbol('x')]: 1 } })).toBe('args.a has the property Symbol(x), which JSON leaves out')
  })

  it('BAD-73 NaN and the infinities; -0 is carried', () => {
    expect(message({ ratio: Number.NaN })).toBe('args.ratio is NaN, which JSON cannot tell')
    expect(message({ ratio: Infinity })).toContain('args.ratio is Infinity')
    expect(message([-Infinity])).toContain('args[0] is -Infinity')
    expect(Object.is(copy(-0), -0)).toBe(true)
    expect(copy([0, -0])).toStrictEqual([0, -0])
  })

  it('BAD-74 dates, invalid ones too', () => {
    expect(message({ user: { born: new Date(0) } })).toBe(
      'args.user.born is a Date; give text (toISOString()) or a number (getTime())',
    )
    expect(message({ at: new Date(Number.NaN) })).toBe('args.at is an invalid Date')
  })

  it.each([
    ['Map', new Map([[1, 2]])],
    ['Set', new Set([1])],
    ['RegExp', /x/],
    ['Error', new Error('x')],
    ['URL', new URL('https://example.com/')],
    ['Money', new (class Money {})()],
    ['Number', Object(1) as unknown],
    ['object with a prototype', Object.create({ inherited: 1, constructor: 1 }) as unknown],
    ['Rows', new (class Rows extends Array<number> {})(1, 2)],
    ['Promise', Promise.resolve()],
  ])('BAD-75 an instance: %s', (name, value) => {
    expect(message({ items: [value] })).toMatch(new RegExp(`^args\\.items\\[0\\] is an? ${name}; give `))
  })

  it.each([
    ['Uint8Array', new Uint8Array(2)],
    ['Float64Array', new Float64Array(1)],
    ['ArrayBuffer', new ArrayBuffer(1)],
    ['Buffer', Buffer.from('x')],
  ])('BAD-76 bytes: %s', (name, value) => {
    expect(message({ file: value })).toMatch(new RegExp(`^args\\.file is an? ${name}; give `))
  })

  it('BAD-77 arrays with holes, with undefined, with properties of their own', () => {
    // oxlint-disable-next-line no-sparse-arrays
    expect(message({ items: [1, , 3] })).toContain('args.items[1] is undefined')
    expect(message(new Array(1_000_000_000))).toContain('args[0] is undefined')
    expect(message([undefined])).toContain('args[0] is undefined')
    expect(message({ found: /(x)/.exec('x') })).toContain('args.found is an array with properties of its own')
  })

  it('BAD-78 getters, toJSON and proxies that throw', () => {
    const getter = {
      get secret(): string {
        throw new Error('no')
      },
    }
    const error = refused('BAD_PAYLOAD', () => encode({ user: getter }))
    expect([error.message, error.path]).toEqual(['args.user.secret cannot be read: it threw', 'args.user.secret'])
    expect(error.cause).toEqual(new Error('no'))
    expect(message({ toJSON: () => 1 })).toContain('args.toJSON is a function')
    const trap = (): never => {
      throw new Error('no')
    }
    for (const handler of [{ getPrototypeOf: trap }, { ownKeys: trap }, { get: trap }, { getOwnPropertyDescriptor: trap }])
      expect(message({ proxy: new Proxy({ a: 1 }, handler) })).toMatch(/^args\.proxy(\.a)? cannot be read: it threw$/)
  })

  it('BAD-79 whole numbers that have lost digits', () => {
    expect(message({ id: 2 ** 53 })).toBe('args.id is 9007199254740992: above 2^53 whole numbers lose digits; give it as text')
    expect(message([-(2 ** 60)])).toContain('args[0] is -1152921504606847000')
    expect(copy([2 ** 53 - 1, -(2 ** 53 - 1)])).toEqual([2 ** 53 - 1, -(2 ** 53 - 1)])
  })

  it('BAD-80 what is nested deeper than 200, however deep', () => {
    expect(copy(nested(200))).toEqual(nested(200))
    expect(message(nested(201))).toContain('lies deeper than 200 arrays and objects')
    expect(message(nested(200_000))).toContain('lies deeper than 200 arrays and objects')
    expect(refused('BAD_PAYLOAD', () => encodePayload({ a: [[]] }, 'metadata', { maxBytes: 100, maxDepth: 2 })).message).toBe(
      'metadata.a[0] lies deeper than 2 arrays and objects',
    )
  })

  it('BAD-82 text with a NUL', () => {
    expect(message({ note: 'a\0b' })).toBe('args.note has the character U+0000, which not every store can hold')
    expect(message({ 'a\0': 1 })).toContain('has the character U+0000')
    expect(copy('\u0001 \\u0000')).toBe('\u0001 \\u0000')
  })

  it('BAD-83 half a surrogate pair', () => {
    expect(message({ note: 'x\uD83D' })).toBe('args.note has half a surrogate pair, which is no text')
    expect(message({ ['\uDE00']: 1 })).toContain('has half a surrogate pair')
    expect(copy('\uD83D\uDE00\u001f')).toBe('\uD83D\uDE00\u001f')
  })

  it('tells no value of a path that is not safe to show', () => {
    expect(refused('BAD_PAYLOAD', () => encode({ 'a"\n': { ['x'.repeat(100)]: 1n } })).path).toBe(
      `args["a\\"\\n"]["${'x'.repeat(40)}…"]`,
    )
  })
})

describe('the size of a payload', () => {
  const limits = { maxBytes: 64, maxDepth: 200 }

  it('BAD-81 is counted in bytes, not in characters', () => {
    expect(encodePayload('x'.repeat(62), 'args', limits)).toHaveLength(64)
    expect(refused('PAYLOAD_TOO_LARGE', () => encodePayload('x'.repeat(63), 'args', limits)).message).toContain(
      'longer than 64 bytes',
    )
    expect(encodePayload('é'.repeat(31), 'args', limits)).toHaveLength(33)
    expect(refused('PAYLOAD_TOO_LARGE', () => encodePayload('é'.repeat(32), 'args', limits)).path).toBe('args')
    expect(encodePayload([{ a: 'x'.repeat(52) }, 1], 'args', limits)).toHaveLength(64)
    expect(encodePayload([{ a: 'x'.repeat(51) }, -1], 'args', limits)).toHaveLength(64)
    refused('PAYLOAD_TOO_LARGE', () => encodePayload([{ a: 'x'.repeat(53) }, 1], 'args', limits))
  })

  it('BAD-81 is 256 KiB at most', () => {
    expect(encode('x'.repeat(256 * 1024 - 2))).toHaveLength(256 * 1024)
    refused('PAYLOAD_TOO_LARGE', () => encode('x'.repeat(256 * 1024 - 1)))
  })

  it('BAD-81 is seen before everything is written', () => {
    let value: unknown = ['x']
    for (let level = 0; level < 100; level++) value = [value, value]
    refused('PAYLOAD_TOO_LARGE', () => encode(value))
    refused('PAYLOAD_TOO_LARGE', () => encode(Array.from({ length: 300_000 }, () => 1)))
    refused('PAYLOAD_TOO_LARGE', () => encode('x'.repeat(100_000_000)))
  })
})

describe('reading a payload', () => {
  it('BAD-84 keeps keys that are names of prototypes, and changes no prototype', () => {
    const text = '{"__proto__":{"admin":true},"constructor":{"prototype":1},"prototype":null,"hasOwnProperty":1}'
    const value = decodePayload(text) as object
    expect(encode(value)).toBe(text)
    expect(Object.keys(value)).toEqual(['__proto__', 'constructor', 'prototype', 'hasOwnProperty'])
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect(({} as { admin?: boolean }).admin).toBeUndefined()
  })

  it('BAD-85 takes no raw JSON: text with duplicate keys is carried as the text it is', () => {
    expect(copy('{"a":1,"a":2}')).toBe('{"a":1,"a":2}')
  })

  it('BAD-86 takes no bytes, valid UTF-8 or not', () => {
    expect(message(Buffer.from([0xff, 0xfe]))).toContain('args is a Buffer')
  })

  it('refuses what is no JSON, without showing it', () => {
    expect(refused('BAD_PAYLOAD', () => decodePayload('secret')).message).toBe('a stored payload of 6 characters is no JSON')
  })

  it('goes as deep as it has to', () => {
    const text = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
    expect(decodePayload(text)).toHaveLength(1)
  })
})

describe('args', () => {
  it('may be none at all, which are not the same as null', () => {
    expect(decodeArgs(encodeArgs(undefined))).toBeUndefined()
    expect(refused('BAD_PAYLOAD', () => encodeArgs(null)).message).toContain('args must not be null')
    expect(decodeArgs(encodeArgs([null]))).toEqual([null])
  })
})

/** Whether JSON carries it unchanged, said in another way than the code says it. */
function isCarried(value: unknown): boolean {
  if (value === null || typeof value === 'boolean') return true
  if (typeof value === 'string') return !value.includes('\0') && Buffer.from(value).toString() === value
  if (typeof value === 'number') return Number.isFinite(value) && !(Number.isInteger(value) && Math.abs(value) >= 2 ** 53)
  if (typeof value !== 'object') return false
  if (Array.isArray(value)) return value.every(isCarried) && Object.keys(value).length === value.length
  if (![Object.prototype, null].includes(Object.getPrototypeOf(value))) return false
  return Object.entries(value).every(entry => entry.every(isCarried))
}

describe('JOB-17', () => {
  const anything = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withSparseArray: true,
    withTypedArray: true,
    withBoxedValues: true,
    withNullPrototype: true,
    stringUnit: 'binary',
    maxDepth: 4,
  })

  it('a payload is read as it was written, or refused', () => {
    let taken = 0
    let refusals = 0
    fc.assert(
      fc.property(anything, value => {
        if (isCarried(value)) {
          taken++
          expect(copy(value)).toEqual(value)
        } else {
          refusals++
          expect(refused('BAD_PAYLOAD', () => encode(value)).path).toMatch(/^args/)
        }
      }),
      { numRuns: 3000, seed: 17 },
    )
    expect(Math.min(taken, refusals)).toBeGreaterThan(200)
  })

  it('a payload made of JSON is always taken, and written the same', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), value => {
        fc.pre(isCarried(value))
        expect(copy(value)).toStrictEqual(value)
        expect(encode(value).replaceAll('-0', '0')).toBe(JSON.stringify(value).replaceAll('-0', '0'))
      }),
      { numRuns: 1000, seed: 17 },
    )
  })
})
