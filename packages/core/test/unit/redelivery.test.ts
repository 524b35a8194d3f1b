import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { deliveryLimit, Redeliveries } from '../../src/redelivery.ts'
import { refusal } from '../support/refusal.ts'

const where = { label: 'mailer', toString: () => 'stage "mailer"' }

describe('the option redeliver', () => {
  it.each<[unknown, number]>([
    [undefined, 0],
    [true, Infinity],
    [{}, Infinity],
    [{ limit: undefined }, Infinity],
    [{ limit: Infinity }, Infinity],
    [{ limit: 1 }, 1],
    [{ limit: 5 }, 5],
  ])('X21 %o allows so many deliveries of a batch: %d', (value, limit) => {
    expect(deliveryLimit(where, value)).toBe(limit)
  })

  it.each([false, null, 0, 3, 'yes', [], new Set(), () => {}])('BAD-20 refuses %o', value => {
    expect(() => deliveryLimit(where, value)).toThrow(
      expect.objectContaining(refusal('BAD_OPTION', 'redeliver', 'stage "mailer"', 'true, or { limit }')) as Error,
    )
  })

  it.each([0, -1, 1.5, NaN, '2', null])('BAD-1 refuses a limit of %o', limit => {
    expect(() => deliveryLimit(where, { limit })).toThrow(
      expect.objectContaining(refusal('BAD_OPTION', 'limit', 'stage "mailer": redeliver')) as Error,
    )
  })
})

describe('Redeliveries', () => {
  it('X21 tells of events that it was never told of that they were not delivered before', () => {
    const events = [1, 2, 3]
    expect(new Redeliveries().take(events)).toEqual([{ events, redeliveries: 0 }])
  })

  it('X21 cuts where the count changes', () => {
    const redeliveries = new Redeliveries()
    redeliveries.add({ events: ['a', 'b'], redeliveries: 2 })
    redeliveries.add({ events: ['c'], redeliveries: 1 })
    redeliveries.add({ events: ['d'], redeliveries: 0 })
    expect(redeliveries.take(['a', 'b', 'c', 'd', 'e'])).toEqual([
      { events: ['a', 'b'], redeliveries: 2 },
      { events: ['c'], redeliveries: 1 },
      { events: ['d', 'e'], redeliveries: 0 },
    ])
  })

  it('X21 knows events in whatever order they leave, and forgets those that have left', () => {
    const redeliveries = new Redeliveries()
    redeliveries.add({ events: ['a', 'b'], redeliveries: 1 })
    expect(redeliveries.take(['x', 'b'])).toEqual([
      { events: ['x'], redeliveries: 0 },
      { events: ['b'], redeliveries: 1 },
    ])
    expect(redeliveries.take(['b', 'a', 'a'])).toEqual([
      { events: ['b'], redeliveries: 0 },
      { events: ['a'], redeliveries: 1 },
      { events: ['a'], redeliveries: 0 },
    ])
  })

  it('X21 takes equal events for the ones that came back first', () => {
    const redeliveries = new Redeliveries()
    redeliveries.add({ events: [7, 7], redeliveries: 3 })
    redeliveries.add({ events: [7], redeliveries: 1 })
    expect(redeliveries.take([7, 7, 7, 7])).toEqual([
      { events: [7, 7], redeliveries: 3 },
      { events: [7], redeliveries: 1 },
      { events: [7], redeliveries: 0 },
    ])
  })

  it('X21 takes objects for what they are, not for what they hold', () => {
    const [one, other] = [{ id: 1 }, { id: 1 }]
    const redeliveries = new Redeliveries()
    redeliveries.add({ events: [one], redeliveries: 1 })
    expect(redeliveries.take([other, one]).map(run => run.redeliveries)).toEqual([0, 1])
  })

  it('X21 gives every event its count once, however they are mixed and cut', () => {
    const runs = fc.array(fc.record({ events: fc.array(fc.nat(5), { maxLength: 5 }), redeliveries: fc.nat(3) }), {
      maxLength: 10,
    })
    fc.assert(
      fc.property(runs, fc.nat(), (given, seed) => {
        const redeliveries = new Redeliveries()
        for (const run of given) redeliveries.add(run)
        const events = given.flatMap(run => run.events).toSorted((a, b) => ((a * 31 + seed) % 7) - ((b * 31 + seed) % 7))
        const taken = redeliveries.take(events)
        expect(taken.flatMap(run => run.events)).toEqual(events)
        const counted = (all: readonly { readonly events: readonly unknown[]; readonly redeliveries: number }[]) =>
          all.flatMap(run => run.events.map(event => `${String(event)}:${run.redeliveries}`)).toSorted()
        expect(counted(taken)).toEqual(counted(given))
        for (const [index, run] of taken.entries()) {
          expect(run.events.length).toBeGreaterThan(events.length === 0 ? -1 : 0)
          if (index > 0) expect(run.redeliveries).not.toBe(taken[index - 1]?.redeliveries)
        }
        expect(redeliveries.take(events).every(run => run.redeliveries === 0)).toBe(true)
      }),
    )
  })
})
