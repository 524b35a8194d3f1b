import {
  broadcastDispatcher,
  consumer,
  createRuntime,
  demandDispatcher,
  fromIterable,
  partitionDispatcher,
  producer,
  producerConsumer,
  producerName,
  start,
  stream,
} from '@genstage/core'
import { describe, expect, it } from 'vitest'
import { refusal } from './support/refusal.ts'
import { thrownBy, watchedRuntime, wrong } from './support/watched-runtime.ts'

const Quiet = producer.of<number>()(() => ({ handleDemand() {} }))
const Middle = producerConsumer.of<number, number>()(() => ({ handleEvents: events => events }))
const Sink = consumer.of<number>()(() => ({ handleEvents() {} }))

/** A producer that tells what it is asked, and a consumer that has subscribed to it. */
async function pipeline() {
  const world = watchedRuntime()
  const { runtime } = world
  const seen: unknown[] = []
  const Source = producer.of<number>()(() => ({
    handleDemand: demand => void seen.push(['demand', demand]),
    handleSubscribe: from => void seen.push(['subscribe', from.options]),
    handleCancel: ended => void seen.push(['cancel', ended]),
  }))
  const source = start(Source, { runtime, name: 'source' })
  const sink = start(Sink, { runtime, name: 'sink' })
  const subscription = sink.subscribe({ to: source, maxDemand: 7, minDemand: 0, cancel: 'temporary' })
  await world.settle()
  return { ...world, source, sink, subscription, seen }
}

type Pipeline = Awaited<ReturnType<typeof pipeline>>

/** All that a refused call must leave as it was. */
async function stateOf({ runtime, seen, uncaught, raised, timers, settle }: Pipeline) {
  await settle()
  const { stages, edges } = runtime.topology()
  return {
    stages,
    edges,
    seen: [...seen],
    uncaught: [...uncaught],
    raised: [...raised],
    timers: timers(),
    late: runtime.whereis('late'),
  }
}

// ── subscription options

/** Id, options, the bad one of them, and what the message says besides its name. */
type Row = readonly [id: string, options: object, option: string, says: readonly string[]]

const aDemand = 'a whole number from 1 to 2^53 - 1'
const badSubscriptions: readonly Row[] = [
  ['BAD-1', { maxDemand: 0 }, 'maxDemand', [aDemand, 'not 0']],
  ['BAD-2', { maxDemand: -1 }, 'maxDemand', [aDemand, 'not -1']],
  ['BAD-3', { maxDemand: 1.5 }, 'maxDemand', [aDemand, 'not 1.5']],
  ['BAD-4', { maxDemand: NaN }, 'maxDemand', [aDemand, 'not NaN']],
  ['BAD-5', { maxDemand: Infinity }, 'maxDemand', [aDemand, 'not Infinity']],
  ['BAD-6', { maxDemand: '10' }, 'maxDemand', [aDemand, 'not "10"']],
  ['BAD-7', { maxDemand: null }, 'maxDemand', [aDemand, 'not null']],
  ['BAD-8', { maxDemand: 2 ** 53 }, 'maxDemand', [aDemand, 'not 9007199254740992']],
  ['BAD-9', { maxDemand: 10, minDemand: 10 }, 'minDemand', ['minDemand (10)', 'below maxDemand (10)', 'from 0 to 9']],
  ['BAD-10', { maxDemand: 10, minDemand: 11 }, 'minDemand', ['minDemand (11)', 'below maxDemand (10)', 'from 0 to 9']],
  ['BAD-11', { minDemand: -1 }, 'minDemand', ['a whole number from 0', 'not -1']],
  ['BAD-12', { minDemand: NaN }, 'minDemand', ['a whole number from 0', 'not NaN']],
  ['BAD-17', { cancel: 'forever' }, 'cancel', ["'permanent', 'transient', 'temporary'", 'not "forever"']],
]

const placesOfSubscriptions: readonly {
  readonly place: string
  readonly where: string
  /** Whether a line of the log tells of it too: a reader is no stage, and has none. */
  readonly logged: boolean
  attempt(pipeline: Pipeline, options: object): unknown
}[] = [
  {
    place: 'subscribe',
    where: 'stage "sink"',
    logged: true,
    attempt: ({ sink, source }, options) => sink.subscribe({ to: source, ...options }),
  },
  {
    place: 'resubscribe',
    where: 'stage "sink"',
    logged: true,
    attempt: ({ subscription }, options) => subscription.resubscribe(options),
  },
  {
    place: 'subscribeTo, behind a good one',
    where: 'stage "late"',
    logged: true,
    attempt: ({ runtime, source }, options) =>
      start(Sink, { runtime, name: 'late', subscribeTo: [source, { to: source, ...options }] }),
  },
  { place: 'ref.stream', where: 'stream', logged: false, attempt: ({ source }, options) => source.stream(options) },
  {
    place: 'stream',
    where: 'stream',
    logged: false,
    attempt: ({ source }, options) => stream([source, { to: source, ...options }]),
  },
]

