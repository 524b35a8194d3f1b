/** Bad inputs that show only while stages run: what the other side refuses, and what callbacks answer. */
import {
  broadcastDispatcher,
  consumer,
  demandDispatcher,
  type DispatcherFactory,
  fromIterable,
  none,
  partitionDispatcher,
  producer,
  producerConsumer,
  producerName,
  routed,
  start,
  stream,
} from '@genstage/core'
import type { ConsumerRef, ErrorCode, ProducerRef, Runtime, StageRef } from '@genstage/core'
import { addressOf, peerAddress } from '@genstage/core/protocol'
import { describe, expect, it } from 'vitest'
import { refusal } from './support/refusal.ts'
import { rejectionOf, thrownBy, watchedRuntime, wrong } from './support/watched-runtime.ts'

/** Emits what it is cast. */
const Source = producer.of<unknown>()(() => ({ handleDemand() {}, handleCast: (events: readonly unknown[]) => events }))

/** Keeps what arrives. */
const Sink = consumer.of<unknown>()((seen: unknown[]) => ({ handleEvents: events => void seen.push(...events) }))

const Middle = producerConsumer.of<unknown, unknown>()(() => ({ handleEvents: events => events }))

function startSource(runtime: Runtime, dispatcher: DispatcherFactory = demandDispatcher()) {
  return start(Source, { runtime, name: 'source', dispatcher })
}

function startSink(runtime: Runtime, name: string, seen: unknown[] = []) {
  return start(Sink, { runtime, name, arg: seen })
}

/** A failure with this error as the reason. */
function failed(error: object): object {
  return { type: 'error', error }
}

describe('targets that cannot be subscribed to', () => {
  const nothings = [
    ['BAD-27', undefined, 'undefined'],
    ['BAD-27', null, 'null'],
    ['BAD-28', {}, 'an object'],
    ['BAD-28', { id: 'source', name: 'source', type: 'producer' }, 'an object'],
    ['BAD-28', Source, 'an object'],
    ['BAD-28', 'source', '"source"'],
    ['BAD-28', 5, '5'],
  ] as const

  it.each(nothings)('%s %o is refused at the call, and at the start', async (_id, to, shown) => {
    const { runtime, settle, uncaught } = watchedRuntime()
    const sink = startSink(runtime, 'sink')
    const expected = refusal('NOT_A_STAGE', 'to', 'stage "sink"', 'to must be a ref or a typed name', `not ${shown}`)
    expect(thrownBy(() => sink.subscribe({ to: wrong(to) }))).toMatchObject(expected)
    expect(thrownBy(() => startWith(runtime, { to }))).toMatchObject({ code: 'NOT_A_STAGE' })
    expect(thrownBy(() => startWith(runtime, to))).toMatchObject({ code: 'NOT_A_STAGE' })
    await settle()
    expect(runtime.topology().stages.map(({ name }) => name)).toEqual(['sink'])
    expect(uncaught).toEqual([])
  })

  function startWith(runtime: Runtime, item: unknown): StageRef {
    return start(Sink, { runtime, name: 'late', arg: [], subscribeTo: [wrong(item)] })
  }

  it('BAD-29 X11 GS-S2 a consumer refuses to be subscribed to, and both live where the subscription is temporary', async () => {
    const { runtime, settle } = watchedRuntime()
    const [target, sink] = [startSink(runtime, 'target'), startSink(runtime, 'sink')]
    const subscription = sink.subscribe({ to: wrong(target), cancel: 'temporary' })
    const refused = refusal('NOT_A_PRODUCER', undefined, 'stage "target"', 'is a consumer')
    expect(await rejectionOf(subscription.accepted)).toMatchObject(refused)
    expect(await subscription.ended).toMatchObject({ kind: 'cancel', reason: failed(refused) })
    await settle()
    expect(runtime.topology().stages).toHaveLength(2)
  })

  it.each(['permanent', 'transient'] as const)(
    'BAD-29 X11 GS-K5 a %s subscription to a consumer ends the subscriber',
    async cancel => {
      const { runtime } = watchedRuntime()
      const [target, sink] = [startSink(runtime, 'target'), startSink(runtime, 'sink')]
      sink.subscribe({ to: wrong(target), cancel })
      expect(await sink.exited).toMatchObject(failed({ code: 'NOT_A_PRODUCER' }))
      expect(runtime.whereis('target')).toBe(target)
    },
  )

  it('BAD-29 nothing can be read from a consumer', async () => {
    const { runtime } = watchedRuntime()
    const target = startSink(runtime, 'target')
    const ref = target as unknown as ProducerRef<unknown>
    expect(thrownBy(() => ref.stream())).toMatchObject(refusal('NOT_A_PRODUCER', undefined, 'stage "target"', 'is a consumer'))
    const reading = stream([ref])[Symbol.asyncIterator]().next()
    expect(await rejectionOf(reading)).toMatchObject({ code: 'STOPPED', reason: failed({ code: 'NOT_A_PRODUCER' }) })
  })

  it('BAD-30 a producer refuses at the call to subscribe', async () => {
    const { runtime, settle } = watchedRuntime()
    const [source, other] = [startSource(runtime), start(Source, { runtime })]
    const error = thrownBy(() => (source as unknown as ConsumerRef<unknown>).subscribe({ to: other }))
    expect(error).toMatchObject(refusal('NOT_A_CONSUMER', undefined, 'stage "source"', 'is a producer'))
    await settle()
    expect(runtime.topology().edges).toEqual([])
  })

  it('BAD-31 GS-S1 a stage in the middle cannot subscribe to itself, by ref or by name, which GenStage would take', async () => {
    const { runtime, settle } = watchedRuntime()
    const name = producerName<unknown>('middle')
    const middle = start(Middle, { runtime, name: 'middle' })
    const expected = refusal('BAD_OPTION', 'to', 'stage "middle"', 'another stage')
    expect(thrownBy(() => middle.subscribe({ to: middle }))).toMatchObject(expected)
    expect(thrownBy(() => middle.subscribe({ to: name }))).toMatchObject(expected)
    await middle.stop()
    expect(thrownBy(() => start(Middle, { runtime, name: 'middle', subscribeTo: [name] }))).toMatchObject(expected)
    await settle()
    expect(runtime.topology().stages).toEqual([])
  })

  it('BAD-33 GS-S5 a stage that has stopped: the subscription ends, and a temporary subscriber lives', async () => {
    const { runtime, settle } = watchedRuntime()
    const source = startSource(runtime)
    await source.stop('shutdown')
    const sink = startSink(runtime, 'sink')
    const subscription = sink.subscribe({ to: source, cancel: 'temporary' })
    const refused = refusal('STOPPED', undefined, 'stage "source"', 'was gone')
    expect(await rejectionOf(subscription.accepted)).toMatchObject({ ...refused, reason: { type: 'noproc' } })
    expect(await subscription.ended).toEqual({ kind: 'down', reason: { type: 'noproc' } })
    await settle()
    expect(runtime.whereis('sink')).toBe(sink)
  })

  it('BAD-33 GS-S5 GS-K5 a stage that has stopped: a permanent subscriber ends with noproc', async () => {
    const { runtime } = watchedRuntime()
    const source = startSource(runtime)
    await source.stop()
    const sink = start(Sink, { runtime, arg: [], subscribeTo: [source] })
    expect(await sink.exited).toEqual({ type: 'noproc' })
  })
})

