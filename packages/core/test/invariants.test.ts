/** What holds for every subscription and every stage, whatever happens. */
import {
  broadcastDispatcher,
  type CancelMode,
  consumer,
  type ConsumerRef,
  type Ended,
  isGraceful,
  producer,
  producerConsumer,
  type ProducerRef,
  type Reason,
  type Runtime,
  start,
  type Subscription,
} from '@genstage/core'
import { describe, expect, it } from 'vitest'
import { watchedRuntime } from './support/watched-runtime.ts'

const boom = new Error('boom')

/** What both sides of one subscription were told, in order. */
type Diary = string[]

function Source(diary: Diary) {
  return producer.of<number>()((_: void, ctx) => {
    let next = 0
    return {
      handleDemand: demand => Array.from({ length: demand }, () => next++),
      handleSubscribe: () => void diary.push('producer: subscribed'),
      handleCancel: ({ kind }) => void diary.push(`producer: ${kind}`),
      handleCast(message: 'throw' | 'stop') {
        if (message === 'throw') throw boom
        ctx.stop('shutdown')
      },
    }
  })
}

/** A consumer that asks by hand, so that events can be on their way when something ends. */
function Sink(diary: Diary) {
  return consumer.of<number>()((_: void, ctx) => ({
    handleSubscribe() {
      diary.push('consumer: subscribed')
      return 'manual'
    },
    handleEvents: events => void diary.push(`consumer: ${events.length} events`),
    handleCancel: ({ kind }) => void diary.push(`consumer: ${kind}`),
    handleCast(message: 'throw' | 'stop') {
      if (message === 'throw') throw boom
      ctx.stop('shutdown')
    },
  }))
}

interface Both {
  readonly source: ProducerRef<number>
  readonly sink: ConsumerRef<number>
  readonly subscription: Subscription
  cast(who: 'source' | 'sink', message: 'throw' | 'stop'): void
}

async function joined(cancel: CancelMode, early: boolean) {
  const world = watchedRuntime()
  const { runtime, settle } = world
  const diary: Diary = []
  const source = start(Source(diary), { runtime })
  const sink = start(Sink(diary), { runtime })
  if (!early) await settle()
  const subscription = sink.subscribe({ to: source, cancel })
  if (!early) await settle()
  const both: Both = {
    source,
    sink,
    subscription,
    cast: (who, message) => (who === 'source' ? source : sink).cast(message),
  }
  return { ...world, ...both, both, diary }
}

/** Each way in which a subscription ends; several at once race for it. */
const endings: readonly (readonly [string, (both: Both) => void])[] = [
  ['the consumer cancels', ({ subscription }) => subscription.cancel()],
  ['the consumer cancels with a failure', ({ subscription }) => subscription.cancel({ type: 'error', error: boom })],
  ['the consumer cancels twice', ({ subscription }) => [subscription.cancel(), subscription.cancel('shutdown')]],
  ['the consumer stops', ({ sink }) => void sink.stop()],
  ['the consumer is killed', ({ sink }) => void sink.kill()],
  ['the consumer throws', ({ cast }) => cast('sink', 'throw')],
  ['the producer stops', ({ source }) => void source.stop()],
  ['the producer stops with a failure', ({ source }) => void source.stop({ type: 'error', error: boom })],
  ['the producer is killed', ({ source }) => void source.kill()],
  ['the producer throws', ({ cast }) => cast('source', 'throw')],
  ['both stop', ({ source, sink }) => [void source.stop(), void sink.stop()]],
  ['both are killed, the consumer first', ({ source, sink }) => [void sink.kill(), void source.kill()]],
  ['F57 both throw, the producer first', ({ cast }) => [cast('source', 'throw'), cast('sink', 'throw')]],
  ['F57 both throw, the consumer first', ({ cast }) => [cast('sink', 'throw'), cast('source', 'throw')]],
  ['the consumer cancels and the producer stops', ({ subscription, source }) => [subscription.cancel(), void source.stop()]],
  ['the consumer cancels and the producer is killed', ({ subscription, source }) => [subscription.cancel(), void source.kill()]],
  ['the consumer cancels and stops', ({ subscription, sink }) => [subscription.cancel(), void sink.stop()]],
  ['the producer stops and the consumer cancels', ({ subscription, source }) => [void source.stop(), subscription.cancel()]],
]

