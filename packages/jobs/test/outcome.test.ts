import { describe, expect, it } from 'vitest'
import { toFailure } from '../src/failure.ts'
import { cancel, discard, isOutcome, retry, snooze } from '../src/outcome.ts'
import { encodePayload } from '../src/payload.ts'
import { badOption, refused } from './support/refusal.ts'

describe('an outcome', () => {
  it('says what is to become of the job', () => {
    const error = new Error('x')
    expect(retry()).toMatchObject({ type: 'retry', inMs: undefined, error: undefined })
    expect(retry({ inMs: 0, error })).toMatchObject({ type: 'retry', inMs: 0, error })
    expect(snooze(5)).toMatchObject({ type: 'snooze', inMs: 5 })
    expect(discard('no such user')).toMatchObject({ type: 'discard', reason: 'no such user' })
    expect(cancel('withdrawn')).toMatchObject({ type: 'cancel', reason: 'withdrawn' })
  })

  it('takes text for the message of an error: whoever gives one did not throw it by mistake', () => {
    const { error } = retry({ error: 'slow' })
    expect(error).toBeInstanceOf(Error)
    expect(toFailure(error)).toMatchObject({ name: 'Error', message: 'slow' })
    expect(toFailure(error).stack).toContain('outcome.test.ts')
    for (const other of [undefined, null, 5, { status: 429 }]) expect(retry({ error: other }).error).toBe(other)
  })

  it('is told from every result: what looks like one is none, and no payload carries one', () => {
    for (const outcome of [retry(), snooze(1), discard('x'), cancel('x')]) {
      expect(isOutcome(outcome)).toBe(true)
      expect(isOutcome({ type: outcome.type, inMs: 1, reason: 'x' })).toBe(false)
      refused('BAD_PAYLOAD', () => encodePayload(outcome, 'result'))
    }
    for (const other of [undefined, null, 'snooze', 5, [], () => 1]) expect(isOutcome(other)).toBe(false)
  })

  it('is not looked for in what throws when it is looked at', () => {
    const trap = (): never => {
      throw new Error('no')
    }
    expect(isOutcome(new Proxy({}, { get: trap, has: trap }))).toBe(false)
  })

  it('cannot be changed', () => {
    expect(Object.isFrozen(snooze(1))).toBe(true)
  })

  it('keeps a long reason in part', () => {
    expect(Buffer.byteLength(discard('é'.repeat(10_000)).reason)).toBeLessThanOrEqual(1024)
  })

  it('refuses times and reasons that are none', () => {
    for (const ms of [0, -1, Number.NaN, Infinity, 3651 * 86_400_000, '5' as never]) badOption(() => snooze(ms))
    expect(badOption(() => snooze(0)).message).toBe('snooze: inMs must be a number of milliseconds from 1 to 315360000000, not 0')
    for (const inMs of [-1, Number.NaN, 2 ** 53]) badOption(() => retry({ inMs }))
    expect(badOption(() => retry({ in: 5 } as never)).message).toContain('did you mean inMs?')
    badOption(() => retry(5 as never))
    for (const reason of ['', undefined as never, new Error('x') as never]) {
      badOption(() => discard(reason))
      badOption(() => cancel(reason))
    }
  })
})