describe('subscriptions that the producer refuses', () => {
  const halves = (): DispatcherFactory => partitionDispatcher({ partitions: ['left', 'right'], hash: () => 'left' })

  it.each([
    [
      'BAD-34 X6 GS-W3',
      broadcastDispatcher(),
      {},
      {},
      'ALREADY_SUBSCRIBED',
      undefined,
      ['consumer', 'a broadcast would reach it twice'],
    ],
    [
      'BAD-35 X5 GS-H2',
      halves(),
      { partition: 'left' },
      { partition: 'left' },
      'PARTITION_TAKEN',
      'partition',
      ['"left"', 'taken'],
    ],
    ['BAD-36 X5 GS-H2', halves(), { partition: 'left' }, {}, 'BAD_OPTION', 'partition', ['missing', 'left, right']],
    [
      'BAD-37 X5 GS-H2',
      halves(),
      { partition: 'left' },
      { partition: 'lefd' },
      'UNKNOWN_PARTITION',
      'partition',
      ['"lefd"', 'left, right', 'mean left?'],
    ],
    ['BAD-19', demandDispatcher(), {}, { maxDemnad: 5 }, 'BAD_OPTION', 'maxDemnad', ['"maxDemnad"', 'did you mean maxDemand?']],
    ['BAD-19', demandDispatcher(), {}, { zebra: 5 }, 'BAD_OPTION', 'zebra', ['"zebra"', 'maxDemand', 'minDemand', 'cancel']],
    [
      'BAD-51 X5 GS-W1',
      broadcastDispatcher(),
      {},
      { selector: 5, other: true },
      'BAD_OPTION',
      'selector',
      ['a function', 'not 5'],
    ],
  ] as const)(
    '%s: that one ends alone, and the others go on (%#)',
    async (_id, dispatcher, good, { ...bad }, code, option, says) => {
      const { runtime, settle, uncaught, raised } = watchedRuntime()
      const seen: unknown[] = []
      const source = startSource(runtime, dispatcher)
      const sink = startSink(runtime, 'sink', seen)
      await sink.subscribe({ to: source, ...good }).accepted
      const other = 'other' in bad ? startSink(runtime, 'other') : sink
      if ('other' in bad) Reflect.deleteProperty(bad, 'other')
      const subscription = other.subscribe({ to: source, cancel: 'temporary', ...(bad as object) })
      const refused = refusal(code, option, 'stage "source"', ...says)
      expect(await rejectionOf(subscription.accepted)).toMatchObject(refused)
      expect(await subscription.ended).toMatchObject({ kind: 'cancel', reason: failed(refused) })
      source.cast([1, 2])
      await settle()
      expect(seen).toEqual([1, 2])
      expect(runtime.topology().edges).toHaveLength(1)
      expect([...uncaught, ...raised]).toEqual([])
    },
  )
})

