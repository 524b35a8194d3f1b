import {
  consumer,
  type ConsumerRef,
  type Down,
  ignore,
  type Messages,
  producer,
  producerConsumer,
  producerName,
  type Reason,
  type ReasonInput,
  shutdown,
  start,
  type StageRef,
} from '@genstage/core'
import { describe, expect, it } from 'vitest'
import { refusal } from './support/refusal.ts'
import { rejectionOf, watchedRuntime, wrong } from './support/watched-runtime.ts'

/** What a stage did, in order. */
type Diary = string[]

/** A stage that writes down its life, and waits in `handleCall` for as long as it is told. */
function living(diary: Diary) {
  return producer((_: void, ctx) => {
    diary.push('setup')
    return {
      handleDemand() {},
      async handleCall(wait: Promise<unknown>) {
        diary.push('call')
        await wait
        diary.push('called')
        return { reply: 'done' }
      },
      handleCast(message: string) {
        diary.push(message)
        if (message === 'stop') ctx.stop(shutdown('asked'))
        if (message === 'throw') throw new Error('asked')
      },
      terminate: reason => void diary.push(`terminate ${reason.type}`),
    }
  })
}

const Quiet = producer.of<number>()(() => ({ handleDemand() {} }))
const Sink = consumer.of<number>()(() => ({ handleEvents() {} }))
const never = new Promise<never>(() => {})

/** A promise, and how to settle it. */
function deferred<T = void>() {
  let resolve!: (value: T) => void
  let reject!: (error: unknown) => void
  const promise = new Promise<T>((onValue, onError) => {
    resolve = onValue
    reject = onError
  })
  return { promise, resolve, reject }
}

describe('starting', () => {
  it('GS-L1 GS-J19 sets up as the first message, after start has returned; what was sent before waits', async () => {
    const { runtime } = watchedRuntime()
    const diary: Diary = []
    const stage = start(living(diary), { runtime })
    stage.cast('sent at once')
    expect(diary).toEqual([])
    expect(await stage.ready).toBe('started')
    expect(await stage.ready).toBe('started')
    await runtime.stop()
    expect(diary).toEqual(['setup', 'sent at once', 'terminate shutdown'])
  })

  it('GS-L1 waits for an asynchronous setup, while other stages go on', async () => {
    const { runtime, settle } = watchedRuntime()
    const opened = deferred()
    const diary: Diary = []
    const Slow = producer(async () => {
      await opened.promise
      diary.push('open')
      return { handleDemand() {}, handleCast: (message: string) => void diary.push(message) }
    })
    const slow = start(Slow, { runtime })
    slow.cast('waiting')
    start(living(diary), { runtime }).cast('going on')
    await settle()
    expect(diary).toEqual(['setup', 'going on'])
    opened.resolve()
    expect(await slow.ready).toBe('started')
    await settle()
    expect(diary).toEqual(['setup', 'going on', 'open', 'waiting'])
  })

  it('GS-L1 is ready when all its subscriptions have been posted', async () => {
    const { runtime } = watchedRuntime()
    const order: Diary = []
    const allowed = deferred()
    const Waiting = consumer.of<number>()(() => ({
      async handleSubscribe(from) {
        await allowed.promise
        order.push(`subscribed to ${from.producer.name}`)
      },
      handleEvents() {},
    }))
    const subscribeTo = [start(Quiet, { runtime, name: 'one' }), start(Quiet, { runtime, name: 'two' })]
    const stage = start(Waiting, { runtime, subscribeTo })
    void stage.ready.then(result => order.push(result))
    allowed.resolve()
    await stage.ready
    expect(order).toEqual(['subscribed to one', 'subscribed to two', 'started'])
  })

  it('GS-L2 a setup that answers ignore starts nothing, and nothing has failed', async () => {
    const { runtime, settle, uncaught } = watchedRuntime()
    for (const answer of [ignore, Promise.resolve(ignore)] as const) {
      const stage = start(
        producer<number>(() => answer),
        { runtime, name: 'ignored' },
      )
      expect(await stage.ready).toBe('ignored')
      expect(await stage.exited).toEqual({ type: 'normal' })
      await stage.done
      expect(runtime.whereis('ignored')).toBeUndefined()
    }
    await settle()
    expect(uncaught).toEqual([])
  })

  it('GS-L2 a setup that stops: the start fails with that reason, and terminate does not run', async () => {
    const { runtime } = watchedRuntime()
    const diary: Diary = []
    const Refusing = producer((reason: ReasonInput, ctx) => {
      ctx.stop(reason)
      return { handleDemand() {}, terminate: () => void diary.push('terminate') }
    })
    for (const reason of [{ type: 'normal' }, { type: 'shutdown', detail: 'no' }, { type: 'other', value: 'no' }] as const) {
      const stage = start(Refusing, { runtime, arg: reason })
      expect(await rejectionOf(stage.ready)).toMatchObject({ code: 'SETUP_FAILED', reason, stage: stage.id })
      expect(await stage.exited).toEqual(reason)
    }
    expect(diary).toEqual([])
  })

  it('GS-L8 takes its name at once, and gives it back when it ends', async () => {
    const { runtime } = watchedRuntime()
    const name = producerName<number>('numbers')
    const first = start(Quiet, { runtime, name })
    expect(runtime.whereis(name)).toBe(first)
    expect(first.name).toBe('numbers')
    await first.stop()
    expect(runtime.whereis(name)).toBeUndefined()
    const second = start(Quiet, { runtime, name })
    expect(runtime.whereis('numbers')).toBe(second)
    expect(second.id).not.toBe(first.id)
  })

  it('GS-J7 names belong to a runtime', () => {
    const [one, other] = [watchedRuntime().runtime, watchedRuntime().runtime]
    const stage = start(Quiet, { runtime: one, name: 'same' })
    expect(other.whereis('same')).toBeUndefined()
    expect(start(Quiet, { runtime: other, name: 'same' })).not.toBe(stage)
    expect(stage.runtime).toBe(one)
  })

  it('runs a setup anew at each start: definitions are inert', async () => {
    const { runtime } = watchedRuntime()
    const diary: Diary = []
    const Definition = living(diary)
    expect(diary).toEqual([])
    await Promise.all([start(Definition, { runtime }).ready, start(Definition, { runtime }).ready])
    expect(diary).toEqual(['setup', 'setup'])
  })
})

