/** U33: every line that the log can hold, provoked once. */
import {
  broadcastDispatcher,
  child,
  consumer,
  createRuntime,
  demandDispatcher,
  type LogCode,
  type Logger,
  partitionDispatcher,
  producer,
  producerConsumer,
  type ProducerRef,
  producerName,
  type Restart,
  type Runtime,
  start,
  supervisor,
} from '@genstage/core'
import { addressOf, peerAddress } from '@genstage/core/protocol'
import { describe, expect, it, vi } from 'vitest'
import { catchingScheduler, thrownBy, watchedRuntime, wrong } from './support/watched-runtime.ts'
import { settle } from './support/turns.ts'

const Source = producer.of<number>()(() => ({ handleDemand() {}, handleCast: (events: readonly number[]) => events }))
const Middle = producerConsumer.of<number, number>()(() => ({ handleEvents: events => events }))
const Sink = consumer.of<number>()(() => ({ handleEvents() {} }))

/** A consumer that speaks the protocol itself. */
function peer(runtime: Runtime) {
  return peerAddress(runtime, { id: 'peer', type: 'consumer', post() {} })
}

/** A producer that brings one event more than it is asked for. */
function generous(runtime: Runtime): ProducerRef<number> {
  const { ref } = peerAddress(runtime, {
    id: 'generous',
    type: 'producer',
    post(message, self) {
      const { from, subscription } = message
      if (message.type === 'ask')
        from.post({ type: 'events', from: self, subscription, events: Array.from({ length: message.demand + 1 }) })
    },
  })
  return ref as ProducerRef<number>
}

/** A supervisor whose only child fails. */
function failingChild(runtime: Runtime, restart: Restart): void {
  const Failing = producer((_: void, ctx) => ({
    handleDemand() {},
    handleInfo(_message: 'fail') {
      if (ctx.restartCount === 0) throw new Error('boom')
    },
  }))
  const root = start(supervisor([child(Failing, { id: 'source', name: 'source', restart })]), { runtime, name: 'root' })
  void root.ready.then(() => root.child('source')?.send('fail'))
}

interface Case {
  /** The rules that want the line. */
  readonly rules: string
  readonly level: keyof Logger
  /** The stage that the line names. */
  readonly stage: string
  /** What comes with it, besides code and stage. */
  readonly fields: Readonly<Record<string, unknown>>
  /** What its text says. */
  readonly says: readonly string[]
  provoke(runtime: Runtime, pass: (ms: number) => Promise<void>): unknown
}

const anId = expect.stringMatching(/^subscription-\d+$/) as unknown