describe('asks that are none', () => {
  it.each([
    ['BAD-38', -1, '-1'],
    ['BAD-39', 0.5, '0.5'],
    ['BAD-40', NaN, 'NaN'],
    ['BAD-41', '5', '"5"'],
    ['BAD-42', 10n, '10n'],
    ['BAD-38', Infinity, 'Infinity'],
    ['BAD-38', 2 ** 53, '9007199254740992'],
    ['BAD-38', undefined, 'undefined'],
  ])('%s ask(%s) throws at the call, and nothing is asked', async (_id, n, shown) => {
    const { runtime, settle } = watchedRuntime()
    const source = startSource(runtime)
    const subscription = startSink(runtime, 'sink').subscribe({ to: source, maxDemand: 3 })
    await settle()
    const error = thrownBy(() => subscription.ask(wrong(n)))
    expect(error).toMatchObject(refusal('BAD_DEMAND', undefined, 'stage "sink"', 'a whole number from 0', `not ${shown}`))
    await settle()
    expect(runtime.topology().edges).toMatchObject([{ demand: 3 }])
  })

  it('BAD-43 GS-P8 an ask on a forged subscription is answered with UNKNOWN_SUBSCRIPTION and changes nothing', async () => {
    const { runtime, settle } = watchedRuntime()
    const source = startSource(runtime)
    startSink(runtime, 'sink').subscribe({ to: source, maxDemand: 3 })
    await settle()
    const answers: unknown[] = []
    const forger = peerAddress(runtime, { id: 'forger', type: 'consumer', post: message => answers.push(message) })
    addressOf(source).post({ type: 'ask', from: forger, subscription: 'forged', demand: 5 })
    await settle()
    const reason = failed(refusal('UNKNOWN_SUBSCRIPTION', undefined, 'stage "source"', '"forged"'))
    expect(answers).toMatchObject([{ type: 'cancelled', subscription: 'forged', reason }])
    expect(runtime.topology().edges).toMatchObject([{ demand: 3 }])
  })

  it('BAD-43 a forged subscription cannot be replaced', async () => {
    const { runtime, settle } = watchedRuntime()
    const source = startSource(runtime)
    const sink = startSink(runtime, 'sink')
    const { id } = sink.subscribe({ to: source })
    const expected = refusal('BAD_OPTION', 'replaces', 'stage "sink"', 'a subscription', 'not an object')
    for (const forged of [
      { id, role: 'producer' },
      { subscription: { id }, reason: 'normal' },
    ]) {
      expect(thrownBy(() => sink.subscribe({ to: source, replaces: wrong(forged) }))).toMatchObject(expected)
    }
    await settle()
    expect(runtime.topology().edges).toHaveLength(1)
  })

  it('BAD-43 GS-S9 the subscription of another stage cannot be replaced: that stage keeps it', async () => {
    const { runtime, settle } = watchedRuntime()
    const source = startSource(runtime)
    const [sink, other] = [startSink(runtime, 'sink'), startSink(runtime, 'other')]
    const foreign = other.subscribe({ to: source })
    await settle()
    const error = thrownBy(() => sink.subscribe({ to: source, replaces: foreign }))
    expect(error).toMatchObject(refusal('BAD_OPTION', 'replaces', 'stage "sink"'))
    await settle()
    expect(runtime.topology().edges).toMatchObject([{ subscription: foreign.id }])
  })

  it('BAD-43 INV-12 an ask or a cancel after the end of a subscription means nothing', async () => {
    const { runtime, settle, uncaught, raised } = watchedRuntime()
    const source = startSource(runtime)
    const subscription = startSink(runtime, 'sink').subscribe({ to: source, cancel: 'temporary' })
    await settle()
    subscription.cancel()
    await subscription.ended
    subscription.ask(5)
    subscription.cancel('shutdown')
    await settle()
    expect(await subscription.ended).toEqual({ kind: 'cancel', reason: { type: 'normal' } })
    expect(runtime.topology().edges).toEqual([])
    expect([...uncaught, ...raised]).toEqual([])
  })
})

describe('a stage that has ended', () => {
  it('BAD-45 GS-L9 rejects calls and questions with STOPPED and its reason', async () => {
    const { runtime } = watchedRuntime()
    const source = startSource(runtime)
    await source.stop({ type: 'shutdown', detail: 'lunch' })
    const expected = {
      ...refusal('STOPPED', undefined, 'stage "source"', 'shutdown'),
      reason: { type: 'shutdown', detail: 'lunch' },
    }
    const attempts = [
      () => source.call(wrong('size')),
      () => source.syncInfo(wrong('now')),
      () => source.inspect(),
      () => source.estimateBufferedCount(),
      () => source.demandMode(),
    ]
    for (const attempt of attempts) expect(await rejectionOf(attempt())).toMatchObject(expected)
  })

  it('BAD-45 GS-A4 GS-J2 takes everything else without a word', async () => {
    const { runtime, settle, uncaught, raised, lines } = watchedRuntime()
    const source = startSource(runtime)
    const sink = startSink(runtime, 'sink')
    const subscription = sink.subscribe({ to: source, cancel: 'temporary' })
    await settle()
    await runtime.stop()
    source.cast([1])
    source.send(wrong('now'))
    source.asyncInfo(wrong('now'))
    source.setDemandMode('forward')
    subscription.ask(5)
    subscription.cancel()
    expect(await rejectionOf(sink.subscribe({ to: source }).accepted)).toMatchObject({ code: 'STOPPED' })
    expect(await source.kill()).toEqual({ type: 'shutdown' })
    await settle()
    expect([...uncaught, ...raised, ...lines]).toEqual([])
  })
})