describe.each(placesOfSubscriptions)('bad subscription options at $place', ({ where, logged, attempt }) => {
  it.each(badSubscriptions)('%s is refused: %o', async (_id, options, option, says) => {
    const world = await pipeline()
    const before = await stateOf(world)
    expect(thrownBy(() => attempt(world, options))).toMatchObject(refusal('BAD_OPTION', option, where, option, ...says))
    expect(await stateOf(world)).toEqual(before)
    const codes = world.lines.map(({ level, fields }) => [level, fields.code, fields['option']])
    expect(codes).toEqual(logged ? [['error', 'bad_opts', option]] : [])
  })
})

// ── start options

const aSize = 'a whole number from 0, or Infinity'
const badProducers: readonly Row[] = [
  ['BAD-13', { bufferSize: -1 }, 'bufferSize', [aSize, 'not -1']],
  ['BAD-14', { bufferSize: 1.5 }, 'bufferSize', [aSize, 'not 1.5']],
  ['BAD-15', { bufferSize: '1e4' }, 'bufferSize', [aSize, 'not "1e4"']],
  ['BAD-16', { bufferKeep: 'middle' }, 'bufferKeep', ["'first', 'last'", 'not "middle"']],
  ['BAD-18', { demand: 'later' }, 'demand', ["'forward', 'accumulate'", 'not "later"']],
  ['BAD-19 GS-L4', { bufferSise: 10 }, 'bufferSise', ['did you mean bufferSize?', 'bufferKeep']],
  ['BAD-19 GS-L4', { zebra: 10 }, 'zebra', ['unknown option "zebra"', 'bufferSize', 'bufferKeep']],
  ['BAD-46', { dispatcher: 'random' }, 'dispatcher', ['a factory', 'not "random"']],
  ['BAD-47', { dispatcher: { subscribe() {} } }, 'dispatcher', ['a factory', 'not an object']],
  ['BAD-47', { dispatcher: () => ({ subscribe() {}, ask() {}, cancel() {} }) }, 'dispatcher', ['no method dispatch']],
  ['BAD-47', { dispatcher: () => undefined }, 'dispatcher', ['no method subscribe', 'ask, cancel, dispatch']],
  ['BAD-7', { bufferSize: null }, 'bufferSize', ['not null']],
  ['BAD-7', { dispatcher: null }, 'dispatcher', ['not null']],
  ['BAD-7', { runtime: null }, 'runtime', ['not null']],
  ['BAD-67', { signal: { aborted: false } }, 'signal', ['an AbortSignal', 'not an object']],
  ['GS-L8', { startTimeout: -1 }, 'startTimeout', ['milliseconds from 0', 'not -1']],
  ['GS-L8', { startTimeout: NaN }, 'startTimeout', ['milliseconds from 0', 'not NaN']],
  ['GS-L8', { runtime: {} }, 'runtime', ['createRuntime', 'not an object']],
]

