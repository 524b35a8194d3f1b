/** Failures: told once, at their origin, and never silent. */
import {
  broadcastDispatcher,
  consumer,
  createRuntime,
  type DispatcherFactory,
  fromIterable,
  partitionDispatcher,
  producer,
  producerConsumer,
  producerName,
  type ProducerConsumerRef,
  type ProducerRef,
  type Reason,
  type Runtime,
  start,
  type StageRef,
} from '@genstage/core'
import { addressOf, peerAddress } from '@genstage/core/protocol'
import { describe, expect, it } from 'vitest'
import { refusal } from './support/refusal.ts'
import { catchingScheduler, rejectionOf, watchedRuntime, wrong } from './support/watched-runtime.ts'
import { settle as settleRuntime } from './support/turns.ts'

const boom = new Error('boom')

function failNow(): never {
  throw boom
}

/** Throws what it is cast, stops on a word, and is quiet else. */
const Fragile = producerConsumer.of<unknown, unknown>()((_: void, ctx) => ({
  handleEvents: events => events,
  handleCast(message: unknown) {
    if (message instanceof Error) throw message
    ctx.stop(message as Reason)
  },
  handleInfo() {},
}))
const Quiet = producer.of<unknown>()(() => ({ handleDemand() {}, handleCast: (events: readonly unknown[]) => events }))
const Sink = consumer.of<unknown>()(() => ({ handleEvents() {} }))

const failedWith = (error: unknown): Reason => ({ type: 'error', error })

/** source → victim → sink, the victim with a callback that fails; what is told of it. */
async function told(callback: string, fail: () => unknown) {
  const world = watchedRuntime()
  const { runtime, settle, lines, uncaught, raised } = world
  const events: unknown[] = []
  runtime.telemetry.on('failed', ({ stage, name, error }) => events.push([stage, name, error]))
  const Victim = producerConsumer.of<unknown, unknown>()((_: void, ctx) => {
    if (callback === 'setup') return fail() as Promise<never>
    return wrong({
      handleEvents: (batch: unknown) => batch,
      handleCast: (message: unknown) => (message === 'stop' ? ctx.stop() : [message]),
      handleInfo() {},
      ...(callback === 'formatDiscarded' ? { handleSubscribe() {} } : {}),
      [callback]: fail,
    })
  })
  const source = start(Quiet, { runtime })
  const victim = start(Victim, { runtime, name: 'victim', bufferSize: 0 }) as unknown as ProducerConsumerRef<unknown, unknown>
  await settle()
  if (callback === 'formatDiscarded') victim.cast(wrong('too much'))
  victim.subscribe({ to: source, cancel: 'temporary' })
  const sink = start(Sink, { runtime, name: 'sink' })
  const below = sink.subscribe({ to: victim, cancel: 'temporary' })
  await settle()
  if (callback === 'handleEvents') source.cast([1])
  if (callback === 'handleCast') victim.cast(wrong('event'))
  if (callback === 'handleInfo') victim.send(wrong('info'))
  if (callback === 'handleCall') victim.call(wrong('request')).catch(() => {})
  if (callback === 'handleCancel') below.cancel('shutdown')
  if (callback === 'terminate') victim.cast(wrong('stop'))
  await settle()
  return { victim, sink, lines, uncaught, raised, events, runtime, settle }
}