describe('a subscription', () => {
  const modes: readonly CancelMode[] = ['permanent', 'transient', 'temporary']
  const cases = endings.flatMap(([how, end]) =>
    modes.flatMap(mode => [false, true].map(early => [how, mode, early, end] as const)),
  )

  it.each(cases)(
    'INV-13 INV-14 begins at most once and ends exactly once: %s (%s, at once: %s)',
    async (_how, mode, early, end) => {
      const { both, diary, settle, subscription, source, sink, raised } = await joined(mode, early)
      void [source.exited, sink.exited]
      let ended: Ended[] = []
      void subscription.ended.then(each => (ended = [...ended, each]))
      if (!early) both.subscription.ask(3)
      end(both)
      both.subscription.ask(2)
      await settle()
      expect(ended).toHaveLength(1)
      for (const side of ['producer', 'consumer']) {
        const own = diary.filter(line => line.startsWith(side)).map(line => line.slice(side.length + 2))
        const ends = own.filter(line => line === 'cancel' || line === 'down')
        expect(own.filter(line => line === 'subscribed').length).toBeLessThanOrEqual(1)
        expect(ends.length).toBeLessThanOrEqual(own.includes('subscribed') ? 1 : 0)
        if (ends.length > 0) expect(own.at(-1)).toBe(ends[0])
        if (own.some(line => line.endsWith('events'))) expect(own[0]).toBe('subscribed')
      }
      const before = [...diary]
      subscription.ask(5)
      subscription.cancel('shutdown')
      await settle()
      expect(diary).toEqual(before)
      expect(raised).toEqual([])
    },
  )

  it.each(modes.flatMap(mode => (['normal', 'shutdown', 'error', 'killed'] as const).map(why => [mode, why] as const)))(
    'INV-19 GS-K5 %s, its producer ends with %s',
    async (mode, why) => {
      const { source, sink, settle, runtime } = await joined(mode, false)
      void [source.exited, sink.exited]
      const reason: Reason = why === 'error' ? { type: 'error', error: boom } : { type: why }
      if (why === 'killed') void source.kill()
      else void source.stop(reason)
      await settle()
      const follows = mode === 'permanent' || (mode === 'transient' && !isGraceful(reason))
      expect(runtime.topology().stages).toHaveLength(follows ? 0 : 1)
      if (follows) expect(await sink.exited).toEqual(reason)
    },
  )

  it('INV-12 GS-K9 brings what was on its way before the confirmation, and nothing after it', async () => {
    const { diary, subscription, settle } = await joined('temporary', false)
    subscription.ask(2)
    subscription.cancel()
    subscription.ask(4)
    await settle()
    expect(diary.slice(2)).toEqual(['producer: cancel', 'consumer: 2 events', 'consumer: cancel'])
    expect(await subscription.ended).toEqual({ kind: 'cancel', reason: { type: 'normal' } })
  })

  it('INV-14 the callbacks hear of it before the first event, on both sides', async () => {
    const { diary, subscription, settle } = await joined('permanent', true)
    subscription.ask(1)
    await settle()
    expect(diary).toEqual(['consumer: subscribed', 'producer: subscribed', 'consumer: 1 events'])
    await subscription.accepted
  })

  it('may be cancelled by its producer', async () => {
    const { runtime, settle } = watchedRuntime()
    const ended: Ended[] = []
    const Refusing = producer.of<number>()(() => ({ handleDemand() {}, handleSubscribe: from => from.cancel('shutdown') }))
    const Telling = consumer.of<number>()(() => ({ handleEvents() {}, handleCancel: each => void ended.push(each) }))
    const subscription = start(Telling, { runtime }).subscribe({ to: start(Refusing, { runtime }), cancel: 'temporary' })
    await subscription.accepted
    await settle()
    expect(ended).toEqual([{ kind: 'cancel', reason: { type: 'shutdown' } }])
    expect(await subscription.ended).toEqual(ended[0])
  })
})

