import { describe, expect, it } from 'vitest'
import { Buffer } from '../../../src/buffer.ts'
import { none, partitionDispatcher, type PartitionDispatcherOptions, routed } from '../../../src/dispatchers/partition.ts'
import { stableHash } from '../../../src/hash.ts'
import { laneState, partitionPicture, partitionState } from '../support/pictures.ts'
import { numbers, Rig, type RigOptions } from '../support/rig.ts'

const parity = (event: number): number => event % 2

/** Two partitions, 0 for even and 1 for odd events. */
function byParity(options: { readonly maxQueued?: number } & RigOptions = {}): Rig<number> {
  const { maxQueued, ...rest } = options
  return new Rig(partitionDispatcher({ partitions: 2, hash: parity, ...(maxQueued === undefined ? {} : { maxQueued }) }), rest)
}

/** Even events, `count` of them. */
const evens = (first: number, count: number): readonly number[] => numbers(0, count).map(index => first + 2 * index)

describe('partitionDispatcher', () => {
  it('T199 GS-H4 GS-H7 GS-H9 keeps unused demand of who left as pending, and stores events where nobody is', () => {
    const rig = byParity()
    rig.subscribe('p0', { partition: 0 })
    expect(rig.ask('p0', 10)).toBe(10)
    expect(partitionState(rig)).toBe('(10,0)')
    expect(rig.cancel('p0')).toBe(0)
    expect(partitionState(rig)).toBe('(10,10)')

    rig.subscribe('p1', { partition: 1 })
    expect(rig.ask('p1', 5)).toBe(0)
    expect(partitionState(rig)).toBe('(10,5)')
    expect(rig.cancel('p1')).toBe(0)
    expect(partitionState(rig)).toBe('(10,10)')

    expect(rig.dispatch([1, 2, 3])).toEqual([])
    expect(partitionState(rig)).toBe('(7,10)')
    expect([laneState(rig, 0), laneState(rig, 1)]).toEqual(['queue 1', 'queue 2'])
  })

  it('T200 GS-H5 GS-H6 delivers, takes another ask, and returns what is beyond the allowance', () => {
    const rig = new Rig(partitionDispatcher({ partitions: 1 }))
    rig.subscribe('p0', { partition: 0 })
    expect(rig.ask('p0', 3)).toBe(3)
    expect(rig.dispatch([1])).toEqual([])
    expect(partitionState(rig)).toBe('(2,0)')
    expect(rig.ask('p0', 3)).toBe(3)
    expect(partitionState(rig)).toBe('(5,0)')
    expect(rig.dispatch([2, 3, 4, 5, 6, 7, 8])).toEqual([7, 8])
    expect(partitionState(rig)).toBe('(0,0)')
    expect(rig.delivered()).toEqual([
      ['p0', [1]],
      ['p0', [2, 3, 4, 5, 6]],
    ])
  })

  it('T201 GS-H1 GS-H2 has partitions with names, chosen by a hash', () => {
    const rig = new Rig(
      partitionDispatcher({ partitions: ['odd', 'even'], hash: (event: number) => (event % 2 === 0 ? 'even' : 'odd') }),
    )
    rig.subscribe('o', { partition: 'odd' })
    rig.subscribe('e', { partition: 'even' })
    rig.ask('o', 3)
    rig.ask('e', 1)
    expect(rig.dispatch([1, 2, 3, 4])).toEqual([])
    expect(rig.delivered()).toEqual([
      ['o', [1, 3]],
      ['e', [2]],
    ])
    expect([laneState(rig, 'odd'), laneState(rig, 'even'), partitionState(rig)]).toEqual(['demand 1', 'queue 1', '(0,0)'])
  })

  it('T202 GS-H3 GS-H5 drops events whose hash is none without using allowance, and returns the first event beyond it', () => {
    const asked: number[] = []
    const hash = (event: number): 0 | typeof none => {
      asked.push(event)
      return event < 0 ? none : 0
    }
    const rig = new Rig(partitionDispatcher({ partitions: 1, hash }))
    rig.subscribe('p0', { partition: 0 })
    rig.ask('p0', 3)
    expect(rig.dispatch([-1, 1, -2, 2, 3, 4, -3])).toEqual([4, -3])
    expect(rig.delivered()).toEqual([['p0', [1, 2, 3]]])
    expect(rig.discarded()).toEqual([{ count: 2, reason: 'no_partition', events: [-1, -2] }])
    expect(asked).toEqual([-1, 1, -2, 2, 3])
  })

  it('T203 GS-H6 GS-H7 keeps events for a partition without consumer until one asks', () => {
    const rig = byParity()
    rig.subscribe('p1', { partition: 1 })
    rig.ask('p1', 5)
    expect(rig.dispatch(evens(0, 5))).toEqual([])
    expect(partitionState(rig)).toBe('(0,0)')
    expect(rig.dispatch([10, 11])).toEqual([10, 11])
    expect(rig.delivered()).toEqual([])

    rig.subscribe('p0', { partition: 0 })
    expect(rig.ask('p0', 5)).toBe(5)
    expect(rig.delivered()).toEqual([['p0', [0, 2, 4, 6, 8]]])
    expect(partitionState(rig)).toBe('(5,0)')
    expect(rig.dispatch([10, 11])).toEqual([])
    expect(partitionState(rig)).toBe('(3,0)')
  })

  it("T204 GS-H6 GS-H7 queues events above one partition's demand, and flushes them at its next ask", () => {
    const rig = byParity()
    rig.subscribe('p0', { partition: 0 })
    rig.subscribe('p1', { partition: 1 })
    rig.ask('p0', 5)
    rig.ask('p1', 5)
    expect(rig.dispatch(evens(0, 2))).toEqual([])
    expect(rig.dispatch(evens(4, 8))).toEqual([])
    expect(rig.delivered()).toEqual([
      ['p0', [0, 2]],
      ['p0', [4, 6, 8]],
    ])
    expect([laneState(rig, 0), partitionState(rig)]).toEqual(['queue 5', '(0,0)'])
    expect(rig.ask('p0', 5)).toBe(5)
    expect(rig.delivered()).toEqual([['p0', evens(10, 5)]])
    expect(partitionState(rig)).toBe('(5,0)')
  })

  it('T205 X4 GS-H8 GS-H10 GS-H4 asks again for the events of a consumer that left, and keeps them, and the info behind them, for the next', () => {
    const rig = byParity()
    rig.subscribe('p1', { partition: 1 })
    expect(rig.ask('p1', 5)).toBe(5)
    rig.subscribe('p0', { partition: 0 })
    expect(rig.dispatch(evens(0, 5))).toEqual([])
    expect(partitionState(rig)).toBe('(0,0)')
    rig.info('hello')

    expect(rig.cancel('p0')).toBe(5)
    expect(partitionState(rig)).toBe('(5,0)')
    expect([laneState(rig, 0), rig.infos()]).toEqual(['queue 5 (5 prepaid)', []])
    rig.dispatch([1, 3, 5, 7, 9])
    expect(rig.delivered()).toEqual([['p1', [1, 3, 5, 7, 9]]])

    rig.subscribe('p0', { partition: 0 })
    expect(rig.ask('p0', 7)).toBe(2)
    expect(rig.delivered()).toEqual([['p0', [0, 2, 4, 6, 8]]])
    expect(rig.infos()).toEqual(['hello'])
    expect([laneState(rig, 0), partitionState(rig)]).toEqual(['demand 2', '(2,0)'])
  })

  it('X4 GS-H8 lets infos pass at once that follow no event when a consumer leaves', () => {
    const rig = byParity()
    rig.subscribe('p0', { partition: 0 })
    rig.ask('p0', 2)
    rig.dispatch([0, 2])
    rig.info('hello')
    expect(rig.infos()).toEqual([])
    expect(rig.cancel('p0')).toBe(0)
    expect(rig.infos()).toEqual(['hello'])
  })

  it('X4 GS-H11 makes events ordinary that were queued after the consumer left, until the next one leaves', () => {
    const rig = byParity()
    rig.subscribe('p1', { partition: 1 })
    rig.subscribe('p0', { partition: 0 })
    rig.ask('p1', 4)
    rig.dispatch([0, 2])
    expect(rig.cancel('p0')).toBe(2)
    rig.dispatch([4])
    expect([laneState(rig, 0), partitionState(rig)]).toEqual(['queue 3 (2 prepaid)', '(3,0)'])
    rig.subscribe('p0 again', { partition: 0 })
    expect(rig.ask('p0 again', 1)).toBe(0)
    expect([laneState(rig, 0), partitionState(rig)]).toEqual(['queue 2 (1 prepaid)', '(3,0)'])
    expect(rig.cancel('p0 again')).toBe(1)
    expect([laneState(rig, 0), partitionState(rig)]).toEqual(['queue 2 (2 prepaid)', '(4,0)'])
  })

  it('T206 GS-H10 gives an info at once when no partition queues', () => {
    const rig = byParity()
    rig.subscribe('p0', { partition: 0 })
    rig.subscribe('p1', { partition: 1 })
    rig.ask('p1', 3)
    rig.info('hello')
    expect(rig.infos()).toEqual(['hello'])
    expect(partitionState(rig)).toBe('(3,0)')
  })

  it('T207 GS-H10 gives an info at once when there is no consumer at all', () => {
    const rig = byParity()
    rig.info('hello')
    expect(rig.infos()).toEqual(['hello'])
  })

  it('T208 GS-H10 has an info wait for a partition with events that wait', () => {
    const rig = byParity()
    rig.subscribe('p0', { partition: 0 })
    rig.subscribe('p1', { partition: 1 })
    rig.ask('p1', 3)
    rig.dispatch([0, 2, 4])
    rig.info('hello')
    expect(rig.infos()).toEqual([])
    rig.ask('p0', 5)
    expect(rig.delivered()).toEqual([['p0', [0, 2, 4]]])
    expect(rig.infos()).toEqual(['hello'])
  })

  it('GS-H10 has an info wait for all partitions that queue, even with nothing, and for no other', () => {
    const rig = new Rig(partitionDispatcher({ partitions: 3, hash: (event: number) => event % 3 }))
    for (const partition of [0, 1, 2]) rig.subscribe(`p${partition}`, { partition })
    rig.ask('p0', 1)
    rig.ask('p1', 1)
    rig.ask('p2', 5)
    rig.dispatch([0, 1, 3, 2])
    expect([laneState(rig, 0), laneState(rig, 1), laneState(rig, 2)]).toEqual(['queue 1', 'demand 0', 'demand 4'])
    rig.info('hello')
    rig.ask('p0', 2)
    expect(rig.infos()).toEqual([])
    rig.ask('p1', 1)
    expect(rig.infos()).toEqual(['hello'])
  })

  it.each([
    ['three', 'UNKNOWN_PARTITION', 'the hash answered "three", which is none of one, two'],
    [3, 'UNKNOWN_PARTITION', 'the hash answered 3, which is none of one, two'],
    [routed(7, 'three'), 'UNKNOWN_PARTITION', 'the hash answered "three", which is none of one, two'],
  ])(
    'T209 GS-H3 GS-G8 throws when the hash answers a partition that does not exist, and names it (%#)',
    (answer, code, message) => {
      const rig = new Rig(partitionDispatcher({ partitions: ['one', 'two'], hash: () => answer as 'one' }))
      rig.subscribe('p', { partition: 'one' })
      rig.ask('p', 1)
      expect(() => rig.dispatch([1])).toThrow(expect.objectContaining({ code, message, option: 'hash' }))
    },
  )

  it('GS-H3 takes numbered partitions by their number alone: 0.5 and "0" are none of them, -0 is 0', () => {
    const answers: unknown[] = [-0, 0.5, '0', 2, -1]
    const rig = new Rig(partitionDispatcher({ partitions: 2, hash: (index: number) => answers[index] as number }))
    rig.subscribe('p', { partition: 0 })
    rig.ask('p', 9)
    rig.dispatch([0])
    expect(rig.delivered()).toEqual([['p', [0]]])
    for (const index of [1, 2, 3, 4]) expect(() => rig.dispatch([index])).toThrow('which is none of 0, 1')
  })

  it('GS-H1 GS-H2 takes numbers as names in any order', () => {
    const rig = new Rig(partitionDispatcher({ partitions: [2, 0], hash: (event: number) => (event > 5 ? 2 : 0) }))
    rig.subscribe('two', { partition: 2 })
    rig.subscribe('zero', { partition: 0 })
    expect(() => rig.subscribe('one', { partition: 1 })).toThrow('partition 1 is none of 2, 0')
    rig.ask('two', 3)
    rig.ask('zero', 3)
    rig.dispatch([1, 9])
    expect(rig.delivered().toSorted()).toEqual([
      ['two', [9]],
      ['zero', [1]],
    ])
  })

  it.each<[answer: unknown, shown: string]>([
    [undefined, 'undefined'],
    [null, 'null'],
    [[1, 'one'], 'an array'],
    [{ partition: 'one' }, 'an object'],
    [true, 'true'],
    [NaN, 'NaN'],
    [Promise.resolve('one'), 'an object'],
  ])('T210 GS-H3 GS-G8 throws when the hash answers what cannot be a partition: %o', (answer, shown) => {
    const rig = new Rig(partitionDispatcher({ partitions: ['one', 'two'], hash: () => answer as 'one' }))
    rig.subscribe('p', { partition: 'one' })
    rig.ask('p', 1)
    expect(() => rig.dispatch([1])).toThrow(
      expect.objectContaining({
        code: 'BAD_RETURN',
        message: `the hash must answer a partition (one, two), routed(…) or none, not ${shown}`,
      }),
    )
  })

  it('GS-G8 passes on what the hash throws', () => {
    const error = new Error('no key')
    const hash = (): 0 => {
      throw error
    }
    const rig = new Rig(partitionDispatcher({ partitions: 1, hash }))
    rig.subscribe('p', { partition: 0 })
    rig.ask('p', 1)
    expect(() => rig.dispatch([1])).toThrow(error)
  })

  it('T212 X5 GS-H2 refuses a subscription whose partition is missing, taken or unknown, and nothing changes', () => {
    const rig = byParity()
    rig.subscribe('p0', { partition: 0 })
    rig.ask('p0', 2)
    const refused = (options: object, code: string, message: string): void =>
      expect(() => rig.subscribe('x', options)).toThrow(
        expect.objectContaining({ code, message: expect.stringContaining(message) as unknown, option: 'partition' }),
      )
    refused({}, 'BAD_OPTION', 'partition is missing: a subscription here takes one of 0, 1')
    refused({ partition: 0 }, 'PARTITION_TAKEN', 'partition 0 is taken by "p0"')
    refused({ partition: -1 }, 'UNKNOWN_PARTITION', 'partition -1 is none of 0, 1')
    refused({ partition: 2 }, 'UNKNOWN_PARTITION', 'partition 2 is none of 0, 1')
    refused({ partition: 'oops' }, 'UNKNOWN_PARTITION', 'partition "oops" is none of 0, 1')
    refused({ partition: '0' }, 'UNKNOWN_PARTITION', 'partition "0" is none of 0, 1')
    expect([laneState(rig, 0), laneState(rig, 1), partitionState(rig)]).toEqual(['demand 2', 'demand 0', '(2,0)'])
  })

  it('GS-H2 takes one consumer after the other', () => {
    const rig = byParity()
    rig.subscribe('first', { partition: 0 })
    rig.cancel('first')
    expect(() => rig.subscribe('second', { partition: 0 })).not.toThrow()
  })

  it('GS-H1 lets the hash replace the event', () => {
    const rig = new Rig(
      partitionDispatcher({ partitions: ['a', 'b'], hash: (event: string) => routed(event.length, event === 'x' ? 'a' : 'b') }),
    )
    rig.subscribe('a', { partition: 'a' })
    rig.subscribe('b', { partition: 'b' })
    rig.ask('a', 2)
    rig.ask('b', 2)
    expect(rig.dispatch(['x', 'long', 'longer', 'longest', 'left'])).toEqual(['left'])
    expect(rig.delivered()).toEqual([
      ['a', [1]],
      ['b', [4, 6]],
    ])
    expect(rig.dispatcher.held?.()).toEqual([7])
  })

  it('GS-H1 hashes plain values by itself, modulo the number of partitions', () => {
    const rig = new Rig(partitionDispatcher({ partitions: 4 }))
    const events = [1, 2, 'one', 'two', 10n, true, false, -0, 0.5]
    for (const partition of [0, 1, 2, 3]) {
      rig.subscribe(`p${partition}`, { partition })
      rig.ask(`p${partition}`, 20)
    }
    rig.dispatch(events)
    for (const [to, got] of rig.delivered()) {
      expect(got).toEqual(events.filter(event => `p${(stableHash(event) ?? 0) % 4}` === to))
    }
    expect(partitionState(rig)).toBe(`(${80 - events.length},0)`)
  })

  it('GS-H1 throws at an event that it cannot hash by itself', () => {
    const rig = new Rig(partitionDispatcher({ partitions: 2 }) as ReturnType<typeof partitionDispatcher<unknown>>)
    rig.subscribe('p0', { partition: 0 })
    rig.ask('p0', 1)
    expect(() => rig.dispatch([{ id: 1 }])).toThrow(
      expect.objectContaining({
        code: 'BAD_RETURN',
        message: 'an event that is an object has no built-in hash; give partitionDispatcher a hash function',
      }),
    )
  })

  it('GS-H12 lets a hot partition queue while the others go on asking', () => {
    const rig = byParity()
    rig.subscribe('hot', { partition: 0 })
    rig.subscribe('cold', { partition: 1 })
    rig.ask('hot', 1)
    let next = 0
    for (let round = 0; round < 10; round++) expect(rig.dispatch(evens((next += 20), rig.ask('cold', 10)))).toEqual([])
    expect(laneState(rig, 0)).toBe('queue 99')
    expect(rig.delivered()).toHaveLength(1)
  })

  it('X3 GS-H13 GS-H5 gives the demand of discarded events back: with 5 of 10 discarded it asks for 5 more', () => {
    const rig = new Rig(partitionDispatcher({ partitions: 1, hash: (event: number) => (event % 2 === 0 ? 0 : none) }))
    rig.subscribe('p0', { partition: 0 })
    expect(rig.ask('p0', 10)).toBe(10)
    rig.dispatch(numbers(0, 10))
    expect([rig.requested, partitionState(rig)]).toEqual([0, '(5,0)'])
    expect(rig.settle()).toBe(5)
    expect(rig.settle()).toBe(0)
  })

  it('X3 takes from the buffer before it asks again', () => {
    const buffer = new Buffer(100, 'last')
    const rig = new Rig(partitionDispatcher({ partitions: 1, hash: (event: number) => (event < 0 ? none : 0) }), { buffer })
    rig.subscribe('p0', { partition: 0 })
    rig.ask('p0', 3)
    rig.dispatch([-1, 1, 2, 3, 4])
    expect(buffer.length).toBe(1)
    expect(rig.ask('p0', 3)).toBe(2)
    expect(rig.delivered()).toEqual([
      ['p0', [1, 2, 3]],
      ['p0', [4]],
    ])
  })

  it('X3 does not ask for discarded events again that nobody had asked for', () => {
    const rig = new Rig(partitionDispatcher({ partitions: 1, hash: (event: number) => (event < 0 ? none : 0) }))
    rig.subscribe('p0', { partition: 0 })
    rig.ask('p0', 2)
    rig.dispatch([1, 2])
    expect(rig.dispatch([-1, -2])).toEqual([-1, -2])
    expect(rig.settle()).toBe(0)
  })

  it('X4 pauses the producer while a queue holds maxQueued events, warns once, and makes up for it', () => {
    const rig = byParity({ maxQueued: 3 })
    rig.subscribe('hot', { partition: 0 })
    rig.subscribe('cold', { partition: 1 })
    expect(rig.ask('cold', 4)).toBe(4)
    rig.dispatch([0, 2])
    expect(rig.warnings()).toEqual([])
    rig.dispatch([4, 6])
    expect(rig.warnings()).toEqual([{ code: 'partition_full', partition: 0, n: 4, max: 3 }])
    expect(rig.hold).toBe(true)
    expect(rig.ask('cold', 10)).toBe(0)
    expect(partitionState(rig)).toBe('(10,0)')
    rig.dispatch([8])
    expect(rig.warnings()).toEqual([])

    expect(rig.ask('hot', 1)).toBe(0)
    expect(rig.ask('hot', 1)).toBe(0)
    expect(rig.ask('hot', 1)).toBe(12)
    expect([rig.hold, laneState(rig, 0)]).toEqual([false, 'queue 2'])
  })

  it('X4 counts prepaid events too when it pauses', () => {
    const rig = byParity({ maxQueued: 2 })
    rig.subscribe('hot', { partition: 0 })
    rig.subscribe('cold', { partition: 1 })
    rig.ask('cold', 3)
    rig.dispatch([0, 2])
    expect(rig.cancel('hot')).toBe(0)
    expect(partitionState(rig)).toBe('(3,0)')
    rig.subscribe('heir', { partition: 0 })
    expect(rig.ask('heir', 1)).toBe(2)
    expect(rig.delivered()).toEqual([['heir', [0]]])
  })

  it('follows the worked vector step by step', () => {
    const rig = byParity()
    rig.subscribe('p0', { partition: 0 })
    rig.subscribe('p1', { partition: 1 })
    expect(rig.ask('p0', 3)).toBe(3)
    expect(partitionState(rig)).toBe('(3,0)')
    expect(rig.ask('p1', 3)).toBe(3)
    expect(partitionState(rig)).toBe('(6,0)')
    expect(rig.dispatch([2, 4, 6, 8])).toEqual([])
    expect(rig.delivered()).toEqual([['p0', [2, 4, 6]]])
    expect([laneState(rig, 0), partitionState(rig)]).toEqual(['queue 1', '(2,0)'])
    expect(rig.dispatch([1, 10, 3])).toEqual([3])
    expect(rig.delivered()).toEqual([['p1', [1]]])
    expect([laneState(rig, 0), partitionState(rig)]).toEqual(['queue 2', '(0,0)'])
    rig.info('x')
    expect(rig.infos()).toEqual([])
    expect(rig.ask('p0', 1)).toBe(1)
    expect(rig.delivered()).toEqual([['p0', [8]]])
    expect(partitionState(rig)).toBe('(1,0)')
    expect(rig.ask('p0', 4)).toBe(4)
    expect(rig.delivered()).toEqual([['p0', [10]]])
    expect(rig.infos()).toEqual(['x'])
    expect([laneState(rig, 0), partitionState(rig)]).toEqual(['demand 3', '(5,0)'])
    expect(rig.ask('p1', 2)).toBe(2)
    expect([laneState(rig, 1), partitionState(rig)]).toEqual(['demand 4', '(7,0)'])
    expect(rig.cancel('p1')).toBe(0)
    expect(partitionState(rig)).toBe('(7,4)')
    rig.subscribe('p1', { partition: 1 })
    expect(rig.ask('p1', 1)).toBe(0)
    expect(partitionState(rig)).toBe('(7,3)')
    expect(rig.dispatch([5, 7, 9, 11, 12, 14, 16, 18, 20])).toEqual([18, 20])
    expect(rig.delivered()).toEqual([
      ['p0', [12, 14, 16]],
      ['p1', [5]],
    ])
    expect([laneState(rig, 1), partitionState(rig)]).toEqual(['queue 3', '(0,3)'])
    expect(rig.cancel('p0')).toBe(0)
    expect([laneState(rig, 0), partitionState(rig)]).toEqual(['demand 0', '(0,3)'])
  })

  it('tells which events it holds, partition by partition', () => {
    const rig = byParity()
    rig.subscribe('p0', { partition: 0 })
    rig.ask('p0', 4)
    rig.dispatch([1, 3])
    rig.cancel('p0')
    rig.dispatch([2, 5])
    expect(rig.dispatcher.held?.()).toEqual([2, 1, 3, 5])
    expect(partitionPicture(rig)).toEqual({
      type: 'partition',
      waiting: 0,
      pending: 4,
      partitions: [
        { partition: 0, consumer: undefined, demand: 0, queued: 1, prepaid: 0 },
        { partition: 1, consumer: undefined, demand: 0, queued: 3, prepaid: 0 },
      ],
    })
  })

  it('INV-3 answers a whole number after the largest number was asked and others left their events behind', () => {
    const rig = byParity()
    rig.subscribe('p0', { partition: 0 })
    rig.subscribe('p1', { partition: 1 })
    rig.ask('p0', Number.MAX_SAFE_INTEGER)
    rig.dispatch([1, 3, 5])
    rig.ask('p0', 10)
    rig.cancel('p1')
    expect(Number.isSafeInteger(rig.allowance)).toBe(true)
    rig.cancel('p0')
    expect(Number.isSafeInteger(partitionPicture(rig).pending)).toBe(true)
  })
})