describe('what user code throws', () => {
  const callbacks = [
    'setup',
    'handleSubscribe',
    'handleEvents',
    'handleCast',
    'handleInfo',
    'handleCall',
    'handleCancel',
    'terminate',
  ]
  const ways: readonly [string, string, () => unknown][] = [
    ...callbacks
      .map(callback => [callback, 'throws', failNow] as const)
      .map(([...each]) => each as [string, string, () => unknown]),
    ...callbacks.map(callback => [callback, 'rejects', () => Promise.reject(boom)] as [string, string, () => unknown]),
    ['formatDiscarded', 'throws', failNow],
  ]

  it.each(ways)('INV-17 GS-L11 %s that %s is told exactly once, with the stage', async (callback, _way, fail) => {
    const { victim, lines, uncaught, raised, events } = await told(callback, fail)
    expect(await victim.exited).toEqual(failedWith(boom))
    expect(events).toEqual([[victim.id, 'victim', boom]])
    const failures = lines.filter(({ fields }) => fields.code === 'stage_failed')
    expect(failures).toMatchObject([{ level: 'error', fields: { stage: 'victim', error: boom } }])
    expect(uncaught).toMatchObject([{ code: 'STAGE_FAILED', stage: 'victim', cause: boom, reason: failedWith(boom) }])
    expect(raised).toEqual([])
  })

  it.each<[string, () => unknown]>([
    ['throws', failNow],
    ['rejects', () => Promise.reject(boom)],
  ])('INV-17 handleDemand that %s is told exactly once', async (_way, handleDemand) => {
    const { runtime, settle, lines, uncaught, raised } = watchedRuntime()
    const source = start(producer(wrong(() => ({ handleDemand }))), { runtime, name: 'victim' })
    start(Sink, { runtime, subscribeTo: [source] })
    await settle()
    expect(lines.filter(({ fields }) => fields.code === 'stage_failed')).toMatchObject([
      { fields: { stage: 'victim', error: boom } },
    ])
    expect(uncaught).toMatchObject([{ stage: 'victim', cause: boom }])
    expect(raised).toEqual([])
  })

  it.each(['subscribe', 'ask', 'cancel', 'dispatch', 'info'])(
    'INV-17 GS-G8 %s of a dispatcher is told exactly once, as DISPATCHER_FAILED',
    async method => {
      const { runtime, settle, lines, uncaught, raised } = watchedRuntime()
      const dispatcher: DispatcherFactory = () => ({
        subscribe: () => ({ allowance: 0 }),
        ask: (_, demand) => ({ allowance: demand }),
        cancel: () => ({ allowance: 0 }),
        dispatch: events => ({ allowance: 0, leftover: events }),
        [method]: failNow,
      })
      const source = start(Quiet, { runtime, name: 'victim', dispatcher })
      const subscription = start(Sink, { runtime }).subscribe({ to: source, cancel: 'temporary' })
      await settle()
      source.asyncInfo(wrong('info'))
      source.cast([1])
      subscription.cancel()
      await settle()
      const expected = refusal('DISPATCHER_FAILED', undefined, 'stage "victim"', method, 'boom')
      expect(lines.filter(({ fields }) => fields.code === 'stage_failed')).toMatchObject([
        { fields: { error: { ...expected, cause: boom } } },
      ])
      expect(uncaught).toMatchObject([{ stage: 'victim', cause: { ...expected, cause: boom } }])
      expect(raised).toEqual([])
    },
  )

  it('INV-17 a selector costs its own subscription, and is told by that', async () => {
    const { runtime, settle, uncaught, raised } = watchedRuntime()
    const source = start(Quiet, { runtime, dispatcher: broadcastDispatcher() })
    const subscription = start(Sink, { runtime, name: 'sink' }).subscribe({ to: source, selector: failNow })
    await settle()
    source.cast([1, 2])
    expect(await subscription.ended).toEqual({ kind: 'cancel', reason: failedWith(boom) })
    await settle()
    expect(uncaught).toMatchObject([{ stage: 'sink', cause: boom }])
    expect(raised).toEqual([])
  })

  it.each<[string, Iterable<number> | AsyncIterable<number>]>([
    ['an iterable', { [Symbol.iterator]: () => ({ next: failNow }) }],
    ['an async iterable', { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(boom) }) }],
    ['an async iterable, at once', { [Symbol.asyncIterator]: () => ({ next: failNow }) }],
  ])('INV-17 GS-E8 %s that fails is told exactly once', async (_what, iterable) => {
    const { runtime, settle, uncaught, raised } = watchedRuntime()
    const source = start(fromIterable(iterable), { runtime, name: 'victim' })
    start(Sink, { runtime, subscribeTo: [source] })
    await settle()
    expect(uncaught).toMatchObject([{ stage: 'victim', cause: boom }])
    expect(raised).toEqual([])
  })

  it('INV-17 what rejects after the end means nothing, and is no unhandled rejection', async () => {
    const { runtime, settle, uncaught, raised, lines } = watchedRuntime()
    let reject: (error: unknown) => void = () => {}
    const hang = () =>
      new Promise<never>((_, onError) => {
        reject = onError
      })
    const stage = start(producer(wrong(() => ({ handleDemand() {}, handleCast: hang }))), {
      runtime,
    }) as unknown as ProducerRef<unknown>
    await stage.ready
    stage.cast(wrong('hang'))
    await settle()
    await stage.kill()
    reject(boom)
    await settle()
    expect([...uncaught, ...raised, ...lines]).toEqual([])
  })

  it('INV-17 GS-A7 a peer that throws at a message is raised, and harms no stage', async () => {
    const { runtime, settle, uncaught, raised } = watchedRuntime()
    const seen: unknown[] = []
    const source = start(Quiet, { runtime, name: 'source' })
    const Collect = consumer.of<unknown>()(() => ({ handleEvents: events => void seen.push(...events) }))
    start(Collect, { runtime }).subscribe({ to: source, maxDemand: 1, minDemand: 0 })
    const peer = peerAddress(runtime, { id: 'peer', type: 'consumer', post: failNow })
    await settle()
    const about = { from: peer, subscription: 'peer-1' } as const
    addressOf(source).post({ ...about, type: 'subscribe', options: {}, current: undefined })
    addressOf(source).post({ ...about, type: 'ask', demand: 1 })
    await settle()
    source.cast([1, 2])
    await settle()
    expect(seen.length).toBeGreaterThanOrEqual(1)
    expect(new Set(raised)).toEqual(new Set([boom]))
    expect(uncaught).toEqual([])
    expect(runtime.topology().stages).toHaveLength(2)
  })

  it('F56 a thenable that settles twice counts once', async () => {
    const { runtime, settle, uncaught, raised } = watchedRuntime()
    const seen: unknown[] = []
    const twice = {
      // A promise of somebody else's making
      // oxlint-disable-next-line unicorn/no-thenable
      then(resolve: (events: readonly number[]) => void, reject: (error: unknown) => void) {
        resolve([1])
        resolve([2])
        reject(boom)
      },
    }
    const source = start(producer(wrong(() => ({ handleDemand() {}, handleCast: () => twice }))), {
      runtime,
    }) as unknown as ProducerRef<unknown>
    const Collect = consumer.of<unknown>()(() => ({ handleEvents: events => void seen.push(...events) }))
    start(Collect, { runtime, subscribeTo: [source] })
    source.cast(wrong('go'))
    await settle()
    expect(seen).toEqual([1])
    expect([...uncaught, ...raised]).toEqual([])
  })
})

