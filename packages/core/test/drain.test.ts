/** `stop(reason, { drain: true })`: what has been asked for is finished, and what is buffered is handed on. */
import {
  broadcastDispatcher,
  consumer,
  demandDispatcher,
  type DispatcherFactory,
  fromIterable,
  partitionDispatcher,
  producer,
  producerConsumer,
  type ProducerRef,
  type Runtime,
  start,
} from '@genstage/core'
import { describe, expect, it } from 'vitest'
import { watchedRuntime } from './support/watched-runtime.ts'

const drain = { drain: true }

/** Counts from 0, as many as it is asked for, or emits what it is cast. */
function counter(asked: number[] = []) {
  return producer.of<number>()(() => {
    let next = 0
    return {
      handleDemand(demand) {
        asked.push(demand)
        return Array.from({ length: demand }, () => next++)
      },
      handleCast: (events: readonly number[]) => events,
    }
  })
}

/** Emits what it is cast, and nothing else. */
const Source = producer.of<number>()(() => ({ handleDemand() {}, handleCast: (events: readonly number[]) => events }))

/** A consumer whose batches wait for the test. */
function gated() {
  const handled: number[] = []
  const gates: (() => void)[] = []
  let open = false
  const Gated = consumer.of<number>()(() => ({
    async handleEvents(events) {
      if (!open) await new Promise<void>(resolve => gates.push(resolve))
      handled.push(...events)
    },
  }))
  return {
    Gated,
    handled,
    /** Lets all batches pass from now on. */
    open() {
      open = true
      for (const gate of gates.splice(0)) gate()
    },
  }
}

/** Events that were reported as lost. */
function losses(runtime: Runtime): [string, readonly unknown[]][] {
  const lost: [string, readonly unknown[]][] = []
  runtime.telemetry.on('discarded', ({ reason, events }) => lost.push([reason, events]))
  return lost
}

describe('draining a consumer', () => {
  it('asks for nothing more, finishes what is on its way, and ends with the reason', async () => {
    const { runtime, settle, uncaught } = watchedRuntime()
    const lost = losses(runtime)
    const asked: number[] = []
    const { Gated, handled, open } = gated()
    const source = start(counter(asked), { runtime, name: 'source' })
    const sink = start(Gated, { runtime })
    const subscription = sink.subscribe({ to: source, maxDemand: 4, minDemand: 2 })
    await settle()
    const stopped = sink.stop('shutdown', drain)
    await settle()
    expect(handled).toEqual([])
    open()
    expect(await stopped).toEqual({ type: 'shutdown' })
    expect(handled.length).toBeGreaterThanOrEqual(4)
    expect(handled).toEqual(Array.from({ length: handled.length }, (_, index) => index))
    expect(await subscription.ended).toEqual({ kind: 'cancel', reason: { type: 'shutdown' } })
    await settle()
    expect(lost).toEqual([])
    expect(uncaught).toEqual([])
    expect(runtime.topology()).toMatchObject({ stages: [{ name: 'source' }], edges: [] })
  })

  it('tells the callbacks of each subscription that ends by it', async () => {
    const { runtime, settle } = watchedRuntime()
    const ended: unknown[] = []
    const Telling = consumer.of<number>()(() => ({
      handleEvents() {},
      handleCancel: ({ kind, reason }, from) => void ended.push([from.producer.name, kind, reason.type]),
    }))
    const subscribeTo = [start(Source, { runtime, name: 'one' }), start(Source, { runtime, name: 'two' })]
    const sink = start(Telling, { runtime, subscribeTo })
    await settle()
    await sink.stop('shutdown', drain)
    expect(ended).toEqual([
      ['one', 'cancel', 'shutdown'],
      ['two', 'cancel', 'shutdown'],
    ])
  })

  it('without subscriptions is an ordinary stop', async () => {
    const { runtime, settle, timers } = watchedRuntime()
    const sink = start(gated().Gated, { runtime })
    await settle()
    expect(await sink.stop('normal', drain)).toEqual({ type: 'normal' })
    expect(timers()).toBe(0)
  })

  it('answers calls and takes messages until it is over', async () => {
    const { runtime, settle } = watchedRuntime()
    let release = (): void => {}
    const Slow = consumer.of<number>()(() => ({
      handleEvents: () =>
        new Promise<void>(resolve => {
          release = resolve
        }),
      handleCall: (request: string) => ({ reply: request.length }),
    }))
    const source = start(Source, { runtime })
    const sink = start(Slow, { runtime, subscribeTo: [source] })
    await settle()
    source.cast([1])
    await settle()
    const stopped = sink.stop('normal', drain)
    const answer = sink.call('four')
    await settle()
    release()
    expect(await answer).toBe(4)
    expect(await stopped).toEqual({ type: 'normal' })
  })
})