describe('startTimeout', () => {
  const Slow = producer((opened: Promise<void>) => opened.then(() => ({ handleDemand() {} })))

  it('GS-L13 ends a stage whose setup takes longer, with TIMEOUT, and aborts its signals', async () => {
    const { runtime, pass, timers, uncaught } = watchedRuntime()
    let signals: readonly AbortSignal[] = []
    const Stuck = producer((_: void, ctx) => {
      signals = [ctx.stopping, ctx.signal]
      return never
    })
    const stage = start(wrong(Stuck), { runtime, name: 'stuck', startTimeout: 50 } as never) as StageRef
    const ready = rejectionOf(stage.ready)
    await pass(49)
    expect(runtime.whereis('stuck')).toBe(stage)
    await pass(1)
    expect(await ready).toMatchObject(refusal('TIMEOUT', 'startTimeout', 'stage "stuck"', '50 ms'))
    expect(await stage.exited).toMatchObject({ type: 'error', error: { code: 'TIMEOUT' } })
    expect(signals.map(signal => signal.aborted)).toEqual([true, true])
    expect(runtime.whereis('stuck')).toBeUndefined()
    expect(timers()).toBe(0)
    expect(uncaught).toEqual([])
  })

  it('GS-L13 counts until the subscriptions have been posted', async () => {
    const { runtime, pass } = watchedRuntime()
    const Waiting = consumer.of<number>()(() => ({ handleSubscribe: () => never, handleEvents() {} }))
    const stage = start(Waiting, { runtime, startTimeout: 50, subscribeTo: [start(Quiet, { runtime })] })
    const ready = rejectionOf(stage.ready)
    await pass(0)
    await pass(50)
    expect(await ready).toMatchObject({ code: 'TIMEOUT' })
  })

  it('GS-L13 means nothing when the setup is done in time, and leaves no timer', async () => {
    const { runtime, pass, timers, lines } = watchedRuntime()
    const opened = deferred()
    const stage = start(Slow, { runtime, arg: opened.promise, startTimeout: 6_000 })
    await pass(0)
    await pass(4_000)
    opened.resolve()
    expect(await stage.ready).toBe('started')
    expect(timers()).toBe(0)
    await pass(6_000)
    expect(lines).toEqual([])
    expect(runtime.topology().stages).toHaveLength(1)
  })

  it('GS-L13 Infinity is none', async () => {
    const { runtime, timers } = watchedRuntime()
    const stage = start(Quiet, { runtime, startTimeout: Infinity })
    expect(timers()).toBe(0)
    expect(await stage.ready).toBe('started')
  })

  it('GS-L13 an unwatched start that times out is raised', async () => {
    const { runtime, pass, uncaught } = watchedRuntime()
    start(Slow, { runtime, arg: never, startTimeout: 50 })
    await pass(50)
    expect(uncaught).toMatchObject([{ code: 'STAGE_FAILED', cause: { code: 'TIMEOUT' } }])
  })
})

