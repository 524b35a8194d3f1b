import { broadcastDispatcher, type Runtime, start } from '@genstage/core'
import { describe, expect, it } from 'vitest'
import { RawConsumer } from './support/raw-peer.ts'
import { recordedRuntime } from './support/recorded-runtime.ts'
import { batches, counter, demands, doubler, type Item, items, pieces, range, type Seen, sink, twice } from './support/stages.ts'
import { settle } from './support/turns.ts'

/** Joins a counter, a doubler and a sink, subscribed at their start or afterwards, then the consumer first. */
async function runPipeline(runtime: Runtime, subscribed: 'at start' | 'afterwards', above: { minDemand: number; limit: number }) {
  const [middle, below]: [Seen, Seen] = [[], []]
  const producer = start(counter([], above.limit), { runtime })
  const upstream = { to: producer, maxDemand: 100, minDemand: above.minDemand }
  if (subscribed === 'at start') {
    const stage = start(doubler(middle), { runtime, subscribeTo: [upstream] })
    start(sink(below), { runtime, subscribeTo: [{ to: stage, maxDemand: 100, minDemand: 50 }] })
  } else {
    const stage = start(doubler(middle), { runtime })
    await start(sink(below), { runtime }).subscribe({ to: stage, maxDemand: 100, minDemand: 50 }).accepted
    await stage.subscribe(upstream).accepted
  }
  await settle(runtime)
  return { handled: batches(middle), delivered: batches(below) }
}

