/**
 * These files rebuild the suite of the reference: its tests T2 to T122, each under its id. Left out are T1, T123 and T124, which test
 * module child specs and names written as tuples: a definition here is a value and a name is typed, so there is nothing to test.
 */
import { broadcastDispatcher, start } from '@genstage/core'
import { describe, expect, it } from 'vitest'
import { RawConsumer } from './support/raw-peer.ts'
import { batches, counter, demands, items, pieces, range, type Seen, sink, source } from './support/stages.ts'
import { recordedRuntime } from './support/recorded-runtime.ts'
import { settle } from './support/turns.ts'

describe('demand between a producer and a consumer', () => {
  it('T2 GS-Q1 GS-Q4 delivers 1,000 events as two batches by default', async () => {
    const { runtime } = recordedRuntime()
    const [above, below]: [Seen, Seen] = [[], []]
    const producer = start(counter(above, 1_000), { runtime })
    start(sink(below), { runtime, subscribeTo: [producer] })
    await settle(runtime)
    expect(batches(below)).toEqual([range(0, 500), range(500, 1_000)])
    expect(demands(above)).toEqual([1_000, 500, 500])
  })

  it('T3 GS-Q4 delivers batches of 20 with maxDemand 100 and minDemand 80', async () => {
    const { runtime } = recordedRuntime()
    const seen: Seen = []
    const producer = start(counter([], 1_020), { runtime })
    start(sink(seen), { runtime, subscribeTo: [{ to: producer, maxDemand: 100, minDemand: 80 }] })
    await settle(runtime)
    expect(batches(seen)).toEqual(pieces(range(0, 1_020), 20))
  })

  it('T4 GS-Q4 GS-Q5 delivers 80 and 20 by turns with maxDemand 100 and minDemand 20', async () => {
    const { runtime } = recordedRuntime()
    const seen: Seen = []
    const producer = start(counter([], 280), { runtime })
    start(sink(seen), { runtime, subscribeTo: [{ to: producer, maxDemand: 100, minDemand: 20 }] })
    await settle(runtime)
    expect(batches(seen)).toEqual([range(0, 80), range(80, 100), range(100, 180), range(180, 260), range(260, 280)])
  })

  it('T5 GS-Q4 delivers one event at a time with maxDemand 1 and minDemand 0', async () => {
    const { runtime } = recordedRuntime()
    const seen: Seen = []
    const producer = start(counter([], 3), { runtime })
    const consumer = start(sink(seen), { runtime })
    consumer.subscribe({ to: producer, maxDemand: 1, minDemand: 0 })
    await settle(runtime)
    expect(batches(seen)).toEqual([[0], [1], [2]])
  })

  it('T6 GS-W4 GS-W5 brings the same batch to two consumers of a broadcast with different demand', async () => {
    const { runtime } = recordedRuntime()
    const [first, second]: [Seen, Seen] = [[], []]
    const producer = start(counter([], 1_010), { runtime, dispatcher: broadcastDispatcher() })
    start(sink(first), { runtime }).subscribe({ to: producer, maxDemand: 10, minDemand: 0 })
    start(sink(second), { runtime }).subscribe({ to: producer, maxDemand: 20, minDemand: 0 })
    await settle(runtime)
    expect(batches(first).at(-1)).toEqual(range(1_000, 1_010))
    expect(batches(second).at(-1)).toEqual(range(1_000, 1_010))
    const common = items(second).length
    expect(items(second)).toEqual(items(first).slice(-common))
  })

  it('T7 GS-W5 GS-W7 holds a broadcast back for a consumer that never asks, until it cancels', async () => {
    const { runtime } = recordedRuntime()
    const [first, second]: [Seen, Seen] = [[], []]
    const producer = start(counter([], 1_010), { runtime, dispatcher: broadcastDispatcher() })
    const silent = new RawConsumer(runtime)
    silent.subscribe(producer)
    start(sink(first), { runtime }).subscribe({ to: producer, maxDemand: 10, minDemand: 0 })
    start(sink(second), { runtime }).subscribe({ to: producer, maxDemand: 20, minDemand: 0 })
    await settle(runtime)
    expect([items(first), items(second)]).toEqual([[], []])

    silent.cancel(producer, { type: 'killed' })
    await settle(runtime)
    expect(batches(first)).toEqual(pieces(range(0, 1_010), 10))
    expect(batches(second)).toEqual(pieces(range(0, 1_010), 10))
  })

  it('T8 GS-W4 GS-W6 asks the producer once when two consumers of a broadcast never finish their batch', async () => {
    const { runtime } = recordedRuntime()
    const [above, first, second]: [Seen, Seen, Seen] = [[], [], []]
    const producer = start(counter(above), { runtime, dispatcher: broadcastDispatcher(), demand: 'accumulate' })
    for (const seen of [first, second]) {
      const stuck = sink(seen, () => ({
        handleEvents(events) {
          seen.push(['events', events])
          return new Promise<void>(() => {})
        },
      }))
      start(stuck, { runtime, subscribeTo: [{ to: producer, maxDemand: 10, minDemand: 0 }] })
    }
    await settle(runtime)
    producer.setDemandMode('forward')
    await settle(runtime)
    expect(demands(above)).toEqual([10])
    expect([batches(first), batches(second)]).toEqual([[range(0, 10)], [range(0, 10)]])
  })

  it('GS-D6 GS-P5 GS-Q4 GS-X1 serves two consumers by turns, first from what was emitted and then from the buffer (worked vector)', async () => {
    const { runtime } = recordedRuntime()
    const [above, first, second]: [Seen, Seen, Seen] = [[], [], []]
    const producer = start(source(above), { runtime })
    start(sink(first), { runtime, subscribeTo: [{ to: producer, maxDemand: 4, minDemand: 2 }] })
    start(sink(second), { runtime, subscribeTo: [{ to: producer, maxDemand: 4, minDemand: 2 }] })
    await settle(runtime)
    await producer.call(range(1, 21))
    await settle(runtime)
    expect(batches(first).slice(0, 2)).toEqual([
      [1, 2],
      [3, 4],
    ])
    expect(batches(second).slice(0, 2)).toEqual([
      [5, 6],
      [7, 8],
    ])
    const rest = [...batches(first).slice(2), ...batches(second).slice(2)]
    expect(rest.toSorted((a, b) => Number(a[0]) - Number(b[0]))).toEqual(pieces(range(9, 21), 2))
    expect(await producer.estimateBufferedCount()).toBe(0)
    expect(demands(above)).toEqual([4, 4, 2, 2, 2, 2])
  })
})
