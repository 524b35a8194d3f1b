import { describe, expect, it } from 'vitest'
import { Buffer } from '../../../src/buffer.ts'
import { demandDispatcher, type DemandDispatcherOptions } from '../../../src/dispatchers/demand.ts'
import { demandPicture, demandState } from '../support/pictures.ts'
import { numbers, Rig } from '../support/rig.ts'

/** A dispatcher with these subscriptions. */
function rigOf(subscriptions: readonly string[] = [], options?: DemandDispatcherOptions): Rig {
  const rig = new Rig(demandDispatcher(options))
  for (const subscription of subscriptions) rig.subscribe(subscription)
  return rig
}

describe('demandDispatcher', () => {
  it('T179 GS-D2 GS-D5 has nothing after a subscription that ended without asking', () => {
    const rig = rigOf()
    expect(rig.subscribe('a')).toBe(0)
    expect(demandState(rig)).toBe('a0, 0')
    expect(rig.cancel('a')).toBe(0)
    expect(demandState(rig)).toBe('none, 0')
  })

  it('T180 GS-D4 GS-D5 GS-D7 GS-D10 keeps the demand of who left as pending, and covers later asks with it', () => {
    const rig = rigOf(['a'])
    expect(rig.ask('a', 10)).toBe(10)
    expect(demandState(rig)).toBe('a10, 0')
    expect(rig.cancel('a')).toBe(0)
    expect(demandState(rig)).toBe('none, 10')

    expect(rig.subscribe('b')).toBe(0)
    expect(demandState(rig)).toBe('b0, 10')
    expect(rig.ask('b', 5)).toBe(0)
    expect(demandState(rig)).toBe('b5, 5')
    expect(rig.cancel('b')).toBe(0)
    expect(demandState(rig)).toBe('none, 10')

    expect(rig.dispatch([1, 2])).toEqual([1, 2])
    expect(demandState(rig)).toBe('none, 8')
    expect(rig.dispatch(numbers(1, 20))).toHaveLength(20)
    expect(demandState(rig)).toBe('none, 0')
    expect(rig.delivered()).toEqual([])
  })

  it('T181 GS-D5 GS-D7 lowers pending by what is left over', () => {
    const rig = rigOf(['a', 'b'])
    rig.ask('a', 3)
    rig.ask('b', 3)
    expect(rig.cancel('a')).toBe(0)
    expect(demandState(rig)).toBe('b3, 3')
    expect(rig.dispatch([1, 2, 3, 4, 5])).toEqual([4, 5])
    expect(rig.delivered()).toEqual([['b', [1, 2, 3]]])
    expect(demandState(rig)).toBe('b0, 1')
  })

  it('T182 GS-D4 GS-D6 GS-D7 counts asks, deliveries and left-overs of one consumer exactly', () => {
    const rig = rigOf(['a'])
    expect(rig.ask('a', 3)).toBe(3)
    expect(rig.dispatch(['e1'])).toEqual([])
    expect(rig.delivered()).toEqual([['a', ['e1']]])
    expect(demandState(rig)).toBe('a2, 0')

    expect(rig.ask('a', 3)).toBe(3)
    expect(demandState(rig)).toBe('a5, 0')
    expect(rig.dispatch(['e2', 'e3', 'e4', 'e5', 'e6', 'e7', 'e8'])).toEqual(['e7', 'e8'])
    expect(rig.delivered()).toEqual([['a', ['e2', 'e3', 'e4', 'e5', 'e6']]])
    expect(demandState(rig)).toBe('a0, 0')

    expect(rig.dispatch(['e9'])).toEqual(['e9'])
    expect(rig.delivered()).toEqual([])
    expect(demandState(rig)).toBe('a0, 0')
  })

  it('T183 GS-D3 keeps the list in descending demand, a newcomer behind its equals', () => {
    const rig = rigOf(['a', 'b', 'c'])
    rig.ask('a', 4)
    rig.ask('b', 2)
    rig.ask('c', 3)
    expect(demandState(rig)).toBe('a4 c3 b2, 0')
    expect(rig.ask('c', 2)).toBe(2)
    expect(demandState(rig)).toBe('c5 a4 b2, 0')
    expect(rig.ask('b', 4)).toBe(4)
    expect(demandState(rig)).toBe('b6 c5 a4, 0')
    expect(rig.ask('a', 2)).toBe(2)
    expect(demandState(rig)).toBe('b6 a6 c5, 0')
    rig.ask('c', 1)
    expect(demandState(rig)).toBe('b6 a6 c6, 0')
  })

  it('T184 GS-D3 GS-D6 splits a batch in the order of the list, delivers nothing without demand, and rotates', () => {
    const rig = rigOf(['a', 'b'])
    rig.ask('a', 3)
    rig.ask('b', 2)
    expect(rig.dispatch([1, 2, 3, 4, 5])).toEqual([])
    expect(rig.delivered()).toEqual([
      ['a', [1, 2, 3]],
      ['b', [4, 5]],
    ])
    expect(demandState(rig)).toBe('a0 b0, 0')

    expect(rig.dispatch([6, 7, 8])).toEqual([6, 7, 8])
    expect(rig.delivered()).toEqual([])

    rig.ask('a', 3)
    rig.ask('b', 3)
    expect(demandState(rig)).toBe('a3 b3, 0')
    expect(rig.dispatch([9, 10])).toEqual([])
    expect(rig.delivered()).toEqual([['a', [9, 10]]])
    expect(demandState(rig)).toBe('b3 a1, 0')
    expect(rig.dispatch([11, 12])).toEqual([])
    expect(rig.delivered()).toEqual([['b', [11, 12]]])
    expect(demandState(rig)).toBe('a1 b1, 0')
    expect(rig.dispatch([13, 14, 15])).toEqual([15])
    expect(rig.delivered()).toEqual([
      ['a', [13]],
      ['b', [14]],
    ])
    expect(demandState(rig)).toBe('a0 b0, 0')
  })

  it('T186 GS-G6 has an info come out at once: the stage posts it to itself', () => {
    const rig = rigOf(['a'])
    rig.ask('a', 3)
    rig.info('hello')
    expect(rig.infos()).toEqual(['hello'])
    expect(demandState(rig)).toBe('a3, 0')
  })

  it('T187 GS-D9 warns each time of an ask above maxDemand, with both numbers and who asked, and honours it', () => {
    const rig = rigOf(['a', 'b'], { maxDemand: 5 })
    expect(rig.ask('a', 5)).toBe(5)
    expect(rig.warnings()).toEqual([])
    expect(rig.ask('a', 6)).toBe(6)
    expect(rig.warnings()).toEqual([{ code: 'ask_over_max', n: 6, max: 5, consumer: 'a' }])
    expect(rig.ask('b', 7)).toBe(7)
    expect(rig.warnings()).toEqual([{ code: 'ask_over_max', n: 7, max: 5, consumer: 'b' }])
    expect(demandState(rig)).toBe('a11 b7, 0')
  })

  it('GS-D1 takes the first amount ever asked as the maximum when none is given', () => {
    const rig = rigOf(['a', 'b'])
    expect(demandPicture(rig).maxDemand).toBeUndefined()
    rig.ask('a', 3)
    expect(demandPicture(rig).maxDemand).toBe(3)
    rig.ask('b', 3)
    expect(rig.warnings()).toEqual([])
    rig.cancel('a')
    rig.ask('b', 4)
    expect(rig.warnings()).toEqual([{ code: 'ask_over_max', n: 4, max: 3, consumer: 'b' }])
  })

  it('GS-D11 serves the greedy first and in bigger batches', () => {
    const rig = rigOf(['small', 'big'])
    rig.ask('small', 10)
    rig.ask('big', 100)
    rig.dispatch(numbers(0, 60))
    rig.dispatch(numbers(60, 30))
    expect(rig.delivered()).toEqual([
      ['big', numbers(0, 60)],
      ['big', numbers(60, 30)],
    ])
    expect(demandState(rig)).toBe('small10 big10, 0')
  })

  it('GS-D11 rotates among consumers that ask the same', () => {
    const rig = rigOf(['a', 'b', 'c'])
    const served: string[] = []
    for (const name of ['a', 'b', 'c']) rig.ask(name, 10)
    for (let round = 0; round < 6; round++) {
      rig.dispatch(numbers(round * 5, 5))
      for (const [to, events] of rig.delivered()) {
        served.push(to)
        rig.ask(to, events.length)
      }
    }
    expect(served).toEqual(['a', 'b', 'c', 'a', 'b', 'c'])
  })

  it('X1 GS-D12 GS-D4 serves an ask from the buffer first, so that nothing that was emitted later overtakes', () => {
    const rig = new Rig(demandDispatcher(), { buffer: new Buffer(10_000, 'last') })
    rig.subscribe('a')
    rig.ask('a', 10)
    rig.cancel('a')
    rig.dispatch([1, 2, 3, 4, 5])
    expect(demandState(rig)).toBe('none, 5')

    rig.subscribe('b')
    expect(rig.ask('b', 3)).toBe(0)
    expect(rig.delivered()).toEqual([['b', [1, 2, 3]]])
    rig.dispatch([6])
    expect(rig.delivered()).toEqual([])
    expect(rig.ask('b', 3)).toBe(0)
    expect(rig.delivered()).toEqual([['b', [4, 5, 6]]])
    expect(demandState(rig)).toBe('b0, 4')
    expect(rig.ask('b', 6)).toBe(2)
  })

  it('X1 GS-D7 answers one requested unit with every event, delivered or buffered', () => {
    const rig = new Rig(demandDispatcher(), { buffer: new Buffer(10_000, 'last') })
    rig.subscribe('a')
    rig.ask('a', 4)
    rig.dispatch([1, 2, 3, 4, 5, 6])
    expect([rig.requested, rig.allowance, rig.buffer?.length]).toEqual([0, 0, 2])
    expect(rig.ask('a', 5)).toBe(3)
    expect(rig.delivered()).toEqual([
      ['a', [1, 2, 3, 4]],
      ['a', [5, 6]],
    ])
  })

  it('follows the worked vector step by step', () => {
    const rig = rigOf(['a', 'b', 'c'])
    expect(demandState(rig)).toBe('a0 b0 c0, 0')
    expect(rig.ask('a', 4)).toBe(4)
    expect(demandState(rig)).toBe('a4 b0 c0, 0')
    expect(rig.ask('b', 2)).toBe(2)
    expect(demandState(rig)).toBe('a4 b2 c0, 0')
    expect(rig.ask('c', 4)).toBe(4)
    expect(demandState(rig)).toBe('a4 c4 b2, 0')
    expect(rig.dispatch(numbers(1, 5))).toEqual([])
    expect(demandState(rig)).toBe('c3 b2 a0, 0')
    expect(rig.dispatch(numbers(6, 7))).toEqual([11, 12])
    expect(demandState(rig)).toBe('a0 c0 b0, 0')
    expect(rig.ask('b', 3)).toBe(3)
    expect(demandState(rig)).toBe('b3 a0 c0, 0')
    expect(rig.ask('a', 1)).toBe(1)
    expect(demandState(rig)).toBe('b3 a1 c0, 0')
    expect(rig.cancel('b')).toBe(0)
    expect(demandState(rig)).toBe('a1 c0, 3')
    expect(rig.ask('c', 2)).toBe(0)
    expect(demandState(rig)).toBe('c2 a1, 1')
    expect(rig.dispatch(numbers(13, 4))).toEqual([16])
    expect(demandState(rig)).toBe('c0 a0, 0')
    expect(rig.delivered()).toEqual([
      ['a', [1, 2, 3, 4]],
      ['c', [5]],
      ['c', [6, 7, 8]],
      ['b', [9, 10]],
      ['c', [13, 14]],
      ['a', [15]],
    ])
  })

  it('knows two subscriptions of one consumer apart', () => {
    const rig = new Rig(demandDispatcher())
    rig.subscribe('first', {}, 'consumer')
    rig.subscribe('second', {}, 'consumer')
    rig.ask('second', 2)
    rig.dispatch([1])
    expect(rig.delivered()).toEqual([['second', [1]]])
    expect(demandState(rig)).toBe('second1 first0, 0')
  })

  it('finds the place of everybody among a thousand consumers that come, ask and go', () => {
    const rig = rigOf(numbers(0, 1_000).map(String))
    for (let name = 0; name < 1_000; name++) rig.ask(String(name), 1 + ((name * 7_919) % 1_000))
    for (let name = 0; name < 1_000; name += 3) rig.cancel(String(name))
    const demands = demandPicture(rig).demands.map(each => each.demand)
    expect(demands).toEqual(demands.toSorted((a, b) => b - a))
    rig.dispatch(
      numbers(
        0,
        demands.reduce((sum, demand) => sum + demand, 0),
      ),
    )
    expect(rig.delivered().map(([, events]) => events.length)).toEqual(demands)
  })

  it('INV-3 goes on serving others when one of them has asked for the largest number', () => {
    const rig = rigOf(['all', 'b'])
    rig.ask('all', Number.MAX_SAFE_INTEGER)
    rig.ask('b', 10)
    expect(rig.allowance).toBe(Number.MAX_SAFE_INTEGER)
    rig.cancel('all')
    expect(rig.allowance).toBe(10)
    expect(rig.dispatch([1, 2])).toEqual([])
    expect(rig.delivered()).toEqual([['b', [1, 2]]])
    expect(rig.allowance).toBe(8)
  })

  it('INV-3 GS-D3 puts who asks again behind its equals at the largest number too', () => {
    const rig = rigOf(['a', 'b'])
    for (const name of ['a', 'b', 'a']) rig.ask(name, Number.MAX_SAFE_INTEGER)
    rig.dispatch([1])
    expect(rig.delivered()).toEqual([['b', [1]]])
  })
})

