import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cutText, failureError, toFailure } from '../src/failure.ts'
import { decodePayload, encodePayload } from '../src/payload.ts'

const bytes = (text = ''): number => Buffer.byteLength(text)

describe('F12 whatever was thrown becomes a failure:', () => {
  it('an error, with its name, message, stack and code', () => {
    const error = Object.assign(new TypeError('no such user'), { code: 'ENOUSER' })
    expect(toFailure(error)).toEqual({ code: 'ENOUSER', name: 'TypeError', message: 'no such user', stack: error.stack })
    expect(Object.keys(toFailure(new Error('x')))).not.toContain('code')
  })

  it.each([
    ['text', 'plain text', { name: 'NonError', message: 'plain text' }],
    ['undefined', undefined, { name: 'NonError', message: 'undefined was thrown' }],
    ['null', null, { name: 'NonError', message: 'null was thrown' }],
    ['a bigint', 1n, { name: 'NonError', message: '1 was thrown' }],
    ['a symbol', Symbol('x'), { name: 'NonError', message: 'Symbol(x) was thrown' }],
    ['a function', () => 1, { name: 'NonError', message: 'a function was thrown' }],
    ['an object', { status: 500, body: 'secret' }, { name: 'NonError', message: 'an object was thrown, with status, body' }],
    ['an empty object', {}, { name: 'NonError', message: 'an object was thrown' }],
    ['what looks like an error', { message: 'hm', code: 'E' }, { code: 'E', name: 'Error', message: 'hm' }],
  ])('%s', (_, thrown, failure) => {
    expect(toFailure(thrown)).toEqual(failure)
  })

  it('a frozen error', () => {
    expect(toFailure(Object.freeze(new Error('cold')))).toMatchObject({ name: 'Error', message: 'cold' })
  })

  it('errors that are each other’s cause', () => {
    const first = new Error('first')
    const second = new Error('second', { cause: first })
    first.cause = second
    const { stack = '' } = toFailure(first)
    expect(stack.match(/Error: (first|second)/g)).toEqual(['Error: first', 'Error: second'])
  })

  it('an error whose getters throw', () => {
    const trap = (): never => {
      throw new Error('no')
    }
    const error = Object.defineProperties(new Error('x'), {
      stack: { get: trap }, // first, because Node makes the stack of the message
      message: { get: trap },
      name: { get: trap },
      cause: { get: trap },
      code: { get: trap },
    })
    expect(toFailure(error)).toEqual({ name: 'Error', message: 'an error whose message cannot be read' })
  })

  it('a proxy that throws whatever is done to it', () => {
    const trap = (): never => {
      throw new Error('no')
    }
    const proxy: unknown = new Proxy({}, { get: trap, has: trap, getPrototypeOf: trap, ownKeys: trap })
    expect(toFailure(proxy)).toEqual({ name: 'NonError', message: 'an object was thrown' })
    expect(toFailure(new AggregateError([proxy], 'x', { cause: proxy })).message).toBe('x')
  })

  it('a message of 10 MB, of which 4 KiB are kept, and still the place it came from', () => {
    const failure = toFailure(new Error('😀'.repeat(2_500_000)))
    expect(bytes(failure.message)).toBeLessThanOrEqual(4096)
    expect(failure.message).toMatch(/^(😀)+…$/u)
    expect(bytes(failure.stack)).toBeLessThanOrEqual(8192)
    expect(failure.stack).toContain('failure.test.ts')
  })

  it('a thousand causes, as far as there is room', () => {
    let error = new Error('0', { cause: 'text' })
    for (let number = 1; number < 1000; number++) error = new Error(String(number), { cause: error })
    const { stack = '' } = toFailure(error)
    expect(bytes(stack)).toBeLessThanOrEqual(8192)
    expect(stack).toContain('caused by Error: 998')
  })

  it('the errors inside an AggregateError', () => {
    const error = new AggregateError([new Error('one'), new TypeError('two'), 3], 'all failed')
    expect(toFailure(error).stack).toMatch(/all failed[^]*caused by Error: one[^]*caused by TypeError: two/)
  })

  it('with a code that is given, which goes before its own', () => {
    expect(toFailure(Object.assign(new Error('x'), { code: 'OWN' }), 'JOB_TIMEOUT').code).toBe('JOB_TIMEOUT')
    for (const code of ['', 'x'.repeat(65), 5, {}]) expect(toFailure({ message: 'x', code })).not.toHaveProperty('code')
  })
})

