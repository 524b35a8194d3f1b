/** X21: what a consumer has not done when it ends goes back to its producer. */
import { consumer, type ConsumerRef, producer, type ProducerRef, producerConsumer, type Subscriber, start } from '@genstage/core'
import { addressOf, peerAddress } from '@genstage/core/protocol'
import type { ProtocolMessage } from '@genstage/core/protocol'
import { describe, expect, it } from 'vitest'
import { fail, held, openShop, type Shop } from './support/shop.ts'
import { batches, items, type Seen, sink, source, valuesOf } from './support/stages.ts'
import { gate } from './support/turns.ts'
import { wrong } from './support/watched-runtime.ts'

const Quiet = producer.of<number>()(() => ({ handleDemand() {} }))

/** How a worker ends that has [1, 2, 3] in hand and [4, 5], [6] in its mailbox; and whether it finishes the batch in hand. */
interface End {
  readonly finishes: boolean
  run(shop: Shop): Promise<unknown>
}

/** A worker whose handler is pending until the test says so. */
async function busy({ worker, send }: Shop, ...inMailbox: readonly (readonly number[])[]) {
  const { work, ...handler } = held()
  const ref = worker('first', {}, work)
  await send([1, 2, 3])
  await send(...inMailbox)
  return { ref, ...handler }
}

const ends: Readonly<Record<string, End>> = {
  'throws at once': {
    finishes: false,
    async run({ worker, send }) {
      worker('first', {}, fail)
      await send([1, 2, 3], [4, 5], [6])
    },
  },
  'throws later': {
    finishes: false,
    run: async shop => (await busy(shop, [4, 5], [6])).fail(),
  },
  'is killed': {
    finishes: false,
    run: async shop => (await busy(shop, [4, 5], [6])).ref.kill(),
  },
  'is killed in its own callback': {
    finishes: false,
    async run({ worker, send }) {
      const ref: ConsumerRef<number> = worker('first', {}, () => void ref.kill())
      await send([1, 2, 3], [4, 5], [6])
    },
  },
  'is stopped': {
    finishes: true,
    async run(shop) {
      const { ref, finish } = await busy(shop, [4, 5], [6])
      const stopped = ref.stop()
      finish()
      await stopped
    },
  },
  'is stopped, and killed when its time is up': {
    finishes: false,
    async run(shop) {
      const { ref } = await busy(shop, [4, 5], [6])
      const stopped = ref.stop('shutdown', { timeout: 50 })
      shop.advance(50)
      expect(await stopped).toEqual({ type: 'killed' })
    },
  },
  'gives up when it is told to': {
    finishes: false,
    async run({ worker, send }) {
      const aborted = new DOMException('stopped', 'AbortError')
      const ref = worker(
        'first',
        {},
        (_events, _from, { stopping }) =>
          new Promise((_resolve, reject) => stopping.addEventListener('abort', () => reject(aborted))),
      )
      await send([1, 2, 3], [4, 5], [6])
      expect(await ref.stop('shutdown')).toEqual({ type: 'shutdown' })
    },
  },
  'stops itself': {
    finishes: true,
    async run({ worker, send }) {
      worker('first', {}, (_events, _from, ctx) => ctx.stop())
      await send([1, 2, 3], [4, 5], [6])
    },
  },
  'follows another producer': {
    finishes: true,
    async run({ worker, send, runtime, settle }) {
      const other = start(Quiet, { runtime })
      const { work, finish } = held()
      worker('first', {}, work).subscribe({ to: other })
      await settle()
      await send([1, 2, 3])
      await other.stop()
      await send([4, 5], [6])
      finish()
    },
  },
}

const Quietly = consumer.of<number>()(() => ({ handleEvents() {} }))

/** Hands on what it gets. */
const Middle = producerConsumer.of<number, number>()(() => ({ handleEvents: events => events }))