describe('options of partitionDispatcher', () => {
  const make = (options: unknown): unknown => partitionDispatcher(options as PartitionDispatcherOptions<unknown>)
  const allowed = 'a whole number from 1, or a list of different names (strings or numbers)'

  it.each<[options: unknown, message: string]>([
    [undefined, `partitions must be ${allowed}, not undefined`],
    [{}, `partitions must be ${allowed}, not undefined`],
    [{ partitions: 0 }, `partitions must be ${allowed}, not 0`],
    [{ partitions: 1.5 }, `partitions must be ${allowed}, not 1.5`],
    [{ partitions: 2 ** 25 }, `partitions must be ${allowed}, not 33554432`],
    [{ partitions: 'ab', hash: parity }, `partitions must be ${allowed}, not "ab"`],
    [{ partitions: [], hash: parity }, `partitions must be ${allowed}, not an empty array`],
    [{ partitions: ['a', 'a'], hash: parity }, `partitions must be ${allowed}, not an array`],
    [{ partitions: [null], hash: parity }, `partitions must be ${allowed}, not an array`],
    [{ partitions: [NaN], hash: parity }, `partitions must be ${allowed}, not an array`],
    [{ partitions: ['a', 'b'] }, 'hash must be a function, because the partitions have names, not undefined'],
    [{ partitions: [0, 0.5] }, 'hash must be a function, because the partitions have names, not undefined'],
    [{ partitions: 2, hash: 'id' }, 'hash must be a function from an event to its partition, not "id"'],
    [{ partitions: 2, maxQueued: 0 }, 'maxQueued must be a whole number from 1, or Infinity, not 0'],
    [{ partition: 2 }, 'unknown option "partition"; did you mean partitions? known are partitions, hash, maxQueued'],
  ])('T211 GS-H1 refuses %o', (options, message) => {
    expect(() => make(options)).toThrow(
      expect.objectContaining({ code: 'BAD_OPTION', message: `partitionDispatcher: ${message}` }),
    )
  })

  it.each<[options: unknown]>([
    [{ partitions: 1 }],
    [{ partitions: [3, 5] }],
    [{ partitions: new Set(['a', 'b']), hash: () => 'a' }],
    [{ partitions: 2, maxQueued: Infinity }],
  ])('GS-H1 takes %o', options => {
    expect(() => make(options)).not.toThrow()
  })
})