describe('stopping', () => {
  it('GS-L10 U25 finishes the callback in hand, runs terminate once, and then resolves with the reason', async () => {
    const { runtime, settle, timers } = watchedRuntime()
    const diary: Diary = []
    const stage = start(living(diary), { runtime, name: 'stage' })
    const wait = deferred()
    const call = stage.call(wait.promise)
    stage.cast('too late')
    await settle()
    const stopped = stage.stop('shutdown').then(reason => diary.push(`stopped ${reason.type}`))
    await settle()
    expect(diary).toEqual(['setup', 'call'])
    expect(runtime.whereis('stage')).toBe(stage)
    wait.resolve()
    await stopped
    expect(diary).toEqual(['setup', 'call', 'called', 'terminate shutdown', 'stopped shutdown'])
    expect(await call).toBe('done')
    expect(runtime.whereis('stage')).toBeUndefined()
    expect(timers()).toBe(0)
  })

  it.each<[ReasonInput | undefined, Reason]>([
    [undefined, { type: 'normal' }],
    ['normal', { type: 'normal' }],
    ['shutdown', { type: 'shutdown' }],
    [shutdown('lunch'), { type: 'shutdown', detail: 'lunch' }],
    [
      { type: 'error', error: 'bad' },
      { type: 'error', error: 'bad' },
    ],
    [
      { type: 'other', value: 5 },
      { type: 'other', value: 5 },
    ],
    [{ type: 'noconnection' }, { type: 'noconnection' }],
  ])('GS-L10 GS-J5 ends with the reason given: %o', async (given, reason) => {
    const { runtime, settle, uncaught } = watchedRuntime()
    const reasons: Reason[] = []
    const stage = start(
      producer(() => ({ handleDemand() {}, terminate: why => void reasons.push(why) })),
      { runtime },
    )
    await stage.ready
    expect(await stage.stop(given)).toEqual(reason)
    expect(await stage.exited).toEqual(reason)
    expect(reasons).toEqual([reason])
    await settle()
    expect(uncaught).toEqual([])
  })

  it('GS-L10 a reason that is no graceful one is logged as an error, a graceful one is not', async () => {
    const { runtime, lines } = watchedRuntime()
    await start(Quiet, { runtime, name: 'good' }).stop('shutdown')
    await start(Quiet, { runtime, name: 'bad' }).stop({ type: 'other', value: 'tired' })
    expect(lines).toMatchObject([{ level: 'error', fields: { code: 'stage_failed', stage: 'bad' } }])
  })

  it('GS-L10 twice and more is one stop: the first reason counts, and all resolve with it', async () => {
    const { runtime } = watchedRuntime()
    const diary: Diary = []
    const stage = start(living(diary), { runtime })
    await stage.ready
    const results = await Promise.all([stage.stop('shutdown'), stage.stop('normal'), stage.stop({ type: 'other', value: 1 })])
    expect(results).toEqual([{ type: 'shutdown' }, { type: 'shutdown' }, { type: 'shutdown' }])
    expect(await stage.stop('normal')).toEqual({ type: 'shutdown' })
    expect(diary).toEqual(['setup', 'terminate shutdown'])
  })

  it('before the setup has begun: it never begins, and the start has failed', async () => {
    const { runtime, timers } = watchedRuntime()
    const diary: Diary = []
    const stage = start(living(diary), { runtime, name: 'stage' })
    const ready = rejectionOf(stage.ready)
    expect(await stage.stop()).toEqual({ type: 'normal' })
    expect(await ready).toMatchObject({ code: 'SETUP_FAILED', reason: { type: 'normal' } })
    expect(diary).toEqual([])
    expect(timers()).toBe(0)
  })

  it('GS-L10 while the setup runs: it is told to stop, it is finished, and what it has opened is closed by terminate', async () => {
    const { runtime, settle } = watchedRuntime()
    const diary: Diary = []
    const opened = deferred()
    const Opening = producer(async (_: void, ctx) => {
      ctx.stopping.addEventListener('abort', () => diary.push('stopping'))
      await opened.promise
      diary.push('opened')
      return { handleDemand() {}, terminate: reason => void diary.push(`terminate ${reason.type}`) }
    })
    const stage = start(Opening, { runtime })
    stage.ready.catch(() => {})
    await settle()
    const stopped = stage.stop('shutdown')
    await settle()
    expect(diary).toEqual(['stopping'])
    opened.resolve()
    expect(await stopped).toEqual({ type: 'shutdown' })
    expect(diary).toEqual(['stopping', 'opened', 'terminate shutdown'])
  })

  it('while a setup runs that never ends: it is killed at the deadline', async () => {
    const { runtime, settle, pass } = watchedRuntime()
    const stage = start(
      producer<number>(() => never),
      { runtime },
    )
    const ready = rejectionOf(stage.ready)
    await settle()
    const stopped = stage.stop()
    await pass(5_000)
    expect(await stopped).toEqual({ type: 'killed' })
    expect(await ready).toMatchObject({ code: 'SETUP_FAILED', reason: { type: 'killed' } })
  })

  it('INV-21 GS-L10 a handler that never settles is killed after 5,000 ms', async () => {
    const { runtime, settle, pass, timers } = watchedRuntime()
    const diary: Diary = []
    const stage = start(living(diary), { runtime, name: 'stage' })
    const call = rejectionOf(stage.call(never, { timeout: Infinity }))
    await settle()
    const stopped = stage.stop()
    await pass(4_999)
    expect(runtime.whereis('stage')).toBe(stage)
    await pass(1)
    expect(await stopped).toEqual({ type: 'killed' })
    expect(await call).toMatchObject({ code: 'STOPPED', reason: { type: 'killed' } })
    expect(diary).toEqual(['setup', 'call'])
    expect(runtime.whereis('stage')).toBeUndefined()
    expect(timers()).toBe(0)
  })

  it('GS-L10 takes the timeout that it is given; of several stops the earliest deadline counts', async () => {
    const { runtime, settle, pass } = watchedRuntime()
    const stage = start(living([]), { runtime })
    stage.call(never, { timeout: Infinity }).catch(() => {})
    await settle()
    const stopped = stage.stop('normal', { timeout: 10_000 })
    void stage.stop('normal', { timeout: 20 })
    void stage.stop('normal', { timeout: 60_000 })
    await pass(19)
    expect(runtime.topology().stages).toHaveLength(1)
    await pass(1)
    expect(await stopped).toEqual({ type: 'killed' })
  })

  it('GS-L10 with Infinity waits for as long as it takes', async () => {
    const { runtime, settle, pass, timers } = watchedRuntime()
    const diary: Diary = []
    const stage = start(living(diary), { runtime })
    const wait = deferred()
    const call = stage.call(wait.promise, { timeout: Infinity })
    await settle()
    const stopped = stage.stop('normal', { timeout: Infinity })
    await pass(1e9)
    expect(timers()).toBe(0)
    wait.resolve()
    expect(await stopped).toEqual({ type: 'normal' })
    expect(await call).toBe('done')
  })
})

