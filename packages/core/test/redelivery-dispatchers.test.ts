/** X21: what comes back to each dispatcher, and to the buffer. */
import {
  broadcastDispatcher,
  consumer,
  demandDispatcher,
  type DispatcherFactory,
  fairDispatcher,
  partitionDispatcher,
  priorityDispatcher,
  producer,
  producerConsumer,
  rateLimit,
  routed,
  start,
} from '@genstage/core'
import { describe, expect, it } from 'vitest'
import { refusal } from './support/refusal.ts'
import { boom, fail, held, openShop } from './support/shop.ts'
import { rejectionOf, watchedRuntime, wrong } from './support/watched-runtime.ts'

const simple: Readonly<Record<string, DispatcherFactory>> = {
  demandDispatcher: demandDispatcher(),
  fairDispatcher: fairDispatcher(),
  'rateLimit(demandDispatcher)': rateLimit(demandDispatcher(), { events: 1_000, perMs: 1_000 }),
}

describe.each(Object.entries(simple))('what comes back to %s', (_name, dispatcher) => {
  it('X21 goes to another consumer at once', async () => {
    const { worker, send, settle, got, lost } = openShop({ dispatcher })
    worker('first', {}, fail)
    await settle()
    worker('second', { maxDemand: 900 })
    await send([1, 2])
    expect(got).toEqual([
      ['first', [1, 2], 0],
      ['second', [1, 2], 1],
    ])
    expect(lost).toEqual([])
  })

  it('X21 waits in front of what was never sent, and goes on in order', async () => {
    const { orders, worker, send, rest, lost } = openShop({ dispatcher })
    const { work, fail: failNow } = held()
    worker('first', { maxDemand: 4, minDemand: 2 }, work)
    await send([1, 2], [3, 4], [5, 6])
    expect(await orders.estimateBufferedCount()).toBe(2)
    failNow()
    expect(await rest()).toEqual([
      [[1, 2], 1],
      [[3, 4], 0],
      [[5, 6], 0],
    ])
    expect(lost).toEqual([])
  })

  it('X21 is divided among those who have demand, as every batch is', async () => {
    const { worker, send, settle, got } = openShop({ dispatcher })
    worker('first', { maxDemand: 6, minDemand: 0 }, fail)
    await settle()
    worker('second', { maxDemand: 4, minDemand: 0 }, held().work)
    worker('third', { maxDemand: 2, minDemand: 0 }, held().work)
    await send([1, 2, 3, 4, 5, 6])
    expect(got).toEqual([
      ['first', [1, 2, 3, 4, 5, 6], 0],
      ['second', [1, 2, 3, 4], 1],
      ['third', [5, 6], 1],
    ])
  })
})

describe('what comes back to partitionDispatcher', () => {
  const dispatcher = () =>
    partitionDispatcher({ partitions: ['odd', 'even'], hash: (n: number) => (n % 2 === 0 ? 'even' : 'odd') })

  it.each([
    ['alone', dispatcher()],
    ['inside rateLimit', rateLimit(dispatcher(), { events: 1_000, perMs: 1_000 })],
  ])('X21 INV-9 keeps the order of its partition: before what waits there (%s)', async (_how, factory) => {
    const { worker, send, settle, got, lost } = openShop({ dispatcher: factory })
    worker('odd', { partition: 'odd', maxDemand: 3, minDemand: 1 })
    const { work, fail: failNow } = held()
    worker('even', { partition: 'even', maxDemand: 3, minDemand: 1 }, work)
    await send([1, 2, 3, 4], [6, 8], [10, 5])
    failNow()
    await send([12])
    worker('even again', { partition: 'even', maxDemand: 100, minDemand: 0 })
    await settle()
    await send([14])
    expect(got.filter(([name]) => name === 'odd').flatMap(([, events]) => events)).toEqual([1, 3, 5])
    expect(got.filter(([name]) => name !== 'odd')).toEqual([
      ['even', [2, 4], 0],
      ['even again', [2, 4], 1],
      ['even again', [6, 8, 10, 12], 0],
      ['even again', [14], 0],
    ])
    expect(lost).toEqual([])
  })

  it('X21 does not go through the hash again, which may have replaced it', async () => {
    const hashed: number[] = []
    const factory = partitionDispatcher({
      partitions: 2,
      hash: (n: number) => {
        hashed.push(n)
        return routed(n * 10, n % 2)
      },
    })
    const { worker, send, settle, got } = openShop({ dispatcher: factory })
    worker('first', { partition: 1 }, fail)
    await send([1, 3])
    worker('second', { partition: 1 })
    await settle()
    expect(got).toEqual([
      ['first', [10, 30], 0],
      ['second', [10, 30], 1],
    ])
    expect(hashed).toEqual([1, 3])
  })
})

