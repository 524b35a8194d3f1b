import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Backoff, byError, delayAfter, exponential, type FailedAttempt, fixed, jittered, linear } from '../src/backoff.ts'
import { JobsError } from '../src/errors.ts'
import { badOption } from './support/refusal.ts'

const failed = (attempt: number, error?: unknown, random = 0.5): FailedAttempt => ({ attempt, error, random: () => random })
const delays = (backoff: Backoff, random?: number): readonly number[] =>
  [1, 2, 3, 4].map(n => backoff(failed(n, undefined, random)))

describe('the built-in back-offs', () => {
  it('fixed waits the same time', () => {
    expect(delays(fixed(50))).toEqual([50, 50, 50, 50])
  })

  it('ROW-G7 linear waits a minute times the attempts', () => {
    expect(delays(linear())).toEqual([60_000, 120_000, 180_000, 240_000])
    expect(delays(linear(10))).toEqual([10, 20, 30, 40])
  })

  it('exponential waits longer each time, up to maxMs', () => {
    expect(delays(exponential({ jitter: 'none' }))).toEqual([1000, 2000, 4000, 8000])
    expect(delays(exponential({ firstMs: 10, factor: 3, maxMs: 50, jitter: 'none' }))).toEqual([10, 30, 50, 50])
    expect(exponential({ jitter: 'none' })(failed(5000))).toBe(3_600_000)
  })

  it('exponential is spread over all of the time, or over its upper half', () => {
    expect(delays(exponential(), 0.25)).toEqual([250, 500, 1000, 2000])
    expect(delays(exponential({ jitter: 'equal' }), 0.25)).toEqual([625, 1250, 2500, 5000])
  })

  it('jittered spreads another one', () => {
    expect(delays(jittered(fixed(100)), 0)).toEqual([50, 50, 50, 50])
    expect(delays(jittered(fixed(100), 'full'), 0.1)).toEqual([10, 10, 10, 10])
  })

  it('byError looks at what was thrown: its class, code or name', () => {
    const backoff = byError(
      [
        [RangeError, fixed(1)],
        ['ECONNRESET', fixed(2)],
        ['TypeError', linear(10)],
        [JobsError, fixed(4)],
      ],
      fixed(5),
    )
    const delay = (error: unknown): number => backoff(failed(3, error))
    expect(delay(new RangeError('x'))).toBe(1)
    expect(delay(Object.assign(new Error('x'), { code: 'ECONNRESET' }))).toBe(2)
    expect(delay(new TypeError('x'))).toBe(30)
    expect(delay(new JobsError('JOB_TIMEOUT', 'x'))).toBe(4)
    for (const other of [new Error('x'), undefined, null, 'ECONNRESET', revoked()]) expect(delay(other)).toBe(5)
    expect(byError([])(failed(1, undefined, 0.5))).toBe(500)
  })
})

describe('byError on errors that have causes', () => {
  const coded = (code: string): Error => Object.assign(new Error('x'), { code })
  const backoff = byError(
    [
      ['ECONNREFUSED', fixed(1)],
      [RangeError, fixed(2)],
      ['TimeoutError', fixed(3)],
    ],
    fixed(9),
  )
  const delay = (error: unknown): number => backoff(failed(1, error))

  it('looks at these too: fetch throws a TypeError whose cause says what is wrong', () => {
    expect(delay(new TypeError('fetch failed', { cause: coded('ECONNREFUSED') }))).toBe(1)
    expect(delay(new Error('x', { cause: new RangeError('y') }))).toBe(2)
    expect(delay(new Error('x', { cause: new Error('y', { cause: new DOMException('z', 'TimeoutError') }) }))).toBe(3)
    expect(delay(new AggregateError([new Error('x'), coded('ECONNREFUSED')]))).toBe(1)
    expect(delay(new TypeError('x', { cause: new AggregateError([coded('ECONNREFUSED')]) }))).toBe(1)
    for (const cause of [undefined, null, 'ECONNREFUSED', coded('OTHER'), revoked()])
      expect(delay(new Error('x', { cause }))).toBe(9)
  })

  it('takes the first rule that fits, wherever it fits', () => {
    const cause = new RangeError('x', { cause: coded('ECONNREFUSED') })
    expect(delay(cause)).toBe(1)
    expect(
      byError([
        [TypeError, fixed(5)],
        ['ECONNREFUSED', fixed(6)],
      ])(failed(1, new TypeError('x', { cause }))),
    ).toBe(5)
  })

  it('ends where causes go round, or are many', () => {
    const first = new Error('first')
    first.cause = new Error('second', { cause: first })
    expect(delay(first)).toBe(9)
    const many = Array.from({ length: 100_000 }, () => new Error('x'))
    expect(delay(new AggregateError(many))).toBe(9)
    let deep: Error = coded('ECONNREFUSED')
    for (let depth = 0; depth < 1000; depth++) deep = new Error('x', { cause: deep })
    expect(delay(deep)).toBe(9)
  })
})