describe('what a consumer has not done', () => {
  it.each(Object.entries(ends))(
    'X21 goes back when it %s: the batch in hand, and what waits in its mailbox',
    async (_how, end) => {
      const shop = openShop()
      await end.run(shop)
      await shop.settle()
      expect(shop.got.map(([, events]) => events)).toEqual([[1, 2, 3]])
      const expected = end.finishes
        ? [[[4, 5, 6], 0]]
        : [
            [[1, 2, 3], 1],
            [[4, 5, 6], 0],
          ]
      expect(await shop.rest()).toEqual(expected)
      expect(shop.lost).toEqual([])
      expect(shop.again).toEqual(end.finishes ? [] : [3])
    },
  )

  it('X21 goes back from the batch on in which it failed, when a message was cut into several', async () => {
    const { worker, send, rest, got, lost } = openShop()
    worker('first', { maxDemand: 6, minDemand: 4 }, ([event]) => (event === 3 ? fail() : undefined))
    await send([1, 2, 3, 4, 5, 6])
    expect(got.map(([, events]) => events)).toEqual([
      [1, 2],
      [3, 4],
    ])
    expect(await rest()).toEqual([
      [[3, 4], 1],
      [[5, 6], 0],
    ])
    expect(lost).toEqual([])
  })

  it('X21 goes back from the next batch on, when it stopped itself in the middle of a message', async () => {
    const { worker, send, rest, lost } = openShop()
    worker('first', { maxDemand: 6, minDemand: 4 }, ([event], _from, ctx) => (event === 3 ? ctx.stop() : undefined))
    await send([1, 2, 3, 4, 5, 6])
    expect(await rest()).toEqual([[[5, 6], 0]])
    expect(lost).toEqual([])
  })

  it('X21 goes back from the inbox of a stage in the middle, and from the rest of the message in its hands', async () => {
    const { orders, runtime, settle, send, rest, lost } = openShop()
    const middle = start(Middle, { runtime, name: 'middle' })
    middle.subscribe({ to: orders, cancel: 'temporary', redeliver: true, maxDemand: 8, minDemand: 6 })
    const seen: number[] = []
    const Manual = consumer.of<number>()(() => ({
      handleSubscribe: from => (from.ask(2), 'manual'),
      handleEvents: events => void seen.push(...events),
    }))
    start(Manual, { runtime, subscribeTo: [{ to: middle, cancel: 'temporary' }] })
    await settle()
    await send([1, 2], [3, 4, 5], [6])
    expect(seen).toEqual([1, 2])
    await middle.kill()
    expect(await rest()).toEqual([[[3, 4, 5, 6], 0]])
    expect(lost).toEqual([])
  })

  it('X21 goes back when a stage in the middle returns what is no list (BAD-53)', async () => {
    const { orders, runtime, send, rest, lost, uncaught } = openShop()
    const Wrong = producerConsumer.of<number, number>()(() => ({ handleEvents: () => wrong(5) }))
    const middle = start(Wrong, { runtime })
    middle.subscribe({ to: orders, cancel: 'temporary', redeliver: true })
    start(Quietly, { runtime, subscribeTo: [{ to: middle, cancel: 'temporary' }] })
    await send([1, 2], [3])
    expect(await middle.exited).toMatchObject({ type: 'error', error: { code: 'BAD_RETURN' } })
    expect(await rest()).toEqual([
      [[1, 2], 1],
      [[3], 0],
    ])
    expect([lost, uncaught.splice(0).length]).toEqual([[], 1])
  })

  it('X21 is nothing any more once what it returned is dispatched: that is the loss of the stage in the middle (K11)', async () => {
    const { orders, runtime, settle, send, rest, lost } = openShop()
    const middle = start(Middle, { runtime })
    middle.subscribe({ to: orders, cancel: 'temporary', redeliver: true })
    const One = consumer.of<number>()(() => ({ handleSubscribe: from => (from.ask(1), 'manual'), handleEvents() {} }))
    start(One, { runtime, subscribeTo: [{ to: middle, cancel: 'temporary' }] })
    await settle()
    await send([1, 2, 3], [4])
    await middle.kill()
    expect(lost).toEqual([['killed', [2, 3]]])
    expect(await rest()).toEqual([[[4], 0]])
  })

  it('X21 goes back when it is killed by who is told of what it emitted', async () => {
    const { orders, runtime, settle, send, rest, lost } = openShop()
    const middle = start(Middle, { runtime })
    middle.subscribe({ to: orders, cancel: 'temporary', redeliver: true })
    start(Quietly, { runtime, subscribeTo: [{ to: middle, cancel: 'temporary' }] })
    await settle()
    runtime.telemetry.on('dispatched', ({ stage }) => void (stage === middle.id && middle.kill()))
    await send([1, 2], [3])
    expect(await rest()).toEqual([
      [[1, 2], 1],
      [[3], 0],
    ])
    expect(lost).toEqual([])
  })

  it('X21 goes back with what was sent to it before the producer heard of its end', async () => {
    const { work } = held()
    const first: { ref?: ConsumerRef<number> } = {}
    const { worker, send, rest, lost, again } = openShop({}, events => {
      if (events.includes(4)) void first.ref?.kill()
      return events
    })
    first.ref = worker('first', {}, work)
    await send([1, 2])
    await send([3], [4, 5], [6])
    expect(await rest()).toEqual([
      [[1, 2], 1],
      [[3, 4, 5, 6], 0],
    ])
    expect([lost, again]).toEqual([[], [2]])
  })

  it('X21 goes back with what was about to be sent to it, when it is killed by who is told of a redelivery', async () => {
    const { worker, send, settle, rest, runtime, lost, again } = openShop()
    worker('first', { maxDemand: 4, minDemand: 2 }, fail)
    await send([1, 2, 3, 4])
    const first: { ref?: ConsumerRef<number> } = {}
    runtime.telemetry.on('redelivered', () => void first.ref?.kill())
    first.ref = worker('second', { maxDemand: 4, minDemand: 0 })
    await settle()
    delete first.ref
    expect(await rest()).toEqual([
      [[1, 2], 1],
      [[3, 4], 0],
    ])
    expect([lost, again]).toEqual([[], [2, 2]])
  })

  it('X21 A4 is nothing when it was drained', async () => {
    const { worker, send, rest, got, lost } = openShop()
    const ref = worker('first', { maxDemand: 4, minDemand: 2 })
    await send([1, 2, 3, 4, 5])
    await ref.stop('shutdown', { drain: true })
    expect(got.flatMap(([, events]) => events)).toEqual([1, 2, 3, 4, 5])
    expect([await rest(), lost]).toEqual([[], []])
  })

  it('X21 K11 is lost, and reported, without the option', async () => {
    const { worker, send, rest, lost } = openShop()
    worker('first', { redeliver: wrong(undefined) }, fail)
    await send([1, 2, 3], [4])
    expect(lost).toEqual([
      ['consumer_crash', [1, 2, 3]],
      ['consumer_crash', [4]],
    ])
    expect(await rest()).toEqual([])
  })
})