describe('bad hashes', () => {
  const boom = new Error('boom')
  const allowed = ['a partition (0, 1)', 'routed', 'none']

  it.each<[string, unknown, ErrorCode, readonly string[]]>([
    ['undefined', () => undefined, 'BAD_RETURN', [...allowed, 'not undefined']],
    ['NaN', () => NaN, 'BAD_RETURN', [...allowed, 'not NaN']],
    ['null', () => null, 'BAD_RETURN', [...allowed, 'not null']],
    ['a promise', () => Promise.resolve(0), 'BAD_RETURN', [...allowed, 'not an object']],
    ['a missing partition', () => 7, 'UNKNOWN_PARTITION', ['7', 'none of 0, 1']],
    ['a missing name', () => 'asia', 'UNKNOWN_PARTITION', ['"asia"', 'none of 0, 1']],
    ['a missing partition by routed', () => routed(1, 7), 'UNKNOWN_PARTITION', ['7', 'none of 0, 1']],
    ['routed to no partition', () => routed(1, wrong({})), 'BAD_RETURN', [...allowed, 'not an object']],
  ])('BAD-50 GS-H3 one that answers %s ends the producer', async (_what, hash, code, says) => {
    const { runtime } = watchedRuntime()
    const source = startSource(runtime, partitionDispatcher({ partitions: 2, hash: wrong(hash) }))
    startSink(runtime, 'sink').subscribe({ to: source, partition: 0, cancel: 'temporary' })
    source.cast([1])
    expect(await source.exited).toMatchObject(failed(refusal(code, 'hash', 'hash', ...says)))
  })

  it('BAD-50 GS-G8 one that throws ends the producer, with what it threw as the cause', async () => {
    const { runtime, settle } = watchedRuntime()
    const hash = (): number => {
      throw boom
    }
    const source = startSource(runtime, partitionDispatcher({ partitions: 2, hash }))
    const sink = startSink(runtime, 'sink')
    sink.subscribe({ to: source, partition: 0, cancel: 'temporary' })
    source.cast([1])
    const expected = { ...refusal('DISPATCHER_FAILED', undefined, 'stage "source"', 'dispatch', 'boom'), cause: boom }
    expect(await source.exited).toMatchObject(failed(expected))
    await settle()
    expect(runtime.whereis('sink')).toBe(sink)
  })

  it('BAD-50 GS-H1 without a hash, events that have none of their own end the producer', async () => {
    const { runtime } = watchedRuntime()
    const source = startSource(runtime, wrong(partitionDispatcher({ partitions: 2 })))
    startSink(runtime, 'sink').subscribe({ to: source, partition: 0, cancel: 'temporary' })
    source.cast([{}])
    expect(await source.exited).toMatchObject(failed(refusal('BAD_RETURN', 'hash', 'an object', 'hash function')))
  })

  it.each([undefined, 7])('BAD-50 the message about an answer of %s names the stage', async answer => {
    const { runtime } = watchedRuntime()
    const source = startSource(runtime, partitionDispatcher({ partitions: 2, hash: () => wrong(answer) }))
    startSink(runtime, 'sink').subscribe({ to: source, partition: 0, cancel: 'temporary' })
    source.cast([1])
    const error = { stage: 'source', message: expect.stringContaining('stage "source"') as string }
    expect(await source.exited).toMatchObject(failed(error))
  })

  it('BAD-50 none and routed are answers', async () => {
    const { runtime, settle } = watchedRuntime()
    const seen: unknown[] = []
    const hash = (event: unknown) => (event === 1 ? none : routed([event], 0))
    const source = startSource(runtime, partitionDispatcher({ partitions: 1, hash }))
    startSink(runtime, 'sink', seen).subscribe({ to: source, partition: 0 })
    source.cast([1, 2])
    await settle()
    expect(seen).toEqual([[2]])
  })
})

