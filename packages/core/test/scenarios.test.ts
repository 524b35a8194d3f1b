import { partitionDispatcher, start, type Subscription } from '@genstage/core'
import { describe, expect, it } from 'vitest'
import { ManualClock } from './support/manual-clock.ts'
import { RawProducer } from './support/raw-peer.ts'
import { recordedRuntime } from './support/recorded-runtime.ts'
import {
  batches,
  counter,
  demands,
  doubler,
  type Item,
  items,
  range,
  type Seen,
  sink,
  source,
  valuesOf,
} from './support/stages.ts'
import { gate, settle } from './support/turns.ts'

const done = { type: 'other', value: 'done' } as const

describe('stages together', () => {
  it('U20 deliver each event once through a diamond', async () => {
    const { runtime } = recordedRuntime()
    const below: Seen = []
    const sides: [Seen, Seen] = [[], []]
    const dispatcher = partitionDispatcher({ partitions: 2, hash: (event: Item) => Number(event) % 2 })
    const producer = start(counter([], 1_000), { runtime, dispatcher })
    const middles = sides.map((seen, partition) => {
      const identity = doubler(seen, () => ({
        handleEvents(events) {
          seen.push(['events', events])
          return events
        },
      }))
      return start(identity, { runtime, subscribeTo: [{ to: producer, partition, maxDemand: 20 }] })
    })
    start(sink(below), { runtime, subscribeTo: middles.map(to => ({ to, maxDemand: 30, minDemand: 10 })) })
    await settle(runtime)
    expect(items(below).toSorted((a, b) => Number(a) - Number(b))).toEqual(range(0, 1_000))
    for (const [parity, seen] of sides.entries()) expect(items(seen)).toEqual(range(0, 500).map(half => half * 2 + parity))
  })

  it('U21 GS-S12 serve a consumer of two producers by each, though one is silent', async () => {
    const { runtime } = recordedRuntime()
    const [talking, silent, below]: [Seen, Seen, Seen] = [[], [], []]
    const talker = start(counter(talking, 100), { runtime })
    const listener = start(source(silent), { runtime })
    const options = { maxDemand: 10, minDemand: 5 }
    start(sink(below), { runtime, subscribeTo: [talker, listener].map(to => ({ to, ...options })) })
    await settle(runtime)
    expect(items(below)).toEqual(range(0, 100))
    expect(demands(talking).slice(0, 3)).toEqual([10, 5, 5])
    expect(demands(silent)).toEqual([10])
    await listener.call(['a'])
    await settle(runtime)
    expect(items(below).at(-1)).toBe('a')
  })

  it('U23 GS-K11 GS-D10 lose the batch in hand when a consumer crashes; the others get the rest, and its demand is used again', async () => {
    const { runtime } = recordedRuntime()
    const [above, first, second]: [Seen, Seen, Seen] = [[], [], []]
    const producer = start(source(above), { runtime })
    const crashing = sink(first, () => ({
      handleEvents(events) {
        first.push(['events', events])
        throw new Error('crash')
      },
    }))
    const crasher = start(crashing, { runtime, subscribeTo: [{ to: producer, maxDemand: 4, minDemand: 0 }] })
    start(sink(second), { runtime, subscribeTo: [{ to: producer, maxDemand: 3, minDemand: 0 }] })
    await settle(runtime)
    await producer.call([1])
    await expect(crasher.exited).resolves.toMatchObject({ type: 'error' })
    expect(batches(first)).toEqual([[1]])

    await producer.call([2, 3, 4])
    await settle(runtime)
    expect(batches(second)).toEqual([[2, 3, 4]])
    // 3 of the crashed consumer's 4 were never answered: they cover the next ask
    expect(demands(above)).toEqual([4, 3])
  })

  it('U24 GS-K9 GS-K12 handle events that were in flight at a cancel, and refuse those that come after its confirmation', async () => {
    const { runtime } = recordedRuntime()
    const seen: Seen = []
    const peer = new RawProducer(runtime)
    const consumer = start(sink(seen), { runtime })
    const subscription = consumer.subscribe({ to: peer.ref, cancel: 'temporary', maxDemand: 10 })
    await settle(runtime)
    subscription.cancel(done)
    peer.emit(consumer, subscription.id, [1, 2])
    peer.cancel(consumer, subscription.id, done)
    peer.emit(consumer, subscription.id, [3])
    await settle(runtime)
    expect(seen.slice(1)).toEqual([
      ['events', [1, 2]],
      ['cancelled', 'cancel', done, subscription.id],
    ])
    expect(peer.received).toEqual([
      ['subscribe', { cancel: 'temporary', maxDemand: 10 }],
      ['ask', 10],
      ['cancel', done],
      ['cancel', expect.objectContaining({ error: expect.objectContaining({ code: 'UNKNOWN_SUBSCRIPTION' }) })],
    ])
  })

  it('U25 GS-L10 finish the handler in hand at a stop, terminate once, and begin no other batch', async () => {
    const { runtime } = recordedRuntime()
    const seen: Seen = []
    const { opened, open } = gate()
    const slow = sink(seen, () => ({
      async handleEvents(events) {
        seen.push(['events', events])
        await opened
        seen.push(['info', 'handled'])
      },
    }))
    const producer = start(counter(), { runtime })
    const consumer = start(slow, { runtime, subscribeTo: [{ to: producer, maxDemand: 4, minDemand: 2 }] })
    await settle(runtime)
    const stopped = consumer.stop(done)
    await settle(runtime)
    expect(valuesOf(seen, 'terminated')).toEqual([])
    open()
    await expect(stopped).resolves.toEqual(done)
    expect(seen.slice(1)).toEqual([
      ['events', [0, 1]],
      ['info', 'handled'],
      ['terminated', done],
    ])
  })

  it('U26 GS-J6 ignore what a handler brings after a kill', async () => {
    const { runtime } = recordedRuntime()
    const [middle, below]: [Seen, Seen] = [[], []]
    const { opened, open } = gate()
    const slow = doubler(middle, () => ({
      async handleEvents(events) {
        middle.push(['events', events])
        await opened
        return events
      },
    }))
    const producer = start(counter(), { runtime })
    const stage = start(slow, { runtime, subscribeTo: [{ to: producer, maxDemand: 4, minDemand: 2, cancel: 'temporary' }] })
    start(sink(below), { runtime, subscribeTo: [{ to: stage, cancel: 'temporary' }] })
    await settle(runtime)
    await expect(stage.kill()).resolves.toEqual({ type: 'killed' })
    open()
    await settle(runtime)
    expect(batches(middle)).toEqual([[0, 1]])
    expect(valuesOf(middle, 'terminated')).toEqual([])
    expect(batches(below)).toEqual([])
    expect(valuesOf(below, 'cancelled')).toEqual(['down'])
  })

  it('U31 GS-S7 keep to a rate by manual demand: at most 5 in an interval, and late demand is not lost', async () => {
    const clock = new ManualClock()
    const { runtime } = recordedRuntime({ clock })
    /** Events of each interval. */
    const intervals: Item[][] = []
    const rateLimited = sink([], ctx => {
      const subscriptions: Subscription[] = []
      /** Events since the last tick: so many may be asked for again. */
      let handled = 0
      ctx.every(1_000, 'tick')
      return {
        handleSubscribe(from) {
          subscriptions.push(from)
          from.ask(5)
          return 'manual'
        },
        handleEvents(events) {
          intervals.at(-1)?.push(...events)
          handled += events.length
        },
        handleInfo() {
          for (const from of subscriptions) from.ask(handled)
          handled = 0
        },
      }
    })
    const producer = start(source(), { runtime })
    start(rateLimited, { runtime, subscribeTo: [producer] })
    await settle(runtime)
    for (const emitted of [range(0, 12), [], range(12, 14), [], range(14, 30), [], [], []]) {
      if (intervals.push([]) > 1) clock.advance(1_000)
      await settle(runtime)
      await producer.call(emitted)
      await settle(runtime)
    }
    // Asked for in the third interval and not answered: 1 event, which makes 5 with the 4 that were
    expect(intervals.map(events => events.length)).toEqual([5, 5, 4, 0, 5, 5, 5, 1])
    expect(intervals.flat()).toEqual(range(0, 30))
  })
})
