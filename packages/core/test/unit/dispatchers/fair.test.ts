import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ConsumerDemand } from '../../../src/demand.ts'
import type { DispatcherFactory } from '../../../src/dispatcher.ts'
import { demandDispatcher } from '../../../src/dispatchers/demand.ts'
import { fairDispatcher } from '../../../src/dispatchers/fair.ts'
import { Buffer } from '../../../src/buffer.ts'
import { numbers, Rig } from '../support/rig.ts'

interface FairPicture {
  readonly consumers: readonly { readonly subscription: string; readonly demand: number; readonly share: number }[]
}

function picture(rig: Rig): FairPicture {
  return (rig.dispatcher.inspect?.() ?? { consumers: [] }) as FairPicture
}

/** The consumers, least served first: `b 3 of 20` has a demand of 3 and a share of 20. */
function state(rig: Rig): string {
  const { consumers } = picture(rig)
  return consumers.map(({ subscription, demand, share }) => `${subscription} ${demand} of ${share}`).join(', ')
}

function rigWith(weights: Readonly<Record<string, number>>): Rig {
  const rig = new Rig(fairDispatcher())
  for (const [name, weight] of Object.entries(weights)) rig.subscribe(name, { weight })
  return rig
}

/** Consumers in automatic mode: what each of them was sent, when all of them ask again at once. */
class Crowd {
  readonly sent = new Map<string, number>()
  readonly #rig: Rig
  readonly #demands = new Map<string, ConsumerDemand>()

  constructor(factory: DispatcherFactory) {
    this.#rig = new Rig(factory, { buffer: new Buffer(Infinity, 'last') })
  }

  join(name: string, max: number, min: number, options: object = {}): void {
    this.sent.set(name, 0)
    this.#demands.set(name, new ConsumerDemand(max, min))
    this.#rig.subscribe(name, options)
    this.#rig.ask(name, max)
    this.#handle()
  }

  leave(name: string): void {
    this.sent.delete(name)
    this.#rig.cancel(name)
    this.#handle()
  }

  dispatch(count: number): void {
    this.#rig.dispatch(numbers(0, count))
    this.#handle()
  }

  /** The largest difference between any two of what they were sent, by weight. */
  spread(weightOf: (name: string) => number = () => 1): number {
    const shares = [...this.sent].map(([name, sent]) => sent / weightOf(name))
    return Math.max(...shares) - Math.min(...shares)
  }

  #handle(): void {
    for (let messages = this.#rig.delivered(); messages.length > 0; messages = this.#rig.delivered()) {
      for (const [to, events] of messages) {
        this.sent.set(to, (this.sent.get(to) ?? 0) + events.length)
        for (const { ask } of this.#demands.get(to)?.cut(events.length).cuts ?? []) if (ask > 0) this.#rig.ask(to, ask)
      }
    }
  }
}