describe('bad options of a start', () => {
  it.each(badProducers)('%s is refused, and nothing is started: %o', async (_id, options, option, says) => {
    const world = await pipeline()
    const before = await stateOf(world)
    const error = thrownBy(() => start(Quiet, wrong({ runtime: world.runtime, name: 'late', ...options })))
    expect(error).toMatchObject(refusal('BAD_OPTION', option, 'stage "late"', option, ...says))
    expect(await stateOf(world)).toEqual(before)
  })

  it('BAD-18 setDemandMode refuses a mode that does not exist', async () => {
    const { source } = await pipeline()
    const error = thrownBy(() => source.setDemandMode(wrong('later')))
    expect(error).toMatchObject(refusal('BAD_OPTION', 'mode', 'stage "source"', "'forward', 'accumulate'", 'not "later"'))
  })

  it('BAD-13 the message tells the kind of a stage that has no name', async () => {
    const { runtime } = watchedRuntime()
    const error = thrownBy(() => start(Middle, { runtime, bufferSize: -1 }))
    expect(error).toMatchObject(refusal('BAD_OPTION', 'bufferSize', 'producerConsumer', 'not -1'))
    expect(runtime.topology().stages).toEqual([])
  })

  it.each([{ name: '' }, { name: 5 }, { name: null }, { name: {} }])(
    'GS-L8 a name that is none is refused: $name',
    async ({ name }) => {
      const world = await pipeline()
      const before = await stateOf(world)
      const error = thrownBy(() => start(Quiet, { runtime: world.runtime, name: wrong(name) }))
      expect(error).toMatchObject(refusal('BAD_OPTION', 'name', 'a text that is not empty', 'not '))
      expect(await stateOf(world)).toEqual(before)
      expect(thrownBy(() => producerName(wrong(name)))).toMatchObject(refusal('BAD_OPTION', 'name', 'not empty', 'not '))
    },
  )

  it('GS-L8 a taken name is refused, naming who has it, and nothing of the newcomer is left', async () => {
    const world = await pipeline()
    const before = await stateOf(world)
    const error = thrownBy(() => start(Middle, { runtime: world.runtime, name: 'sink', subscribeTo: [world.source] }))
    expect(error).toMatchObject(refusal('NAME_TAKEN', 'name', '"sink"', `"${world.sink.id}"`))
    expect(await stateOf(world)).toEqual(before)
    expect(world.runtime.whereis('sink')).toBe(world.sink)
  })

  it.each([undefined, null, 'producer', {}, () => ({}), { type: 'producer' }])(
    'refuses to start %s, which is no definition',
    definition => {
      expect(thrownBy(() => start(wrong(definition)))).toMatchObject(refusal('BAD_OPTION', 'definition', 'a definition', 'not '))
    },
  )

  it.each([5, 'source', {}, [], null])('GS-J4 refuses to link to %s', async link => {
    const world = await pipeline()
    const before = await stateOf(world)
    const error = thrownBy(() => start(Quiet, { runtime: world.runtime, name: 'late', link: wrong(link) }))
    expect(error).toMatchObject(refusal('NOT_A_STAGE', 'link', 'stage "late"', 'link', 'not '))
    expect(await stateOf(world)).toEqual(before)
  })
})

// ── option objects

type Door = (pipeline: Pipeline, options: never) => unknown

const doors: readonly (readonly [door: string, open: Door])[] = [
  ['start', (_, options) => start(Quiet, options)],
  ['subscribe', ({ sink }, options) => sink.subscribe(options)],
  ['resubscribe', ({ subscription }, options) => subscription.resubscribe(options)],
  ['ref.stream', ({ source }, options) => source.stream(options)],
  ['stream', ({ source }, options) => stream([source], options)],
  ['stop', ({ source }, options) => source.stop('normal', options)],
  ['inspect', ({ source }, options) => source.inspect(options)],
  ['demandDispatcher', (_, options) => demandDispatcher(options)],
  ['partitionDispatcher', (_, options) => partitionDispatcher(options)],
  ['fromIterable', (_, options) => fromIterable([1], options)],
  ['createRuntime', (_, options) => createRuntime(options)],
]

describe('an options object that is none', () => {
  it.each(doors)('BAD-20 is refused by %s', async (_door, open) => {
    const world = await pipeline()
    const before = await stateOf(world)
    const given = [['maxDemand', 5], new Map([['maxDemand', 5]]), new Set(['maxDemand']), null, 'maxDemand', 5, () => 5]
    const expected = refusal('BAD_OPTION', undefined, 'options must be an object, not ')
    for (const each of given) expect(thrownBy(() => open(world, wrong(each)))).toMatchObject(expected)
    expect(await stateOf(world)).toEqual(before)
  })

  it.each(doors)('BAD-20 is refused by %s when reading it fails, with what was thrown as the cause', async (_door, open) => {
    const world = await pipeline()
    const before = await stateOf(world)
    const cause = new Error('no')
    const given = {
      get maxDemand(): number {
        throw cause
      },
    }
    const error = thrownBy(() => open(world, wrong(given)))
    expect(error).toMatchObject({ ...refusal('BAD_OPTION', 'maxDemand', 'maxDemand', 'failed'), cause })
    expect(await stateOf(world)).toEqual(before)
  })

  it.each([
    ['an array', [5]],
    ['null', null],
    ['"maxDemand"', 'maxDemand'],
    ['5', 5],
    ['a function', () => 5],
    ['a Map', new Map()],
    ['a Set', new Set()],
  ])('BAD-20 is shown as %s', (shown, given) => {
    expect(thrownBy(() => start(Quiet, wrong(given)))).toMatchObject(
      refusal('BAD_OPTION', undefined, `must be an object, not ${shown}`),
    )
  })
})

