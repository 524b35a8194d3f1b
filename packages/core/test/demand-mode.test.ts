import { broadcastDispatcher, start } from '@genstage/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RawConsumer } from './support/raw-peer.ts'
import { recordedRuntime } from './support/recorded-runtime.ts'
import { batches, counter, demands, range, type Seen, sink, source } from './support/stages.ts'
import { settle } from './support/turns.ts'

describe('the demand mode', () => {
  it('T18 GS-M1 GS-M2 accumulates from the start, and serves the consumer when it is set to forward', async () => {
    const { runtime } = recordedRuntime()
    const seen: Seen = []
    const producer = start(counter([], 4), { runtime, demand: 'accumulate' })
    expect(await producer.demandMode()).toBe('accumulate')
    await start(sink(seen), { runtime }).subscribe({ to: producer, maxDemand: 4, minDemand: 0 }).accepted
    await settle(runtime)
    expect(batches(seen)).toEqual([])

    producer.setDemandMode('forward')
    expect(await producer.demandMode()).toBe('forward')
    await settle(runtime)
    expect(batches(seen)).toEqual([[0, 1, 2, 3]])
  })

  it('T19 GS-M3 GS-M4 dispatches what was emitted while accumulating to those who have subscribed since', async () => {
    const { runtime } = recordedRuntime()
    const producer = start(source(), { runtime, dispatcher: broadcastDispatcher() })
    expect(await producer.demandMode()).toBe('forward')
    const early = [1, 2].map(() => start(sink(), { runtime, subscribeTo: [producer] }))
    await settle(runtime)
    producer.setDemandMode('accumulate')
    expect(await producer.demandMode()).toBe('accumulate')
    for (const consumer of early) await consumer.stop()
    for (const event of [1, 2, 3, 4]) producer.cast([event])

    const late: [Seen, Seen] = [[], []]
    for (const seen of late) start(sink(seen), { runtime, subscribeTo: [producer] })
    await settle(runtime)
    expect(late.map(batches)).toEqual([[], []])

    producer.setDemandMode('forward')
    await settle(runtime)
    expect(await producer.demandMode()).toBe('forward')
    expect(await producer.estimateBufferedCount()).toBe(0)
    expect(late.map(batches)).toEqual([
      [[1], [2], [3], [4]],
      [[1], [2], [3], [4]],
    ])
  })

  it('T20 GS-M1 can be set to accumulate before a consumer subscribes', async () => {
    const { runtime } = recordedRuntime()
    const seen: Seen = []
    const producer = start(counter([], 4), { runtime })
    expect(await producer.demandMode()).toBe('forward')
    producer.setDemandMode('accumulate')
    expect(await producer.demandMode()).toBe('accumulate')
    await start(sink(seen), { runtime }).subscribe({ to: producer, maxDemand: 4, minDemand: 0 }).accepted
    await settle(runtime)
    expect(batches(seen)).toEqual([])

    producer.setDemandMode('forward')
    expect(await producer.demandMode()).toBe('forward')
    await settle(runtime)
    expect(batches(seen)).toEqual([[0, 1, 2, 3]])
  })

  it('T21 GS-M2 can be set to forward before a consumer subscribes, which is then served at once', async () => {
    const { runtime } = recordedRuntime()
    const seen: Seen = []
    const producer = start(counter([], 4), { runtime, demand: 'accumulate' })
    producer.setDemandMode('forward')
    expect(await producer.demandMode()).toBe('forward')
    start(sink(seen), { runtime }).subscribe({ to: producer, maxDemand: 4, minDemand: 0 })
    await settle(runtime)
    expect(batches(seen)).toEqual([[0, 1, 2, 3]])
  })

  it('T22 GS-M5 keeps what was accumulated when it is set to accumulate once more', async () => {
    const { runtime } = recordedRuntime()
    const seen: Seen = []
    const producer = start(counter([], 4), { runtime, demand: 'accumulate' })
    start(sink(seen), { runtime }).subscribe({ to: producer, maxDemand: 4, minDemand: 0 })
    await settle(runtime)
    producer.setDemandMode('accumulate')
    producer.setDemandMode('forward')
    await settle(runtime)
    expect(batches(seen)).toEqual([[0, 1, 2, 3]])
  })

  it('T23 GS-M4 replays two asks of 2 as two demands of 2, not as one of 4', async () => {
    const { runtime } = recordedRuntime()
    const above: Seen = []
    const below: [Seen, Seen] = [[], []]
    let calls = 0
    const teller = source(above, () => ({
      handleDemand(demand) {
        above.push(['demand', demand])
        return ++calls <= 4 ? [demand] : []
      },
    }))
    const producer = start(teller, { runtime, demand: 'accumulate' })
    for (const seen of below) start(sink(seen), { runtime }).subscribe({ to: producer, maxDemand: 2 })
    await settle(runtime)
    expect(demands(above)).toEqual([])

    producer.setDemandMode('forward')
    await settle(runtime)
    // Each consumer asks for 1 more when it has one of its two
    expect(demands(above)).toEqual([2, 2, 1, 1, 1, 1])
    expect(below.flatMap(batches).toSorted()).toEqual([[1], [1], [2], [2]])
  })
})

describe('accumulating, then forwarding', () => {
  /** What a producer is asked and a peer gets, when the demand is accumulated for the first asks. */
  async function run(asks: readonly number[], accumulated: number, share: number) {
    const { runtime } = recordedRuntime()
    const seen: Seen = []
    let next = 0
    const answering = source(seen, () => ({
      handleDemand(demand) {
        seen.push(['demand', demand])
        const events = range(next, next + Math.ceil(demand * share))
        next += events.length
        return events
      },
    }))
    const producer = start(answering, { runtime, demand: accumulated > 0 ? 'accumulate' : 'forward' })
    const peer = new RawConsumer(runtime)
    peer.subscribe(producer)
    for (const [index, demand] of asks.entries()) {
      if (index === accumulated) producer.setDemandMode('forward')
      peer.ask(producer, demand)
    }
    producer.setDemandMode('forward')
    await settle(runtime)
    return { demands: demands(seen), received: peer.received }
  }

  it('U10 GS-M4 cannot be told from forward by what is asked and delivered', async () => {
    const asks = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 8 })
    const property = fc.asyncProperty(asks, fc.nat(8), fc.constantFrom(1, 0.5), async (list, accumulated, share) => {
      expect(await run(list, accumulated, share)).toEqual(await run(list, 0, share))
    })
    await fc.assert(property, { numRuns: 100 })
  })
})