describe('terminate', () => {
  function closing(close: () => Promise<void>) {
    return producer((_: void, ctx) => ({
      handleDemand() {},
      handleCast: (_message: 'stop') => ctx.stop(),
      terminate: close,
    }))
  }

  it('GS-L10 may be asynchronous: the stage is over when it is', async () => {
    const { runtime, settle } = watchedRuntime()
    const closed = deferred()
    const stage = start(
      closing(() => closed.promise),
      { runtime, name: 'stage' },
    )
    await stage.ready
    const stopped = stage.stop()
    await settle()
    expect(runtime.whereis('stage')).toBe(stage)
    closed.resolve()
    expect(await stopped).toEqual({ type: 'normal' })
  })

  it('INV-21 is given 5,000 ms when nobody set a deadline', async () => {
    const { runtime, settle, pass } = watchedRuntime()
    const stage = start(
      closing(() => never),
      { runtime },
    )
    stage.cast('stop')
    await settle()
    await pass(4_999)
    expect(runtime.topology().stages).toHaveLength(1)
    await pass(1)
    expect(await stage.exited).toEqual({ type: 'killed' })
  })

  it.each([60_000, Infinity])('GS-L10 has the time of the stop: it may take 10 s of a timeout of %d', async timeout => {
    const { runtime, settle, pass } = watchedRuntime()
    const closed = deferred()
    const stage = start(
      closing(() => closed.promise),
      { runtime },
    )
    await stage.ready
    const stopped = stage.stop('shutdown', { timeout })
    await settle()
    await pass(10_000)
    closed.resolve()
    expect(await stopped).toEqual({ type: 'shutdown' })
  })

  it('is called when everything else has been: nothing after it', async () => {
    const { runtime, settle } = watchedRuntime()
    const diary: Diary = []
    const closed = deferred()
    const Closing = producer.of<number>()(() => ({
      handleDemand() {},
      handleCast: (message: string) => void diary.push(message),
      handleCancel: () => void diary.push('cancel'),
      async terminate() {
        diary.push('terminate')
        await closed.promise
        diary.push('terminated')
      },
    }))
    const stage = start(Closing, { runtime })
    const sink = start(Sink, { runtime })
    const subscription = sink.subscribe({ to: stage, cancel: 'temporary' })
    await settle()
    const stopped = stage.stop()
    await settle()
    stage.cast('late')
    subscription.cancel()
    await settle()
    closed.resolve()
    await stopped
    expect(diary).toEqual(['terminate', 'terminated'])
    expect(await subscription.ended).toMatchObject({ kind: 'down', reason: { type: 'normal' } })
  })

  type Ref = ConsumerRef<number, Messages<never, unknown, string>>
  const ways: readonly [string, (stage: Ref, source: StageRef, link: StageRef) => unknown, Reason['type']][] = [
    ['stop', stage => stage.stop('shutdown'), 'shutdown'],
    ['ctx.stop', stage => stage.cast('stop'), 'shutdown'],
    ['a callback that throws', stage => stage.cast('throw'), 'error'],
    ['the end of its producer', (_, source) => source.stop('shutdown'), 'shutdown'],
    ['the kill of its producer', (_, source) => source.kill(), 'killed'],
    ['the failure of a link', (_, __, link) => link.stop({ type: 'other', value: 1 }), 'other'],
  ]

  it.each(ways)('GS-L10 GS-L11 runs exactly once, with the reason, at the end by %s', async (_way, end, type) => {
    const { runtime, settle } = watchedRuntime()
    const [source, link] = [start(Quiet, { runtime }), start(Quiet, { runtime })]
    const reasons: string[] = []
    const Ending = consumer.of<number>()((_: void, ctx) => ({
      handleEvents() {},
      handleCast(message: string) {
        if (message === 'stop') ctx.stop('shutdown')
        if (message === 'throw') throw new Error('asked')
      },
      terminate: reason => void reasons.push(reason.type),
    }))
    const stage = start(Ending, { runtime, link, subscribeTo: [source] })
    const exited = stage.exited
    await settle()
    end(stage, source, link)
    expect((await exited).type).toBe(type)
    await settle()
    expect(reasons).toEqual([type])
  })

  it('INV-17 that throws is the reason of the end, and told once', async () => {
    for (const fail of [() => Promise.reject(new Error('broken')), () => failNow()]) {
      const { runtime, settle, lines, uncaught } = watchedRuntime()
      const stage = start(closing(fail), { runtime, name: 'stage' })
      stage.cast('stop')
      await settle()
      expect(lines).toMatchObject([{ level: 'error', fields: { code: 'stage_failed', error: { message: 'broken' } } }])
      expect(uncaught).toMatchObject([{ code: 'STAGE_FAILED', cause: { message: 'broken' } }])
      expect(await stage.stop()).toMatchObject({ type: 'error', error: { message: 'broken' } })
    }
    function failNow(): never {
      throw new Error('broken')
    }
  })
})