describe('bad selectors', () => {
  const boom = new Error('boom')

  it.each<[string, () => unknown, object]>([
    ['BAD-51 one that throws', thrower, boom],
    [
      'BAD-51 one that answers a promise',
      () => Promise.resolve(true),
      refusal('BAD_RETURN', 'selector', 'true or false', 'not an object'),
    ],
    ['BAD-51 one that answers text', () => 'yes', refusal('BAD_RETURN', 'selector', 'true or false', 'not "yes"')],
    ['BAD-51 one that answers nothing', () => undefined, refusal('BAD_RETURN', 'selector', 'true or false', 'not undefined')],
  ])('%s ends its own subscription alone', async (_id, selector, error) => {
    const { runtime, settle, uncaught } = watchedRuntime()
    const seen: unknown[] = []
    const source = startSource(runtime, broadcastDispatcher())
    startSink(runtime, 'good', seen).subscribe({ to: source })
    const bad = startSink(runtime, 'bad').subscribe({ to: source, selector: wrong(selector), cancel: 'temporary' })
    await settle()
    source.cast([1, 2])
    source.cast([3])
    expect(await bad.ended).toMatchObject({ kind: 'cancel', reason: failed(error) })
    await settle()
    expect(seen).toEqual([1, 2, 3])
    expect(runtime.topology().edges).toHaveLength(1)
    expect(uncaught).toEqual([])
  })

  it('BAD-51 the message about a bad answer names the stage', async () => {
    const { runtime, settle } = watchedRuntime()
    const source = startSource(runtime, broadcastDispatcher())
    const bad = startSink(runtime, 'bad').subscribe({ to: source, selector: wrong(() => 'yes'), cancel: 'temporary' })
    await settle()
    source.cast([1])
    const error = { stage: 'source', message: expect.stringContaining('stage "source"') as string }
    expect(await bad.ended).toMatchObject({ reason: failed(error) })
  })

  function thrower(): never {
    throw boom
  }
})

describe('bad setups', () => {
  it.each([
    ['BAD-52 nothing', undefined, ['callbacks', 'not undefined']],
    ['BAD-52 null', null, ['callbacks', 'not null']],
    ['BAD-52 a word', 'producer', ['callbacks', 'not "producer"']],
    ['BAD-52 a list', [], ['callbacks', 'not an empty array']],
    ['BAD-52 a promise of nothing', Promise.resolve(), ['callbacks', 'not undefined']],
    ['BAD-55 no callbacks', {}, ['handleDemand']],
    ['BAD-55 only others', { handleCast() {} }, ['handleDemand']],
    ['BAD-57 a callback that is no function', { handleDemand: 5 }, ['handleDemand', 'a function', 'not 5']],
    ['BAD-57 null', { handleDemand() {}, handleCall: null }, ['handleCall', 'a function', 'not null']],
    ['BAD-57 terminate that is no function', { handleDemand() {}, terminate: {} }, ['terminate', 'a function', 'not an object']],
    [
      'BAD-57 formatDiscarded that is no function',
      { handleDemand() {}, formatDiscarded: true },
      ['formatDiscarded', 'a function', 'not true'],
    ],
    ['BAD-57 a misspelt callback', { handleDemand() {}, handleEvnets() {} }, ['handleEvnets', 'a producer has no callback']],
    ['BAD-57 a misspelt callback', { handleDemand() {}, handleCastt() {} }, ['handleCastt', 'did you mean handleCast?']],
    [
      'BAD-57 a callback of another kind',
      { handleDemand() {}, handleEvents() {} },
      ['handleEvents', 'a producer has no callback'],
    ],
  ])('%s: the start fails with BAD_CALLBACKS', async (_id, answer, says) => {
    const { runtime, settle, uncaught } = watchedRuntime()
    const source = start(producer(wrong(() => answer)), { runtime, name: 'source' })
    const expected = refusal('BAD_CALLBACKS', undefined, 'stage "source"', ...says)
    expect(await rejectionOf(source.ready)).toMatchObject(expected)
    expect(await source.exited).toMatchObject(failed(expected))
    await settle()
    expect(runtime.topology().stages).toEqual([])
    expect(runtime.whereis('source')).toBeUndefined()
    expect(uncaught).toEqual([])
  })

  it.each([
    ['BAD-55', consumer, {}, 'handleEvents'],
    ['BAD-55', producerConsumer, {}, 'handleEvents'],
    ['BAD-57', consumer, { handleEvents() {}, handleDemand() {} }, 'handleDemand'],
    ['BAD-57', producerConsumer, { handleEvents() {}, handleDemand() {} }, 'handleDemand'],
  ])('%s the kinds know their callbacks (%#)', async (_id, define, callbacks, says) => {
    const { runtime } = watchedRuntime()
    const stage = start((define as typeof producer)(wrong(() => callbacks)), { runtime })
    expect(await rejectionOf(stage.ready)).toMatchObject(refusal('BAD_CALLBACKS', undefined, `stage "${stage.id}"`, says))
  })

  it('BAD-57 the methods of a class count, and so do misspelt ones', async () => {
    class Good {
      handleDemand(): void {}
      notACallback = 5
    }
    class Bad extends Good {
      handleCastt(): void {}
    }
    const { runtime } = watchedRuntime()
    expect(
      await start(
        producer(() => new Good()),
        { runtime },
      ).ready,
    ).toBe('started')
    const bad = start(
      producer(() => new Bad()),
      { runtime },
    )
    expect(await rejectionOf(bad.ready)).toMatchObject(refusal('BAD_CALLBACKS', undefined, 'handleCastt', 'mean handleCast?'))
  })

  it.each([undefined, null, {}, 'setup', 5])('BAD-57 a setup that is no function is refused at the call: %o', setup => {
    for (const define of [producer, consumer, producerConsumer]) {
      const error = thrownBy(() => (define as typeof producer)(wrong(setup)))
      expect(error).toMatchObject(refusal('BAD_CALLBACKS', undefined, 'the setup must be a function', 'not '))
    }
  })

  it.each([
    ['throws', () => thrower()],
    ['rejects', () => Promise.reject(boom)],
  ])('BAD-52 GS-L2 one that %s: the start fails with what it threw', async (_how, setup) => {
    const { runtime, settle, uncaught } = watchedRuntime()
    const source = start(producer(wrong(setup)), { runtime, name: 'source' })
    const expected = { ...refusal('SETUP_FAILED', undefined, 'stage "source"', 'could not start', 'boom'), cause: boom }
    expect(await rejectionOf(source.ready)).toMatchObject(expected)
    expect(await source.exited).toEqual(failed(boom))
    await settle()
    expect(runtime.whereis('source')).toBeUndefined()
    expect(uncaught).toEqual([])
  })

  const boom = new Error('boom')
  function thrower(): never {
    throw boom
  }

  it('BAD-52 one that never settles: a warning after 5 s, the end at startTimeout', async () => {
    const { runtime, pass, lines, timers } = watchedRuntime()
    const source = start(producer(wrong(() => new Promise(() => {}))), { runtime, name: 'source', startTimeout: 8_000 })
    const ready = rejectionOf(source.ready)
    await pass(0)
    await pass(4_999)
    expect(lines).toEqual([])
    await pass(1)
    expect(lines).toMatchObject([{ level: 'warn', fields: { code: 'slow_setup', stage: 'source', n: 5_000 } }])
    await pass(3_000)
    expect(await ready).toMatchObject(refusal('TIMEOUT', 'startTimeout', 'stage "source"', 'startTimeout (8000 ms)'))
    expect(await source.exited).toMatchObject(failed({ code: 'TIMEOUT' }))
    expect(runtime.whereis('source')).toBeUndefined()
    expect(timers()).toBe(0)
  })
})