const cases: Readonly<Record<LogCode, Case>> = {
  not_a_consumer: {
    rules: 'GS-O1 GS-S2',
    level: 'error',
    stage: 'source',
    fields: {},
    says: ['is a producer'],
    provoke(runtime) {
      const source = start(Source, { runtime, name: 'source' })
      thrownBy(() => Reflect.apply(Reflect.get(source, 'subscribe') as () => void, source, [{ to: start(Source, { runtime }) }]))
    },
  },
  bad_opts: {
    rules: 'GS-O1 GS-S3',
    level: 'error',
    stage: 'sink',
    fields: { option: 'maxDemand' },
    says: ['maxDemand', 'not 0'],
    provoke(runtime) {
      const sink = start(Sink, { runtime, name: 'sink' })
      thrownBy(() => sink.subscribe({ to: start(Source, { runtime }), maxDemand: 0 }))
    },
  },
  noproc: {
    rules: 'GS-O1 GS-S4',
    level: 'error',
    stage: 'sink',
    fields: { producer: 'nobody' },
    says: ['no stage named "nobody"'],
    provoke: runtime => start(Sink, { runtime, name: 'sink', subscribeTo: [producerName<number>('nobody')] }),
  },
  duplicated_subscription: {
    rules: 'GS-O1 GS-S8',
    level: 'error',
    stage: 'source',
    fields: { subscription: 'twice' },
    says: ['"peer" subscribed twice', '"twice"'],
    provoke(runtime) {
      const source = addressOf(start(Source, { runtime, name: 'source' }))
      const message = { type: 'subscribe', from: peer(runtime), subscription: 'twice', options: {}, current: undefined } as const
      source.post(message)
      source.post(message)
    },
  },
  consumer_cannot_emit: {
    rules: 'GS-O1 GS-P6',
    level: 'error',
    stage: 'sink',
    fields: { n: 2 },
    says: ['2 events', 'handleEvents', 'dropped'],
    provoke(runtime) {
      const source = start(Source, { runtime })
      start(consumer<number>(wrong(() => ({ handleEvents: (events: unknown) => events }))), {
        runtime,
        name: 'sink',
        subscribeTo: [source],
      })
      source.cast([1, 2])
    },
  },
  not_a_producer: {
    rules: 'GS-O1 GS-K12 X11',
    level: 'error',
    stage: 'sink',
    fields: { message: 'ask' },
    says: ['is a consumer', '"ask"'],
    provoke(runtime) {
      const sink = addressOf(start(Sink, { runtime, name: 'sink' }))
      sink.post({ type: 'ask', from: peer(runtime), subscription: 'none', demand: 1 })
    },
  },
  protocol_error: {
    rules: 'GS-O1 GS-K12',
    level: 'error',
    stage: 'source',
    fields: { message: 'events' },
    says: ['a producer got "events"'],
    provoke(runtime) {
      const source = addressOf(start(Source, { runtime, name: 'source' }))
      source.post({ type: 'events', from: peer(runtime), subscription: 'none', events: [1] })
    },
  },
  excess: {
    rules: 'GS-O1 GS-Q6',
    level: 'error',
    stage: 'sink',
    fields: { n: 1, subscription: anId },
    says: ['1 more events', '"generous"'],
    provoke(runtime) {
      let batches = 0
      const Once = consumer.of<number>()((_: void, ctx) => ({ handleEvents: () => (++batches === 2 ? ctx.stop() : undefined) }))
      start(Once, { runtime, name: 'sink' }).subscribe({ to: generous(runtime), maxDemand: 2, minDemand: 0 })
    },
  },
  no_demand_mode: {
    rules: 'GS-O1 GS-M6',
    level: 'error',
    stage: 'middle',
    fields: { mode: 'accumulate' },
    says: ['producerConsumer', 'accumulate'],
    provoke: runtime => start(Middle, { runtime, name: 'middle' }).setDemandMode(wrong('accumulate')),
  },
  no_buffer: {
    rules: 'GS-O1 GS-O3',
    level: 'error',
    stage: 'sink',
    fields: {},
    says: ['no buffer'],
    provoke: runtime => (start(Sink, { runtime, name: 'sink' }) as unknown as ProducerRef<number>).estimateBufferedCount(),
  },
  stopping_on_cancel: {
    rules: 'GS-O1 GS-K7',
    level: 'info',
    stage: 'sink',
    fields: { reason: { type: 'shutdown' } },
    says: ['permanent', '"source"'],
    provoke(runtime) {
      const source = start(Source, { runtime, name: 'source' })
      start(Sink, { runtime, name: 'sink', subscribeTo: [source] })
        .subscribe({ to: source })
        .cancel('shutdown')
    },
  },
  discarded: {
    rules: 'GS-O1 GS-B6',
    level: 'warn',
    stage: 'source',
    fields: { n: 2 },
    says: ['2 events', 'bufferSize 1'],
    provoke: runtime => start(Source, { runtime, name: 'source', bufferSize: 1 }).cast([1, 2, 3]),
  },
  unhandled_info: {
    rules: 'GS-O1',
    level: 'warn',
    stage: 'source',
    fields: { message: 'hello' },
    says: ['no handleInfo', '"hello"'],
    provoke: runtime => start(Source, { runtime, name: 'source' }).send(wrong('hello')),
  },
  ask_over_max: {
    rules: 'GS-O1 GS-D9',
    level: 'warn',
    stage: 'source',
    fields: { n: 10, max: 5, consumer: 'consumer-2' },
    says: ['"consumer-2"', '10', '5'],
    provoke(runtime) {
      const source = start(Source, { runtime, name: 'source', dispatcher: demandDispatcher({ maxDemand: 5 }) })
      start(Sink, { runtime }).subscribe({ to: source, maxDemand: 10 })
    },
  },
  already_subscribed: {
    rules: 'GS-W3 X6',
    level: 'error',
    stage: 'source',
    fields: { subscription: anId },
    says: ['consumer', 'twice'],
    provoke(runtime) {
      const source = start(Source, { runtime, name: 'source', dispatcher: broadcastDispatcher() })
      start(Sink, { runtime, subscribeTo: [source] }).subscribe({ to: source })
    },
  },
  partition_full: {
    rules: 'X4',
    level: 'warn',
    stage: 'source',
    fields: { partition: 0, n: 2, max: 2 },
    says: ['partition 0', '2 events', 'maxQueued 2'],
    provoke(runtime) {
      const dispatcher = partitionDispatcher({ partitions: 2, hash: () => 0, maxQueued: 2 })
      const source = start(Source, { runtime, name: 'source', dispatcher })
      start(Sink, { runtime }).subscribe({ to: source, partition: 1, maxDemand: 2 })
      source.cast([1, 2])
    },
  },
  slow_setup: {
    rules: 'GS-L1',
    level: 'warn',
    stage: 'slow',
    fields: { n: 5_000 },
    says: ['setup', '5000 ms'],
    async provoke(runtime, pass) {
      start(producer(wrong(() => new Promise(() => {}))), { runtime, name: 'slow' })
      await pass(0)
      await pass(5_000)
      await pass(5_000)
    },
  },
  resubscribing: {
    rules: 'X22 GS-S4',
    level: 'warn',
    stage: 'sink',
    fields: { producer: 'nobody', n: 1, delayMs: 100, reason: { type: 'noproc' } },
    says: ['"nobody"', 'again in 100 ms', 'try 1', 'noproc'],
    provoke: runtime =>
      start(Sink, { runtime, name: 'sink', subscribeTo: [{ to: producerName<number>('nobody'), resubscribe: {} }] }),
  },
  restarting: {
    rules: 'GS-J13',
    level: 'warn',
    stage: 'root',
    fields: { child: 'source', error: expect.objectContaining({ message: 'boom' }) as unknown, n: 1, delayMs: 0 },
    says: ['child "source"', 'boom', 'started again'],
    provoke: runtime => failingChild(runtime, 'permanent'),
  },
  child_failed: {
    rules: 'GS-J13 GS-V10',
    level: 'error',
    stage: 'root',
    fields: { child: 'source', error: expect.objectContaining({ message: 'boom' }) as unknown },
    says: ['child "source"', 'boom'],
    provoke: runtime => failingChild(runtime, 'temporary'),
  },
  stage_failed: {
    rules: 'INV-17 GS-L10',
    level: 'error',
    stage: 'source',
    fields: { error: expect.objectContaining({ message: 'boom' }) as unknown },
    says: ['failed', 'boom'],
    provoke(runtime) {
      const Failing = producer(() => ({
        handleDemand() {},
        handleCast(text: string) {
          throw new Error(text)
        },
      }))
      start(Failing, { runtime, name: 'source' }).cast('boom')
    },
  },
}

