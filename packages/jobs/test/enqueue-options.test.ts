import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type EnqueueOptions, enqueueSettings } from '../src/enqueue-options.ts'
import type { JobSettings } from '../src/job-settings.ts'
import { kind } from '../src/kind.ts'
import { longestStoredDelayMs } from '../src/numbers.ts'
import { badOption, refused } from './support/refusal.ts'

const mail = kind('mail', { queue: 'mails', maxAttempts: 5, timeoutMs: 1000, handler: () => 1 })
const settings = (options: EnqueueOptions): JobSettings => enqueueSettings(mail, options)
const message = (options: unknown): string => badOption(() => settings(options as EnqueueOptions)).message
const key = 'k'

describe('the options of enqueue', () => {
  it('are those of the kind where there are none, with nothing made for it', () => {
    expect(enqueueSettings(mail, undefined)).toBe(mail.defaults)
    expect(settings({})).toEqual(mail.defaults)
  })

  it('go before those of the kind', () => {
    const id = '018f3c6e-0000-7000-8000-0123456789ab'
    const given = { queue: 'slow', priority: -1, maxAttempts: 1, timeoutMs: 5, delayMs: 10, tags: ['a'], id }
    expect(settings(given)).toEqual(given)
    expect(settings({ runAt: new Date(5) })).toMatchObject({ delayMs: 0, runAt: 5 })
  })

  it('hold keys, which are those of the kind alone', () => {
    expect(settings({ unique: key }).unique).toEqual({ key: 'mail:k', until: 'finished', conflict: 'keep' })
    expect(settings({ unique: { key, until: 'started', conflict: 'replace' } }).unique).toEqual({
      key: 'mail:k',
      until: 'started',
      conflict: 'replace',
    })
    expect(settings({ debounce: { key, ms: 50 } })).toMatchObject({
      delayMs: 50,
      unique: { key: 'mail:k', until: 'started', conflict: 'replace' },
    })
    expect(settings({ throttle: { key, ms: 50 } })).toMatchObject({
      delayMs: 0,
      unique: { key: 'mail:k', until: 50, conflict: 'keep' },
    })
    expect(settings({ throttle: { key, ms: 50, next: true }, priority: 1 }).unique).toEqual({
      key: 'mail:k',
      until: 50,
      conflict: 'next',
    })
    expect(settings({ throttle: { key, ms: 50 }, delayMs: 5 })).toMatchObject({ delayMs: 5, unique: { until: 50 } })
  })

  it('BAD-98 keys of two kinds are never the same', () => {
    const names = fc.stringMatching(/^[a-z.]{1,6}$/).filter(name => !name.startsWith('.'))
    const keys = fc.string({ minLength: 1, maxLength: 8 }).filter(text => !text.includes('\0'))
    fc.assert(
      fc.property(names, names, keys, keys, (one, other, first, second) => {
        const same =
          enqueueSettings(kind(one), { unique: first }).unique?.key ===
          enqueueSettings(kind(other), { unique: second }).unique?.key
        expect(same).toBe(one === other && first === second)
      }),
      { numRuns: 500, seed: 98 },
    )
  })
})

describe('any options of enqueue', () => {
  const right = {
    queue: 'slow',
    priority: 1,
    maxAttempts: 2,
    timeoutMs: 5,
    delayMs: 10,
    runAt: new Date(5),
    tags: ['a'],
    id: '018f3c6e-0000-7000-8000-0123456789ab',
    unique: key,
    debounce: { key, ms: 5 },
    throttle: { key, ms: 5 },
  }
  const names = Object.keys(right) as (keyof typeof right)[]
  /** A few of the options, most of them with a value that is right. */
  const some = fc
    .subarray(names, { maxLength: 4 })
    .chain(chosen =>
      fc.record(
        Object.fromEntries(
          chosen.map(name => [
            name,
            fc.oneof({ weight: 9, arbitrary: fc.constant<unknown>(right[name]) }, fc.anything(), fc.integer(), fc.double()),
          ]),
        ),
      ),
    )

  it('are refused with a code, or make a job that a store can take', () => {
    let taken = 0
    fc.assert(
      fc.property(some, given => {
        let made: JobSettings
        try {
          made = settings(given as EnqueueOptions)
        } catch (error) {
          expect(error).toMatchObject({ code: expect.stringMatching(/^BAD_(OPTION|NAME)$/) as string })
          return
        }
        taken++
        const { priority, delayMs, maxAttempts, runAt = 0, timeoutMs = 1 } = made
        expect([priority, maxAttempts].every(Number.isInteger)).toBe(true)
        expect(delayMs >= 0 && delayMs <= longestStoredDelayMs && runAt >= 0 && runAt < 2 ** 48 && timeoutMs > 0).toBe(true)
        expect(made.unique === undefined || made.unique.key.startsWith('mail:')).toBe(true)
      }),
      { numRuns: 2000, seed: 92 },
    )
    expect(taken).toBeGreaterThan(500)
  })
})