describe('bad answers of callbacks', () => {
  const aList = 'an array of events, or nothing'

  const others = { handleDemand() {} }
  it.each<[string, object, string]>([
    ['handleDemand', { handleDemand: () => null }, 'not null'],
    ['handleDemand', { handleDemand: () => 'events' }, 'not "events"'],
    ['handleDemand', { handleDemand: () => ({ length: 1 }) }, 'not an object'],
    ['handleDemand', { handleDemand: () => 5 }, 'not 5'],
    ['handleDemand', { handleDemand: () => new Set([1]) }, 'not '],
    ['handleDemand', { handleDemand: async () => null }, 'not null'],
    ['handleCast', { ...others, handleCast: () => 5 }, 'not 5'],
    ['handleInfo', { ...others, handleInfo: () => 5 }, 'not 5'],
    ['handleCancel', { ...others, handleCancel: () => 5 }, 'not 5'],
    ['handleCall', { ...others, handleCall: () => ({ reply: 1, events: 5 }) }, 'not 5'],
  ])('BAD-53 GS-C3 GS-C5 a producer whose %s answers no list ends (%#)', async (callback, callbacks, shown) => {
    const { runtime, settle } = watchedRuntime()
    const source = start(producer(wrong(() => callbacks)), { runtime, name: 'source' }) as unknown as ProducerRef<unknown>
    const exited = source.exited
    const subscription = startSink(runtime, 'sink').subscribe({ to: source, cancel: 'temporary' })
    await settle()
    if (callback === 'handleCast') source.cast(wrong('now'))
    if (callback === 'handleInfo') source.send(wrong('now'))
    if (callback === 'handleCancel') subscription.cancel()
    if (callback === 'handleCall') expect(await rejectionOf(source.call(wrong('now')))).toMatchObject({ code: 'STOPPED' })
    expect(await exited).toMatchObject(failed(refusal('BAD_RETURN', callback, 'stage "source"', callback, aList, shown)))
  })

  it.each([null, 5, 'reply', [1]])('BAD-53 GS-C3 handleCall answers { reply, events } or nothing, not %j', async answer => {
    const { runtime } = watchedRuntime()
    const callbacks = { handleDemand() {}, handleCall: () => answer }
    const source = start(producer(wrong(() => callbacks)), { runtime, name: 'source' })
    const exited = source.exited
    expect(await rejectionOf(source.call(wrong(1)))).toMatchObject({ code: 'STOPPED' })
    expect(await exited).toMatchObject(failed(refusal('BAD_RETURN', 'handleCall', 'stage "source"', '{ reply, events }', 'not ')))
  })

  it.each<[object, string]>([
    [{ replly: 1 }, 'not an object with "replly"; did you mean reply?'],
    [{ reply: 1, evnts: [1] }, 'not an object with "evnts"; did you mean events?'],
    [{ type: 'row' }, 'not an object with "type"'],
    [new Set([1]), 'not a Set'],
  ])('BAD-53 GS-C3 a stage whose handleCall answers %o ends, and the caller does not wait', async (answer, shown) => {
    const { runtime } = watchedRuntime()
    const callbacks = { handleDemand() {}, handleCall: async () => answer }
    const source = start(producer(wrong(() => callbacks)), { runtime, name: 'source' })
    const exited = source.exited
    expect(await rejectionOf(source.call(wrong(1)))).toMatchObject({ code: 'STOPPED' })
    expect(await exited).toMatchObject(failed(refusal('BAD_RETURN', 'handleCall', 'stage "source"', '{ reply, events }', shown)))
  })

  it.each<[string, object, readonly string[]]>([
    ['later', { handleSubscribe: () => 'later', handleEvents() {} }, ["'automatic', 'manual'", 'not "later"']],
    ['a promise of true', { handleSubscribe: async () => true, handleEvents() {} }, ["'automatic', 'manual'", 'not true']],
  ])('GS-S6 a consumer that answers handleSubscribe with %s ends', async (_what, callbacks, says) => {
    const { runtime } = watchedRuntime()
    const sink = start(consumer(wrong(() => callbacks)), { runtime, name: 'sink', subscribeTo: [startSource(runtime)] })
    expect(await sink.exited).toMatchObject(failed(refusal('BAD_RETURN', 'handleSubscribe', 'stage "sink"', ...says)))
  })

  it('GS-S6 a producer that answers handleSubscribe at all ends', async () => {
    const { runtime } = watchedRuntime()
    const callbacks = { handleDemand() {}, handleSubscribe: () => 'manual' }
    const source = start(producer(wrong(() => callbacks)), { runtime, name: 'source' })
    startSink(runtime, 'sink').subscribe({ to: source, cancel: 'temporary' })
    expect(await source.exited).toMatchObject(
      failed(refusal('BAD_RETURN', 'handleSubscribe', 'stage "source"', 'nothing', 'not "manual"')),
    )
  })

  it('BAD-53 GS-B6 formatDiscarded answers true or false, and no promise', async () => {
    const { runtime, settle, uncaught } = watchedRuntime()
    const callbacks = { ...others, handleCast: (events: unknown[]) => events, formatDiscarded: async () => false }
    const source = start(producer(wrong(() => callbacks)), { runtime, name: 'source', bufferSize: 0 })
    source.cast(wrong([1]))
    await settle()
    const cause = refusal('BAD_RETURN', 'formatDiscarded', 'stage "source"', 'true or false', 'not an object')
    expect(uncaught).toMatchObject([{ cause }])
  })

  it('BAD-53 a sparse array is a list of events, with undefined in its holes', async () => {
    const { runtime, settle } = watchedRuntime()
    const seen: unknown[] = []
    const source = startSource(runtime)
    startSink(runtime, 'sink', seen).subscribe({ to: source })
    const sparse: unknown[] = []
    sparse[2] = 'c'
    source.cast(sparse)
    await settle()
    expect(seen).toEqual([undefined, undefined, 'c'])
  })

  it('BAD-53 an array of 10,000,000 events is a list of events', async () => {
    const { runtime, settle } = watchedRuntime()
    let count = 0
    const Counting = consumer.of<unknown>()(() => ({ handleEvents: events => void (count += events.length) }))
    const source = start(Source, { runtime, bufferSize: 10_000_000 })
    start(Counting, { runtime, subscribeTo: [{ to: source, maxDemand: 1_000_000, minDemand: 0 }] })
    await settle()
    source.cast(Array.from({ length: 10_000_000 }))
    await settle()
    expect(count).toBe(10_000_000)
  })

  it('BAD-54 GS-P6 a consumer that returns events goes on without them', async () => {
    const { runtime, settle, lines } = watchedRuntime()
    const batches: unknown[] = []
    const callbacks = {
      handleEvents(events: readonly unknown[]) {
        batches.push(events)
        return events
      },
    }
    const source = startSource(runtime)
    const sink = start(consumer(wrong(() => callbacks)), { runtime, name: 'sink', subscribeTo: [source] })
    await settle()
    source.cast([1])
    source.cast([2])
    await settle()
    expect(batches).toEqual([[1], [2]])
    expect(runtime.whereis('sink')).toBe(sink)
    expect(lines.map(({ fields }) => [fields.code, fields['n']])).toEqual([
      ['consumer_cannot_emit', 1],
      ['consumer_cannot_emit', 1],
    ])
  })

  it('BAD-54 GS-C3 a consumer that returns something else ends', async () => {
    const { runtime } = watchedRuntime()
    const source = startSource(runtime)
    const sink = start(consumer(wrong(() => ({ handleEvents: () => 5 }))), { runtime, name: 'sink', subscribeTo: [source] })
    source.cast([1])
    expect(await sink.exited).toMatchObject(failed(refusal('BAD_RETURN', 'handleEvents', 'stage "sink"', 'not 5')))
  })
})