describe('demandDispatcher with shuffleDemandsOnFirstDispatch', () => {
  /** A shuffled dispatcher, with what its source of chance answers. */
  function shuffled(...chances: readonly number[]): Rig {
    const rest = [...chances]
    const rig = new Rig(demandDispatcher({ shuffleDemandsOnFirstDispatch: true }), { random: () => rest.shift() ?? 0 })
    for (const subscription of ['a', 'b', 'c']) rig.subscribe(subscription)
    return rig
  }

  it('T185 GS-D8 serves in random order at the first dispatch, and in the order of demand from then on', () => {
    const rig = shuffled(0, 0)
    for (const name of ['a', 'b', 'c']) rig.ask(name, 3)
    expect(rig.dispatch(numbers(1, 7))).toEqual([])
    expect(rig.delivered()).toEqual([
      ['b', [1, 2, 3]],
      ['c', [4, 5, 6]],
      ['a', [7]],
    ])
    expect(demandState(rig)).toBe('a2 b0 c0, 0')
    rig.ask('b', 4)
    rig.dispatch([8])
    expect(rig.delivered()).toEqual([['b', [8]]])
  })

  it('T185 GS-D8 changes no demand: everybody gets what was asked, and the rest is left over', () => {
    for (const chances of [
      [0, 0],
      [0.5, 0.5],
      [0.99, 0.99],
      [0.4, 0.99],
    ]) {
      const rig = shuffled(...chances)
      rig.ask('a', 1)
      rig.ask('b', 2)
      rig.ask('c', 3)
      expect(rig.dispatch(numbers(0, 8))).toEqual([6, 7])
      const lengths = rig.delivered().map(([to, events]) => `${to}${events.length}`)
      expect(lengths.toSorted()).toEqual(['a1', 'b2', 'c3'])
      expect(rig.allowance).toBe(0)
    }
  })

  it('GS-D8 gives every order the same chance', () => {
    const orders: string[] = []
    // Of three: one of three places first, then one of two; six chances stand for all of them
    for (const first of [0.1, 0.5, 0.9]) {
      for (const second of [0.2, 0.7]) {
        const rig = shuffled(first, second)
        for (const name of ['a', 'b', 'c']) rig.ask(name, 1)
        rig.dispatch([1, 2, 3])
        orders.push(
          rig
            .delivered()
            .map(([to]) => to)
            .join(''),
        )
      }
    }
    expect(orders.toSorted()).toEqual(['abc', 'acb', 'bac', 'bca', 'cab', 'cba'])
  })

  it('GS-D8 X7 passes over consumers without demand, which block others in the reference', () => {
    for (const first of [0, 0.5, 0.99]) {
      const rig = shuffled(first, first)
      rig.ask('c', 2)
      expect(rig.dispatch([1, 2, 3])).toEqual([3])
      expect(rig.delivered()).toEqual([['c', [1, 2]]])
    }
  })

  it('GS-D8 is over with the first dispatch, also when nobody was there', () => {
    const rig = shuffled(0, 0)
    expect(rig.dispatch([1])).toEqual([1])
    for (const name of ['a', 'b', 'c']) rig.ask(name, 1)
    rig.dispatch([1, 2, 3])
    expect(rig.delivered().map(([to]) => to)).toEqual(['a', 'b', 'c'])
  })
})

describe('options of demandDispatcher', () => {
  it('GS-D1 has defaults for all of them', () => {
    expect(() => demandDispatcher()).not.toThrow()
    expect(() => demandDispatcher({})).not.toThrow()
  })

  it.each<[options: unknown, message: string]>([
    [{ maxDemand: 0 }, 'demandDispatcher: maxDemand must be a whole number from 1 to 2^53 - 1, not 0'],
    [{ maxDemand: Infinity }, 'demandDispatcher: maxDemand must be a whole number from 1 to 2^53 - 1, not Infinity'],
    [{ shuffleDemandsOnFirstDispatch: 1 }, 'demandDispatcher: shuffleDemandsOnFirstDispatch must be true or false, not 1'],
    [
      { maxDemnad: 1 },
      'demandDispatcher: unknown option "maxDemnad"; did you mean maxDemand? known are maxDemand, shuffleDemandsOnFirstDispatch',
    ],
    [null, 'demandDispatcher: options must be an object, not null'],
  ])('GS-D1 refuses %o', (options, message) => {
    expect(() => demandDispatcher(options as DemandDispatcherOptions)).toThrow(
      expect.objectContaining({ code: 'BAD_OPTION', message }),
    )
  })
})