describe('killing', () => {
  it('GS-J6 U26 ends at once with killed: the mailbox is dropped, terminate does not run, a late result means nothing', async () => {
    const { runtime, settle, uncaught, raised, timers } = watchedRuntime()
    const diary: Diary = []
    const stage = start(living(diary), { runtime, name: 'stage' })
    const wait = deferred()
    const call = rejectionOf(stage.call(wait.promise))
    stage.cast('dropped')
    await settle()
    const killed = stage.kill()
    expect(runtime.whereis('stage')).toBeUndefined()
    expect(await killed).toEqual({ type: 'killed' })
    expect(await call).toMatchObject({ code: 'STOPPED', reason: { type: 'killed' } })
    wait.reject(new Error('late'))
    await settle()
    expect(diary).toEqual(['setup', 'call'])
    expect([...uncaught, ...raised]).toEqual([])
    expect(timers()).toBe(0)
  })

  it('GS-J6 is safe twice, before the setup, and after the end', async () => {
    const { runtime } = watchedRuntime()
    const diary: Diary = []
    const unborn = start(living(diary), { runtime })
    const ready = rejectionOf(unborn.ready)
    expect(await Promise.all([unborn.kill(), unborn.kill()])).toEqual([{ type: 'killed' }, { type: 'killed' }])
    expect(await ready).toMatchObject({ code: 'SETUP_FAILED', reason: { type: 'killed' } })
    expect(diary).toEqual([])
    const stopped = start(Quiet, { runtime })
    await stopped.stop()
    expect(await stopped.kill()).toEqual({ type: 'normal' })
  })

  it('GS-J6 cuts a stop short', async () => {
    const { runtime, settle } = watchedRuntime()
    const stage = start(living([]), { runtime })
    stage.call(never).catch(() => {})
    await settle()
    const stopped = stage.stop('shutdown', { timeout: Infinity })
    await stage.kill()
    expect(await stopped).toEqual({ type: 'killed' })
  })

  it('GS-J6 a stage that kills itself inside a callback is gone when the callback returns', async () => {
    const { runtime, settle } = watchedRuntime()
    const events: unknown[] = []
    const reported: unknown[] = []
    runtime.telemetry.on('discarded', ({ reason, count }) => reported.push([reason, count]))
    const Suicidal = producer((_: void, ctx) => ({
      handleDemand() {},
      handleCast(_message: 'go') {
        void ctx.self.kill()
        return [1, 2]
      },
    }))
    const stage = start(Suicidal, { runtime })
    const Collect = consumer.of<number>()(() => ({ handleEvents: batch => void events.push(...batch) }))
    start(Collect, { runtime }).subscribe({ to: stage, cancel: 'temporary' })
    await settle()
    stage.cast('go')
    expect(await stage.exited).toEqual({ type: 'killed' })
    await settle()
    expect(events).toEqual([])
    expect(reported).toEqual([['killed', 2]])
  })
})

