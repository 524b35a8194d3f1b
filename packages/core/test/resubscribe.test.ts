import { type AnySubscription, consumer, start, type Subscription } from '@genstage/core'
import { describe, expect, it } from 'vitest'
import { recordedRuntime } from './support/recorded-runtime.ts'
import { counter, type Item, type Seen, sink } from './support/stages.ts'
import { settle } from './support/turns.ts'

/** Ids of the subscriptions that a consumer was told of, in order. */
function subscribedIds(seen: Seen): readonly string[] {
  return seen.flatMap(entry => (entry[0] === 'subscribed' ? [entry[3]] : []))
}

/** A consumer that subscribes again, by itself, when it gets a message. */
function selfResubscribing(ids: string[]) {
  let current: AnySubscription | undefined
  return consumer.of<Item>()(() => ({
    handleEvents(_events: readonly Item[]) {},
    handleSubscribe(from: Subscription) {
      ids.push(from.id)
      current = from
    },
    handleInfo(_message: 'again') {
      if (current?.role === 'producer') current.resubscribe({ reason: { type: 'other', value: 'resubscribe' } })
    },
  }))
}

describe('resubscribe', () => {
  it('T51 GS-S9 gives a new subscription, and the callback runs for the old and the new one', async () => {
    const { runtime } = recordedRuntime()
    const [above, below]: [Seen, Seen] = [[], []]
    const producer = start(counter(above, 10), { runtime })
    const stage = start(sink(below), { runtime })
    const old = stage.subscribe({ to: producer, cancel: 'temporary' })
    await old.accepted
    const reason = { type: 'other', value: 'resubscribe' } as const
    const renewed = stage.subscribe({ to: producer, replaces: { subscription: old, reason } })
    await renewed.accepted
    await expect(old.ended).resolves.toEqual({ kind: 'cancel', reason })
    expect(renewed.id).not.toBe(old.id)
    expect(subscribedIds(below)).toEqual([old.id, renewed.id])
    expect(subscribedIds(above)).toEqual([old.id, renewed.id])
    expect((await producer.inspect()).consumers.map(edge => edge.subscription)).toEqual([renewed.id])
  })

  it('T52 GS-S9 takes an old subscription that has ended before', async () => {
    const { runtime } = recordedRuntime()
    const seen: Seen = []
    const producer = start(counter([], 10), { runtime })
    const stage = start(sink(seen), { runtime })
    const old = stage.subscribe({ to: producer, cancel: 'temporary' })
    old.cancel()
    await old.ended
    const renewed = old.resubscribe()
    await expect(renewed.accepted).resolves.toBeUndefined()
    expect(subscribedIds(seen)).toEqual([old.id, renewed.id])
  })

  it('T53 GS-S3 GS-S9 refuses bad options as subscribe does, and keeps the old subscription', async () => {
    const { runtime } = recordedRuntime()
    const producer = start(counter([], 10), { runtime })
    const stage = start(sink(), { runtime })
    const old = stage.subscribe({ to: producer })
    await old.accepted
    expect(() => old.resubscribe({ maxDemand: 0 })).toThrow(
      expect.objectContaining({
        code: 'BAD_OPTION',
        option: 'maxDemand',
        message: expect.stringMatching(/maxDemand .* from 1 .* not 0$/),
      }),
    )
    expect(() => old.resubscribe({ minDemand: 2_000 })).toThrow(
      expect.objectContaining({
        code: 'BAD_OPTION',
        option: 'minDemand',
        message: expect.stringMatching(/minDemand \(2000\).* to 999/),
      }),
    )
    await settle(runtime)
    expect((await stage.inspect()).producers.map(edge => edge.subscription)).toEqual([old.id])
  })

  it('T54 GS-S9 GS-S10 may be asked for by the consumer itself, from a callback', async () => {
    const { runtime } = recordedRuntime()
    const ids: string[] = []
    const producer = start(counter([], 10), { runtime })
    const stage = start(selfResubscribing(ids), { runtime, subscribeTo: [{ to: producer, cancel: 'temporary' }] })
    stage.send('again')
    await settle(runtime)
    expect(new Set(ids).size).toBe(2)
    expect((await producer.inspect()).consumers.map(edge => edge.subscription)).toEqual([ids[1]])
  })

  it('T55 GS-S9 GS-S10 may be asked for from a callback after the old subscription has ended', async () => {
    const { runtime } = recordedRuntime()
    const ids: string[] = []
    const producer = start(counter([], 10), { runtime })
    const stage = start(selfResubscribing(ids), { runtime })
    const old = stage.subscribe({ to: producer, cancel: 'temporary' })
    old.cancel()
    await old.ended
    stage.send('again')
    await settle(runtime)
    expect(ids).toEqual([old.id, expect.any(String)])
    expect(ids[1]).not.toBe(old.id)
    expect((await producer.inspect()).consumers.map(edge => edge.subscription)).toEqual([ids[1]])
  })
})
