import { start } from '@genstage/core'
import { describe, expect, it } from 'vitest'
import { RawConsumer } from './support/raw-peer.ts'
import { recordedRuntime } from './support/recorded-runtime.ts'
import { batches, counter, demands, doubler, type Seen, sink, source, twice, valuesOf } from './support/stages.ts'
import { settle } from './support/turns.ts'

const early = ['a', 'b', 'c', 'd', 'e']
const late = ['f', 'g', 'h']

describe('the buffer of a stage', () => {
  it('T24 GS-B1 GS-P1 stores events emitted without demand and serves them first', async () => {
    const { runtime } = recordedRuntime()
    const [above, below]: [Seen, Seen] = [[], []]
    const producer = start(counter(above, 7), { runtime })
    producer.cast(['a', 'b', 'c'])
    producer.cast(['d', 'e'])
    start(sink(below), { runtime }).subscribe({ to: producer, maxDemand: 4, minDemand: 0 })
    await settle(runtime)
    expect(batches(below)).toEqual([['a', 'b', 'c', 'd'], ['e'], [0, 1, 2], [3, 4, 5, 6]])
    expect(demands(above)).toEqual([3, 4, 4])
  })

  it('T25 GS-B3 GS-B6 discards the newcomers when it keeps the first, with one warning', async () => {
    const { runtime, lines } = recordedRuntime()
    const below: Seen = []
    const producer = start(source(), { runtime, bufferSize: 5, bufferKeep: 'first' })
    await producer.call(early)
    expect(lines).toEqual([])
    await producer.call(late)
    expect(lines).toMatchObject([
      { level: 'warn', code: 'discarded', stage: producer.id, text: expect.stringContaining('3 events') },
    ])

    start(sink(below), { runtime }).subscribe({ to: producer, maxDemand: 4, minDemand: 0 })
    await settle(runtime)
    expect(batches(below)).toEqual([['a', 'b', 'c', 'd'], ['e']])
  })

  it('T26 GS-B4 GS-B6 discards the oldest by default, with one warning', async () => {
    const { runtime, lines } = recordedRuntime()
    const below: Seen = []
    const producer = start(source(), { runtime, bufferSize: 5 })
    await producer.call(early)
    await producer.call(late)
    expect(lines).toMatchObject([
      { level: 'warn', code: 'discarded', stage: producer.id, text: expect.stringContaining('3 events') },
    ])

    start(sink(below), { runtime }).subscribe({ to: producer, maxDemand: 4, minDemand: 0 })
    await settle(runtime)
    expect(batches(below)).toEqual([['d', 'e', 'f', 'g'], ['h']])
  })

  it('T27 GS-B2 discards nothing when its size is infinite', async () => {
    const { runtime, lines } = recordedRuntime()
    const below: Seen = []
    const producer = start(source(), { runtime, bufferSize: Infinity })
    await producer.call(early)
    await producer.call(late)
    start(sink(below), { runtime }).subscribe({ to: producer, maxDemand: 4, minDemand: 0 })
    await settle(runtime)
    expect(batches(below)).toEqual([
      ['a', 'b', 'c', 'd'],
      ['e', 'f', 'g', 'h'],
    ])
    expect(lines).toEqual([])
  })

  it('T28 GS-B7 tells formatDiscarded the count, and nothing when the kept events are delivered', async () => {
    const { runtime } = recordedRuntime()
    const [above, below]: [Seen, Seen] = [[], []]
    const producer = start(source(above), { runtime, bufferSize: 5, bufferKeep: 'first' })
    await producer.call([...early, ...late])
    expect(valuesOf(above, 'discarded')).toEqual([3])

    start(sink(below), { runtime }).subscribe({ to: producer, maxDemand: 4, minDemand: 0 })
    await settle(runtime)
    expect(batches(below)).toEqual([['a', 'b', 'c', 'd'], ['e']])
    expect(valuesOf(above, 'discarded')).toEqual([3])
  })

  it.each([
    ['T29', 'writes the warning too, once, when', true, ['discarded']],
    ['T30', 'leaves the warning out when', false, []],
  ] as const)('%s GS-B7 %s formatDiscarded answers %s', async (_id, _what, answer, codes) => {
    const { runtime, lines } = recordedRuntime()
    const below: Seen = []
    const quiet = source([], () => ({ formatDiscarded: () => answer }))
    const producer = start(quiet, { runtime, bufferSize: 5, bufferKeep: 'first' })
    await producer.call([...early, ...late])
    start(sink(below), { runtime }).subscribe({ to: producer, maxDemand: 5, minDemand: 0 })
    await settle(runtime)
    expect(batches(below)).toEqual([early])
    expect(lines.map(line => line.code)).toEqual(codes)
  })

  it('GS-C7 calls formatDiscarded with the state as it is then, also within one message', async () => {
    const { runtime } = recordedRuntime()
    const states: number[] = []
    let handled = 0
    const counting = doubler([], () => ({
      handleEvents(events) {
        handled++
        return twice(events)
      },
      formatDiscarded() {
        states.push(handled)
        return false
      },
    }))
    const upstream = { to: start(counter([], 4), { runtime }), maxDemand: 4, minDemand: 2 }
    const stage = start(counting, { runtime, bufferSize: 0, subscribeTo: [upstream] })
    const peer = new RawConsumer(runtime)
    peer.subscribe(stage)
    peer.ask(stage, 1)
    await settle(runtime)
    // One message of four events, in two batches
    expect(states).toEqual([1, 2])
  })

  it('T31 GS-O3 counts what it holds', async () => {
    const { runtime } = recordedRuntime()
    const producer = start(source(), { runtime, bufferSize: Infinity })
    await producer.call(early)
    expect(await producer.estimateBufferedCount()).toBe(5)
    await producer.call(late)
    expect(await producer.estimateBufferedCount()).toBe(8)
    start(sink(), { runtime }).subscribe({ to: producer, maxDemand: 4, minDemand: 0 })
    await settle(runtime)
    expect(await producer.estimateBufferedCount()).toBe(0)
  })
})
