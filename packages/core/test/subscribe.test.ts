import { broadcastDispatcher, producerName, start } from '@genstage/core'
import { describe, expect, it } from 'vitest'
import { recordedRuntime } from './support/recorded-runtime.ts'
import { counter, type Item, type Seen, sink, source, valuesOf } from './support/stages.ts'
import { settle } from './support/turns.ts'

const Unknown = producerName<Item>('unknown')

describe('subscribe', () => {
  it('T43 GS-S1 gives a subscription with an id, and resolves accepted', async () => {
    const { runtime } = recordedRuntime()
    const producer = start(counter([], 10), { runtime })
    const consumer = start(sink(), { runtime })
    const subscription = consumer.subscribe({ to: producer })
    expect(subscription).toMatchObject({ id: expect.any(String), producer, consumer, role: 'producer' })
    await expect(subscription.accepted).resolves.toBeUndefined()
  })

  it('T44 GS-L9 rejects accepted when the consumer has ended, and does not throw', async () => {
    const { runtime } = recordedRuntime()
    const above: Seen = []
    const producer = start(source(above), { runtime })
    const consumer = start(sink(), { runtime })
    await consumer.stop()
    const subscription = consumer.subscribe({ to: producer })
    await expect(subscription.accepted).rejects.toMatchObject({ code: 'STOPPED', stage: consumer.id })
    await expect(subscription.ended).resolves.toEqual({ kind: 'down', reason: { type: 'noproc' } })
    await settle(runtime)
    expect(above).toEqual([])
  })

  it('T45 GS-S3 logs and throws BAD_OPTION with the bound that was broken, and subscribes nothing', async () => {
    const { runtime, lines } = recordedRuntime()
    const [above, below]: [Seen, Seen] = [[], []]
    const producer = start(source(above), { runtime })
    const consumer = start(sink(below), { runtime })
    await settle(runtime)
    expect(() => consumer.subscribe({ to: producer, maxDemand: 0 })).toThrow(
      expect.objectContaining({
        code: 'BAD_OPTION',
        option: 'maxDemand',
        message: expect.stringMatching(/maxDemand .* from 1 .* not 0$/),
      }),
    )
    expect(() => consumer.subscribe({ to: producer, minDemand: 2_000 })).toThrow(
      expect.objectContaining({
        code: 'BAD_OPTION',
        option: 'minDemand',
        message: expect.stringMatching(/minDemand \(2000\).* to 999/),
      }),
    )
    await settle(runtime)
    expect(lines.map(({ level, code }) => [level, code])).toEqual([
      ['error', 'bad_opts'],
      ['error', 'bad_opts'],
    ])
    expect([above, below]).toEqual([[], []])
  })

  it('T46 GS-S4 ends a permanent consumer with noproc when nobody has the name, and logs the name', async () => {
    const { runtime, lines } = recordedRuntime()
    const seen: Seen = []
    const consumer = start(sink(seen), { runtime })
    const subscription = consumer.subscribe({ to: Unknown })
    await expect(subscription.accepted).rejects.toMatchObject({ code: 'STOPPED', stage: 'unknown', reason: { type: 'noproc' } })
    await expect(consumer.exited).resolves.toEqual({ type: 'noproc' })
    expect(lines).toMatchObject([
      { level: 'error', code: 'noproc', stage: consumer.id, text: expect.stringContaining('"unknown"') },
    ])
    expect(seen).toEqual([['terminated', { type: 'noproc' }]])
  })

  it('T47 GS-S5 ends a permanent consumer with noproc when the producer has ended', async () => {
    const { runtime } = recordedRuntime()
    const seen: Seen = []
    const producer = start(counter(), { runtime })
    await producer.stop()
    const consumer = start(sink(seen), { runtime })
    const subscription = consumer.subscribe({ to: producer })
    await expect(subscription.accepted).rejects.toMatchObject({ code: 'STOPPED', reason: { type: 'noproc' } })
    await expect(consumer.exited).resolves.toEqual({ type: 'noproc' })
    expect(seen).toEqual([
      ['subscribed', 'producer', producer.id, subscription.id],
      ['cancelled', 'down', { type: 'noproc' }, subscription.id],
      ['terminated', { type: 'noproc' }],
    ])
  })

  it('T48 GS-S4 lets a temporary consumer live when nobody has the name, and calls nothing', async () => {
    const { runtime, lines } = recordedRuntime()
    const seen: Seen = []
    const consumer = start(sink(seen), { runtime })
    const subscription = consumer.subscribe({ to: Unknown, cancel: 'temporary' })
    await expect(subscription.ended).resolves.toEqual({ kind: 'down', reason: { type: 'noproc' } })
    await settle(runtime)
    expect((await consumer.inspect()).producers).toEqual([])
    expect(seen).toEqual([])
    expect(lines).toEqual([])
  })

  it('T49 GS-S5 lets a temporary consumer live when the producer has ended', async () => {
    const { runtime } = recordedRuntime()
    const seen: Seen = []
    const producer = start(counter(), { runtime })
    await producer.stop()
    const consumer = start(sink(seen), { runtime })
    const subscription = consumer.subscribe({ to: producer, cancel: 'temporary' })
    await expect(subscription.ended).resolves.toEqual({ kind: 'down', reason: { type: 'noproc' } })
    await settle(runtime)
    expect((await consumer.inspect()).producers).toEqual([])
    expect(valuesOf(seen, 'cancelled')).toEqual(['down'])
    expect(valuesOf(seen, 'terminated')).toEqual([])
  })

  it('T50 GS-W3 GS-K8 GS-X6 refuses a second subscription to a broadcast, a third one too, and nobody ends', async () => {
    const { runtime, lines } = recordedRuntime()
    const producer = start(source(), { runtime, dispatcher: broadcastDispatcher() })
    const consumers = [start(sink(), { runtime }), start(sink(), { runtime })]
    for (const consumer of consumers) {
      const [first, second, third] = [1, 2, 3].map(() => consumer.subscribe({ to: producer }))
      await expect(first?.accepted).resolves.toBeUndefined()
      await expect(second?.accepted).rejects.toMatchObject({ code: 'ALREADY_SUBSCRIBED' })
      await expect(third?.accepted).rejects.toMatchObject({ code: 'ALREADY_SUBSCRIBED' })
      expect((await consumer.inspect()).producers.map(edge => edge.subscription)).toEqual([first?.id])
    }
    const { consumers: edges } = await producer.inspect()
    expect(edges.map(edge => edge.consumer)).toEqual(consumers.map(consumer => consumer.id))
    expect(lines.map(line => line.code)).toEqual(Array.from({ length: 4 }, () => 'already_subscribed'))
  })
})
