import {
  broadcastDispatcher,
  consumer,
  partitionDispatcher,
  producer,
  producerConsumer,
  type Runtime,
  start,
} from '@genstage/core'
import { describe, expect, it } from 'vitest'
import { watchedRuntime } from './support/watched-runtime.ts'

/** Emits what it is cast. */
const Source = producer.of<number>()(() => ({ handleDemand() {}, handleCast: (events: readonly number[]) => events }))
const Middle = producerConsumer.of<number, number>()(() => ({ handleEvents: events => events }))
const Sink = consumer.of<number>()(() => ({ handleEvents() {} }))

/** A consumer whose batches wait until they are let through. */
function gated() {
  const gates: (() => void)[] = []
  const Gated = consumer.of<number>()(() => ({ handleEvents: () => new Promise<void>(resolve => gates.push(resolve)) }))
  return { Gated, pass: () => gates.shift()?.() }
}

async function pipeline() {
  const world = watchedRuntime()
  const { runtime, settle } = world
  const source = start(Source, { runtime, name: 'source' })
  const middle = start(Middle, { runtime })
  const above = middle.subscribe({ to: source, maxDemand: 10, minDemand: 5 })
  const { Gated, pass: let1Through } = gated()
  const sink = start(Gated, { runtime, name: 'sink' })
  const below = sink.subscribe({ to: middle, maxDemand: 4, minDemand: 2 })
  await settle()
  return { ...world, source, middle, sink, above, below, letThrough: let1Through }
}