describe('draining a producer', () => {
  const one: readonly [string, () => DispatcherFactory<number>, object][] = [
    ['demand', () => demandDispatcher(), {}],
    ['broadcast', () => broadcastDispatcher(), {}],
    ['partition', () => partitionDispatcher({ partitions: 1, hash: () => 0 }), { partition: 0 }],
  ]

  it.each(one)(
    'hands on what is buffered, asks its callbacks for nothing more, and then ends: %s',
    async (_name, dispatcher, options) => {
      const { runtime, settle } = watchedRuntime()
      const lost = losses(runtime)
      const asked: number[] = []
      const { Gated, handled, open } = gated()
      const source = start(counter(asked), { runtime, dispatcher: dispatcher() })
      const sink = start(Gated, { runtime })
      sink.subscribe({ to: source, maxDemand: 2, minDemand: 0, ...options })
      await settle()
      source.cast([100, 101, 102, 103, 104])
      await settle()
      const before = asked.length
      const stopped = source.stop('shutdown', drain)
      await settle()
      open()
      expect(await stopped).toEqual({ type: 'shutdown' })
      expect(await sink.exited).toEqual({ type: 'shutdown' })
      expect(handled).toEqual([0, 1, 100, 101, 102, 103, 104])
      expect(asked).toHaveLength(before)
      expect(lost).toEqual([])
    },
  )

  it('waits for every partition', async () => {
    const { runtime, settle } = watchedRuntime()
    const lost = losses(runtime)
    const [left, right] = [gated(), gated()]
    const dispatcher = partitionDispatcher({ partitions: 2, hash: (n: number) => n % 2 })
    const source = start(Source, { runtime, name: 'source', dispatcher })
    start(left.Gated, { runtime }).subscribe({ to: source, maxDemand: 2, minDemand: 0, partition: 0 })
    start(right.Gated, { runtime }).subscribe({ to: source, maxDemand: 2, minDemand: 0, partition: 1 })
    await settle()
    source.cast([0, 2, 4, 6, 1, 3])
    await settle()
    const stopped = source.stop('normal', drain)
    right.open()
    await settle()
    expect(runtime.whereis('source')?.id).toBe(source.id)
    left.open()
    await stopped
    await settle()
    expect([left.handled, right.handled]).toEqual([
      [0, 2, 4, 6],
      [1, 3],
    ])
    expect(lost).toEqual([])
  })

  it('waits for nobody when everything has left already', async () => {
    const { runtime, settle, timers } = watchedRuntime()
    const source = start(Source, { runtime })
    start(gated().Gated, { runtime, subscribeTo: [source] })
    source.cast([1, 2])
    await settle()
    expect(await source.stop('normal', drain)).toEqual({ type: 'normal' })
    expect(timers()).toBe(0)
  })

  it('GS-A1 comes after what was sent before: that is handled, and handed on', async () => {
    const { runtime, settle } = watchedRuntime()
    const { Gated, handled, open } = gated()
    const source = start(Source, { runtime })
    start(Gated, { runtime }).subscribe({ to: source, maxDemand: 1, minDemand: 0 })
    await settle()
    source.cast([1, 2])
    source.cast([3])
    const stopped = source.stop('normal', drain)
    open()
    await stopped
    await settle()
    expect(handled).toEqual([1, 2, 3])
  })

  it('INV-21 INV-6 with nobody to take it, ends at the deadline, and reports what it still had', async () => {
    const { runtime, settle, pass, timers } = watchedRuntime()
    const lost = losses(runtime)
    const source = start(Source, { runtime, name: 'source' })
    source.cast([1, 2, 3])
    await settle()
    const stopped = source.stop('normal', { drain: true, timeout: 200 })
    await pass(199)
    expect(runtime.whereis('source')?.id).toBe(source.id)
    await pass(1)
    expect(await stopped).toEqual({ type: 'killed' })
    expect(lost).toEqual([['killed', [1, 2, 3]]])
    expect(timers()).toBe(0)
  })

  it('INV-6 with a partition that nobody takes, ends at the deadline, and reports it', async () => {
    const { runtime, settle, pass } = watchedRuntime()
    const lost = losses(runtime)
    const { Gated, handled, open } = gated()
    open()
    const dispatcher = partitionDispatcher({ partitions: 2, hash: (n: number) => n % 2 })
    const source = start(Source, { runtime, dispatcher })
    start(Gated, { runtime }).subscribe({ to: source, partition: 0 })
    await settle()
    source.cast([0, 1, 2, 3])
    await settle()
    const stopped = source.stop('normal', drain)
    await settle()
    expect(handled).toEqual([0, 2])
    await pass(5_000)
    expect(await stopped).toEqual({ type: 'killed' })
    expect(lost).toEqual([['killed', [1, 3]]])
  })

  it('INV-6 GS-M3 while accumulating, ends at the deadline: nothing is dispatched until forward', async () => {
    const { runtime, settle, pass } = watchedRuntime()
    const lost = losses(runtime)
    const { Gated, handled, open } = gated()
    open()
    const source = start(Source, { runtime, demand: 'accumulate' })
    start(Gated, { runtime, subscribeTo: [source] })
    source.cast([1, 2])
    await settle()
    const stopped = source.stop('normal', drain)
    await pass(5_000)
    expect(await stopped).toEqual({ type: 'killed' })
    expect(handled).toEqual([])
    expect(lost).toEqual([['accumulated_at_stop', [1, 2]]])
  })

  it('GS-M4 while accumulating, goes on when the mode is set to forward', async () => {
    const { runtime, settle } = watchedRuntime()
    const { Gated, handled, open } = gated()
    open()
    const source = start(Source, { runtime, demand: 'accumulate' })
    start(Gated, { runtime, subscribeTo: [source] })
    source.cast([1, 2])
    await settle()
    const stopped = source.stop('normal', drain)
    source.setDemandMode('forward')
    expect(await stopped).toEqual({ type: 'normal' })
    await settle()
    expect(handled).toEqual([1, 2])
  })
})