describe('odd values thrown', () => {
  const frozen = Object.freeze(new Error('frozen'))
  const cyclic = Object.assign(new Error('cyclic'), { self: undefined as unknown })
  cyclic.self = cyclic
  const noMessage = Object.defineProperty(new Error('hidden'), 'message', { get: failNow })
  const noText = { toString: failNow }
  const revoked = Proxy.revocable({}, {})
  revoked.revoke()

  it.each([
    ['text', 'boom'],
    ['undefined', undefined],
    ['null', null],
    ['a symbol', Symbol('boom')],
    ['an object without a prototype', Object.create(null) as unknown],
    ['a frozen error', frozen],
    ['a cyclic error', cyclic],
    ['an error whose message cannot be read', noMessage],
    ['an object that cannot be shown', noText],
    ['a revoked proxy', revoked.proxy],
  ])('INV-17 F12 %s is the reason as it is, and is told once', async (_what, thrown) => {
    const { runtime, settle, uncaught, raised, lines } = watchedRuntime()
    const Throwing = producer(() => ({
      handleDemand() {},
      handleCast(_message: 'go') {
        throw thrown
      },
    }))
    const stage = start(Throwing, { runtime, name: 'victim' })
    const sink = start(Sink, { runtime })
    const subscription = sink.subscribe({ to: stage, cancel: 'temporary' })
    await settle()
    stage.cast('go')
    await settle()
    expect(runtime.topology().stages.map(({ id }) => id)).toEqual([sink.id])
    const { reason } = await subscription.ended
    expect(reason.type === 'error' && Object.is(reason.error, thrown)).toBe(true)
    expect(lines.map(({ fields }) => fields.code)).toEqual(['stage_failed'])
    expect(uncaught.map(({ code, stage: name }) => [code, name])).toEqual([['STAGE_FAILED', 'victim']])
    expect(raised).toEqual([])
    expect(await sink.inspect()).toMatchObject({ id: sink.id })
  })
})

