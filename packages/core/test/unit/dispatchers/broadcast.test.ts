import { describe, expect, it } from 'vitest'
import { Buffer } from '../../../src/buffer.ts'
import { broadcastDispatcher } from '../../../src/dispatchers/broadcast.ts'
import { broadcastState } from '../support/pictures.ts'
import { numbers, Rig } from '../support/rig.ts'

/** A dispatcher with these subscriptions. */
function rigOf(...subscriptions: readonly string[]): Rig {
  const rig = new Rig(broadcastDispatcher())
  for (const subscription of subscriptions) rig.subscribe(subscription)
  return rig
}

/** The same with a buffer, as in a stage. */
function bufferedRig(bufferSize = 10_000): Rig {
  return new Rig(broadcastDispatcher(), { buffer: new Buffer(bufferSize, 'last') })
}

const isEven = (event: unknown): boolean => Number(event) % 2 === 0

describe('broadcastDispatcher', () => {
  it('T188 GS-W2 GS-W7 has nothing after a subscription that ended without asking', () => {
    const rig = rigOf()
    expect(rig.subscribe('a')).toBe(0)
    expect(broadcastState(rig)).toBe('a0 (0,0)')
    expect(rig.cancel('a')).toBe(0)
    expect(broadcastState(rig)).toBe('none (0,0)')
  })

  it('T189 GS-W4 GS-W7 X2 GS-W6 keeps what was requested when the last consumer leaves; events that nobody takes answer it', () => {
    const rig = rigOf('a')
    expect(rig.ask('a', 10)).toBe(10)
    expect(broadcastState(rig)).toBe('a0 (10,10)')
    expect(rig.cancel('a')).toBe(0)
    expect(broadcastState(rig)).toBe('none (0,10)')
    expect(rig.dispatch([1, 2, 3])).toEqual([1, 2, 3])
    expect(rig.delivered()).toEqual([])
    expect(broadcastState(rig)).toBe('none (0,7)')
  })

  it('T190 GS-W2 GS-W4 GS-W7 gives the open allowance back to the earlier consumers when one joins late', () => {
    const rig = rigOf('a')
    rig.ask('a', 10)
    expect(rig.subscribe('b')).toBe(0)
    expect(broadcastState(rig)).toBe('a10 b0 (0,10)')
    expect(rig.cancel('a')).toBe(0)
    expect(broadcastState(rig)).toBe('b0 (0,10)')
    expect(rig.ask('b', 10)).toBe(0)
    expect(broadcastState(rig)).toBe('b0 (10,10)')
  })

  it('T191 GS-W4 GS-W7 asks for what the others have in common when a joiner leaves who never asked', () => {
    const rig = rigOf('a', 'b')
    expect(rig.ask('a', 10)).toBe(0)
    expect(broadcastState(rig)).toBe('a10 b0 (0,0)')
    expect(rig.cancel('b')).toBe(10)
    expect(broadcastState(rig)).toBe('a0 (10,10)')
    expect(rig.ask('a', 10)).toBe(10)
    expect(broadcastState(rig)).toBe('a0 (20,20)')
  })

  it('T192 GS-W2 GS-W4 GS-W6 counts exactly over batches that fit, left-overs, no allowance, a third consumer and evening out', () => {
    const rig = rigOf('a', 'b')
    expect(rig.ask('a', 3)).toBe(0)
    expect(rig.ask('b', 2)).toBe(2)
    expect(broadcastState(rig)).toBe('a1 b0 (2,2)')

    expect(rig.dispatch([1, 2])).toEqual([])
    expect(rig.delivered().toSorted()).toEqual([
      ['a', [1, 2]],
      ['b', [1, 2]],
    ])
    expect(broadcastState(rig)).toBe('a1 b0 (0,0)')

    expect(rig.ask('b', 2)).toBe(1)
    expect(rig.dispatch([3, 4])).toEqual([4])
    expect(rig.delivered().toSorted()).toEqual([
      ['a', [3]],
      ['b', [3]],
    ])
    expect(broadcastState(rig)).toBe('a0 b1 (0,0)')

    expect(rig.dispatch([4])).toEqual([4])
    expect(rig.delivered()).toEqual([])
    expect(broadcastState(rig)).toBe('a0 b1 (0,0)')

    expect(rig.ask('a', 1)).toBe(1)
    expect(rig.subscribe('c')).toBe(0)
    expect(broadcastState(rig)).toBe('a1 b1 c0 (0,1)')
    expect(rig.ask('c', 1)).toBe(0)
    expect(rig.dispatch([4])).toEqual([])
    expect(rig.delivered().toSorted()).toEqual([
      ['a', [4]],
      ['b', [4]],
      ['c', [4]],
    ])
    expect(broadcastState(rig)).toBe('a0 b0 c0 (0,0)')

    expect([rig.ask('a', 2), rig.ask('b', 2), rig.ask('c', 3)]).toEqual([0, 0, 2])
    expect(rig.dispatch([5, 6])).toEqual([])
    expect(rig.delivered().toSorted()).toEqual([
      ['a', [5, 6]],
      ['b', [5, 6]],
      ['c', [5, 6]],
    ])
    expect(broadcastState(rig)).toBe('a0 b0 c1 (0,0)')
  })

  it('T193 GS-W2 GS-W4 GS-W6 sends both what one had asked for, and nothing more upstream for a joiner who asks 20', () => {
    const rig = rigOf('a')
    expect(rig.ask('a', 10)).toBe(10)
    rig.dispatch([1, 2, 3])
    expect(rig.delivered()).toEqual([['a', [1, 2, 3]]])
    rig.subscribe('b')
    expect(rig.ask('b', 20)).toBe(0)
    expect(broadcastState(rig)).toBe('a0 b13 (7,7)')
    expect(rig.dispatch(numbers(4, 7))).toEqual([])
    expect(rig.delivered().toSorted()).toEqual([
      ['a', numbers(4, 7)],
      ['b', numbers(4, 7)],
    ])
    expect(broadcastState(rig)).toBe('a0 b13 (0,0)')
  })

  it('T194 GS-W4 GS-W7 uses the request of who left for a newcomer who asks less', () => {
    const rig = rigOf('a')
    rig.ask('a', 10)
    rig.cancel('a')
    rig.subscribe('b')
    expect(rig.ask('b', 5)).toBe(0)
    expect(broadcastState(rig)).toBe('b0 (5,10)')
    expect(rig.ask('b', 7)).toBe(2)
    expect(broadcastState(rig)).toBe('b0 (12,12)')
  })

  it('T195 GS-W4 GS-W7 sends only the part above what was requested upstream when a blocking newcomer leaves', () => {
    const rig = rigOf('a')
    rig.ask('a', 10)
    rig.subscribe('b')
    expect(rig.ask('a', 5)).toBe(0)
    expect(broadcastState(rig)).toBe('a15 b0 (0,10)')
    expect(rig.cancel('b')).toBe(5)
    expect(broadcastState(rig)).toBe('a0 (15,15)')
  })

  it('T196 GS-W8 sends each consumer its matches, and asks again in its name for as many as were filtered out', () => {
    const rig = rigOf('all')
    rig.subscribe('even', { selector: isEven })
    rig.subscribe('large', { selector: (event: unknown) => Number(event) > 3 })
    for (const name of ['all', 'even', 'large']) rig.ask(name, 4)
    expect(rig.dispatch([1, 2, 3, 4])).toEqual([])
    expect(rig.delivered().toSorted()).toEqual([
      ['all', [1, 2, 3, 4]],
      ['even', [2, 4]],
      ['large', [4]],
    ])
    expect(rig.asks().toSorted()).toEqual([
      ['even', 2],
      ['large', 3],
    ])
    expect(broadcastState(rig)).toBe('all0 even0 large0 (0,0)')
  })

  it('T197 GS-G6 has an info come out at once: the stage posts it to itself', () => {
    const rig = rigOf('a')
    rig.info('hello')
    expect(rig.infos()).toEqual(['hello'])
    expect(broadcastState(rig)).toBe('a0 (0,0)')
  })

  it('T198 GS-W3 refuses a second subscription of one consumer, and nothing changes', () => {
    const rig = rigOf()
    rig.subscribe('first', {}, 'consumer')
    rig.ask('first', 5)
    expect(() => rig.subscribe('second', {}, 'consumer')).toThrow(
      expect.objectContaining({
        code: 'ALREADY_SUBSCRIBED',
        message: 'consumer "consumer" has a subscription here; a broadcast would reach it twice',
      }),
    )
    expect(broadcastState(rig)).toBe('first0 (5,5)')
  })

  it('X6 GS-W11 GS-W3 refuses a third attempt too, and takes the consumer again when its subscription has ended', () => {
    const rig = rigOf()
    rig.subscribe('first', {}, 'consumer')
    for (const attempt of ['second', 'third'])
      expect(() => rig.subscribe(attempt, {}, 'consumer')).toThrow('has a subscription here')
    rig.cancel('first')
    expect(rig.subscribe('fourth', {}, 'consumer')).toBe(0)
  })

  it('GS-W5 goes at the pace of the slowest, and keeps what the faster have asked for', () => {
    const rig = rigOf('fast', 'slow')
    rig.ask('fast', 100)
    expect(rig.ask('slow', 2)).toBe(2)
    expect(rig.dispatch([1, 2, 3])).toEqual([3])
    expect(broadcastState(rig)).toBe('fast98 slow0 (0,0)')
    expect(rig.ask('slow', 3)).toBe(3)
    expect(broadcastState(rig)).toBe('fast95 slow0 (3,3)')
  })

  it('GS-W9 has no negative credit, a smallest credit of 0, and requests no less than may be sent', () => {
    const rig = rigOf('a', 'b')
    const steps = [
      () => rig.ask('a', 3),
      () => rig.ask('b', 5),
      () => rig.dispatch([1, 2]),
      () => rig.subscribe('c'),
      () => rig.ask('c', 9),
    ]
    const pictures = steps.map(step => {
      step()
      return broadcastState(rig)
    })
    expect(pictures).toEqual(['a3 b0 (0,0)', 'a0 b2 (3,3)', 'a0 b2 (1,1)', 'a1 b3 c0 (0,1)', 'a0 b2 c8 (1,1)'])
  })

  it('GS-W10 sends a late joiner only what is dispatched after its first ask', () => {
    const rig = rigOf('a')
    rig.ask('a', 5)
    rig.dispatch([1, 2])
    rig.subscribe('late')
    expect(rig.dispatch([3])).toEqual([3])
    rig.ask('late', 1)
    rig.dispatch([3])
    expect(rig.delivered().filter(([to]) => to === 'late')).toEqual([['late', [3]]])
  })

  it('X2 GS-W11 GS-W4 serves an ask from the buffer first, so that nothing that was emitted later overtakes', () => {
    const rig = bufferedRig()
    rig.subscribe('a')
    rig.ask('a', 10)
    rig.cancel('a')
    rig.dispatch(numbers(1, 10))
    expect(broadcastState(rig)).toBe('none (0,0)')
    rig.subscribe('b')
    expect(rig.ask('b', 10)).toBe(0)
    expect(rig.delivered()).toEqual([['b', numbers(1, 10)]])
    expect(rig.buffer?.length).toBe(0)
  })

  it('X2 GS-W7 serves the others from the buffer when the one who blocked them leaves', () => {
    const rig = bufferedRig()
    for (const name of ['a', 'b', 'never asks']) rig.subscribe(name)
    rig.ask('a', 4)
    rig.ask('b', 6)
    rig.dispatch([1, 2, 3])
    expect(rig.delivered()).toEqual([])
    expect(rig.cancel('never asks')).toBe(1)
    expect(rig.delivered().toSorted()).toEqual([
      ['a', [1, 2, 3]],
      ['b', [1, 2, 3]],
    ])
    expect(broadcastState(rig)).toBe('a0 b2 (1,1)')
  })

  it('X2 GS-W6 asks again for events that a full buffer discarded, when somebody can take them', () => {
    const rig = bufferedRig(2)
    rig.subscribe('a')
    rig.ask('a', 5)
    rig.cancel('a')
    rig.dispatch(numbers(1, 5))
    expect(broadcastState(rig)).toBe('none (0,0)')
    rig.subscribe('b')
    expect(rig.ask('b', 5)).toBe(3)
    expect(rig.delivered()).toEqual([['b', [4, 5]]])
  })

  it('follows the worked vector step by step', () => {
    const rig = rigOf()
    rig.subscribe('a')
    expect(broadcastState(rig)).toBe('a0 (0,0)')
    expect(rig.ask('a', 10)).toBe(10)
    expect(broadcastState(rig)).toBe('a0 (10,10)')
    expect(rig.subscribe('b')).toBe(0)
    expect(broadcastState(rig)).toBe('a10 b0 (0,10)')
    expect(rig.ask('b', 4)).toBe(0)
    expect(broadcastState(rig)).toBe('a6 b0 (4,10)')
    expect(rig.dispatch(numbers(1, 3))).toEqual([])
    expect(broadcastState(rig)).toBe('a6 b0 (1,7)')
    expect(rig.ask('b', 9)).toBe(0)
    expect(broadcastState(rig)).toBe('a0 b3 (7,7)')
    expect(rig.dispatch(numbers(4, 10))).toEqual([11, 12, 13])
    expect(broadcastState(rig)).toBe('a0 b3 (0,0)')
    expect(rig.subscribe('c')).toBe(0)
    expect(broadcastState(rig)).toBe('a0 b3 c0 (0,0)')
    expect(rig.ask('a', 5)).toBe(0)
    expect(broadcastState(rig)).toBe('a5 b3 c0 (0,0)')
    expect(rig.cancel('c')).toBe(3)
    expect(broadcastState(rig)).toBe('a2 b0 (3,3)')
    expect(rig.cancel('a')).toBe(0)
    expect(broadcastState(rig)).toBe('b0 (3,3)')
    expect(rig.cancel('b')).toBe(0)
    expect(broadcastState(rig)).toBe('none (0,3)')
    expect(rig.subscribe('c')).toBe(0)
    expect(rig.ask('c', 5)).toBe(2)
    expect(broadcastState(rig)).toBe('c0 (5,5)')
    expect(rig.dispatch(numbers(14, 6))).toEqual([19])
    expect(broadcastState(rig)).toBe('c0 (0,0)')
    const got = (name: string): readonly unknown[] => all.filter(([to]) => to === name).flatMap(([, events]) => events)
    const all = rig.delivered()
    expect(got('a')).toEqual(numbers(1, 10))
    expect(got('b')).toEqual(numbers(1, 10))
    expect(got('c')).toEqual(numbers(14, 5))
  })

  it('INV-3 works on after the largest number was asked', () => {
    const rig = rigOf('a', 'b')
    rig.ask('a', Number.MAX_SAFE_INTEGER)
    rig.ask('a', Number.MAX_SAFE_INTEGER)
    expect(rig.ask('b', 3)).toBe(3)
    expect(rig.dispatch([1, 2, 3, 4])).toEqual([4])
    expect(rig.ask('b', Number.MAX_SAFE_INTEGER)).toBe(Number.MAX_SAFE_INTEGER - 3)
    rig.dispatch([4])
    rig.subscribe('c')
    expect(rig.allowance).toBe(0)
    rig.ask('c', 2)
    expect(rig.allowance).toBe(2)
    rig.cancel('c')
    expect(rig.allowance).toBeGreaterThan(2 ** 52)
  })
})