describe('options that are not the own ones of the object', () => {
  it('BAD-21 inherited ones count for nothing, not even those of a class', async () => {
    const { runtime, sink, source } = await pipeline()
    class Options {
      readonly runtime = runtime
      readonly name = 'late'
      get bufferSize(): number {
        throw new Error('read')
      }
    }
    expect(start(Quiet, new Options()).name).toBe('late')
    const options = Object.assign(Object.create({ maxDemand: 0, cancel: 'forever' }) as object, { to: source })
    expect(sink.subscribe(options).options).toEqual({})
  })

  it('BAD-21 an own __proto__ counts for nothing and changes nothing', async () => {
    const { sink, source } = await pipeline()
    const parsed = JSON.parse('{"maxDemand": 5, "__proto__": {"minDemand": 99, "polluted": true}}') as object
    const { options } = sink.subscribe({ ...parsed, to: source })
    expect(options).toEqual({ maxDemand: 5 })
    expect(sink.subscribe(Object.assign(parsed, { to: source })).options).toEqual({ maxDemand: 5 })
    expect('polluted' in {}).toBe(false)
  })

  it('BAD-21 what somebody put on Object.prototype counts for nothing', async () => {
    const { runtime, sink, source } = await pipeline()
    const names = ['bufferSize', 'name', 'maxDemand', 'signal']
    for (const name of names) Object.defineProperty(Object.prototype, name, { value: -1, configurable: true })
    const errors = [
      thrownBy(() => start(Quiet, { runtime })),
      thrownBy(() => sink.subscribe({ to: source })),
      thrownBy(() => source.stream()),
    ]
    for (const name of names) Reflect.deleteProperty(Object.prototype, name)
    expect(errors).toEqual([undefined, undefined, undefined])
  })
})

describe('options that do not belong together', () => {
  it.each<[string, string, object, object]>([
    ['BAD-22 GS-L4', 'subscribeTo', Quiet, { subscribeTo: [] }],
    ['BAD-22 GS-L4', 'demand', Middle, { demand: 'accumulate' }],
    ['BAD-22 GS-L6', 'bufferSize', Sink, { bufferSize: 10 }],
    ['BAD-22 GS-L6', 'bufferKeep', Sink, { bufferKeep: 'last' }],
    ['BAD-22 GS-L6', 'dispatcher', Sink, { dispatcher: broadcastDispatcher() }],
    ['BAD-22 GS-L6', 'demand', Sink, { demand: 'forward' }],
  ])('%s %s is refused where it means nothing', async (_id, option, kind, options) => {
    const world = await pipeline()
    const before = await stateOf(world)
    const error = thrownBy(() => start(wrong(kind), { runtime: world.runtime, name: 'late', ...options } as never))
    expect(error).toMatchObject(
      refusal('BAD_OPTION', option, 'stage "late"', `unknown option "${option}"`, 'known are arg, name'),
    )
    expect(await stateOf(world)).toEqual(before)
  })

  it.each<[string, string, (it: Pipeline) => unknown]>([
    ['resubscribe', 'to', it => it.subscription.resubscribe(wrong({ to: it.source }))],
    ['resubscribe', 'replaces', it => it.subscription.resubscribe(wrong({ replaces: it.subscription }))],
    ['ref.stream', 'to', it => it.source.stream(wrong({ to: it.source }))],
    ['ref.stream', 'replaces', it => it.source.stream(wrong({ replaces: it.subscription }))],
    ['stream', 'replaces', it => stream([{ to: it.source, replaces: it.subscription }])],
  ])('BAD-22 %s takes no %s: it is refused, not ignored', async (_call, option, attempt) => {
    const world = await pipeline()
    expect(thrownBy(() => attempt(world))).toMatchObject(refusal('BAD_OPTION', option, option))
  })
})