describe('a failure that nobody watches', () => {
  function chain(runtime: Runtime) {
    const top = start(Fragile, { runtime, name: 'top' })
    const middle = start(Fragile, { runtime, name: 'middle', subscribeTo: [top] })
    const bottom = start(Sink, { runtime, name: 'bottom', subscribeTo: [middle] })
    return { top, middle, bottom }
  }

  it('is raised once, at its origin: not for those who follow it', async () => {
    const { runtime, settle, uncaught, raised, lines } = watchedRuntime()
    const { top } = chain(runtime)
    await settle()
    top.cast(boom)
    await settle()
    expect(runtime.topology().stages).toEqual([])
    expect(uncaught.map(({ stage }) => stage)).toEqual(['top'])
    expect(uncaught[0]).toMatchObject({ ...refusal('STAGE_FAILED', undefined, 'stage "top" failed', 'boom'), cause: boom })
    expect(lines.filter(({ level }) => level === 'error')).toHaveLength(1)
    expect(raised).toEqual([])
  })

  it('GS-K5 does not reach upwards: a producer outlives its consumers', async () => {
    const { runtime, settle, uncaught } = watchedRuntime()
    const { middle } = chain(runtime)
    await settle()
    middle.cast(boom)
    await settle()
    expect(runtime.topology().stages.map(({ name }) => name)).toEqual(['top'])
    expect(uncaught.map(({ stage }) => stage)).toEqual(['middle'])
  })

  it('is raised for each of two that fail by themselves', async () => {
    const { runtime, settle, uncaught } = watchedRuntime()
    const [one, other] = [start(Fragile, { runtime, name: 'one' }), start(Fragile, { runtime, name: 'other' })]
    one.cast(boom)
    other.cast(boom)
    await settle()
    expect(uncaught.map(({ stage }) => stage)).toEqual(['one', 'other'])
  })

  it('is thrown by default, where it harms no stage', async () => {
    const raised: unknown[] = []
    const logger = { debug() {}, info() {}, warn() {}, error() {} }
    const runtime = createRuntime({ scheduler: catchingScheduler(raised), logger })
    const bystander = start(Quiet, { runtime })
    start(Fragile, { runtime, name: 'victim' }).cast(boom)
    await settleRuntime(runtime)
    expect(raised).toMatchObject([{ code: 'STAGE_FAILED', stage: 'victim', cause: boom }])
    expect(await bystander.demandMode()).toBe('forward')
  })

  it('is raised also when onUncaught itself throws: then that is thrown', async () => {
    const raised: unknown[] = []
    const other = new Error('onUncaught')
    const onUncaught = (): never => {
      throw other
    }
    const logger = { debug() {}, info() {}, warn() {}, error() {} }
    const runtime = createRuntime({ scheduler: catchingScheduler(raised), logger, onUncaught })
    start(Fragile, { runtime }).cast(boom)
    await settleRuntime(runtime)
    expect(raised).toEqual([other])
  })

  it.each<[string, Reason, readonly string[]]>([
    ['an error of its own making', { type: 'error', error: boom }, ['victim']],
    ['another reason', { type: 'other', value: 'tired' }, ['victim']],
    ['shutdown', { type: 'shutdown' }, []],
    ['normal', { type: 'normal' }, []],
  ])('GS-J5 ctx.stop with %s', async (_what, reason, stages) => {
    const { runtime, settle, uncaught } = watchedRuntime()
    start(Fragile, { runtime, name: 'victim' }).cast(reason)
    await settle()
    expect(uncaught.map(({ stage }) => stage)).toEqual(stages)
  })

  it('is none when somebody asked for it: stop with any reason, and kill', async () => {
    const { runtime, settle, uncaught } = watchedRuntime()
    const { top, bottom } = chain(runtime)
    await settle()
    void top.kill()
    await settle()
    expect(await bottom.exited).toEqual({ type: 'killed' })
    const other = chain(runtime)
    await settle()
    void other.middle.stop({ type: 'other', value: 'tired' })
    await settle()
    expect(runtime.topology().stages.map(({ name }) => name)).toEqual(['top'])
    expect(uncaught).toEqual([])
  })

  it('GS-S4 is a subscription to a name that nobody has', async () => {
    const { runtime, settle, uncaught } = watchedRuntime()
    start(Sink, { runtime, name: 'sink', subscribeTo: [producerName<unknown>('nobody')] })
    await settle()
    expect(uncaught).toMatchObject([{ stage: 'sink', reason: { type: 'noproc' } }])
  })

  it('X5 is a subscription that was refused', async () => {
    const { runtime, settle, uncaught } = watchedRuntime()
    const source = start(Quiet, { runtime, dispatcher: partitionDispatcher({ partitions: 1, hash: () => 0 }) })
    start(Sink, { runtime, name: 'sink', subscribeTo: [source] })
    await settle()
    expect(uncaught).toMatchObject([{ stage: 'sink', cause: { code: 'BAD_OPTION', option: 'partition' } }])
  })

  it('is one of the start, if nobody reads ready', async () => {
    const { runtime, settle, uncaught } = watchedRuntime()
    const Broken = producer<number>(failNow)
    start(Broken, { runtime, name: 'unread' })
    const read = start(Broken, { runtime, name: 'read' })
    expect(await rejectionOf(read.ready)).toMatchObject({ code: 'SETUP_FAILED', cause: boom })
    await settle()
    expect(uncaught).toMatchObject([{ stage: 'unread', cause: boom }])
  })

  it('is raised although ready was read: that watches the start alone', async () => {
    const { runtime, settle, uncaught } = watchedRuntime()
    const stage = start(Fragile, { runtime, name: 'victim' })
    await stage.ready
    stage.cast(boom)
    await settle()
    expect(uncaught).toMatchObject([{ stage: 'victim' }])
  })
})