describe('events that are odd values', () => {
  const refuse = (): never => {
    throw new Error('touched')
  }
  const traps = Object.fromEntries(Reflect.ownKeys(Reflect).map(trap => [trap, refuse])) as ProxyHandler<object>
  const untouchable: unknown = new Proxy({}, traps)
  const thenable: unknown = Object.defineProperty({}, 'then', { get: refuse })
  const events = [
    thenable,
    Object.freeze({}),
    Object.freeze([]),
    untouchable,
    Promise.resolve(1),
    undefined,
    null,
    NaN,
    Symbol('s'),
  ]
  /** Compared without a look into them. */
  const isSame = (seen: readonly unknown[]) =>
    seen.length === events.length && seen.every((event, index) => Object.is(event, events[index]))

  it.each([
    ['demand', demandDispatcher(), {}],
    ['broadcast', broadcastDispatcher(), { selector: () => true }],
    ['partition', partitionDispatcher({ partitions: 1, hash: () => 0 }), { partition: 0 }],
  ])(
    'BAD-56 travel as they are through a %s dispatcher, a buffer and a stage in the middle',
    async (_kind, dispatcher, options) => {
      const { runtime, settle, uncaught, raised } = watchedRuntime()
      runtime.telemetry.on('dispatched', () => {})
      const seen: unknown[] = []
      const source = startSource(runtime, dispatcher)
      source.cast(events)
      await settle()
      const middle = start(Middle, { runtime, subscribeTo: [{ to: source, ...options }] })
      startSink(runtime, 'sink', seen).subscribe({ to: middle })
      await settle()
      expect(isSame(seen)).toBe(true)
      expect([...uncaught, ...raised]).toEqual([])
    },
  )

  it('BAD-56 are discarded and reported as they are', async () => {
    const { runtime, settle } = watchedRuntime()
    const seen: unknown[] = []
    runtime.telemetry.on('discarded', discarded => seen.push(...discarded.events))
    const source = start(Source, { runtime, bufferSize: 0 })
    source.cast(events)
    await settle()
    expect(isSame(seen)).toBe(true)
  })

  it('BAD-56 arrive as they are at a reader', async () => {
    const { runtime } = watchedRuntime()
    const source = start(fromIterable(events), { runtime })
    const seen: unknown[] = []
    for await (const event of source.stream({ cancel: 'transient' })) seen.push(event)
    expect(isSame(seen)).toBe(true)
  })
})