describe('the accounts of a producer to which events come back', () => {
  const one = partitionDispatcher({ partitions: 1, hash: (_: number) => 0 })
  it.each<[string, DispatcherFactory<number>, number, object]>([
    ['demandDispatcher', demandDispatcher(), 0, {}],
    ['fairDispatcher', fairDispatcher(), 0, {}],
    ['partitionDispatcher', one, 0, { partition: 0 }],
    ['priorityDispatcher', priorityDispatcher({ priority: (_: number) => 0, maxQueued: 10 }), 10, {}],
    ['rateLimit(demandDispatcher)', rateLimit(demandDispatcher(), { events: 1_000, perMs: 1_000 }), 0, {}],
    ['rateLimit(partitionDispatcher)', rateLimit(one, { events: 1_000, perMs: 1_000 }), 0, { partition: 0 }],
  ])('X21 X1 X4 neither ask twice nor come to a halt (%s)', async (_name, dispatcher, ahead, options) => {
    const { runtime, settle } = watchedRuntime()
    let next = 0
    const Counter = producer.of<number>()(() => ({
      handleDemand: demand => Array.from({ length: demand }, () => next++),
    }))
    const counter = start(Counter, { runtime, dispatcher })
    const done: number[] = []
    for (let life = 0; life < 20; life++) {
      let batches = 0
      const Worker = consumer.of<number>()(() => ({
        handleEvents(events) {
          if (++batches > life % 4) throw boom
          done.push(...events)
        },
      }))
      const worker = start(Worker, { runtime })
      worker.subscribe({ to: counter, maxDemand: 5, minDemand: life % 5, redeliver: true, ...options })
      await worker.exited
      await settle()
      // All that was asked for came, and what is not done is on its way to the next
      expect(next - done.length).toBeLessThanOrEqual(5 + ahead)
    }
    expect(done).toEqual([...done.keys()])
    expect(done.length).toBeGreaterThanOrEqual(20)
  })
})

describe('what comes back to priorityDispatcher', () => {
  it('X21 comes before others of its priority, and after what is more urgent', async () => {
    const dispatcher = priorityDispatcher({ priority: (n: number) => Math.floor(n / 10) })
    const { worker, send, rest, lost } = openShop({ dispatcher })
    const { work, fail: failNow } = held()
    worker('first', { maxDemand: 2, minDemand: 0 }, work)
    await send([20, 21], [22, 10, 30])
    failNow()
    expect(await rest()).toEqual([
      [[10], 0],
      [[20, 21], 1],
      [[22, 30], 0],
    ])
    expect(lost).toEqual([])
  })
})

describe('what comes back to rateLimit', () => {
  it.each([
    ['demandDispatcher', demandDispatcher() as DispatcherFactory<number>, {}],
    ['partitionDispatcher', partitionDispatcher({ partitions: 1, hash: (_: number) => 0 }), { partition: 0 }],
  ])('X21 counts once more when it leaves again (%s)', async (_name, inner, options) => {
    const { worker, send, settle, pass, got, lost } = openShop({ dispatcher: rateLimit(inner, { events: 3, perMs: 1_000 }) })
    worker('first', options, fail)
    await send([1, 2, 3], [4])
    await pass(10)
    worker('second', options)
    await settle()
    await pass(989)
    expect(got).toEqual([['first', [1, 2, 3], 0]])
    await pass(1)
    await pass(1_000)
    expect(got.slice(1)).toEqual([
      ['second', [1, 2, 3], 1],
      ['second', [4], 0],
    ])
    expect(lost).toEqual([])
  })
})