describe('the log', () => {
  it.each(Object.entries(cases) as [LogCode, Case][])(
    'U33 holds one line %s, with its level and what belongs to it',
    async (code, line) => {
      const { runtime, lines, settle: settled, pass, raised } = watchedRuntime()
      void line.provoke(runtime, pass)
      for (let round = 0; round < 4; round++) await settled()
      const found = lines.filter(each => each.fields.code === code)
      expect(found).toEqual([
        {
          level: line.level,
          fields: { code, stage: line.stage, ...line.fields },
          text: expect.stringContaining(`stage "${line.stage}"`) as string,
        },
      ])
      for (const words of line.says) expect(found[0]?.text).toContain(words)
      expect(raised).toEqual([])
    },
  )

  it('U33 X21 holds one line discarded for what was delivered as often as redeliver allows', async () => {
    const { runtime, lines, settle: settled } = watchedRuntime()
    const source = start(Source, { runtime, name: 'source' })
    const Failing = consumer.of<number>()(() => ({
      handleEvents() {
        throw new Error('boom')
      },
    }))
    start(Failing, { runtime }).subscribe({ to: source, redeliver: { limit: 1 } })
    await settled()
    source.cast([1, 2])
    await settled()
    expect(lines.filter(({ fields }) => fields.code === 'discarded')).toEqual([
      {
        level: 'warn',
        text: 'stage "source": 2 events discarded: delivered as often as redeliver allows (limit 1)',
        fields: { code: 'discarded', stage: 'source', n: 2 },
      },
    ])
  })

  it.each([
    ['subscribe', 'GS-O1 X11'],
    ['ask', 'GS-O1 GS-K12'],
    ['cancel', 'GS-O1 GS-K12'],
  ] as const)('U33 a consumer logs %s (%s)', async (type, _rules) => {
    const { runtime, lines, settle: settled } = watchedRuntime()
    const sink = start(Sink, { runtime, name: 'sink' })
    const common = {
      from: peer(runtime),
      subscription: 'none',
      demand: 1,
      reason: { type: 'normal' },
      options: {},
      current: undefined,
    } as const
    addressOf(sink).post({ ...common, type })
    await settled()
    expect(lines).toMatchObject([{ level: 'error', fields: { code: 'not_a_producer', stage: 'sink', message: type } }])
    expect(runtime.whereis('sink')).toBe(sink)
  })

  it.each(['events', 'cancelled'] as const)('U33 GS-K12 a producer logs %s', async type => {
    const { runtime, lines, settle: settled } = watchedRuntime()
    const source = start(Source, { runtime, name: 'source' })
    addressOf(source).post({ type, from: peer(runtime), subscription: 'none', events: [1], reason: { type: 'normal' } })
    await settled()
    expect(lines).toMatchObject([{ level: 'error', fields: { code: 'protocol_error', stage: 'source', message: type } }])
    expect(runtime.whereis('source')).toBe(source)
  })

  it('U33 GS-M6 a consumer logs every mode, a stage in the middle only accumulate', async () => {
    const { runtime, lines, settle: settled } = watchedRuntime()
    const sink = start(Sink, { runtime, name: 'sink' }) as unknown as ProducerRef<number>
    const middle = start(Middle, { runtime, name: 'middle' })
    sink.setDemandMode('forward')
    sink.setDemandMode('accumulate')
    middle.setDemandMode('forward')
    await settled()
    expect(lines.map(({ fields }) => [fields.code, fields.stage, fields['mode']])).toEqual([
      ['no_demand_mode', 'sink', 'forward'],
      ['no_demand_mode', 'sink', 'accumulate'],
    ])
  })

  it('GS-O3 a consumer estimates 0', async () => {
    const { runtime } = watchedRuntime()
    const sink = start(Sink, { runtime }) as unknown as ProducerRef<number>
    expect(await sink.estimateBufferedCount()).toBe(0)
  })

  it('GS-O1 a stage without a name is named by its id', async () => {
    const { runtime, lines, settle: settled } = watchedRuntime()
    const source = start(Source, { runtime })
    source.send(wrong('hello'))
    await settled()
    expect(lines).toMatchObject([
      { text: expect.stringContaining(`stage "${source.id}"`) as string, fields: { stage: source.id } },
    ])
  })

  it('GS-J16 an ordinary life writes nothing', async () => {
    const { runtime, lines, settle: settled } = watchedRuntime()
    const source = start(Source, { runtime })
    const sink = start(Sink, {
      runtime,
      subscribeTo: [{ to: start(Middle, { runtime, subscribeTo: [source] }), cancel: 'temporary' }],
    })
    source.cast([1, 2, 3])
    await settled()
    await sink.stop()
    await runtime.stop()
    expect(lines).toEqual([])
  })
})