describe('a time that no timer of the platform can wait for', () => {
  it.each([30 * 86_400_000, 2 ** 31, 3650 * 86_400_000])('is kept as it is: %d ms', ms => {
    expect(settings({ delayMs: ms }).delayMs).toBe(ms)
    expect(settings({ debounce: { key, ms } }).delayMs).toBe(ms)
    expect(settings({ throttle: { key, ms } }).unique?.until).toBe(ms)
  })

  it('is no timeout', () => {
    expect(message({ timeoutMs: 2 ** 31 })).toContain('from 1 to 2147483647')
  })
})

describe('options of enqueue that are refused:', () => {
  it('no options at all, or unknown ones', () => {
    for (const options of [null, 5, 'x', [], new Map()]) message(options)
    expect(message({ delay: 5 })).toContain('enqueue mail: unknown option "delay"; did you mean delayMs?')
  })

  it('BAD-91 names of queues', () => {
    for (const queue of ['', 'a:b', 'failed', 'x'.repeat(300)]) refused('BAD_NAME', () => settings({ queue }))
  })

  it('BAD-92 delays', () => {
    const allowed = 'a number of milliseconds from 0 to 315360000000 (beyond that: runAt)'
    for (const delayMs of [null, -1, Number.NaN, 315_360_000_001, 2 ** 53, Infinity, '5'])
      expect(message({ delayMs })).toContain(`enqueue mail: delayMs must be ${allowed}, not `)
    expect(settings({ delayMs: 0 }).delayMs).toBe(0)
  })

  it('BAD-92 dates that are given for delays', () => {
    message({ delayMs: Date.UTC(2024, 0, 1) })
    message({ throttle: { key, ms: Date.UTC(2024, 0, 1) } })
  })

  it('BAD-93 dates', () => {
    for (const runAt of [new Date(Number.NaN), new Date(8.64e15), new Date('-000001-01-01'), 'infinity', 5, {}])
      expect(message({ runAt })).toContain('runAt must be a valid Date of the years 1970 to 9999')
    expect(message({ runAt: new Date(Number.NaN) })).toContain('not "Invalid Date"')
    expect(settings({ runAt: new Date('9999-12-31T23:59:59.999Z') }).runAt).toBe(253_402_300_799_999)
  })

  it('BAD-94 priorities', () => {
    for (const priority of [null, 1.5, 2 ** 31, -(2 ** 31) - 1, Number.NaN, '1']) message({ priority })
    expect(settings({ priority: 2 ** 31 - 1 }).priority).toBe(2 ** 31 - 1)
  })

  it('BAD-95 attempts', () => {
    for (const maxAttempts of [null, 0, -1, 1.5, Infinity, 1001])
      expect(message({ maxAttempts })).toContain('maxAttempts must be a whole number from 1 to 1000')
  })

  it('BAD-96 timeouts', () => {
    for (const timeoutMs of [null, 0, -1, Number.NaN, Infinity]) message({ timeoutMs })
  })

  it('BAD-98 keys', () => {
    for (const bad of ['', 'x'.repeat(10_000), 'é'.repeat(257), 'a\0', '\uD83D', {}, { key: '' }, { key: 5 }, [key], 5, null])
      message({ unique: bad })
    expect(message({ unique: { key: '' } })).toContain('enqueue mail: unique: key must be text of 1 to 512 bytes')
    message({ unique: { key, until: 'failed' } })
    message({ unique: { key, conflict: 'next' } })
    message({ debounce: { key } })
    message({ debounce: key })
    for (const ms of [0, -1, Number.NaN, 315_360_000_001]) {
      message({ debounce: { key, ms } })
      message({ throttle: { key, ms } })
    }
    message({ throttle: { key, ms: 5, next: 'yes' } })
  })

  it('BAD-99 tags', () => {
    for (const tags of ['a', [5], [''], ['x'.repeat(129)], Array.from({ length: 10_000 }, () => 'a'), [undefined]])
      message({ tags })
    expect(message({ tags: ['a', 5] })).toContain('tags[1] must be text of 1 to 128 bytes')
  })

  it('ids that are none', () => {
    for (const id of ['', 'abc', 5]) expect(message({ id })).toContain('id must be a UUID')
  })

  it.each([
    [{ delayMs: 1, runAt: new Date(0) }, 'runAt must be left out where there is delayMs'],
    [{ debounce: { key, ms: 1 }, delayMs: 1 }, 'debounce must be left out where there is delayMs'],
    [{ unique: key, debounce: { key, ms: 1 } }, 'debounce must be left out where there is unique'],
    [{ unique: key, throttle: { key, ms: 1 } }, 'throttle must be left out where there is unique'],
    [{ throttle: { key, ms: 1, next: true }, runAt: new Date(0) }, 'runAt must be left out where there is throttle.next'],
  ])('what excludes each other: %#', (options, problem) => {
    expect(message(options)).toContain(problem)
  })
})