describe('a dispatcher that takes nothing back', () => {
  const custom: DispatcherFactory = context => {
    const inner = demandDispatcher()(context)
    return {
      subscribe: (to, options) => inner.subscribe(to, options),
      ask: (to, demand) => inner.ask(to, demand),
      cancel: to => inner.cancel(to),
      dispatch: events => inner.dispatch(events),
    }
  }

  it.each([
    ['broadcastDispatcher', broadcastDispatcher()],
    ['rateLimit(broadcastDispatcher)', rateLimit(broadcastDispatcher(), { events: 1, perMs: 1 })],
    ['one of your own without giveBack', custom],
  ])('X21 REDELIVERY_REFUSED is what %s answers', async (_name, dispatcher) => {
    const { orders, runtime } = openShop({ dispatcher })
    const Worker = consumer.of<number>()(() => ({ handleEvents() {} }))
    const temporary = start(Worker, { runtime }).subscribe({ to: orders, cancel: 'temporary', redeliver: { limit: 5 } })
    const expected = refusal('REDELIVERY_REFUSED', 'redeliver', 'stage "orders"', 'redeliver is refused', 'giveBack')
    expect(await rejectionOf(temporary.accepted)).toMatchObject(expected)
    expect(await temporary.ended).toMatchObject({ kind: 'cancel', reason: { type: 'error', error: expected } })
    const permanent = start(Worker, { runtime, subscribeTo: [{ to: orders, redeliver: true }] })
    expect(await permanent.exited).toMatchObject({ type: 'error', error: expected })
    // It is the one subscription that is refused
    const without = start(Worker, { runtime }).subscribe({ to: orders })
    await expect(without.accepted).resolves.toBeUndefined()
  })

  it.each([
    ['throws', () => fail(), 'boom'],
    ['answers no allowance', () => ({ allowance: NaN }), 'allowance'],
  ])('X21 GS-G8 ends the producer when its giveBack %s, and what came back is reported', async (_how, giveBack, says) => {
    const dispatcher: DispatcherFactory = context => ({ ...custom(context), giveBack: wrong(giveBack) })
    const { orders, worker, send, lost, uncaught } = openShop({ dispatcher })
    worker('first', {}, fail)
    await send([1, 2], [3])
    expect(await orders.exited).toMatchObject({
      type: 'error',
      error: { code: 'DISPATCHER_FAILED', message: expect.stringContaining(says) as string },
    })
    if (says === 'boom') expect(lost).toEqual([['producer_crash', [1, 2, 3]]])
    uncaught.splice(0)
  })
})