describe('draining a stage in the middle', () => {
  const Tenfold = producerConsumer.of<number, number>()(() => ({ handleEvents: events => events.map(event => event * 10) }))

  it('asks upstream for nothing more, works off its inbox, hands on its buffer, and then ends', async () => {
    const { runtime, settle, uncaught } = watchedRuntime()
    const lost = losses(runtime)
    const { Gated, handled, open } = gated()
    const source = start(counter(), { runtime, name: 'source' })
    const middle = start(Tenfold, { runtime })
    middle.subscribe({ to: source, maxDemand: 5, minDemand: 2 })
    const sink = start(Gated, { runtime })
    sink.subscribe({ to: middle, maxDemand: 2, minDemand: 0 })
    await settle()
    const stopped = middle.stop('shutdown', drain)
    await settle()
    open()
    expect(await stopped).toEqual({ type: 'shutdown' })
    await sink.exited
    const delivered = handled.length
    expect(delivered).toBeGreaterThanOrEqual(5)
    expect(handled).toEqual(Array.from({ length: delivered }, (_, index) => index * 10))
    expect(lost).toEqual([])
    await settle()
    expect(runtime.topology().stages.map(({ name }) => name)).toEqual(['source'])
    expect(uncaught).toEqual([])
  })

  it('INV-6 with nobody below, ends at the deadline, and reports its inbox', async () => {
    const { runtime, settle, pass } = watchedRuntime()
    const lost = losses(runtime)
    const source = start(counter(), { runtime })
    const middle = start(Tenfold, { runtime })
    middle.subscribe({ to: source, maxDemand: 3 })
    await settle()
    const stopped = middle.stop('normal', drain)
    await pass(5_000)
    expect(await stopped).toEqual({ type: 'killed' })
    expect(lost).toEqual([['killed', [0, 1, 2]]])
  })
})