describe('ctx.stop', () => {
  it('GS-L10 GS-C2 takes effect after the callback; its events go out, and nothing more is handled', async () => {
    const { runtime } = watchedRuntime()
    const events: number[] = []
    const Last = producer((_: void, ctx) => ({
      handleDemand() {},
      handleCast(event: number) {
        ctx.stop(shutdown('full'))
        ctx.stop('normal')
        return [event]
      },
    }))
    const last = start(Last, { runtime })
    const Collect = consumer.of<number>()(() => ({ handleEvents: batch => void events.push(...batch) }))
    const sink = start(Collect, { runtime, subscribeTo: [last] })
    await sink.ready
    last.cast(1)
    last.cast(2)
    expect(await sink.exited).toEqual({ type: 'shutdown', detail: 'full' })
    expect(await last.exited).toEqual({ type: 'shutdown', detail: 'full' })
    expect(events).toEqual([1])
  })

  it('X23 but those of handleCancel do not go out', async () => {
    const { runtime, settle } = watchedRuntime()
    const events: number[] = []
    const Last = producer((_: void, ctx) => ({
      handleDemand() {},
      handleCancel() {
        ctx.stop()
        return [9]
      },
    }))
    const last = start(Last, { runtime })
    const Collect = consumer.of<number>()(() => ({ handleEvents: batch => void events.push(...batch) }))
    start(Collect, { runtime }).subscribe({ to: last, cancel: 'temporary' })
    const leaving = start(Collect, { runtime }).subscribe({ to: last, cancel: 'temporary' })
    await settle()
    leaving.cancel()
    expect(await last.exited).toEqual({ type: 'normal' })
    await settle()
    expect(events).toEqual([])
  })

  it('has a like in the ref: a stage may stop itself inside a callback, if it does not wait for that', async () => {
    const { runtime } = watchedRuntime()
    const diary: Diary = []
    const Selfless = producer((_: void, { self }) => ({
      handleDemand() {},
      handleCast(_message: 'go') {
        void self.stop('shutdown')
        diary.push('going on')
      },
      terminate: () => void diary.push('terminate'),
    }))
    const stage = start(Selfless, { runtime })
    await stage.ready
    stage.cast('go')
    expect(await stage.exited).toEqual({ type: 'shutdown' })
    expect(diary).toEqual(['going on', 'terminate'])
  })

  it('from outside of a callback ends a waiting stage at once', async () => {
    const { runtime } = watchedRuntime()
    let stop = (): void => {}
    const stage = start(
      producer((_: void, ctx) => {
        stop = () => ctx.stop('shutdown')
        return { handleDemand() {} }
      }),
      { runtime },
    )
    await stage.ready
    stop()
    expect(await stage.exited).toEqual({ type: 'shutdown' })
    stop()
  })
})

