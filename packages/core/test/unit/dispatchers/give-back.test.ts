import { describe, expect, it } from 'vitest'
import { Buffer } from '../../../src/buffer.ts'
import { broadcastDispatcher } from '../../../src/dispatchers/broadcast.ts'
import { demandDispatcher } from '../../../src/dispatchers/demand.ts'
import { partitionDispatcher, routed } from '../../../src/dispatchers/partition.ts'
import { laneState, partitionState } from '../support/pictures.ts'
import { numbers, Rig } from '../support/rig.ts'

const partitions = { partitions: 2, hash: (event: number) => event % 2 }

describe('giveBack of demandDispatcher', () => {
  it('GS-X21 gives to the others that have demand, never to the one that has gone, and leaves the rest over', () => {
    const rig = new Rig(demandDispatcher())
    rig.subscribe('a')
    rig.subscribe('b')
    rig.ask('a', 9)
    rig.dispatch(numbers(0, 4))
    rig.ask('b', 2)
    rig.delivered()
    expect(rig.giveBack('a', numbers(1, 3))).toEqual([3])
    expect(rig.delivered()).toEqual([['b', [1, 2]]])
    expect(rig.allowance).toBe(0)
  })

  it('GS-X21 has the rest delivered before all that waits in the buffer', () => {
    const rig = new Rig(demandDispatcher(), { buffer: new Buffer(4, 'last') })
    rig.subscribe('a')
    rig.ask('a', 4)
    rig.dispatch(numbers(0, 8))
    rig.giveBack('a', [2, 3])
    rig.subscribe('b')
    rig.ask('b', 9)
    expect(rig.delivered()).toEqual([
      ['a', [0, 1, 2, 3]],
      ['b', [2, 3, 4, 5, 6, 7]],
    ])
  })

  it('GS-X21 asks the producer for nothing that was given back', () => {
    const rig = new Rig(demandDispatcher(), { buffer: new Buffer(Infinity, 'last') })
    rig.subscribe('a')
    expect(rig.ask('a', 5)).toBe(5)
    rig.dispatch(numbers(0, 5))
    rig.giveBack('a', [3, 4])
    rig.subscribe('b')
    expect(rig.ask('b', 5)).toBe(3)
  })
})

describe('giveBack of partitionDispatcher', () => {
  it('GS-X21 INV-9 puts events in front of their partition for its next consumer, in order', () => {
    const rig = new Rig<number>(partitionDispatcher(partitions))
    rig.subscribe('even', { partition: 0 })
    rig.subscribe('odd', { partition: 1 })
    rig.ask('even', 3)
    rig.ask('odd', 3)
    rig.dispatch([0, 2, 4, 6, 1])
    rig.delivered()
    expect(rig.giveBack('even', [2, 4])).toEqual([])
    expect(laneState(rig, 0)).toBe('queue 3 (3 prepaid)')
    expect(rig.dispatcher.held?.()).toEqual([2, 4, 6])
    rig.subscribe('new', { partition: 0 })
    rig.ask('new', 4)
    rig.dispatch([8])
    expect(rig.delivered()).toEqual([
      ['new', [2, 4, 6]],
      ['new', [8]],
    ])
  })

  it('GS-X21 X4 asks the producer for nothing that was given back', () => {
    const rig = new Rig<number>(partitionDispatcher(partitions))
    rig.subscribe('even', { partition: 0 })
    expect(rig.ask('even', 4)).toBe(4)
    rig.dispatch([0, 2, 4])
    rig.giveBack('even', [2, 4])
    expect(partitionState(rig)).toBe('(1,1)')
    rig.subscribe('new', { partition: 0 })
    // Two are here, one was asked for by who has gone
    expect(rig.ask('new', 4)).toBe(1)
    expect(partitionState(rig)).toBe('(2,0)')
  })

  it('GS-X21 GS-H1 gives back what was delivered, which the hash has replaced and would not know', () => {
    const rig = new Rig<unknown>(
      partitionDispatcher({
        partitions: ['even', 'odd'],
        hash: event => routed(`no. ${String(event)}`, Number(event) % 2 === 0 ? 'even' : 'odd'),
      }),
    )
    rig.subscribe('a', { partition: 'odd' })
    rig.ask('a', 2)
    rig.dispatch([1, 3])
    rig.delivered()
    rig.giveBack('a', ['no. 1', 'no. 3'])
    rig.subscribe('b', { partition: 'odd' })
    rig.ask('b', 2)
    expect(rig.delivered()).toEqual([['b', ['no. 1', 'no. 3']]])
  })

  it('GS-X21 X4 INV-23 pauses the producer and warns when that fills the partition', () => {
    const rig = new Rig<number>(partitionDispatcher({ ...partitions, maxQueued: 2 }))
    rig.subscribe('even', { partition: 0 })
    rig.ask('even', 3)
    rig.dispatch([0, 2, 4])
    rig.giveBack('even', [0, 2, 4])
    expect(rig.hold).toBe(true)
    expect(rig.warnings()).toEqual([{ code: 'partition_full', partition: 0, n: 3, max: 2 }])
    rig.subscribe('new', { partition: 0 })
    rig.ask('new', 3)
    expect(rig.hold).toBe(false)
  })

  it('GS-X21 leaves over what comes back from somebody it does not know', () => {
    const rig = new Rig<number>(partitionDispatcher(partitions))
    expect(rig.giveBack('stranger', [1, 2])).toEqual([1, 2])
  })
})

describe('giveBack of broadcastDispatcher', () => {
  it('GS-X21 is not there: redeliver is refused', () => {
    expect(new Rig(broadcastDispatcher()).dispatcher.giveBack).toBeUndefined()
  })
})