describe('sources that fail at the start', () => {
  it.each([
    ['BAD-58 a function that makes no iterable', () => 5, ['must be iterable', 'not 5']],
    ['BAD-59 an iterator without next', { [Symbol.iterator]: () => ({}) }, ['no method next', 'an object']],
    ['BAD-59 an iterator that is none', { [Symbol.iterator]: () => 5 }, ['no method next', '5']],
    ['BAD-59 an async iterator without next', { [Symbol.asyncIterator]: () => ({}) }, ['no method next', 'an object']],
  ])('%s: the stage fails with BAD_SOURCE', async (_id, iterable, says) => {
    const { runtime } = watchedRuntime()
    const source = start(fromIterable(wrong(iterable)), { runtime, name: 'source' })
    const expected = refusal('BAD_SOURCE', undefined, 'fromIterable', ...says)
    expect(await rejectionOf(source.ready)).toMatchObject(expected)
    expect(await source.exited).toMatchObject(failed(expected))
    expect(runtime.whereis('source')).toBeUndefined()
  })

  it('BAD-67 a signal that is aborted already: the stage never runs its setup', async () => {
    const { runtime, timers } = watchedRuntime()
    let setups = 0
    const Once = producer(() => {
      setups++
      return { handleDemand() {} }
    })
    const source = start(Once, { runtime, name: 'source', signal: AbortSignal.abort() })
    expect(await source.exited).toEqual({ type: 'shutdown' })
    expect(setups).toBe(0)
    expect(runtime.whereis('source')).toBeUndefined()
    expect(timers()).toBe(0)
  })

  it('BAD-67 a signal that is aborted already: a reader throws its reason and subscribes to nothing', async () => {
    const { runtime, settle } = watchedRuntime()
    const source = startSource(runtime)
    const why = new Error('enough')
    const first = source
      .stream({ signal: AbortSignal.abort(why) })
      [Symbol.asyncIterator]()
      .next()
    expect(await rejectionOf(first)).toBe(why)
    await settle()
    expect(runtime.topology().edges).toEqual([])
  })

  it('BAD-67 a signal that is aborted already: a call is not made', async () => {
    const { runtime, settle } = watchedRuntime()
    let calls = 0
    const Answering = producer(() => ({ handleDemand() {}, handleCall: (_request: 'size') => ({ reply: ++calls }) }))
    const source = start(Answering, { runtime })
    const why = new Error('enough')
    expect(await rejectionOf(source.call('size', { signal: AbortSignal.abort(why) }))).toBe(why)
    await settle()
    expect(calls).toBe(0)
  })
})