describe('a failure that is watched', () => {
  it.each<[string, (stage: StageRef) => unknown]>([
    ['done', stage => stage.done.catch(() => {})],
    ['exited', stage => stage.exited],
    ['a monitor', stage => stage.monitor(() => {})],
    ['a call of stop', stage => stage.stop('normal', { timeout: Infinity })],
  ])('is not raised: %s', async (_who, watch) => {
    const { runtime, settle, uncaught } = watchedRuntime()
    const Failing = producer(() => ({ handleDemand() {}, handleCast: failNow as (message: 'go') => void, terminate: failNow }))
    const stage = start(Failing, { runtime })
    await stage.ready
    stage.cast('go')
    watch(stage)
    await settle()
    expect(runtime.topology().stages).toEqual([])
    expect(uncaught).toEqual([])
  })

  it('GS-J3 is not raised: a stage that monitors it', async () => {
    const { runtime, settle, uncaught } = watchedRuntime()
    const downs: unknown[] = []
    const victim = start(Fragile, { runtime })
    const Watcher = producer((watched: StageRef, ctx) => {
      ctx.monitor(watched)
      return { handleDemand() {}, handleInfo: (down: unknown) => void downs.push(down) }
    })
    start(Watcher, { runtime, arg: victim })
    await settle()
    victim.cast(boom)
    await settle()
    expect(downs).toEqual([{ type: 'down', stage: victim, reason: failedWith(boom) }])
    expect(uncaught).toEqual([])
  })

  it('is raised when the only monitor was cancelled before', async () => {
    const { runtime, settle, uncaught } = watchedRuntime()
    const victim = start(Fragile, { runtime })
    victim.monitor(() => {}).cancel()
    victim.cast(boom)
    await settle()
    expect(uncaught).toHaveLength(1)
  })

  it('is not raised when somebody begins to watch in the turn in which it failed', async () => {
    const { runtime, settle, uncaught } = watchedRuntime()
    const victim = start(Fragile, { runtime })
    await victim.ready
    const exits: Promise<Reason>[] = []
    runtime.telemetry.on('exited', () => exits.push(victim.exited))
    victim.cast(boom)
    await settle()
    expect(await Promise.all(exits)).toEqual([failedWith(boom)])
    expect(uncaught).toEqual([])
  })
})