describe('draining and stopping', () => {
  function waiting(runtime: Runtime): ProducerRef<number> {
    const source = start(Source, { runtime, name: 'source' })
    source.cast([1, 2])
    return source
  }

  it('twice is one', async () => {
    const { runtime, settle } = watchedRuntime()
    const { Gated, handled, open } = gated()
    const source = waiting(runtime)
    await settle()
    const stopped = [source.stop('shutdown', drain), source.stop('normal', drain)]
    start(Gated, { runtime, subscribeTo: [source] })
    open()
    expect(await Promise.all(stopped)).toEqual([{ type: 'shutdown' }, { type: 'shutdown' }])
    await settle()
    expect(handled).toEqual([1, 2])
  })

  it('a plain stop cuts it short', async () => {
    const { runtime, settle, timers } = watchedRuntime()
    const lost = losses(runtime)
    const source = waiting(runtime)
    await settle()
    const stopped = source.stop('normal', drain)
    await settle()
    await source.stop('shutdown')
    await stopped
    expect(lost).toEqual([['stopped', [1, 2]]])
    expect(timers()).toBe(0)
  })

  it('a plain stop before it counts', async () => {
    const { runtime, settle } = watchedRuntime()
    const lost = losses(runtime)
    const source = waiting(runtime)
    await settle()
    const stopped = [source.stop('shutdown'), source.stop('normal', drain)]
    expect(await Promise.all(stopped)).toEqual([{ type: 'shutdown' }, { type: 'shutdown' }])
    expect(lost).toEqual([['stopped', [1, 2]]])
  })

  it('a failure on the way is the reason of the end', async () => {
    const { runtime, settle } = watchedRuntime()
    const lost = losses(runtime)
    const boom = new Error('boom')
    const Failing = producer.of<number>()(() => ({
      handleDemand() {},
      handleCast(events: readonly number[]) {
        if (events.length === 0) throw boom
        return events
      },
    }))
    const source = start(Failing, { runtime })
    source.cast([1])
    await settle()
    const stopped = source.stop('normal', drain)
    source.cast([])
    expect(await stopped).toEqual({ type: 'error', error: boom })
    expect(lost).toEqual([['producer_crash', [1]]])
  })

  it('a callback that gives up because of it ends the stage gracefully, with its reason', async () => {
    const { runtime, settle, lines } = watchedRuntime()
    const Waiting = producer.of<number>()((_: void, { stopping }) => ({
      handleDemand() {},
      handleCast: (_message: 'wait') =>
        new Promise<void>((_resolve, reject) => {
          stopping.addEventListener('abort', () => reject(stopping.reason as Error))
        }),
    }))
    const source = start(Waiting, { runtime })
    source.cast('wait')
    await settle()
    expect(await source.stop('shutdown', drain)).toEqual({ type: 'shutdown' })
    expect(lines).toEqual([])
  })

  it('while the setup runs is a plain stop', async () => {
    const { runtime, settle, pass } = watchedRuntime()
    const stage = start(
      producer<number>(() => new Promise<never>(() => {})),
      { runtime },
    )
    stage.ready.catch(() => {})
    await settle()
    const stopped = stage.stop('normal', { drain: true, timeout: 50 })
    await pass(50)
    expect(await stopped).toEqual({ type: 'killed' })
  })

  it('INV-6 of a whole runtime loses nothing that had been made', async () => {
    const { runtime, settle, timers } = watchedRuntime()
    const lost = losses(runtime)
    const { Gated, handled, open } = gated()
    const Through = producerConsumer.of<number, number>()(() => ({ handleEvents: events => events }))
    const source = start(Source, { runtime })
    const middle = start(Through, { runtime })
    middle.subscribe({ to: source, maxDemand: 2, minDemand: 0 })
    start(Gated, { runtime }).subscribe({ to: middle, maxDemand: 2, minDemand: 0 })
    await settle()
    source.cast([1, 2, 3, 4, 5, 6, 7, 8])
    await settle()
    const stopped = runtime.stop(drain)
    open()
    await settle()
    await stopped
    expect(lost).toEqual([])
    expect(handled).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
    expect(timers()).toBe(0)
  })
})

describe('ctx.stop with drain', () => {
  it('GS-K5 lets a stage in the middle follow the end of its producer behind all that it has taken in', async () => {
    const { runtime } = watchedRuntime()
    const Middle = producerConsumer.of<number, number>()((_: void, ctx) => ({
      handleEvents: events => events,
      handleCancel({ reason }, from) {
        if (from.role === 'producer') ctx.stop(reason, drain)
      },
    }))
    const source = start(fromIterable([1, 2, 3]), { runtime })
    const middle = start(Middle, { runtime, subscribeTo: [{ to: source, cancel: 'temporary' }] })
    const read: number[] = []
    for await (const event of middle.stream({ maxDemand: 1, cancel: 'transient' })) read.push(event)
    expect([read, await middle.exited]).toEqual([[1, 2, 3], { type: 'normal' }])
  })

  it('INV-17 raises a failure that nobody watches, also behind a drain', async () => {
    const { runtime, uncaught, settle } = watchedRuntime()
    const Failing = consumer.of<number>()((_: void, ctx) => ({
      handleEvents() {},
      handleInfo(_message: 'stop') {
        ctx.stop({ type: 'error', error: new Error('as told') }, drain)
      },
    }))
    start(Failing, { runtime }).send('stop')
    await settle()
    expect(uncaught.map(error => error.cause)).toEqual([new Error('as told')])
    uncaught.length = 0
  })

  it('BAD-19 refuses options that nobody knows', async () => {
    const { runtime } = watchedRuntime()
    const Misspelt = producer((_: void, ctx) => {
      ctx.stop('normal', { drian: true } as never)
      return { handleDemand() {} }
    })
    const { ready } = start(Misspelt, { runtime })
    await expect(ready).rejects.toMatchObject({ code: 'BAD_OPTION', message: expect.stringContaining('drain') as unknown })
  })
})