describe('the topology of a runtime', () => {
  it('is empty without stages', () => {
    const { runtime } = watchedRuntime()
    const { stages, edges, toMermaid } = runtime.topology()
    expect([stages, edges, toMermaid()]).toEqual([[], [], 'flowchart LR'])
  })

  it('shows stages with their ids, names and types, in the order of their starts', async () => {
    const { runtime, source, middle, sink } = await pipeline()
    expect(runtime.topology().stages).toEqual([
      { id: source.id, name: 'source', type: 'producer', mailbox: 0, buffered: 0 },
      { id: middle.id, name: undefined, type: 'producerConsumer', mailbox: 0, buffered: 0 },
      { id: sink.id, name: 'sink', type: 'consumer', mailbox: 0, buffered: 0 },
    ])
  })

  it('shows a stage from its start on, and until its end', async () => {
    const { runtime } = watchedRuntime()
    const source = start(Source, { runtime })
    expect(runtime.topology().stages).toMatchObject([{ id: source.id, mailbox: 1 }])
    await source.stop()
    expect(runtime.topology().stages).toEqual([])
  })

  it('shows messages that wait, and events that wait', async () => {
    const { runtime, settle } = watchedRuntime()
    const Hanging = producer.of<number>()(() => ({
      handleDemand() {},
      handleCast: (events: readonly number[]) => events,
      handleInfo: () => new Promise<void>(() => {}),
    }))
    const stage = start(Hanging, { runtime })
    stage.cast([1, 2, 3])
    stage.send(undefined as never)
    stage.cast([4])
    stage.cast([5])
    await settle()
    expect(runtime.topology().stages).toMatchObject([{ mailbox: 2, buffered: 3 }])
  })

  it('shows for each subscription what was asked for, delivered and not yet handled', async () => {
    const { runtime, source, middle, sink, above, below, settle, letThrough } = await pipeline()
    const edges = () => runtime.topology().edges.map(({ demand, inFlight, delivered }) => [demand, inFlight, delivered])
    const [first, second] = runtime.topology().edges
    expect(first).toEqual({
      subscription: above.id,
      producer: source.id,
      consumer: middle.id,
      demand: 10,
      inFlight: 0,
      delivered: 0,
      rate: 0,
    })
    expect(second).toEqual({
      subscription: below.id,
      producer: middle.id,
      consumer: sink.id,
      demand: 4,
      inFlight: 0,
      delivered: 0,
      rate: 0,
    })
    source.cast([1, 2, 3])
    await settle()
    expect(edges()).toEqual([
      [7, 0, 3],
      [1, 3, 3],
    ])
    letThrough()
    await settle()
    expect(edges()).toEqual([
      [7, 0, 3],
      [3, 1, 3],
    ])
    letThrough()
    await settle()
    expect(edges()).toEqual([
      [7, 0, 3],
      [3, 0, 3],
    ])
  })

  it('SYS-A10 shows where a pipeline is held up: a full buffer above, events in flight below', async () => {
    const { runtime, source, settle } = await pipeline()
    source.cast(Array.from({ length: 40 }, (_, index) => index))
    await settle()
    const { stages, edges } = runtime.topology()
    expect(stages.map(({ buffered }) => buffered)).toEqual([expect.any(Number), expect.any(Number), 0])
    expect((stages[0]?.buffered ?? 0) + (stages[1]?.buffered ?? 0)).toBeGreaterThan(20)
    expect(edges.at(-1)).toMatchObject({ demand: 0, inFlight: 4 })
  })

  it('forgets a subscription that has ended', async () => {
    const { runtime, below, settle, sink } = await pipeline()
    void sink.exited
    below.cancel()
    await settle()
    expect(runtime.topology().edges).toHaveLength(1)
  })

  it('shows a reader as the consumer of its edge, though it is no stage', async () => {
    const { runtime, settle } = watchedRuntime()
    const source = start(Source, { runtime })
    const iterator = source.stream({ maxDemand: 7 })[Symbol.asyncIterator]()
    const first = iterator.next()
    await settle()
    const { stages, edges, toMermaid } = runtime.topology()
    expect(stages).toHaveLength(1)
    expect(edges).toMatchObject([{ producer: source.id, consumer: expect.stringMatching(/^reader-/) as string, demand: 7 }])
    expect(toMermaid().split('\n')).toHaveLength(2)
    source.cast([1])
    expect(await first).toEqual({ value: 1, done: false })
    await iterator.return?.()
    expect(runtime.topology().edges).toEqual([])
  })

  it('knows only its own runtime', async () => {
    const [one, other] = [watchedRuntime(), watchedRuntime()]
    const source = start(Source, { runtime: one.runtime })
    start(Sink, { runtime: other.runtime, subscribeTo: [source] })
    await one.settle()
    await other.settle()
    expect(one.runtime.topology()).toMatchObject({ stages: [{ type: 'producer' }], edges: [{ delivered: 0 }] })
    expect(other.runtime.topology()).toMatchObject({ stages: [{ type: 'consumer' }], edges: [] })
  })
})

describe('the rate of an edge', () => {
  /** A pipeline whose pictures are taken by the test alone. */
  async function quiet(runtime: Runtime) {
    const source = start(Source, { runtime })
    const sink = start(Sink, { runtime, subscribeTo: [source] })
    await sink.inspect()
    return async (count: number) => {
      source.cast(Array.from({ length: count }, (_, index) => index))
      await source.estimateBufferedCount()
    }
  }

  it('is counted from the beginning of the subscription, then from picture to picture', async () => {
    const { runtime, advance } = watchedRuntime()
    const emit = await quiet(runtime)
    const rate = () => runtime.topology().edges[0]?.rate
    await emit(10)
    advance(500)
    expect(rate()).toBe(20)
    expect(rate()).toBe(0)
    await emit(30)
    advance(2_000)
    expect(rate()).toBe(15)
    advance(1_000)
    expect(rate()).toBe(0)
  })
})