describe('link', () => {
  function pair(runtime: Runtime) {
    const one = start(Fragile, { runtime, name: 'one' })
    const other = start(Fragile, { runtime, name: 'other', link: one })
    return { one, other }
  }

  it.each(['one', 'other'] as const)('GS-J4 a failure of %s ends both, with the same reason', async which => {
    const { runtime } = watchedRuntime()
    const { one, other } = pair(runtime)
    await Promise.all([one.ready, other.ready])
    const both = Promise.all([one.exited, other.exited])
    const victim = which === 'one' ? one : other
    victim.cast(boom)
    expect(await both).toEqual([failedWith(boom), failedWith(boom)])
  })

  it('GS-J4 so does a kill', async () => {
    const { runtime } = watchedRuntime()
    const { one, other } = pair(runtime)
    await other.ready
    void one.kill()
    expect(await other.exited).toEqual({ type: 'killed' })
  })

  it('GS-J4 a graceful end does not, and ends the link', async () => {
    const { runtime, settle, uncaught } = watchedRuntime()
    const { one, other } = pair(runtime)
    await one.stop('shutdown')
    await settle()
    expect(runtime.whereis('other')).toBe(other)
    other.cast(boom)
    await settle()
    expect(uncaught).toMatchObject([{ stage: 'other' }])
  })

  it('GS-J4 goes on from one to the next, and may run in a circle', async () => {
    const { runtime, settle } = watchedRuntime()
    const { one, other } = pair(runtime)
    const third = start(Quiet, { runtime, link: other })
    start(Quiet, { runtime, link: third })
    start(Fragile, { runtime, link: one, subscribeTo: [other] })
    await settle()
    const exited = third.exited
    one.cast(boom)
    expect(await exited).toEqual(failedWith(boom))
    await settle()
    expect(runtime.topology().stages).toEqual([])
  })

  it('GS-J4 counts as watching', async () => {
    const { runtime, settle, uncaught } = watchedRuntime()
    const { one, other } = pair(runtime)
    void other.exited
    await settle()
    one.cast(boom)
    await settle()
    expect(uncaught).toEqual([])
  })

  it('GS-J4 to a stage that has ended: noproc, at once', async () => {
    const { runtime } = watchedRuntime()
    const one = start(Fragile, { runtime })
    await one.stop()
    const other = start(Fragile, { runtime, link: one })
    const ready = rejectionOf(other.ready)
    expect(await other.exited).toEqual({ type: 'noproc' })
    expect(await ready).toMatchObject({ code: 'SETUP_FAILED', reason: { type: 'noproc' } })
  })

  it('INV-21 GS-J4 a partner that hangs is killed at the deadline', async () => {
    const { runtime, settle, pass, timers } = watchedRuntime()
    const one = start(Fragile, { runtime })
    const Hanging = producer(() => ({ handleDemand() {}, handleCast: (_message: 'hang') => new Promise<void>(() => {}) }))
    const other = start(Hanging, { runtime, link: one })
    other.cast('hang')
    await settle()
    one.cast(boom)
    await settle()
    await pass(5_000)
    expect(await other.exited).toEqual({ type: 'killed' })
    expect(timers()).toBe(0)
  })
})

describe('a stage that gives up when it is told to', () => {
  const Fetching = producer((_: void, { stopping }) => ({
    handleDemand() {},
    handleCast: (_message: 'fetch') =>
      new Promise<void>((_resolve, reject) => {
        stopping.addEventListener('abort', () => reject(stopping.reason as Error))
      }),
  }))

  it('an AbortError after the abort is a graceful end, with the reason of the stop', async () => {
    const { runtime, settle, uncaught, lines } = watchedRuntime()
    const stage = start(Fetching, { runtime })
    await stage.ready
    stage.cast('fetch')
    await settle()
    expect(await stage.stop('shutdown')).toEqual({ type: 'shutdown' })
    await settle()
    expect([...uncaught, ...lines]).toEqual([])
  })

  it('an AbortError without one is a failure', async () => {
    const { runtime, settle, uncaught } = watchedRuntime()
    const error = new DOMException('of somebody else', 'AbortError')
    start(Fragile, { runtime, name: 'victim' }).cast(error)
    await settle()
    expect(uncaught).toMatchObject([{ stage: 'victim', cause: error }])
  })

  it('another error after the abort is a failure too', async () => {
    const { runtime, settle, lines } = watchedRuntime()
    const Failing = producer((_: void, { stopping }) => ({
      handleDemand() {},
      handleCast: (_message: 'fetch') =>
        new Promise<void>((_resolve, reject) => {
          stopping.addEventListener('abort', () => reject(boom))
        }),
    }))
    const stage = start(Failing, { runtime })
    await stage.ready
    stage.cast('fetch')
    await settle()
    expect(await stage.stop()).toEqual(failedWith(boom))
    expect(lines).toMatchObject([{ fields: { code: 'stage_failed', error: boom } }])
  })

  it('a setup that gives up ends gracefully as well', async () => {
    const { runtime, settle, uncaught, lines } = watchedRuntime()
    const Opening = producer((_: void, { stopping }) => {
      return new Promise<never>((_resolve, reject) => {
        stopping.addEventListener('abort', () => reject(stopping.reason as Error))
      })
    })
    const stage = start(Opening, { runtime })
    const ready = rejectionOf(stage.ready)
    await settle()
    expect(await stage.stop('shutdown')).toEqual({ type: 'shutdown' })
    expect(await ready).toMatchObject({ code: 'SETUP_FAILED', reason: { type: 'shutdown' } })
    await settle()
    expect([...uncaught, ...lines]).toEqual([])
  })
})