describe('the callbacks of a stage', () => {
  /** Callbacks that all take a turn of promises, and notice when they overlap. */
  function watchful() {
    let inside = 0
    let calls = 0
    const overlaps: string[] = []
    const callback =
      <T>(name: string, answer: T) =>
      async (): Promise<T> => {
        calls++
        if (++inside > 1) overlaps.push(name)
        for (let turn = 0; turn < 3; turn++) await Promise.resolve()
        inside--
        return answer
      }
    const Watchful = producerConsumer.of<number, number>()(() => ({
      handleEvents: callback('handleEvents', [1]),
      handleSubscribe: callback('handleSubscribe', undefined),
      handleCancel: callback('handleCancel', [2]),
      handleCast: callback('handleCast', [3]),
      handleInfo: callback('handleInfo', [4]),
      handleCall: callback('handleCall', { reply: 5 }),
      terminate: callback('terminate', undefined),
    }))
    return { Watchful, overlaps, calls: () => calls }
  }

  it('INV-15 GS-A1 never overlap, though all of them are asynchronous', async () => {
    const { runtime, settle, raised } = watchedRuntime()
    const { Watchful, overlaps, calls } = watchful()
    const Counting = producer.of<number>()(() => ({ handleDemand: demand => Array.from({ length: demand }, () => 0) }))
    const Taking = consumer.of<number>()(() => {
      let left = 50
      return { handleSubscribe: from => (from.ask(left), 'manual'), handleEvents: events => void (left -= events.length) }
    })
    const stage = start(Watchful, {
      runtime,
      subscribeTo: [{ to: start(Counting, { runtime }), maxDemand: 4, cancel: 'temporary' }],
    })
    const [first, second] = [start(Taking, { runtime }), start(Taking, { runtime })]
    const subscription = first.subscribe({ to: stage, cancel: 'temporary' })
    second.subscribe({ to: stage, cancel: 'temporary' })
    for (let n = 0; n < 10; n++) {
      stage.cast(undefined as never)
      stage.send(undefined as never)
      stage.call(undefined as never).catch(() => {})
    }
    await settle()
    subscription.cancel()
    await settle()
    await stage.stop()
    expect(overlaps).toEqual([])
    expect(calls()).toBeGreaterThan(40)
    expect(raised).toEqual([])
  })

  it('INV-16 ask never runs user code inside the call', async () => {
    const { runtime, settle } = watchedRuntime()
    const order: string[] = []
    const Counting = producer.of<number>()(() => ({
      handleDemand(demand) {
        order.push(`demand ${demand}`)
        return [1]
      },
    }))
    const Asking = consumer.of<number>()(() => ({
      handleSubscribe(from) {
        from.ask(1)
        order.push('asked')
        return 'manual'
      },
      handleEvents: () => void order.push('events'),
    }))
    const source = start(Counting, { runtime })
    await source.ready
    start(Asking, { runtime, subscribeTo: [source] })
    await settle()
    expect(order).toEqual(['asked', 'demand 1', 'events'])
  })

  it('F55 may call back in: ask, cancel, subscribe, cast and stop from inside every callback', async () => {
    const { runtime, settle, uncaught, raised } = watchedRuntime()
    const calls: string[] = []
    const Counting = producer.of<number>()(() => ({ handleDemand: demand => Array.from({ length: demand }, () => 1) }))
    const [source, other] = [start(Counting, { runtime }), start(Counting, { runtime })]
    const Busy = consumer.of<number>()((_: void, { self }) => {
      let more: Subscription | undefined
      return {
        handleSubscribe(from) {
          calls.push('subscribe')
          from.ask(1)
          more ??= self.subscribe({ to: other, cancel: 'temporary' })
          return 'manual'
        },
        handleEvents(_events, from) {
          calls.push('events')
          self.cast('again')
          from.ask(1)
          from.cancel()
          from.ask(1)
          from.cancel('shutdown')
        },
        handleCancel(_ended, from) {
          calls.push('cancel')
          from.ask(1)
          from.cancel()
        },
        handleCast(_message: 'again') {
          calls.push('cast')
        },
      }
    })
    const busy = start(Busy, { runtime })
    busy.subscribe({ to: source, cancel: 'temporary' })
    await settle()
    expect(calls.filter(call => call === 'subscribe')).toHaveLength(2)
    expect(calls.filter(call => call === 'cancel')).toHaveLength(2)
    expect(calls.filter(call => call === 'events').length).toBeGreaterThanOrEqual(2)
    expect(runtime.topology().edges).toEqual([])
    expect([...uncaught, ...raised]).toEqual([])
  })
})

describe('a consumer that crashes', () => {
  function collect(runtime: Runtime, seen: number[], crashAt = Infinity) {
    const Collect = consumer.of<number>()(() => ({
      handleEvents(events) {
        for (const event of events) {
          if (event === crashAt) throw boom
          seen.push(event)
        }
      },
    }))
    return start(Collect, { runtime })
  }

  const Emitting = producer.of<number>()(() => ({ handleDemand() {}, handleCast: (events: readonly number[]) => events }))

  it('INV-18 changes nothing in what the others of a broadcast receive', async () => {
    const { runtime, settle, uncaught } = watchedRuntime()
    const [good, bad]: [number[], number[]] = [[], []]
    const source = start(Emitting, { runtime, dispatcher: broadcastDispatcher() })
    collect(runtime, good).subscribe({ to: source, maxDemand: 2, minDemand: 0 })
    collect(runtime, bad, 3).subscribe({ to: source, maxDemand: 2, minDemand: 0 })
    await settle()
    for (let n = 1; n <= 8; n++) source.cast([n])
    await settle()
    expect(good).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
    expect(bad).toEqual([1, 2])
    expect(uncaught).toHaveLength(1)
  })

  it('INV-18 INV-6 takes only its own batch with it: the others get everything else', async () => {
    const { runtime, settle } = watchedRuntime()
    const [good, bad, lost]: [number[], number[], unknown[]] = [[], [], []]
    runtime.telemetry.on('discarded', ({ events }) => lost.push(...events))
    const source = start(Emitting, { runtime })
    collect(runtime, good).subscribe({ to: source, maxDemand: 2, minDemand: 0 })
    collect(runtime, bad, 4).subscribe({ to: source, maxDemand: 2, minDemand: 0 })
    await settle()
    source.cast([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    await settle()
    expect([...good, ...bad, ...lost].toSorted((a, b) => Number(a) - Number(b))).toEqual(expect.arrayContaining([1, 2, 5, 10]))
    expect(new Set([...good, ...bad, ...lost]).size).toBe(10)
    expect(lost).toContain(4)
    expect(lost).not.toContain(5)
  })
})