describe('a producer-consumer between a producer and a consumer', () => {
  it.each([
    ['T9 GS-PC2 GS-PC3 GS-Q4', 'at start'],
    ['T11 GS-PC3 GS-S1', 'afterwards'],
  ] as const)('%s works in twenties with minDemand 80, subscribed %s', async (_ids, subscribed) => {
    const { runtime } = recordedRuntime()
    const { handled, delivered } = await runPipeline(runtime, subscribed, { minDemand: 80, limit: 140 })
    expect(handled).toEqual(pieces(range(0, 140), 20))
    // The doubled 40 are delivered as one batch as long as that many are open, else as what is left and the rest
    expect(delivered.slice(0, 2)).toEqual([twice(range(0, 20)), twice(range(20, 40))])
    expect(delivered.slice(-2)).toEqual([twice(range(120, 125)), twice(range(125, 140))])
    expect(delivered.flat()).toEqual(twice(range(0, 140)))
  })

  it.each([
    ['T10 GS-PC3 GS-Q4', 'at start'],
    ['T12 GS-PC3 GS-S1', 'afterwards'],
  ] as const)('%s works in eighties and hands on fifties with minDemand 20, subscribed %s', async (_ids, subscribed) => {
    const { runtime } = recordedRuntime()
    const { handled, delivered } = await runPipeline(runtime, subscribed, { minDemand: 20, limit: 180 })
    expect(handled).toEqual([range(0, 80), range(80, 100), range(100, 180)])
    expect(delivered).toEqual(pieces(twice(range(0, 180)), 50))
  })

  it('GS-PC1 asks at once, also with nobody below: what comes waits', async () => {
    const { runtime } = recordedRuntime()
    const [above, middle]: [Seen, Seen] = [[], []]
    const producer = start(counter(above), { runtime })
    const stage = start(doubler(middle), { runtime, subscribeTo: [{ to: producer, maxDemand: 4 }] })
    await settle(runtime)
    expect([demands(above), batches(middle)]).toEqual([[4], []])
    expect(await stage.estimateBufferedCount()).toBe(0)

    start(sink(), { runtime, subscribeTo: [{ to: stage, maxDemand: 1, cancel: 'temporary' }] })
    await producer.stop()
    await settle(runtime)
    expect(batches(middle).slice(0, 2)).toEqual([range(0, 2), range(2, 4)])
  })

  it('GS-PC11 takes a message of a manual subscription as one batch, and asks for nothing by itself', async () => {
    const { runtime } = recordedRuntime()
    const [above, middle, below]: [Seen, Seen, Seen] = [[], [], []]
    const manual = doubler(middle, () => ({ handleSubscribe: from => (from.role === 'producer' ? 'manual' : undefined) }))
    const stage = start(manual, { runtime })
    start(sink(below), { runtime, subscribeTo: [stage] })
    const subscription = stage.subscribe({ to: start(counter(above), { runtime }), maxDemand: 2 })
    await settle(runtime)
    expect(demands(above)).toEqual([])
    subscription.ask(5)
    await settle(runtime)
    expect([demands(above), batches(middle), items(below)]).toEqual([[5], [range(0, 5)], twice(range(0, 5))])
  })

  it('T13 GS-PC5 GS-PC8 stops working when its consumer blocks, also if it emits later', async () => {
    const { runtime } = recordedRuntime()
    const [middle, below]: [Seen, Seen] = [[], []]
    const producer = start(counter(), { runtime })
    const postponer = doubler(middle, ctx => ({
      handleEvents(events) {
        ctx.self.send(events)
      },
      handleInfo(message) {
        const events = message as readonly Item[]
        middle.push(['info', events])
        return events
      },
    }))
    const blocker = sink(below, () => ({
      handleEvents(events) {
        below.push(['events', events])
        return new Promise<void>(() => {})
      },
    }))
    const stage = start(postponer, { runtime, subscribeTo: [{ to: producer, maxDemand: 10, minDemand: 8 }] })
    start(blocker, { runtime, subscribeTo: [{ to: stage, maxDemand: 10, minDemand: 5 }] })
    await settle(runtime)
    expect(middle.filter(([what]) => what === 'info')).toEqual(pieces(range(0, 10), 2).map(events => ['info', events]))
    expect(batches(below)).toEqual([[0, 1]])
  })

  it('T14 GS-PC6 keeps taking events when it emits none', async () => {
    const { runtime } = recordedRuntime()
    const [middle, below]: [Seen, Seen] = [[], []]
    const producer = start(counter([], 1_020), { runtime })
    const discarder = doubler(middle, () => ({
      handleEvents(events) {
        middle.push(['events', events])
      },
    }))
    const stage = start(discarder, { runtime, subscribeTo: [{ to: producer, maxDemand: 100, minDemand: 80 }] })
    start(sink(below), { runtime, subscribeTo: [{ to: stage, maxDemand: 100, minDemand: 50 }] })
    await settle(runtime)
    expect(batches(middle)).toEqual(pieces(range(0, 1_020), 20))
    expect(batches(below)).toEqual([])
  })

  it('T15 GS-PC4 GS-W4 broadcasts the same batches to two consumers', async () => {
    const { runtime } = recordedRuntime()
    const [first, second]: [Seen, Seen] = [[], []]
    const producer = start(counter([], 1_000), { runtime })
    const stage = start(doubler(), { runtime, dispatcher: broadcastDispatcher(), subscribeTo: [producer] })
    start(sink(first), { runtime }).subscribe({ to: stage, maxDemand: 10, minDemand: 0 })
    start(sink(second), { runtime }).subscribe({ to: stage, maxDemand: 20, minDemand: 0 })
    await settle(runtime)
    expect(batches(first)).toContainEqual(twice(range(200, 205)))
    expect(batches(second)).toContainEqual(twice(range(200, 205)))
  })

  it('T16 GS-PC5 GS-W7 holds its broadcast back for a consumer that never asks, until it cancels', async () => {
    const { runtime } = recordedRuntime()
    const [middle, first, second]: [Seen, Seen, Seen] = [[], [], []]
    const producer = start(counter([], 1_000), { runtime })
    const stage = start(doubler(middle), { runtime, dispatcher: broadcastDispatcher(), subscribeTo: [producer] })
    const silent = new RawConsumer(runtime)
    silent.subscribe(stage)
    start(sink(first), { runtime }).subscribe({ to: stage, maxDemand: 10, minDemand: 0 })
    start(sink(second), { runtime }).subscribe({ to: stage, maxDemand: 20, minDemand: 0 })
    await settle(runtime)
    expect([batches(middle), batches(first), batches(second)]).toEqual([[], [], []])

    silent.cancel(stage, { type: 'killed' })
    await settle(runtime)
    expect(items(first)).toEqual(twice(range(0, 1_000)))
    expect(items(second)).toEqual(twice(range(0, 1_000)))
    expect(batches(second)).toContainEqual(twice(range(200, 205)))
  })

  it('T17 GS-PC9 GS-K6 handles what is queued before it hears that its producer has gone', async () => {
    const { runtime } = recordedRuntime()
    const [middle, below]: [Seen, Seen] = [[], []]
    const producer = start(counter(), { runtime })
    const stage = start(doubler(middle), { runtime })
    const subscription = stage.subscribe({ to: producer, cancel: 'temporary', maxDemand: 100, minDemand: 50 })
    await settle(runtime)
    subscription.cancel({ type: 'other', value: 'done' })
    await settle(runtime)
    expect(middle).toEqual([['subscribed', 'producer', producer.id, subscription.id]])

    const consumer = start(sink(below), { runtime })
    const downstream = consumer.subscribe({ to: stage, maxDemand: 100, minDemand: 50 })
    await settle(runtime)
    expect(middle.slice(1)).toEqual([
      ['subscribed', 'consumer', consumer.id, downstream.id],
      ['events', range(0, 100)],
      ['cancelled', 'cancel', { type: 'other', value: 'done' }, subscription.id],
    ])
    expect(batches(below)).toEqual(pieces(twice(range(0, 100)), 50))
  })
})