describe('the end', () => {
  it('GS-J4 done resolves at a graceful one, and rejects with STAGE_FAILED at any other', async () => {
    const { runtime, settle, uncaught } = watchedRuntime()
    const good = start(Quiet, { runtime })
    const [early, reason] = [good.done, await good.stop('shutdown')]
    await early
    await good.done
    expect(reason).toEqual({ type: 'shutdown' })
    const bad = start(living([]), { runtime, name: 'bad' })
    const failing = rejectionOf(bad.done)
    bad.cast('throw')
    const expected = { ...refusal('STAGE_FAILED', undefined, 'stage "bad"', 'asked'), stage: 'bad', cause: { message: 'asked' } }
    expect(await failing).toMatchObject({ ...expected, reason: { type: 'error' } })
    expect(await rejectionOf(bad.done)).toMatchObject(expected)
    const killed = start(Quiet, { runtime })
    void killed.kill()
    expect(await rejectionOf(killed.done)).toMatchObject({ code: 'STAGE_FAILED', reason: { type: 'killed' } })
    await settle()
    expect(uncaught).toEqual([])
  })

  it('GS-J3 a monitor is told once, and one that comes too late with noproc', async () => {
    const { runtime, settle } = watchedRuntime()
    const stage = start(Quiet, { runtime })
    const downs: [string, Down][] = []
    stage.monitor(down => downs.push(['one', down]))
    stage.monitor(down => downs.push(['two', down]))
    const cancelled = stage.monitor(down => downs.push(['cancelled', down]))
    expect(cancelled.stage).toBe(stage)
    cancelled.cancel()
    cancelled.cancel()
    await stage.stop('shutdown')
    stage.monitor(down => downs.push(['late', down]))
    stage.monitor(down => downs.push(['late and cancelled', down])).cancel()
    await settle()
    const down = { type: 'down', stage, reason: { type: 'shutdown' } }
    expect(downs).toEqual([
      ['one', down],
      ['two', down],
      ['late', { type: 'down', stage, reason: { type: 'noproc' } }],
    ])
  })

  it('GS-K2 a monitor that another one cancels is not told any more', async () => {
    const { runtime } = watchedRuntime()
    const stage = start(Quiet, { runtime })
    const told: string[] = []
    stage.monitor(() => {
      told.push('first')
      second.cancel()
    })
    const second = stage.monitor(() => told.push('second'))
    await stage.stop()
    expect(told).toEqual(['first'])
  })

  it('INV-17 a monitor that throws is raised, and harms nobody', async () => {
    const { runtime, settle, raised } = watchedRuntime()
    const stage = start(Quiet, { runtime })
    const boom = new Error('boom')
    const told: Down[] = []
    stage.monitor(() => {
      throw boom
    })
    stage.monitor(down => told.push(down))
    expect(await stage.stop()).toEqual({ type: 'normal' })
    await settle()
    expect(told).toHaveLength(1)
    expect(raised).toEqual([boom])
  })

  it('GS-A3 a monitor is told after everything that the stage had sent', async () => {
    const { runtime } = watchedRuntime()
    const order: unknown[] = []
    const Watcher = consumer.of<number>()((watched: StageRef, ctx) => {
      ctx.monitor(watched)
      return {
        handleEvents: events => void order.push(...events),
        handleInfo: (down: Down) => void order.push(down.type),
      }
    })
    const Last = producer((_: void, ctx) => ({
      handleDemand() {},
      handleCast(events: readonly number[]) {
        ctx.stop()
        return events
      },
    }))
    const last = start(Last, { runtime })
    const watcher = start(Watcher, { runtime, arg: last, subscribeTo: [{ to: last, cancel: 'temporary' }] })
    await watcher.ready
    last.cast([1, 2])
    await last.exited
    await watcher.inspect()
    expect(order).toEqual([1, 2, 'down'])
  })
})

describe('the end of a stage', () => {
  /** Hangs in its first callback, so that everything else waits in its mailbox. */
  const hanging = { handleSubscribe: () => never, handleCall: () => never, handleDemand() {}, handleEvents() {} }
  const { handleEvents: _, ...producing } = hanging
  const { handleDemand: __, ...consuming } = hanging

  async function settles(promises: readonly Promise<unknown>[], settle: () => Promise<void>): Promise<boolean> {
    let settled = false
    void Promise.allSettled(promises).then(() => (settled = true))
    await settle()
    return settled
  }

  it.each(['stop', 'kill'] as const)('INV-21 of a producer settles every promise that waits for it: %s', async how => {
    const { runtime, settle, pass, timers } = watchedRuntime()
    const stage = start(producer<number>(wrong(() => producing)), { runtime, name: 'stage' })
    const sink = start(Sink, { runtime })
    const subscription = sink.subscribe({ to: stage, cancel: 'temporary' })
    const late = sink.subscribe({ to: stage, cancel: 'temporary' })
    await settle()
    const forEver = { timeout: Infinity }
    const promises = [
      stage.call(wrong('request'), forEver),
      stage.syncInfo(wrong('info'), forEver),
      stage.inspect(forEver),
      stage.estimateBufferedCount(forEver),
      stage.demandMode(forEver),
      stage.stream()[Symbol.asyncIterator]().next(),
      ...[subscription, late].flatMap(({ accepted, ended }) => [accepted, ended]),
      stage.ready,
      stage.exited,
      stage.done,
    ]
    expect(await settles(promises, settle)).toBe(false)
    if (how === 'stop') void stage.stop()
    else void stage.kill()
    expect(await settles(promises, () => pass(5_000))).toBe(true)
    expect(timers()).toBe(0)
  })

  it.each(['stop', 'kill'] as const)('INV-21 of a consumer settles every promise that waits for it: %s', async how => {
    const { runtime, settle, pass, timers } = watchedRuntime()
    const source = start(Quiet, { runtime })
    const stage = start(consumer<number>(wrong(() => consuming)), { runtime })
    const [first, second] = [stage.subscribe({ to: source }), stage.subscribe({ to: source })]
    await settle()
    const promises = [
      stage.call(wrong('request'), { timeout: Infinity }),
      ...[first, second].flatMap(({ accepted, ended }) => [accepted, ended]),
      stage.exited,
      stage.done,
    ]
    expect(await settles(promises, settle)).toBe(false)
    if (how === 'stop') void stage.stop()
    else void stage.kill()
    expect(await settles(promises, () => pass(5_000))).toBe(true)
    expect(timers()).toBe(0)
    expect(runtime.topology().edges).toEqual([])
  })
})