describe('a buffer to which events come back', () => {
  it.each([
    [0, 'first', [4, 5, 6]],
    [0, 'last', [4, 5, 6]],
    [2, 'first', [6]],
    [2, 'last', [4]],
  ] as const)(
    'X21 GS-B3 GS-B4 with bufferSize %d and keep %s gives up none of them',
    async (bufferSize, bufferKeep, overflow) => {
      const { worker, send, rest, lost, lines } = openShop({ bufferSize, bufferKeep })
      worker('first', {}, fail)
      await send([1, 2, 3])
      await send([4, 5], [6])
      expect(lost.flatMap(([, events]) => events)).toEqual(overflow)
      expect(new Set(lost.map(([reason]) => reason))).toEqual(new Set(['buffer_overflow']))
      expect(lines.filter(({ fields }) => fields.code === 'discarded')).toHaveLength(lost.length)
      const others = [4, 5, 6].filter(event => !(overflow as readonly number[]).includes(event))
      expect(await rest()).toEqual([[[1, 2, 3], 1], ...(others.length > 0 ? [[others, 0]] : [])])
    },
  )

  it('X21 GS-B8 GS-I3 keeps infos in their places', async () => {
    const { runtime, settle } = watchedRuntime()
    const seen: unknown[] = []
    const Telling = producer.of<number>()(() => ({
      handleDemand() {},
      handleCast: (events: readonly number[]) => events,
      handleInfo: (message: string) => void seen.push(message),
    }))
    const telling = start(Telling, { runtime })
    const { work, fail: failNow } = held()
    const Worker = consumer.of<number>()((_: void, ctx) => ({ handleEvents: events => work(events, wrong(undefined), ctx) }))
    const failing = start(Worker, { runtime })
    failing.subscribe({ to: telling, maxDemand: 2, minDemand: 0, redeliver: true })
    void failing.exited
    await settle()
    telling.cast([1, 2])
    telling.cast([3])
    telling.asyncInfo('after 3')
    telling.cast([4])
    await settle()
    failNow()
    await settle()
    telling.asyncInfo('after 4')
    await settle()
    expect(seen).toEqual([])
    const Slow = consumer.of<number>()(() => ({ handleEvents: events => void seen.push(...events) }))
    start(Slow, { runtime }).subscribe({ to: telling, maxDemand: 1, minDemand: 0 })
    await settle()
    expect(seen.filter(each => typeof each === 'number')).toEqual([1, 2, 3, 4])
    expect(seen.indexOf('after 3')).toBeGreaterThan(seen.indexOf(2))
    expect(seen.indexOf('after 4')).toBeGreaterThan(seen.indexOf('after 3'))
  })

  it('X21 GS-H10 keeps infos behind what waits in a partition, and behind what comes back to it', async () => {
    const { runtime, settle } = watchedRuntime()
    const seen: unknown[] = []
    const Telling = producer.of<number>()(() => ({
      handleDemand() {},
      handleCast: (events: readonly number[]) => events,
      handleInfo: (message: string) => void seen.push(message),
    }))
    const telling = start(Telling, { runtime, dispatcher: partitionDispatcher({ partitions: 2, hash: (_: number) => 0 }) })
    const { work, fail: failNow } = held()
    const subscribed = async (handle: (events: readonly number[]) => void | Promise<void>, maxDemand: number, partition = 0) => {
      const Worker = consumer.of<number>()(() => ({ handleEvents: handle }))
      const worker = start(Worker, { runtime })
      worker.subscribe({ to: telling, partition, maxDemand, minDemand: 0, redeliver: true })
      void worker.exited
      await settle()
    }
    await subscribed(events => work(events, wrong(undefined), wrong(undefined)) as Promise<void>, 2)
    await subscribed(() => {}, 10, 1) // its demand is what the other partition takes events in on
    telling.cast([1, 2])
    telling.cast([3])
    telling.asyncInfo('after 3')
    await settle()
    failNow()
    await settle()
    expect(seen).toEqual([])
    await subscribed(events => void seen.push(...events), 1)
    expect(seen).toEqual([1, 2, 3, 'after 3'])
  })

  it('X21 an info with nothing but events that came back before it waits for them', async () => {
    const { runtime, settle } = watchedRuntime()
    const seen: unknown[] = []
    const Telling = producer.of<number>()(() => ({
      handleDemand() {},
      handleCast: (events: readonly number[]) => events,
      handleInfo: (message: string) => void seen.push(message),
    }))
    const telling = start(Telling, { runtime })
    const Failing = consumer.of<number>()(() => ({ handleEvents: fail }))
    const failing = start(Failing, { runtime })
    failing.subscribe({ to: telling, redeliver: true })
    void failing.exited
    await settle()
    telling.cast([1, 2])
    await settle()
    telling.asyncInfo('after 2')
    await settle()
    expect(seen).toEqual([])
    start(
      consumer.of<number>()(() => ({ handleEvents() {} })),
      { runtime, subscribeTo: [telling] },
    )
    await settle()
    expect(seen).toEqual(['after 2'])
  })
})