describe('a batch that was delivered before', () => {
  it('X21 knows how often, also when it goes out together with others', async () => {
    const { worker, send, rest, settle, got, again } = openShop()
    worker('first', { maxDemand: 4, minDemand: 2 }, fail)
    await send([1, 2, 3, 4])
    worker('second', {}, fail)
    await settle()
    worker('third', {}, ([event]) => (event === 3 ? fail() : undefined))
    await settle()
    expect(got).toEqual([
      ['first', [1, 2], 0],
      ['second', [1, 2], 1],
      ['third', [1, 2], 2],
      ['third', [3, 4], 0],
    ])
    expect(await rest()).toEqual([[[3, 4], 1]])
    expect(again).toEqual([2, 2, 2])
  })

  it('X21 knows it in a stage in the middle too, whatever waited in its inbox', async () => {
    const { orders, runtime, worker, send, settle } = openShop()
    worker('first', {}, fail)
    await send([1, 2], [3])
    const counts: [readonly number[], number][] = []
    const Counting = producerConsumer.of<number, number>()(() => ({
      handleEvents(events, from) {
        counts.push([events, from.redeliveries])
        return events
      },
    }))
    const middle = start(Counting, { runtime, subscribeTo: [{ to: orders, cancel: 'temporary' }] })
    await settle()
    start(Quietly, { runtime, subscribeTo: [{ to: middle, cancel: 'temporary' }] })
    await settle()
    expect(counts).toEqual([
      [[1, 2], 1],
      [[3], 0],
    ])
  })

  it('X21 goes to consumers that have demand at once, whether they give back or not', async () => {
    const { worker, send, got, lost } = openShop()
    worker('first', { maxDemand: 100 }, ([event]) => (event === 1 ? fail() : undefined))
    worker('second', { maxDemand: 50, redeliver: wrong(undefined) }, fail)
    await send([1, 2, 3])
    expect(got).toEqual([
      ['first', [1, 2, 3], 0],
      ['second', [1, 2, 3], 1],
    ])
    expect(lost).toEqual([['consumer_crash', [1, 2, 3]]])
  })

  it('X21 is told by telemetry', async () => {
    const { orders, runtime, worker, send, settle } = openShop()
    const told: unknown[] = []
    worker('first', {}, fail)
    await send([1, 2], [3])
    runtime.telemetry.on('redelivered', event => told.push(event))
    const ref = worker('second')
    await settle()
    const { producers } = await ref.inspect()
    expect(told).toEqual([{ stage: orders.id, name: 'orders', at: 0, subscription: producers[0]?.subscription, count: 2 }])
  })

  it.each([1, 2, 3])('X21 is discarded and reported after limit %d, once, with a line in the log', async limit => {
    const { worker, send, settle, rest, got, lost, lines } = openShop()
    for (let life = 0; life <= limit; life++) {
      worker(`life ${life}`, { redeliver: { limit } }, ([event]) => (event === 1 ? fail() : undefined))
      await (life === 0 ? send([1, 2], [3]) : settle())
    }
    expect(got.filter(([, events]) => events.includes(1)).map(([, , redeliveries]) => redeliveries)).toEqual([
      ...Array(limit).keys(),
    ])
    expect(lost).toEqual([['redelivery_limit', [1, 2]]])
    expect(lines.filter(({ fields }) => fields.code === 'discarded')).toEqual([
      {
        level: 'warn',
        text: `stage "orders": 2 events discarded: delivered as often as redeliver allows (limit ${limit})`,
        fields: { code: 'discarded', stage: 'orders', n: 2 },
      },
    ])
    // The others were not touched, so they did not count
    expect(got.at(-1)).toEqual([`life ${limit}`, [3], 0])
    expect(await rest()).toEqual([])
  })

  it('X21 GS-B6 asks no formatDiscarded when it is discarded', async () => {
    const { runtime, settle } = openShop()
    const seen: Seen = []
    const producer = start(source(seen), { runtime })
    const failing = start(
      sink([], () => ({ handleEvents: fail })),
      { runtime },
    )
    failing.subscribe({ to: producer, redeliver: { limit: 1 } })
    await settle()
    producer.cast([1])
    await settle()
    expect(valuesOf(seen, 'discarded')).toEqual([])
  })
})

