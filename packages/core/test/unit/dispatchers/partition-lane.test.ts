import { describe, expect, it } from 'vitest'
import { type HeldInfo, PartitionLane } from '../../../src/dispatchers/partition-lane.ts'
import { numbers } from '../support/rig.ts'

function laneWith(demand: number): PartitionLane {
  const lane = new PartitionLane('p')
  lane.consumer = { subscriptionId: 's', consumerId: 'c' }
  if (demand > 0) lane.ask(demand)
  return lane
}

/** Routes events and takes what can be delivered now. */
function route(lane: PartitionLane, events: readonly unknown[]): readonly unknown[] | undefined {
  for (const event of events) lane.route(event)
  return lane.deliver()
}

function info(message: string, toPass = 1): HeldInfo {
  return { message, toPass }
}

describe('PartitionLane', () => {
  it('GS-H6 delivers what its demand allows, as one message', () => {
    const lane = laneWith(5)
    expect(route(lane, [1, 2, 3])).toEqual([1, 2, 3])
    expect(lane.inspect()).toMatchObject({ demand: 2, queued: 0 })
    expect(lane.isQueueing).toBe(false)
  })

  it('GS-H6 queues from the moment its demand is used up exactly', () => {
    const lane = laneWith(3)
    expect(route(lane, [1, 2, 3])).toEqual([1, 2, 3])
    expect(lane.isQueueing).toBe(true)
    expect(route(lane, [4])).toBeUndefined()
    expect(lane.queued()).toEqual([4])
  })

  it('GS-H6 queues the overflow, and everything behind it', () => {
    const lane = laneWith(2)
    expect(route(lane, [1, 2, 3, 4])).toEqual([1, 2])
    expect(route(lane, [5])).toBeUndefined()
    expect(lane.queued()).toEqual([3, 4, 5])
    expect(lane.inspect()).toMatchObject({ demand: 0, queued: 3 })
  })

  it('GS-H7 queues everything while it has no consumer', () => {
    const lane = new PartitionLane(0)
    expect(route(lane, [1, 2])).toBeUndefined()
    expect([lane.queuedCount, lane.isQueueing]).toEqual([2, true])
  })

  it('forgets what was routed when it has been delivered', () => {
    const lane = laneWith(9)
    lane.route(1)
    expect(lane.hasRouted).toBe(true)
    expect(lane.deliver()).toEqual([1])
    expect(lane.hasRouted).toBe(false)
  })

  it('adds up demand while nothing waits', () => {
    const lane = laneWith(2)
    expect(lane.ask(3)).toEqual({ batches: [], infos: [], prepaid: 0 })
    expect(lane.inspect()).toMatchObject({ demand: 5 })
  })

  it('INV-3 stays at the largest exact demand', () => {
    const lane = laneWith(Number.MAX_SAFE_INTEGER)
    lane.ask(10)
    expect(lane.inspect()).toMatchObject({ demand: Number.MAX_SAFE_INTEGER })
  })

  it('GS-H4 flushes the queue in order and keeps the rest of an ask as demand', () => {
    const lane = laneWith(0)
    route(lane, [1, 2, 3])
    expect(lane.ask(2)).toEqual({ batches: [[1, 2]], infos: [], prepaid: 0 })
    expect(lane.ask(5)).toEqual({ batches: [[3]], infos: [], prepaid: 0 })
    expect(lane.inspect()).toMatchObject({ demand: 4, queued: 0 })
    expect(lane.isQueueing).toBe(false)
  })

  it('GS-H4 goes on queueing, maybe with nothing, when an ask is used up exactly', () => {
    const lane = laneWith(0)
    route(lane, [1, 2])
    lane.ask(2)
    expect([lane.isQueueing, lane.queuedCount]).toEqual([true, 0])
    expect(route(lane, [3])).toBeUndefined()
  })

  it('GS-H4 GS-H10 splits a flush where an info passes inside it', () => {
    const lane = laneWith(0)
    route(lane, [1, 2])
    lane.hold(info('x'))
    route(lane, [3])
    expect(lane.ask(3)).toEqual({ batches: [[1, 2], [3]], infos: ['x'], prepaid: 0 })
  })

  it('GS-H10 holds an info behind the last event of a flush that is used up exactly until the next ask', () => {
    const lane = laneWith(0)
    route(lane, [1, 2])
    lane.hold(info('x'))
    expect(lane.ask(2)).toEqual({ batches: [[1, 2]], infos: [], prepaid: 0 })
    expect(lane.ask(1)).toEqual({ batches: [], infos: ['x'], prepaid: 0 })
    expect(lane.inspect()).toMatchObject({ demand: 1 })
  })

  it('GS-H10 gives infos in their order, each when the last partition has passed it', () => {
    const [first, second] = [laneWith(0), laneWith(0)]
    route(first, [1])
    route(second, [2])
    const both = info('both', 2)
    first.hold(both)
    second.hold(both)
    first.hold(info('first alone'))
    expect(first.ask(9).infos).toEqual(['first alone'])
    expect(second.ask(9).infos).toEqual(['both'])
  })

  it('X4 GS-H8 keeps its events when the consumer leaves, and releases the units that they used up', () => {
    const lane = laneWith(0)
    route(lane, [1, 2, 3])
    expect(lane.leave()).toEqual({ released: 3, unused: 0, infos: [] })
    expect(lane.consumer).toBeUndefined()
    expect(lane.inspect()).toEqual({ partition: 'p', consumer: undefined, demand: 0, queued: 3, prepaid: 3 })
    expect(lane.ask(2)).toEqual({ batches: [[1, 2]], infos: [], prepaid: 2 })
    expect(lane.ask(2)).toEqual({ batches: [[3]], infos: [], prepaid: 1 })
    expect(lane.ask(2)).toMatchObject({ prepaid: 0 })
  })

  it('X4 releases with the next leaver only what was queued since', () => {
    const lane = laneWith(0)
    route(lane, [1, 2])
    expect(lane.leave().released).toBe(2)
    route(lane, [3])
    expect(lane.inspect()).toMatchObject({ queued: 3, prepaid: 2 })
    expect(lane.leave().released).toBe(1)
    expect(lane.inspect()).toMatchObject({ queued: 3, prepaid: 3 })
    expect(lane.leave().released).toBe(0)
  })

  it('GS-H9 answers the demand that its consumer has not used', () => {
    const lane = laneWith(5)
    route(lane, [1, 2])
    expect(lane.leave()).toEqual({ released: 0, unused: 3, infos: [] })
    expect(route(lane, [3])).toBeUndefined()
    expect(lane.queued()).toEqual([3])
  })

  it('X4 GS-H10 keeps infos behind the events they follow, and lets those pass that follow none', () => {
    const lane = laneWith(0)
    route(lane, [1])
    lane.hold(info('behind 1'))
    expect(lane.leave().infos).toEqual([])
    lane.ask(1)
    expect(lane.leave().infos).toEqual(['behind 1'])
  })

  it('X4 GS-H8 has demand again, of 0, when a consumer leaves an empty queue', () => {
    const lane = laneWith(2)
    route(lane, [1, 2])
    expect(lane.isQueueing).toBe(true)
    lane.leave()
    expect(lane.isQueueing).toBe(false)
  })

  it('GS-X21 puts what its consumer has not done in front, prepaid, and before the infos that wait', () => {
    const lane = laneWith(3)
    route(lane, [1, 2, 3, 4])
    lane.hold(info('behind 4'))
    expect(lane.ask(1)).toEqual({ batches: [[4]], infos: [], prepaid: 0 })
    expect(lane.leave([3, 4])).toEqual({ released: 0, unused: 0, infos: [] })
    expect(lane.inspect()).toMatchObject({ demand: 0, queued: 2, prepaid: 2 })
    expect(lane.ask(5)).toEqual({ batches: [[3, 4]], infos: ['behind 4'], prepaid: 2 })
    expect(lane.inspect()).toMatchObject({ demand: 3, queued: 0, prepaid: 0 })
  })

  it('keeps long queues in order', () => {
    const lane = laneWith(0)
    route(lane, numbers(0, 5_000))
    expect(lane.queued()).toEqual(numbers(0, 5_000))
    expect(lane.ask(4_000).batches).toEqual([numbers(0, 4_000)])
    expect(lane.queued()).toEqual(numbers(4_000, 1_000))
  })
})