describe('misspelt options of other functions', () => {
  it.each<[string, string, (it: Pipeline) => unknown]>([
    ['stop', 'timeout', it => it.source.stop('normal', wrong({ timout: 5 }))],
    ['syncInfo', 'timeout', it => it.source.syncInfo(wrong(1), wrong({ timout: 5 }))],
    ['inspect', 'timeout', it => it.source.inspect(wrong({ timout: 5 }))],
    ['stream', 'demand', it => stream([it.source], wrong({ demnad: 'forward' }))],
    ['demandDispatcher', 'maxDemand', () => demandDispatcher(wrong({ maxDemnad: 5 }))],
    ['partitionDispatcher', 'maxQueued', () => partitionDispatcher(wrong({ partitions: 2, maxQueue: 5 }))],
    ['fromIterable', 'onCancel', () => fromIterable([1], wrong({ oncancel: 'stop' }))],
    ['createRuntime', 'sliceMs', () => createRuntime(wrong({ sliceMS: 5 }))],
  ])('BAD-19 are refused by %s, which suggests %s', async (_door, meant, open) => {
    const world = await pipeline()
    expect(thrownBy(() => open(world))).toMatchObject({
      code: 'BAD_OPTION',
      message: expect.stringContaining(`did you mean ${meant}?`) as string,
    })
  })
})

// ── options of dispatchers, runtimes and waits

describe('bad options of a dispatcher', () => {
  const someNames = 'a whole number from 1, or a list of different names'

  it.each([0, -1, 1.5, NaN, Infinity, [], ['a', 'a'], ['a', null], ['a', NaN], undefined, null, 'ab', {}])(
    'BAD-48 refuses %j as partitions',
    partitions => {
      const error = thrownBy(() => partitionDispatcher(wrong({ partitions, hash: () => 0 })))
      expect(error).toMatchObject(refusal('BAD_OPTION', 'partitions', 'partitionDispatcher', someNames, 'not '))
    },
  )

  it.each([5, null, 'key', {}])('BAD-49 refuses %j as a hash', hash => {
    const error = thrownBy(() => partitionDispatcher(wrong({ partitions: 2, hash })))
    expect(error).toMatchObject(refusal('BAD_OPTION', 'hash', 'partitionDispatcher', 'a function', 'not '))
  })

  it('BAD-49 GS-H1 names of partitions want a hash', () => {
    const error = thrownBy(() => partitionDispatcher(wrong({ partitions: ['even', 'odd'] })))
    expect(error).toMatchObject(refusal('BAD_OPTION', 'hash', 'a function', 'not undefined'))
  })

  it.each([0, -1, 1.5, NaN, '5', null])('X4 refuses %j as maxQueued', maxQueued => {
    const error = thrownBy(() => partitionDispatcher(wrong({ partitions: 2, maxQueued })))
    expect(error).toMatchObject(refusal('BAD_OPTION', 'maxQueued', 'a whole number from 1, or Infinity', 'not '))
  })

  it('GS-D1 refuses bad options of the demand dispatcher', () => {
    const badMax = thrownBy(() => demandDispatcher({ maxDemand: 0 }))
    expect(badMax).toMatchObject(refusal('BAD_OPTION', 'maxDemand', 'demandDispatcher', 'a whole number from 1', 'not 0'))
    const badShuffle = thrownBy(() => demandDispatcher({ shuffleDemandsOnFirstDispatch: wrong('yes') }))
    expect(badShuffle).toMatchObject(refusal('BAD_OPTION', 'shuffleDemandsOnFirstDispatch', 'true or false', 'not "yes"'))
  })
})

describe('bad options of a runtime', () => {
  it.each([
    ['clock', { clock: { now: () => 0 } }, 'now, wallTime, setTimer'],
    ['scheduler', { scheduler: 5 }, 'schedule, yieldTo'],
    ['logger', { logger: {} }, 'debug, info, warn, error'],
    ['random', { random: 0.5 }, 'a function'],
    ['onUncaught', { onUncaught: 'throw' }, 'a function'],
    ['sliceMs', { sliceMs: -1 }, 'milliseconds from 0'],
  ])('are refused: %s', (option, options, says) => {
    expect(thrownBy(() => createRuntime(wrong(options)))).toMatchObject(
      refusal('BAD_OPTION', option, 'createRuntime', option, says, 'not '),
    )
  })
})

