import { start } from '@genstage/core'
import { addressOf } from '@genstage/core/protocol'
import { describe, expect, it } from 'vitest'
import { RawConsumer, RawProducer } from './support/raw-peer.ts'
import { recordedRuntime } from './support/recorded-runtime.ts'
import { counter, range, type Seen, sink, source } from './support/stages.ts'
import { settle } from './support/turns.ts'

const refusedWith = (code: string) => [
  'cancelled',
  expect.objectContaining({ type: 'error', error: expect.objectContaining({ code }) }),
]

describe('the protocol', () => {
  it('GS-A7 GS-P9 is open to peers that are no stages, which are sent what they ask for', async () => {
    const { runtime } = recordedRuntime()
    const producer = start(counter(), { runtime })
    const peer = new RawConsumer(runtime)
    peer.subscribe(producer)
    peer.ask(producer, 3)
    peer.ask(producer, 2)
    peer.cancel(producer)
    await settle(runtime)
    expect(peer.received).toEqual([
      ['subscribed', undefined],
      ['events', range(0, 3)],
      ['events', range(3, 5)],
      ['cancelled', { type: 'normal' }],
    ])
  })

  it('GS-A7 GS-J3 tells a peer that its producer has ended, and the producer that its peer has', async () => {
    const { runtime } = recordedRuntime()
    const seen: Seen = []
    const producer = start(source(seen), { runtime })
    const [first, second] = [new RawConsumer(runtime, 'first'), new RawConsumer(runtime, 'second')]
    first.subscribe(producer)
    second.subscribe(producer)
    first.end(producer, { type: 'noconnection' })
    await settle(runtime)
    expect(seen.at(-1)).toEqual(['cancelled', 'down', { type: 'noconnection' }, 'first-subscription'])
    await producer.stop()
    expect(second.received.at(-1)).toEqual(['producerDown', { type: 'normal' }])
  })

  it('GS-P7 GS-P9 has one message for what one callback emitted', async () => {
    const { runtime } = recordedRuntime()
    const producer = start(source(), { runtime })
    const peer = new RawConsumer(runtime)
    peer.subscribe(producer)
    peer.ask(producer, 9)
    producer.cast([1, 2, 3])
    producer.cast([4])
    await settle(runtime)
    expect(peer.received.slice(1)).toEqual([
      ['events', [1, 2, 3]],
      ['events', [4]],
    ])
  })

  it('GS-K1 lets a consumer ignore the end of a subscription that it does not have', async () => {
    const { runtime, lines } = recordedRuntime()
    const seen: Seen = []
    const consumer = start(sink(seen), { runtime })
    new RawProducer(runtime).cancel(consumer, 'nowhere', { type: 'killed' })
    await expect(consumer.call([])).resolves.toBe('ok')
    expect([seen, lines]).toEqual([[], []])
  })

  it('T97 GS-S8 answers a second subscription with one id by a cancel', async () => {
    const { runtime, lines } = recordedRuntime()
    const producer = start(counter(), { runtime })
    const peer = new RawConsumer(runtime)
    peer.subscribe(producer)
    peer.subscribe(producer)
    await settle(runtime)
    expect(peer.received).toEqual([['subscribed', undefined], refusedWith('DUPLICATED_SUBSCRIPTION')])
    expect(lines).toMatchObject([{ level: 'error', code: 'duplicated_subscription', stage: producer.id }])
    expect((await producer.inspect()).consumers).toHaveLength(1)
  })

  it('T98 GS-P8 answers an ask for an unknown subscription by a cancel', async () => {
    const { runtime } = recordedRuntime()
    const producer = start(counter(), { runtime })
    const peer = new RawConsumer(runtime)
    peer.ask(producer, 10)
    await settle(runtime)
    expect(peer.received).toEqual([refusedWith('UNKNOWN_SUBSCRIPTION')])
  })

  it('T99 GS-S2 GS-X11 logs what a consumer gets that is for producers; a subscription is refused, and the consumer lives', async () => {
    const { runtime, lines } = recordedRuntime()
    const consumer = start(sink(), { runtime })
    const peer = new RawConsumer(runtime)
    peer.subscribe(consumer)
    peer.ask(consumer, 1)
    peer.cancel(consumer)
    await settle(runtime)
    expect(peer.received).toEqual([refusedWith('NOT_A_PRODUCER')])
    expect(lines.map(({ level, code, stage }) => [level, code, stage])).toEqual(
      Array.from({ length: 3 }, () => ['error', 'not_a_producer', consumer.id]),
    )
    await expect(consumer.call([])).resolves.toBe('ok')
  })

  it('T100 GS-K12 answers events of an unknown subscription by a cancel, and drops them', async () => {
    const { runtime } = recordedRuntime()
    const seen: Seen = []
    const consumer = start(sink(seen), { runtime })
    const peer = new RawProducer(runtime)
    peer.emit(consumer, 'nowhere', [1, 2, 3])
    await settle(runtime)
    expect(peer.received).toEqual([
      ['cancel', expect.objectContaining({ error: expect.objectContaining({ code: 'UNKNOWN_SUBSCRIPTION' }) })],
    ])
    expect(seen).toEqual([])
  })

  it.each([
    ['events', { events: [] }],
    ['cancelled', { reason: { type: 'normal' } }],
  ] as const)(
    'T101 GS-K12 logs %s, which a producer gets though it is for consumers, and the producer lives',
    async (type, content) => {
      const { runtime, lines } = recordedRuntime()
      const producer = start(source(), { runtime })
      const { address: from } = new RawProducer(runtime)
      const message = { type, from, subscription: 'nowhere', ...content } as const
      addressOf(producer).post(message as Parameters<typeof from.post>[0])
      await settle(runtime)
      expect(lines).toMatchObject([{ level: 'error', code: 'protocol_error', stage: producer.id }])
      await expect(producer.call([])).resolves.toBe('ok')
    },
  )
})
