import { describe, expect, it } from 'vitest'
import { askedByHand, Pushed } from './support/iterables.ts'
import { recordedRuntime } from './support/recorded-runtime.ts'
import { type Item, range } from './support/stages.ts'
import { gate, settle } from './support/turns.ts'

const boom = new Error('boom')

describe('fromIterable of an async iterable', () => {
  it('GS-E2 takes one after the other, as many as are asked for, and hands each on as it comes', async () => {
    const { runtime } = recordedRuntime()
    const source = new Pushed()
    const { peer, ask } = askedByHand(runtime, source)
    await settle(runtime)
    expect(source.calls.next).toBe(0)
    ask(2)
    await settle(runtime)
    expect(source.calls.next).toBe(1)
    source.push('a')
    await settle(runtime)
    expect(peer.items).toEqual(['a'])
    source.push('b')
    await settle(runtime)
    expect(peer.items).toEqual(['a', 'b'])
    expect(source.calls.next).toBe(2)
    ask(1)
    await settle(runtime)
    expect(source.calls.next).toBe(3)
  })

  it('GS-E2 GS-P3 adds up what is asked while it waits', async () => {
    const { runtime } = recordedRuntime()
    const source = new Pushed()
    const { peer, ask } = askedByHand(runtime, source)
    for (const demand of [1, 2, 3]) ask(demand)
    for (const item of range(0, 8)) {
      await settle(runtime)
      source.push(item)
    }
    await settle(runtime)
    expect(peer.items).toEqual(range(0, 6))
    expect(source.calls.next).toBe(6)
  })

  it('GS-A1 keeps answering while it waits for the next item', async () => {
    const { runtime } = recordedRuntime()
    const { producer, ask } = askedByHand(runtime, new Pushed())
    ask(1)
    await settle(runtime)
    await expect(producer.estimateBufferedCount()).resolves.toBe(0)
  })

  it('GS-E4 ends normal behind its last item', async () => {
    const { runtime } = recordedRuntime()
    async function* three(): AsyncGenerator<Item> {
      yield* ['a', 'b', 'c']
    }
    const { producer, peer, ask } = askedByHand(runtime, three())
    ask(10)
    await expect(producer.exited).resolves.toEqual({ type: 'normal' })
    expect(peer.items).toEqual(['a', 'b', 'c'])
    expect(peer.received.at(-1)).toEqual(['producerDown', { type: 'normal' }])
  })

  it('GS-E8 F59 ends with the error that it is rejected with, behind the items before it', async () => {
    const { runtime } = recordedRuntime()
    const source = new Pushed()
    const { producer, peer, ask } = askedByHand(runtime, source)
    ask(5)
    await settle(runtime)
    source.push('a')
    await settle(runtime)
    source.fail(boom)
    await expect(producer.exited).resolves.toEqual({ type: 'error', error: boom })
    expect(peer.items).toEqual(['a'])
    expect(source.calls.return).toBe(0)
  })

  it('U30 GS-J10 closes the iterable, once, at a stop between two items', async () => {
    const { runtime } = recordedRuntime()
    const { opened: closed, open: close } = gate()
    async function* counting(): AsyncGenerator<Item> {
      try {
        for (let next = 0; ; next++) yield next
      } finally {
        close()
      }
    }
    const { producer, peer, ask } = askedByHand(runtime, counting())
    ask(3)
    await settle(runtime)
    await producer.stop()
    await closed
    expect(peer.items).toEqual([0, 1, 2])
  })

  it('U30 GS-J10 F59 closes the iterable at a stop also while it waits for an item that never comes', async () => {
    const { runtime } = recordedRuntime()
    const source = new Pushed()
    const { producer, ask } = askedByHand(runtime, source)
    ask(3)
    await settle(runtime)
    await expect(producer.stop()).resolves.toEqual({ type: 'normal' })
    expect(source.calls).toEqual({ next: 1, return: 1 })
    source.push('too late')
    await settle(runtime)
    expect(source.calls).toEqual({ next: 1, return: 1 })
  })
})