describe('a producer that accumulates', () => {
  it.each([
    ['demandDispatcher', demandDispatcher()],
    ['fairDispatcher', fairDispatcher()],
    ['rateLimit(demandDispatcher)', rateLimit(demandDispatcher(), { events: 1_000, perMs: 1_000 })],
  ])('X21 X17 GS-M3 lets out what comes back when it goes forward, before all else (%s)', async (_name, dispatcher) => {
    const { orders, worker, send, settle, got, lost } = openShop({ dispatcher })
    const { work, fail: failNow } = held()
    worker('first', { maxDemand: 6, minDemand: 0 }, work)
    await send([1, 2])
    worker('second', { maxDemand: 5, minDemand: 0 })
    await settle()
    orders.setDemandMode('accumulate')
    await send([3])
    failNow()
    await settle()
    expect(got).toEqual([['first', [1, 2], 0]])
    orders.setDemandMode('forward')
    await settle()
    expect(got.slice(1)).toEqual([
      ['second', [1, 2], 1],
      ['second', [3], 0],
    ])
    expect(lost).toEqual([])
  })

  it('X21 X17 GS-M3 keeps what comes back in its partition', async () => {
    const dispatcher = partitionDispatcher({ partitions: 1, hash: (_: number) => 0 })
    const { orders, worker, send, settle, got, lost } = openShop({ dispatcher })
    const { work, fail: failNow } = held()
    worker('first', { partition: 0 }, work)
    await send([1, 2])
    orders.setDemandMode('accumulate')
    await send([3])
    failNow()
    await settle()
    orders.setDemandMode('forward')
    await settle()
    worker('second', { partition: 0 })
    await settle()
    expect(got.slice(1)).toEqual([
      ['second', [1, 2], 1],
      ['second', [3], 0],
    ])
    expect(lost).toEqual([])
  })

  it('X21 INV-6 reports what came back when it ends accumulating', async () => {
    const { orders, worker, send, settle, lost } = openShop()
    const { work, fail: failNow } = held()
    worker('first', {}, work)
    await send([1, 2])
    orders.setDemandMode('accumulate')
    await send([3])
    failNow()
    await settle()
    await orders.stop()
    expect(lost).toEqual([
      ['stopped', [1, 2]],
      ['accumulated_at_stop', [3]],
    ])
  })
})

describe('a stage in the middle', () => {
  it('X21 takes back from those below it, and gives back to the one above', async () => {
    const { orders, runtime, settle, send, rest, lost } = openShop()
    const Middle = producerConsumer.of<number, number>()(() => ({ handleEvents: events => events.map(event => event * 10) }))
    const middle = start(Middle, { runtime })
    middle.subscribe({ to: orders, cancel: 'temporary', redeliver: true, maxDemand: 4, minDemand: 2 })
    const seen: [readonly number[], number][] = []
    const below = (fails: boolean) => {
      const Below = consumer.of<number>()(() => ({
        handleEvents(events, from) {
          seen.push([events, from.redeliveries])
          if (fails) throw boom
        },
      }))
      const ref = start(Below, { runtime })
      ref.subscribe({ to: middle, cancel: 'temporary', redeliver: true, maxDemand: 2, minDemand: 0 })
      return settle()
    }
    await below(true)
    await send([1, 2], [3, 4], [5])
    await below(true)
    expect(seen).toEqual([
      [[10, 20], 0],
      [[10, 20], 1],
    ])
    await below(false)
    expect(seen.slice(2).flatMap(([events]) => events)).toEqual([10, 20, 30, 40, 50])
    expect(seen[2]).toEqual([[10, 20], 2])
    expect([await rest(), lost]).toEqual([[], []])
  })
})