describe('topology as Mermaid text', () => {
  it('draws stages by their kind, and edges with what they have carried', async () => {
    const { runtime, source, settle } = await pipeline()
    source.cast([1, 2])
    await settle()
    expect(runtime.topology().toMermaid()).toBe(
      [
        'flowchart LR',
        '  s0(["source"])',
        '  s1["producerConsumer-2"]',
        '  s2[["sink"]]',
        '  s0 -- "2 events" --> s1',
        '  s1 -- "2 events" --> s2',
      ].join('\n'),
    )
  })

  it.each([
    ['a "quoted" name', 's0(["a #quot;quoted#quot; name"])'],
    ['two\nlines', 's0(["two\\nlines"])'],
    ['a]) --> b', 's0(["a]) --> b"])'],
    ['x'.repeat(60), `s0(["${'x'.repeat(40)}…"])`],
  ])('keeps %j inside of its quotes', (name, node) => {
    const { runtime } = watchedRuntime()
    start(Source, { runtime, name })
    expect(runtime.topology().toMermaid().split('\n')).toEqual(['flowchart LR', `  ${node}`])
  })
})

describe('ref.inspect', () => {
  it('GS-O2 tells type, mode, dispatcher, producers, consumers and buffer, by kind', async () => {
    const { source, middle, sink, above, below, settle } = await pipeline()
    source.cast([1])
    await settle()
    const upper = { subscription: above.id, producer: source.id, consumer: middle.id, demand: 9, delivered: 1 }
    const lower = { subscription: below.id, producer: middle.id, consumer: sink.id, demand: 3, inFlight: 1, delivered: 1 }
    const common = { mailbox: 0, buffered: 0, demandMode: 'forward' }
    expect(await source.inspect()).toMatchObject({
      ...common,
      id: source.id,
      name: 'source',
      type: 'producer',
      dispatcher: { type: 'demand', demands: [{ consumer: middle.id, demand: 9 }] },
      producers: [],
      consumers: [upper],
    })
    expect(await middle.inspect()).toMatchObject({ ...common, type: 'producerConsumer', producers: [upper], consumers: [lower] })
    const inspected = sink.inspect()
    await settle()
    void sink.kill()
    await expect(inspected).rejects.toMatchObject({ code: 'STOPPED' })
  })

  it('GS-O2 GS-M1 tells the mode, and counts only events that nobody has asked for', async () => {
    const { runtime, settle } = watchedRuntime()
    const source = start(Source, { runtime, demand: 'accumulate' })
    expect(await source.inspect()).toMatchObject({ demandMode: 'accumulate', buffered: 0 })
    source.setDemandMode('forward')
    source.cast([1, 2, 3])
    await settle()
    source.setDemandMode('accumulate')
    start(Sink, { runtime }).subscribe({ to: source, maxDemand: 2 })
    await settle()
    expect(await source.inspect()).toMatchObject({ demandMode: 'accumulate', buffered: 1 })
  })

  it('GS-O2 shows what a broadcast and a partition dispatcher know of themselves', async () => {
    const { runtime, settle } = watchedRuntime()
    const broadcast = start(Source, { runtime, dispatcher: broadcastDispatcher() })
    const sinks = [start(Sink, { runtime }), start(Sink, { runtime })]
    for (const [index, sink] of sinks.entries()) sink.subscribe({ to: broadcast, maxDemand: (index + 1) * 5 })
    const dispatcher = partitionDispatcher({ partitions: ['a', 'b'], hash: () => 'b' })
    const partition = start(Source, { runtime, dispatcher })
    sinks[0]?.subscribe({ to: partition, partition: 'a', maxDemand: 3 })
    await settle()
    partition.cast([1, 2])
    expect((await broadcast.inspect()).dispatcher).toMatchObject({
      type: 'broadcast',
      waiting: 5,
      credits: [{ credit: 5 }, { credit: 0 }],
    })
    expect((await partition.inspect()).dispatcher).toMatchObject({
      type: 'partition',
      waiting: 1,
      partitions: [
        { partition: 'a', demand: 3, queued: 0 },
        { partition: 'b', consumer: undefined, demand: 0, queued: 2 },
      ],
    })
  })
})