describe('a logger', () => {
  it('GS-J16 is the console by default', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    const runtime = createRuntime()
    start(Source, { runtime, name: 'source' }).send(wrong('hello'))
    await settle(runtime)
    expect(warn.mock.calls).toEqual([
      [expect.stringContaining('stage "source"'), { code: 'unhandled_info', stage: 'source', message: 'hello' }],
    ])
    warn.mockRestore()
  })

  it('GS-J16 takes the lines of user code too, as they are', async () => {
    const { runtime, lines, settle: settled } = watchedRuntime()
    const Talking = producer((_: void, { logger }) => {
      logger.debug('set up')
      logger.info('ready', { rows: 5 })
      return { handleDemand() {} }
    })
    start(Talking, { runtime })
    await settled()
    expect(lines).toEqual([
      { level: 'debug', text: 'set up', fields: undefined },
      { level: 'info', text: 'ready', fields: { rows: 5 } },
    ])
  })

  it('INV-17 that throws changes nothing for the stage, and what it threw is raised once for each line', async () => {
    const boom = new Error('disk full')
    const fail = (): never => {
      throw boom
    }
    const raised: unknown[] = []
    const runtime = createRuntime({
      logger: { debug: fail, info: fail, warn: fail, error: fail },
      scheduler: catchingScheduler(raised),
    })
    const seen: unknown[] = []
    const Talking = consumer.of<number>()((_: void, { logger }) => ({
      handleEvents(events) {
        logger.info('events')
        seen.push(...events)
      },
    }))
    const source = start(Source, { runtime, name: 'source', bufferSize: 1 })
    source.cast([1, 2])
    source.send(wrong('hello'))
    start(Talking, { runtime, subscribeTo: [source] })
    await settle(runtime)
    source.cast([3])
    await settle(runtime)
    expect(seen).toEqual([2, 3])
    expect(raised).toEqual([boom, boom, boom, boom])
    expect(runtime.topology().stages).toHaveLength(2)
  })
})