describe('what comes back to a producer', () => {
  it('X21 X23 comes before what an asynchronous handleCancel returns, and before what is emitted meanwhile', async () => {
    const { runtime, settle } = openShop()
    const cancelled = gate()
    const Slow = producer.of<number>()(() => ({
      handleDemand() {},
      handleCast: (events: readonly number[]) => events,
      async handleCancel() {
        await cancelled.opened
        return [8]
      },
    }))
    const slow = start(Slow, { runtime })
    const failing = start(
      sink([], () => ({ handleEvents: fail })),
      { runtime },
    )
    failing.subscribe({ to: slow, redeliver: true })
    await settle()
    slow.cast([1, 2])
    await settle()
    slow.cast([9])
    const seen: Seen = []
    start(sink(seen), { runtime, subscribeTo: [slow] })
    await settle()
    expect(batches(seen)).toEqual([])
    cancelled.open()
    await settle()
    expect(items(seen)).toEqual([1, 2, 8, 9])
  })

  const waysToEnd = [
    ['is killed', 'killed'],
    ['is stopped, in time', 'stopped'],
    ['fails', 'producer_crash'],
  ] as const

  it.each(waysToEnd)('X21 INV-6 is reported once when the producer %s while its handleCancel is pending', async (how, reason) => {
    const { runtime, settle, lost } = openShop()
    const cancelled = held()
    const Slow = producer.of<number>()((_: void, ctx) => ({
      handleDemand() {},
      handleCast: (events: readonly number[]) => events,
      async handleCancel() {
        await cancelled.work([], wrong(undefined), ctx)
      },
    }))
    const slow = start(Slow, { runtime })
    const failing = start(
      sink([], () => ({ handleEvents: fail })),
      { runtime },
    )
    failing.subscribe({ to: slow, redeliver: true })
    await settle()
    slow.cast([1, 2])
    slow.cast([3])
    await settle()
    if (how === 'is killed') await slow.kill()
    if (how === 'fails') cancelled.fail()
    if (how === 'is stopped, in time') {
      void slow.stop()
      cancelled.finish()
    }
    await settle()
    expect(lost).toEqual([[reason, [1, 2, 3]]])
  })

  it('X21 INV-6 is reported once when the producer stops in its handleCancel', async () => {
    const { runtime, settle, lost } = openShop()
    const Stopping = producer.of<number>()((_: void, ctx) => ({
      handleDemand() {},
      handleCast: (events: readonly number[]) => events,
      handleCancel: () => ctx.stop(),
    }))
    const stopping = start(Stopping, { runtime })
    const failing = start(
      sink([], () => ({ handleEvents: fail })),
      { runtime },
    )
    failing.subscribe({ to: stopping, redeliver: true })
    await settle()
    stopping.cast([1, 2])
    await settle()
    expect(lost).toEqual([['stopped', [1, 2]]])
  })

  it.each(['consumer', 'producer'] as const)(
    'F57 X21 INV-6 is reported once when both end in the same tick, first the %s',
    async first => {
      const { orders, worker, send, settle, lost } = openShop()
      const ref = worker('first', {}, held().work)
      await send([1, 2, 3], [4, 5], [6])
      if (first === 'consumer') void ref.kill()
      void orders.kill()
      void ref.kill()
      await settle()
      expect(lost.flatMap(([, events]) => events)).toEqual([1, 2, 3, 4, 5, 6])
      expect(new Set(lost.map(([reason]) => reason))).toEqual(new Set(['killed']))
    },
  )

  it('F57 X21 INV-6 is reported once when the producer fails with what bounced', async () => {
    const first: { ref?: ConsumerRef<number> } = {}
    const { orders, worker, send, lost } = openShop({}, events => {
      if (events.includes(4)) void first.ref?.kill()
      if (events.includes(5)) void orders.kill()
      return events
    })
    first.ref = worker('first', {}, held().work)
    await send([1, 2, 3])
    await send([4], [5])
    expect(lost.flatMap(([, events]) => events).toSorted()).toEqual([1, 2, 3, 4, 5])
  })

  it('X21 INV-6 is reported once when the producer had ended before', async () => {
    const { orders, worker, send, settle, lost } = openShop()
    const { work, fail: failNow } = held()
    worker('first', {}, work)
    await send([1, 2, 3], [4])
    await orders.stop()
    failNow()
    await settle()
    expect(lost.flatMap(([, events]) => events)).toEqual([1, 2, 3, 4])
  })

  it('X21 INV-6 is reported once when the subscription was cancelled before', async () => {
    const { orders, runtime, settle, lost } = openShop()
    const { work, fail: failNow } = held()
    const Worker = consumer.of<number>()((_: void, ctx) => ({ handleEvents: events => work(events, wrong(undefined), ctx) }))
    const ref = start(Worker, { runtime })
    const subscription = ref.subscribe({ to: orders, cancel: 'temporary', redeliver: true })
    await settle()
    orders.cast([1, 2, 3])
    orders.cast([4])
    await settle()
    subscription.cancel()
    await settle()
    failNow()
    await settle()
    expect(lost).toEqual([
      ['unknown_subscription', [1, 2, 3]],
      ['unknown_subscription', [4]],
    ])
  })

  it('X21 INV-6 what bounced goes back also when the producer cancels before it hears of the end', async () => {
    const first: { ref?: ConsumerRef<number> } = {}
    let subscriber: Subscriber | undefined
    const { runtime, settle, lost } = openShop()
    const Cancelling = producer.of<number>()(() => ({
      handleDemand() {},
      handleSubscribe(from) {
        subscriber ??= from
      },
      handleCast(events: readonly number[]) {
        if (!events.includes(4)) return events
        subscriber?.cancel()
        void first.ref?.kill()
        return events
      },
    }))
    const cancelling = start(Cancelling, { runtime })
    const seen: Seen = []
    first.ref = start(
      sink(seen, ctx => ({ handleEvents: events => held().work(events, wrong(undefined), ctx) })),
      { runtime },
    ) as unknown as ConsumerRef<number>
    first.ref.subscribe({ to: cancelling, cancel: 'temporary', redeliver: true })
    await settle()
    cancelling.cast([1, 2, 3])
    cancelling.cast([4, 5])
    await settle()
    expect(lost).toEqual([['unknown_subscription', [1, 2, 3]]])
    start(sink(seen), { runtime, subscribeTo: [cancelling] })
    await settle()
    expect(items(seen)).toEqual([4, 5])
  })
})

