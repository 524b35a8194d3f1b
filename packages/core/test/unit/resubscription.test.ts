import { describe, expect, it } from 'vitest'
import { Resubscription, resubscription } from '../../src/resubscription.ts'
import { refusal } from '../support/refusal.ts'

const where = { label: 'mailer', toString: () => 'stage "mailer"' }

function delaysOf(count: number, of: Resubscription<unknown> | undefined): readonly (number | undefined)[] {
  return Array.from({ length: count }, () => of?.next()?.delayMs)
}

describe('Resubscription', () => {
  it('X22 waits twice as long each time, up to a maximum', () => {
    expect(delaysOf(6, new Resubscription(3, 20, Infinity))).toEqual([3, 6, 12, 20, 20, 20])
  })

  it('X22 numbers the tries, and begins anew after success', () => {
    const tries = new Resubscription(5, 100, Infinity)
    expect([tries.next(), tries.next()]).toEqual([
      { attempt: 1, delayMs: 5 },
      { attempt: 2, delayMs: 10 },
    ])
    tries.succeeded()
    expect(tries.next()).toEqual({ attempt: 1, delayMs: 5 })
  })

  it('X22 gives up after limit tries in a row', () => {
    const tries = new Resubscription(1, 1, 2)
    expect(delaysOf(3, tries)).toEqual([1, 1, undefined])
    tries.succeeded()
    expect(delaysOf(3, tries)).toEqual([1, 1, undefined])
  })

  it('X22 gives up when it is over, whatever comes', () => {
    const tries = new Resubscription(1, 1, Infinity)
    tries.isOver = true
    expect(tries.next()).toBeUndefined()
    tries.succeeded()
    expect(tries.next()).toBeUndefined()
  })

  it('X22 INV-3 stays at the maximum after any number of tries', () => {
    const tries = new Resubscription(100, 10_000, Infinity)
    for (let count = 0; count < 5_000; count++) tries.next()
    expect(tries.next()).toEqual({ attempt: 5_001, delayMs: 10_000 })
  })
})

describe('the option resubscribe', () => {
  it.each<[string, object, readonly number[]]>([
    ['100 ms, doubling to 10 seconds', {}, [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]],
    ['from a minDelayMs', { minDelayMs: 4_000 }, [4_000, 8_000, 10_000]],
    ['from a minDelayMs above the default maximum', { minDelayMs: 20_000 }, [20_000, 20_000]],
    ['up to a maxDelayMs', { maxDelayMs: 150 }, [100, 150, 150]],
    ['the same each time', { minDelayMs: 7, maxDelayMs: 7 }, [7, 7]],
    ['fractions', { minDelayMs: 0.5, maxDelayMs: 1.5 }, [0.5, 1, 1.5]],
  ])('X22 means %s', (_what, value, delays) => {
    expect(delaysOf(delays.length, resubscription(where, { resubscribe: value }, 'orders'))).toEqual(delays)
  })

  it('X22 means a number of tries', () => {
    expect(delaysOf(2, resubscription(where, { resubscribe: { limit: 1 } }, 'orders'))).toEqual([100, undefined])
    expect(delaysOf(2, resubscription(where, { resubscribe: { limit: Infinity } }, 'orders'))).toEqual([100, 200])
  })

  it('X22 is nothing where it is absent', () => {
    expect(resubscription(where, {}, 'orders')).toBeUndefined()
    expect(resubscription(where, {}, undefined)).toBeUndefined()
  })

  it('X22 needs a name', () => {
    expect(() => resubscription(where, { resubscribe: {} }, undefined)).toThrow(
      expect.objectContaining(refusal('BAD_OPTION', 'resubscribe', 'stage "mailer"', 'typed name')) as Error,
    )
  })

  it('BAD-26 refuses a maximum below the default minimum', () => {
    expect(() => resubscription(where, { resubscribe: { maxDelayMs: 50 } }, 'orders')).toThrow(
      expect.objectContaining(
        refusal('BAD_OPTION', 'minDelayMs', 'stage "mailer": resubscribe', 'at most maxDelayMs (50)'),
      ) as Error,
    )
  })

  it('BAD-21 counts own properties only', () => {
    const inherited = Object.create({ limit: 1 }) as object
    expect(delaysOf(2, resubscription(where, { resubscribe: inherited }, 'orders'))).toEqual([100, 200])
  })
})