function revoked(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

describe('BAD-97 back-offs that are none', () => {
  it('are refused where they are made', () => {
    expect(badOption(() => fixed(-1)).message).toBe('fixed: ms must be a number of milliseconds from 0 to 2147483647, not -1')
    for (const ms of [Number.NaN, Infinity, 2 ** 31, '5' as never]) badOption(() => fixed(ms))
    badOption(() => linear(-5))
    badOption(() => exponential({ firstMs: 0 }))
    badOption(() => exponential({ factor: 0.5 }))
    badOption(() => exponential({ maxMs: 10 })) // below firstMs
    badOption(() => exponential({ jitter: 'some' as never }))
    expect(badOption(() => exponential({ max: 5 } as never)).message).toContain('unknown option "max"; did you mean maxMs?')
    badOption(() => jittered('linear' as never))
    badOption(() => jittered(fixed(1), 'none' as never))
    badOption(() => byError([['', fixed(1)]]))
    badOption(() => byError([[TypeError, 5 as never]]))
    badOption(() => byError({} as never))
    badOption(() => byError([], 'linear' as never))
  })

  it.each([
    [
      'throws',
      (): number => {
        throw new TypeError('oh')
      },
      'threw TypeError: oh',
    ],
    ['NaN', () => Number.NaN, 'returned NaN'],
    ['-1', () => -1, 'returned -1'],
    ['infinite', () => Infinity, 'returned Infinity'],
    ['beyond 2^53', () => 2 ** 60, 'returned 11529'],
    ['text', () => '5' as never, 'returned "5"'],
    ['nothing', () => undefined as never, 'returned undefined'],
    [
      'a promise',
      (async () => {
        throw new Error('unseen')
      }) as never,
      'returned a promise',
    ],
  ])('cost a line in the log: %s', (_, backoff: Backoff, problem) => {
    const answer = delayAfter(backoff, failed(2))
    expect(answer.inMs).toBe(1000)
    expect(answer.problem).toContain(problem)
  })
})

describe('JOB-13', () => {
  it('a delay is a whole number of at least 1 ms, whatever the back-off says', () => {
    expect(delayAfter(fixed(0), failed(1))).toEqual({ inMs: 1 })
    expect(delayAfter(() => 1.2, failed(1))).toEqual({ inMs: 2 })
    expect(delayAfter(() => 2 ** 40, failed(1))).toEqual({ inMs: 2 ** 31 - 1 })
    expect(delayAfter(exponential(), failed(1, undefined, 0))).toEqual({ inMs: 1 })
  })

  it('a delay is never outside of the bounds that were named', () => {
    const run = fc.record({
      attempt: fc.integer({ min: 1, max: 2000 }),
      random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      firstMs: fc.integer({ min: 1, max: 100_000 }),
      factor: fc.double({ min: 1, max: 1000, noNaN: true }),
      more: fc.integer({ min: 0, max: 1_000_000 }),
    })
    fc.assert(
      fc.property(run, ({ attempt, random, firstMs, factor, more }) => {
        const maxMs = firstMs + more
        const delay = (jitter: 'full' | 'equal' | 'none'): number =>
          delayAfter(exponential({ firstMs, factor, maxMs, jitter }), failed(attempt, undefined, random)).inMs
        const [full, equal, none] = [delay('full'), delay('equal'), delay('none')]
        for (const inMs of [full, equal, none]) expect(Number.isSafeInteger(inMs) && inMs >= 1 && inMs <= maxMs).toBe(true)
        expect(none).toBeGreaterThanOrEqual(firstMs)
        expect(equal).toBeGreaterThanOrEqual(firstMs / 2)
        expect(full).toBeLessThanOrEqual(none)
        if (attempt === 1) expect(none).toBe(firstMs)
        const line = delayAfter(jittered(linear(firstMs)), failed(attempt, undefined, random)).inMs
        expect(line).toBeGreaterThanOrEqual(Math.floor((firstMs * attempt) / 2))
        expect(line).toBeLessThanOrEqual(firstMs * attempt)
      }),
      { numRuns: 1000, seed: 13 },
    )
  })
})