describe('a peer that speaks the protocol', () => {
  it('X21 GS-A7 gets what a consumer has not done with the news of its end', async () => {
    const { runtime, settle } = openShop()
    const downs: ProtocolMessage[] = []
    const peer = peerAddress(runtime, {
      id: 'peer',
      type: 'producer',
      post(message, self) {
        const { from, subscription } = message
        if (message.type === 'consumerDown') downs.push(message)
        if (message.type !== 'ask') return
        from.post({ type: 'events', from: self, subscription, events: [1, 2], redeliveries: 3 })
        from.post({ type: 'events', from: self, subscription, events: [3] })
      },
    })
    const counts: number[] = []
    const Failing = consumer.of<number>()(() => ({
      handleEvents(_events, from) {
        counts.push(from.redeliveries)
        fail()
      },
    }))
    const failing = start(Failing, { runtime })
    failing.subscribe({ to: peer.ref as ProducerRef<number>, redeliver: true })
    await settle()
    expect(counts).toEqual([3])
    expect(downs).toMatchObject([
      {
        undone: [
          { events: [1, 2], redeliveries: 4 },
          { events: [3], redeliveries: 0 },
        ],
      },
    ])
  })

  it.each([
    [
      'with the option',
      { redeliver: { limit: 2 } },
      [['redelivery_limit', [1]]],
      [
        [[2], 1],
        [[3], 0],
      ],
    ],
    ['without it', {}, [['consumer_crash', [1, 2, 3]]], []],
  ])('X21 GS-A7 gives back to a producer (%s)', async (_how, options, given, expected) => {
    const { orders, runtime, settle, rest, lost } = openShop()
    const peer = peerAddress(runtime, { id: 'peer', type: 'consumer', post() {} })
    const common = { from: peer, subscription: 'one' }
    addressOf(orders).post({ type: 'subscribe', ...common, options, current: undefined })
    addressOf(orders).post({ type: 'ask', ...common, demand: 10 })
    orders.cast([1, 2, 3])
    await settle()
    const undone = [
      { events: [1], redeliveries: 2 },
      { events: [2], redeliveries: 1 },
      { events: [3], redeliveries: 0 },
    ]
    addressOf(orders).post({ type: 'consumerDown', ...common, reason: { type: 'killed' }, undone })
    expect(await rest()).toEqual(expected)
    expect(lost).toEqual(given)
  })
})