describe('fairDispatcher', () => {
  it('GS-G5 sends to the least served of those that have demand', () => {
    const rig = rigWith({ a: 1, b: 1, c: 1 })
    rig.ask('a', 10)
    rig.ask('b', 10)
    rig.dispatch(numbers(0, 4))
    rig.dispatch(numbers(4, 2))
    rig.dispatch(numbers(6, 3))
    expect(rig.delivered()).toEqual([
      ['a', [0, 1, 2, 3]],
      ['b', [4, 5]],
      ['b', [6, 7, 8]],
    ])
    rig.ask('c', 10)
    expect(state(rig)).toBe('c 10 of 4, a 6 of 4, b 5 of 5')
  })

  it('cuts a large dispatch by demand, in turns among equals, and leaves the rest over', () => {
    const rig = rigWith({ a: 1, b: 1 })
    rig.ask('a', 3)
    rig.ask('b', 3)
    expect(rig.dispatch(numbers(0, 8))).toEqual([6, 7])
    rig.ask('b', 2)
    rig.ask('a', 2)
    rig.dispatch(numbers(8, 4))
    expect(rig.delivered()).toEqual([
      ['a', [0, 1, 2]],
      ['b', [3, 4, 5]],
      ['a', [8, 9]],
      ['b', [10, 11]],
    ])
  })

  it('hands a whole dispatch on as the array it is', () => {
    const rig = rigWith({ a: 1 })
    rig.ask('a', 5)
    const events = numbers(0, 5)
    const to = rig.dispatcher.dispatch(events).deliveries
    expect(to?.[0]?.events).toBe(events)
  })

  it('counts by weight: three times the weight, three times the events', () => {
    const rig = rigWith({ heavy: 3, light: 1 })
    const sent = { heavy: 0, light: 0 }
    for (let round = 0; round < 400; round++) {
      rig.ask('heavy', 1)
      rig.ask('light', 1)
      rig.dispatch([round])
      for (const [to, events] of rig.delivered()) sent[to as 'heavy' | 'light'] += events.length
    }
    expect(sent).toEqual({ heavy: 300, light: 100 })
  })

  it.each([0, -1, NaN, Infinity, -Infinity, '2', null, {}, 2n])('BAD-19 X5 refuses a subscription with the weight %s', weight => {
    const rig = new Rig(fairDispatcher())
    const options = { weight } as object
    expect(() => rig.subscribe('a', options)).toThrow(
      expect.objectContaining({
        code: 'BAD_OPTION',
        option: 'weight',
        message: expect.stringContaining('positive number') as unknown,
      }),
    )
    expect(state(rig)).toBe('')
  })

  it('takes the smallest and the largest weights there are without losing its order', () => {
    const rig = rigWith({ tiny: Number.MIN_VALUE, huge: Number.MAX_VALUE, plain: 1 })
    for (let round = 0; round < 5; round++) {
      for (const name of ['tiny', 'huge', 'plain']) rig.ask(name, 2)
      rig.dispatch(numbers(0, 6))
      expect(rig.delivered()).toHaveLength(3)
      expect(rig.allowance).toBe(0)
    }
    rig.ask('tiny', 1)
    rig.ask('plain', 1)
    rig.dispatch([1])
    expect(rig.delivered()).toEqual([['plain', [1]]])
  })

  it('INV-11 lets a newcomer begin with the share of the least served', () => {
    const rig = rigWith({ a: 1, b: 1 })
    for (let round = 0; round < 100; round++) {
      rig.ask('a', 10)
      rig.ask('b', 10)
      rig.dispatch(numbers(0, 15))
    }
    rig.delivered()
    rig.subscribe('new')
    rig.ask('new', 10)
    for (const [index] of numbers(0, 30).entries()) {
      rig.dispatch([index])
      for (const name of ['a', 'b', 'new']) rig.ask(name, 1)
    }
    const sent = rig.delivered().filter(([to]) => to === 'new').length
    expect(sent).toBeGreaterThanOrEqual(10)
    expect(sent).toBeLessThanOrEqual(20)
  })

  it('INV-11 lets one that comes back from a pause catch up by one maxDemand at most', () => {
    const rig = rigWith({ busy: 1, idle: 1 })
    rig.ask('idle', 5)
    rig.dispatch(numbers(0, 5))
    for (let round = 0; round < 1_000; round++) {
      rig.ask('busy', 10)
      rig.dispatch(numbers(0, 10))
    }
    rig.delivered()
    rig.ask('busy', 100)
    rig.ask('idle', 5)
    for (let round = 0; round < 20; round++) {
      rig.dispatch([round])
      for (const [to, events] of rig.delivered()) if (to === 'idle') rig.ask('idle', events.length)
    }
    const { consumers } = picture(rig)
    const [least, most] = consumers.map(({ share }) => share)
    expect((most ?? 0) - (least ?? 0)).toBeLessThanOrEqual(5)
    expect(consumers.find(({ subscription }) => subscription === 'busy')?.demand).toBeLessThan(100)
  })

  it('INV-3 keeps the sum of demands exact when it has been too large to be', () => {
    const rig = rigWith({ a: 1, b: 1 })
    rig.ask('a', Number.MAX_SAFE_INTEGER)
    rig.ask('b', 7)
    expect(rig.allowance).toBe(Number.MAX_SAFE_INTEGER)
    rig.cancel('a')
    expect(rig.allowance).toBe(7)
  })

  it('GS-X21 gives what is given back to the others that have demand, and leaves the rest over', () => {
    const rig = rigWith({ a: 1, b: 1 })
    rig.ask('a', 4)
    rig.dispatch(numbers(0, 4))
    rig.ask('a', 4)
    rig.ask('b', 2)
    rig.delivered()
    expect(rig.giveBack('a', numbers(1, 3))).toEqual([3])
    expect(rig.delivered()).toEqual([['b', [1, 2]]])
    expect(rig.allowance).toBe(0)
  })
})

describe('INV-11 consumers whose demand is always topped up', () => {
  it('differ by at most one maxDemand with dispatches of 70, then 1,000 times 30, where the reference gives 30,050 and 20', () => {
    const sent = (factory: DispatcherFactory): readonly number[] => {
      const crowd = new Crowd(factory)
      crowd.join('a', 50, 25)
      crowd.join('b', 50, 25)
      crowd.dispatch(70)
      for (let round = 0; round < 1_000; round++) crowd.dispatch(30)
      return [...crowd.sent.values()].toSorted((a, b) => b - a)
    }
    expect(sent(demandDispatcher())).toEqual([30_050, 20])
    const [most = 0, least = 0] = sent(fairDispatcher())
    expect(most + least).toBe(30_070)
    expect(most - least).toBeLessThanOrEqual(50)
  })

  const dispatches = fc.array(fc.integer({ min: 1, max: 200 }), { maxLength: 200, size: 'max' })

  it('differ by at most one maxDemand after any dispatches that leave everybody some demand', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.double({ min: 0, max: 0.99, noNaN: true }),
        fc.integer({ min: 2, max: 6 }),
        dispatches,
        (max, share, count, counts) => {
          const crowd = new Crowd(fairDispatcher())
          const min = Math.floor(max * share)
          for (let index = 0; index < count; index++) crowd.join(`c${index}`, max, min)
          for (const each of counts) {
            // Everybody has more than min open
            crowd.dispatch(1 + (each % (min + 1)))
            expect(crowd.spread()).toBeLessThanOrEqual(max)
          }
        },
      ),
      { numRuns: 100 },
    )
  })

  it('differ by at most one maxDemand of the lightest with weights, while events are scarcer than demand', () => {
    const weights = fc.array(fc.constantFrom(0.5, 1, 2, 3, 7), { minLength: 2, maxLength: 5 })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), weights, dispatches, (max, all, counts) => {
        const crowd = new Crowd(fairDispatcher())
        for (const [index, weight] of all.entries()) crowd.join(`c${index}`, max, max - 1, { weight })
        const weightOf = (name: string): number => all[Number(name.slice(1))] ?? 1
        for (const each of counts) {
          crowd.dispatch(1 + (each % max))
          expect(crowd.spread(weightOf)).toBeLessThanOrEqual(max / Math.min(...all) + 1e-6)
        }
      }),
      { numRuns: 100 },
    )
  })
})