describe('bad arguments of a ref', () => {
  it.each([-1, NaN, '5', null])('refuses %j as a timeout, and does nothing', async timeout => {
    const world = await pipeline()
    const before = await stateOf(world)
    const options = { timeout: wrong(timeout) }
    const attempts = [
      () => world.source.stop('normal', options),
      () => world.source.call(wrong('size'), options),
      () => world.source.syncInfo(wrong('now'), options),
      () => world.source.inspect(options),
      () => world.source.estimateBufferedCount(options),
      () => world.source.demandMode(options),
    ]
    const expected = refusal('BAD_OPTION', 'timeout', 'stage "source"', 'milliseconds from 0', 'not ')
    for (const attempt of attempts) expect(thrownBy(attempt)).toMatchObject(expected)
    expect(await stateOf(world)).toEqual(before)
  })

  it('refuses what is no reason, no listener, no signal and no drain', async () => {
    const { source, sink, subscription, ...world } = await pipeline()
    const badReason = refusal('BAD_OPTION', 'reason', "'normal', 'shutdown'", 'not "tired"')
    expect(thrownBy(() => source.stop(wrong('tired')))).toMatchObject(badReason)
    expect(thrownBy(() => subscription.cancel(wrong('tired')))).toMatchObject(badReason)
    expect(thrownBy(() => subscription.resubscribe({ reason: wrong('tired') }))).toMatchObject(badReason)
    const replaces = wrong({ subscription, reason: 'tired' })
    expect(thrownBy(() => sink.subscribe({ to: source, replaces }))).toMatchObject(badReason)
    expect(thrownBy(() => source.monitor(wrong(5)))).toMatchObject(refusal('BAD_OPTION', 'listener', 'a function', 'not 5'))
    const signal = wrong({ aborted: false })
    expect(thrownBy(() => source.inspect({ signal }))).toMatchObject(refusal('BAD_OPTION', 'signal', 'an AbortSignal'))
    const drain = thrownBy(() => source.stop('normal', { drain: wrong('yes') }))
    expect(drain).toMatchObject(refusal('BAD_OPTION', 'drain', 'stage "source"', 'true or false', 'not "yes"'))
    await world.settle()
    expect(world.runtime.topology().stages).toHaveLength(2)
  })
})

// ── sources

describe('bad sources', () => {
  it.each([null, undefined, 5, 'text', true, {}, { length: 1, 0: 1 }])('BAD-58 fromIterable refuses %j', source => {
    const error = thrownBy(() => fromIterable(wrong(source)))
    expect(error).toMatchObject(refusal('BAD_SOURCE', undefined, 'fromIterable', 'must be iterable', 'not '))
  })

  it('BAD-67 a signal that is none is refused by a reader at the call', async () => {
    const { source } = await pipeline()
    const expected = refusal('BAD_OPTION', 'signal', 'an AbortSignal', 'not an object')
    expect(thrownBy(() => source.stream({ signal: wrong({ aborted: true }) }))).toMatchObject(expected)
    expect(thrownBy(() => stream([source], { signal: wrong({ aborted: true }) }))).toMatchObject(expected)
  })

  it.each([undefined, null, 'source', {}, []])('GS-R1 a reader refuses %j in place of a list of producers', subscriptions => {
    const error = thrownBy(() => stream(wrong(subscriptions)))
    expect(error).toMatchObject(refusal('BAD_OPTION', 'subscriptions', 'stream', 'a list of producers', 'not '))
  })

  it('BAD-27 GS-R1 a reader refuses what is no producer in its list, in its own words', async () => {
    const { source } = await pipeline()
    for (const item of [undefined, null, 5, 'source', {}, { to: 'source' }, []]) {
      const error = thrownBy(() => stream([source, wrong(item)]))
      expect(error).toMatchObject(refusal('NOT_A_STAGE', expect.any(String) as string, 'stream', 'not '))
      expect((error as Error).message).not.toContain('subscribeTo')
    }
  })

  it('BAD-1 GS-R1 ref.stream names its stage when it refuses an option', async () => {
    const { source } = await pipeline()
    const error = thrownBy(() => source.stream({ maxDemand: 0 }))
    expect(error).toMatchObject(refusal('BAD_OPTION', 'maxDemand', 'stage "source"', 'not 0'))
  })

  it('GS-R4 a reader refuses a bad mode, bad producers and a bad runtime', async () => {
    const { source } = await pipeline()
    const attempt = (options: object) => thrownBy(() => stream([source], options))
    expect(attempt({ demand: 'later' })).toMatchObject(refusal('BAD_OPTION', 'demand', "'forward', 'accumulate'", 'not "later"'))
    expect(attempt({ producers: [5] })).toMatchObject(refusal('BAD_OPTION', 'producers', 'a list of refs'))
    expect(attempt({ runtime: {} })).toMatchObject(refusal('BAD_OPTION', 'runtime', 'createRuntime'))
  })
})
