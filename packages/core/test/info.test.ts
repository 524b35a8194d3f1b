import { start } from '@genstage/core'
import { describe, expect, it } from 'vitest'
import { RawConsumer } from './support/raw-peer.ts'
import { recordedRuntime } from './support/recorded-runtime.ts'
import { batches, counter, doubler, type Item, range, type Seen, sink, source, valuesOf } from './support/stages.ts'
import { settle } from './support/turns.ts'

/** What a producer and its consumer have seen between them: events as they are posted, infos as they are handled. */
function eventsAndInfos(seen: Seen): Seen {
  return seen.filter(([what]) => what === 'events' || what === 'info')
}

describe('an info', () => {
  it('T32 GS-I1 reaches a consumer, with and without waiting', async () => {
    const { runtime } = recordedRuntime()
    const seen: Seen = []
    const consumer = start(sink(seen), { runtime })
    await consumer.syncInfo('sync')
    consumer.asyncInfo('async')
    await settle(runtime)
    expect(valuesOf(seen, 'info')).toEqual(['sync', 'async'])
  })

  it('T33 GS-I3 reaches a producer-consumer at once when nothing waits in its inbox', async () => {
    const { runtime } = recordedRuntime()
    const middle: Seen = []
    const producer = start(counter([], 1_000), { runtime })
    const stage = start(doubler(middle), { runtime, subscribeTo: [producer] })
    start(sink(), { runtime, subscribeTo: [stage] })
    await settle(runtime)
    await stage.syncInfo('sync')
    stage.asyncInfo('async')
    await settle(runtime)
    expect(valuesOf(middle, 'info')).toEqual(['sync', 'async'])
  })

  it('T34 GS-I3 waits in a producer-consumer behind the events of its inbox', async () => {
    const { runtime } = recordedRuntime()
    const middle: Seen = []
    const producer = start(source(), { runtime })
    const stage = start(doubler(middle), { runtime, subscribeTo: [producer] })
    await settle(runtime)
    await producer.call(range(0, 10))
    await stage.syncInfo('sync')
    stage.asyncInfo('async')
    await settle(runtime)
    expect(eventsAndInfos(middle)).toEqual([])

    start(sink(), { runtime, subscribeTo: [stage] })
    await settle(runtime)
    expect(eventsAndInfos(middle)).toEqual([
      ['events', range(0, 10)],
      ['info', 'sync'],
      ['info', 'async'],
    ])
  })

  it('T35 GS-I2 reaches a producer at once when its buffer is empty', async () => {
    const { runtime } = recordedRuntime()
    const seen: Seen = []
    const producer = start(source(seen), { runtime })
    await producer.syncInfo('sync')
    producer.asyncInfo('async')
    await settle(runtime)
    expect(valuesOf(seen, 'info')).toEqual(['sync', 'async'])
  })

  it('GS-I4 comes by the mailbox of the stage, behind what waits there', async () => {
    const { runtime } = recordedRuntime()
    const seen: Seen = []
    const producer = start(source(seen), { runtime })
    producer.asyncInfo('info')
    producer.send('message')
    await settle(runtime)
    expect(valuesOf(seen, 'info')).toEqual(['message', 'info'])
  })

  it.each([
    ['T36', Infinity, ['a', 'b', 'c']],
    ['T37', 3, ['a']],
    ['T38', 3, ['a', 'b']],
    ['T39', 3, ['a', 'b', 'c']],
  ] as const)('%s GS-I2 GS-B8 comes behind all that is buffered: size %s, %j', async (_id, bufferSize, events) => {
    const { runtime } = recordedRuntime()
    const seen: Seen = []
    const producer = start(source(seen), { runtime, bufferSize })
    await producer.call(events)
    await producer.syncInfo('sync')
    await settle(runtime)
    expect(eventsAndInfos(seen)).toEqual([])

    const peer = new RawConsumer(runtime, 'peer', seen)
    peer.subscribe(producer)
    peer.ask(producer, events.length)
    await settle(runtime)
    expect(eventsAndInfos(seen)).toEqual([
      ['events', events],
      ['info', 'sync'],
    ])
  })

  it('T40 GS-B8 GS-B9 keeps its place while events come and go', async () => {
    const { runtime } = recordedRuntime()
    const seen: Seen = []
    const producer = start(source(seen), { runtime, bufferSize: 3 })
    const peer = new RawConsumer(runtime, 'peer', seen)
    peer.subscribe(producer)
    await producer.call(['a', 'b', 'c'])
    await producer.syncInfo('first')
    peer.ask(producer, 2)
    await settle(runtime)
    expect(eventsAndInfos(seen)).toEqual([['events', ['a', 'b']]])

    await producer.call(['d', 'e'])
    await producer.syncInfo('second')
    peer.ask(producer, 1)
    await settle(runtime)
    peer.ask(producer, 2)
    await settle(runtime)
    expect(eventsAndInfos(seen).slice(1)).toEqual([
      ['events', ['c']],
      ['info', 'first'],
      ['events', ['d', 'e']],
      ['info', 'second'],
    ])
  })

  it('T41 GS-B9 comes out when its event is pushed out of the buffer', async () => {
    const { runtime } = recordedRuntime()
    const seen: Seen = []
    const producer = start(source(seen), { runtime, bufferSize: 3, bufferKeep: 'last' })
    await producer.call(['a', 'b'])
    await producer.syncInfo('behind b')
    await settle(runtime)
    expect(valuesOf(seen, 'info')).toEqual([])

    await producer.call(['c', 'd', 'e'])
    await settle(runtime)
    expect(valuesOf(seen, 'info')).toEqual(['behind b'])
    expect(valuesOf(seen, 'discarded')).toEqual([2])
  })

  it('T42 GS-B8 GS-B10 divides the events of one ask, and infos of one place keep their order', async () => {
    const { runtime } = recordedRuntime()
    const seen: Seen = []
    const producer = start(source(seen), { runtime })
    const emit = (...events: Item[]) => producer.call(events)
    await emit('a', 'b', 'c')
    for (const message of ['d', 'e', 'f']) await producer.syncInfo(message)
    await emit('g', 'h')
    await producer.syncInfo('i')
    const peer = new RawConsumer(runtime, 'peer', seen)
    peer.subscribe(producer)
    peer.ask(producer, 5)
    await settle(runtime)
    expect(batches(seen)).toEqual([
      ['a', 'b', 'c'],
      ['g', 'h'],
    ])
    expect(valuesOf(seen, 'info')).toEqual(['d', 'e', 'f', 'i'])
  })
})