describe('selector of a broadcast subscription', () => {
  it('X8 GS-W8 sends no message when nothing matches, and asks again for all', () => {
    const rig = rigOf()
    rig.subscribe('none', { selector: () => false })
    rig.ask('none', 3)
    rig.dispatch([1, 2])
    expect(rig.delivered()).toEqual([])
    expect(rig.asks()).toEqual([['none', 2]])
    expect(broadcastState(rig)).toBe('none0 (1,1)')
  })

  it('GS-W8 asks for nothing when everything matches', () => {
    const rig = rigOf()
    rig.subscribe('all', { selector: () => true })
    rig.ask('all', 3)
    rig.dispatch([1, 2])
    expect(rig.delivered()).toEqual([['all', [1, 2]]])
    expect(rig.asks()).toEqual([])
  })

  it.each<[selector: unknown, shown: string]>([
    [null, 'null'],
    ['even', '"even"'],
    [{}, 'an object'],
    [1, '1'],
  ])('X5 GS-W1 refuses %o, which is no function, and nothing changes', (selector, shown) => {
    const rig = rigOf('a')
    rig.ask('a', 2)
    expect(() => rig.subscribe('b', { selector } as object)).toThrow(
      expect.objectContaining({
        code: 'BAD_OPTION',
        message: `selector must be a function that answers true or false, not ${shown}`,
        option: 'selector',
      }),
    )
    expect(broadcastState(rig)).toBe('a0 (2,2)')
    expect(rig.subscribe('b', { selector: isEven })).toBe(0)
  })

  it('that throws ends its own subscription with that error, and the others get everything', () => {
    const rig = rigOf('a')
    const error = new Error('no such field')
    const seen: unknown[] = []
    rig.subscribe('b', {
      selector: (event: unknown) => {
        seen.push(event)
        if (event === 2) throw error
        return true
      },
    })
    rig.ask('a', 5)
    rig.ask('b', 5)
    expect(rig.dispatch([1, 2, 3])).toEqual([])
    expect(rig.delivered()).toEqual([['a', [1, 2, 3]]])
    expect(rig.cancels()).toEqual([['b', { type: 'error', error }]])

    rig.dispatch([4])
    expect(rig.delivered()).toEqual([['a', [4]]])
    expect(rig.cancels()).toEqual([])
    expect(seen).toEqual([1, 2])
    rig.cancel('b')
    expect(rig.dispatch([5])).toEqual([])
  })

  it('that answers neither true nor false ends its own subscription', () => {
    const rig = rigOf()
    rig.subscribe('b', { selector: () => 1 as unknown as boolean })
    rig.ask('b', 1)
    rig.dispatch([1])
    expect(rig.delivered()).toEqual([])
    const message = 'a selector must answer true or false, not 1'
    expect(rig.cancels()).toMatchObject([['b', { type: 'error', error: { code: 'BAD_RETURN', message, option: 'selector' } }]])
  })
})