it('F12 a failure is made of anything, within its bounds, and is stored and read as it is', () => {
  fc.assert(
    fc.property(
      fc.anything({ withBigInt: true, withNullPrototype: true, withMap: true, stringUnit: 'binary' }),
      fc.boolean(),
      (thrown, asCause) => {
        const failure = toFailure(asCause ? new Error(typeof thrown, { cause: thrown }) : thrown)
        expect(bytes(failure.name)).toBeLessThanOrEqual(128)
        expect(bytes(failure.message)).toBeLessThanOrEqual(4096)
        expect(bytes(failure.stack)).toBeLessThanOrEqual(8192)
        expect(decodePayload(encodePayload(failure, 'failure'))).toEqual(failure)
        expect(failureError(failure).message).toBe(failure.message)
      },
    ),
    { numRuns: 1000, seed: 12 },
  )
})

describe('the code of a failure', () => {
  const withCode = (code: unknown, cause?: unknown): Error => Object.assign(new Error('x', { cause }), { code })

  it('is that of the nearest cause where the error has none', () => {
    const refused = withCode('ECONNREFUSED')
    expect(toFailure(new TypeError('fetch failed', { cause: refused }))).toMatchObject({
      code: 'ECONNREFUSED',
      name: 'TypeError',
      message: 'fetch failed',
    })
    const near = withCode('NEAR', withCode('FAR'))
    expect(toFailure(new Error('x', { cause: near })).code).toBe('NEAR')
    expect(toFailure(withCode('OWN', near)).code).toBe('OWN')
    expect(toFailure(withCode(20, near)).code).toBe('NEAR')
    expect(toFailure(new Error('x', { cause: near }), 'JOB_TIMEOUT').code).toBe('JOB_TIMEOUT')
  })

  it('is that of the first error inside an AggregateError that has one', () => {
    const all = new AggregateError([new Error('x'), withCode('ENETUNREACH'), withCode('ETIMEDOUT')], 'x')
    expect(toFailure(all).code).toBe('ENETUNREACH')
    expect(toFailure(new TypeError('fetch failed', { cause: all })).code).toBe('ENETUNREACH')
  })

  it('is looked for in a few causes only, each once', () => {
    const first = new Error('first')
    first.cause = new Error('second', { cause: first })
    expect(toFailure(first)).not.toHaveProperty('code')
    const nested = (depth: number): Error => (depth === 0 ? withCode('DEEP') : new Error('x', { cause: nested(depth - 1) }))
    expect(toFailure(nested(16)).code).toBe('DEEP')
    expect(toFailure(nested(17))).not.toHaveProperty('code')
  })
})

describe('failureError', () => {
  it('is an error again', () => {
    const error = failureError(toFailure(Object.assign(new RangeError('too far'), { code: 'EFAR' })))
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({ name: 'RangeError', message: 'too far', code: 'EFAR' })
    expect(String(error)).toBe('RangeError: too far')
    expect(error.stack).toContain('failure.test.ts')
  })

  it('has a stack of one line where none was kept', () => {
    const error = failureError({ name: 'Discarded', message: 'no such user' })
    expect(error.stack).toBe('Discarded: no such user')
    expect('code' in error).toBe(false)
  })
})

describe('cutText', () => {
  it('cuts at a whole character, to the byte, and leaves nothing that is no text', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.array(fc.constantFrom('\uD83D', '\0', 'é', 'x', '€')).map(all => all.join('')),
    )
    fc.assert(
      fc.property(text, fc.integer({ min: 8, max: 40 }), (given, maxBytes) => {
        const cut = cutText(given, maxBytes)
        expect(bytes(cut)).toBeLessThanOrEqual(maxBytes)
        expect(cut).not.toMatch(/\0|\p{Surrogate}/u)
        const clean = Buffer.from(given.replaceAll('\0', '\uFFFD')).toString()
        if (bytes(clean) <= maxBytes) expect(cut).toBe(clean)
        else {
          expect(clean.startsWith(cut.slice(0, -1))).toBe(true)
          expect(bytes(cut)).toBeGreaterThan(maxBytes - 4)
          expect(cut.endsWith('…')).toBe(true)
        }
      }),
      { numRuns: 2000, seed: 12 },
    )
  })
})