describe('await using', () => {
  it('stops a stage at the end of its block', async () => {
    const { runtime } = watchedRuntime()
    const diary: Diary = []
    {
      await using stage = start(living(diary), { runtime, name: 'stage' })
      await stage.ready
      expect(runtime.whereis('stage')).toBe(stage)
    }
    expect(runtime.whereis('stage')).toBeUndefined()
    expect(diary).toEqual(['setup', 'terminate normal'])
  })

  it('stops a runtime, with everything in it', async () => {
    const { runtime, lines } = watchedRuntime()
    const diary: Diary = []
    {
      await using whole = runtime
      await Promise.all([start(living(diary), { runtime: whole }).ready, start(Sink, { runtime: whole }).ready])
    }
    expect(runtime.topology().stages).toEqual([])
    expect(diary).toEqual(['setup', 'terminate shutdown'])
    expect(lines).toEqual([])
  })

  it('ends monitors and timers', async () => {
    const { runtime, pass, timers } = watchedRuntime()
    const told: unknown[] = []
    const stage = start(Quiet, { runtime })
    {
      using _ = stage.monitor(down => told.push(down))
    }
    await stage.stop()
    const Timed = producer((_: void, ctx) => {
      using tick = ctx.every(10, 'tick')
      return { handleDemand() {}, handleInfo: () => void told.push(tick) }
    })
    start(Timed, { runtime })
    await pass(20)
    await pass(20)
    expect(told).toEqual([])
    expect(timers()).toBe(0)
  })
})

describe('the signal option', () => {
  it('stops the stage with shutdown when it is aborted, as stop does', async () => {
    const { runtime } = watchedRuntime()
    const diary: Diary = []
    const controller = new AbortController()
    const stage = start(living(diary), { runtime, signal: controller.signal })
    await stage.ready
    controller.abort(new Error('why'))
    expect(await stage.exited).toEqual({ type: 'shutdown' })
    expect(diary).toEqual(['setup', 'terminate shutdown'])
    controller.abort()
  })

  it('aborted before the start: the setup never runs', async () => {
    const { runtime } = watchedRuntime()
    const diary: Diary = []
    const stage = start(living(diary), { runtime, signal: AbortSignal.abort() })
    const ready = rejectionOf(stage.ready)
    expect(await stage.exited).toEqual({ type: 'shutdown' })
    expect(await ready).toMatchObject({ code: 'SETUP_FAILED', reason: { type: 'shutdown' } })
    expect(diary).toEqual([])
  })

  it('aborted while a handler hangs: the stage is killed at the deadline', async () => {
    const { runtime, settle, pass } = watchedRuntime()
    const controller = new AbortController()
    const stage = start(living([]), { runtime, signal: controller.signal })
    stage.call(never, { timeout: Infinity }).catch(() => {})
    await settle()
    controller.abort()
    await pass(5_000)
    expect(await stage.exited).toEqual({ type: 'killed' })
  })

  it('aborted after the end means nothing', async () => {
    const { runtime, settle, timers, raised } = watchedRuntime()
    const controller = new AbortController()
    const stage = start(Quiet, { runtime, signal: controller.signal })
    await stage.stop('normal')
    controller.abort()
    await settle()
    expect(await stage.exited).toEqual({ type: 'normal' })
    expect(timers()).toBe(0)
    expect(raised).toEqual([])
  })
})

describe('runtime.stop', () => {
  it('stops everything in it, in one go, and resolves when it is over', async () => {
    const { runtime, settle, timers, uncaught } = watchedRuntime()
    const diary: Diary = []
    const Middle = producerConsumer.of<number, number>()(() => ({ handleEvents: events => events }))
    const source = start(Quiet, { runtime })
    const middle = start(Middle, { runtime, subscribeTo: [source] })
    const sink = start(Sink, { runtime, subscribeTo: [middle] })
    start(living(diary), { runtime })
    await settle()
    await runtime.stop()
    expect(runtime.topology().stages).toEqual([])
    const reasons = await Promise.all([source, middle, sink].map(stage => stage.exited))
    expect(reasons.map(({ type }) => type)).toEqual(['shutdown', 'shutdown', 'shutdown'])
    expect(diary).toEqual(['setup', 'terminate shutdown'])
    expect(timers()).toBe(0)
    expect(uncaught).toEqual([])
    await runtime.stop()
  })

  it('gives every stage the same time', async () => {
    const { runtime, settle, pass } = watchedRuntime()
    const stages = [start(living([]), { runtime }), start(living([]), { runtime })]
    for (const stage of stages) stage.call(never, { timeout: Infinity }).catch(() => {})
    await settle()
    const stopped = runtime.stop({ timeout: 100 })
    await pass(100)
    await stopped
    expect(await Promise.all(stages.map(stage => stage.exited))).toEqual([{ type: 'killed' }, { type: 'killed' }])
  })
})
