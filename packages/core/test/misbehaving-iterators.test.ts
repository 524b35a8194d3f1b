import { fromIterable, start } from '@genstage/core'
import { describe, expect, it } from 'vitest'
import { askedByHand, handmade } from './support/iterables.ts'
import { recordedRuntime } from './support/recorded-runtime.ts'
import { deliberately, type Item } from './support/stages.ts'
import { settle } from './support/turns.ts'

const boom = new Error('boom')

function explode(): never {
  throw boom
}

describe.each(['sync', 'async'] as const)('fromIterable of an iterator that misbehaves, %s', kind => {
  it('F59 ends once, with the error, when next throws', async () => {
    const { runtime } = recordedRuntime()
    const { calls, [kind]: iterable } = handmade(explode)
    const { producer, peer, ask } = askedByHand(runtime, iterable)
    for (const demand of [1, 1]) ask(demand)
    await expect(producer.exited).resolves.toEqual({ type: 'error', error: boom })
    expect(peer.received.slice(1)).toEqual([['producerDown', { type: 'error', error: boom }]])
    expect(calls).toEqual({ next: 1, return: 0 })
  })

  it('F59 ends with the error when return throws at its stop', async () => {
    const { runtime } = recordedRuntime()
    const { calls, [kind]: iterable } = handmade(call => ({ done: false, value: call }), explode)
    const { producer, ask } = askedByHand(runtime, iterable)
    ask(1)
    await settle(runtime)
    await expect(producer.stop()).resolves.toEqual({ type: 'error', error: boom })
    expect(calls.return).toBe(1)
  })

  it.each([5, 'done', null, undefined])('F59 ends with an error when next answers %j, which is no result', async result => {
    const { runtime } = recordedRuntime()
    const { [kind]: iterable } = handmade(() => result)
    const { producer, peer, ask } = askedByHand(runtime, iterable)
    const { exited } = producer
    ask(2)
    await settle(runtime)
    expect(peer.received.slice(1)).toEqual([['producerDown', { type: 'error', error: expect.any(Error) }]])
    await expect(exited).resolves.toMatchObject({ type: 'error' })
  })

  it('F59 takes nothing after the end', async () => {
    const { runtime } = recordedRuntime()
    const { calls, [kind]: iterable } = handmade(call => ({ done: call === 1, value: call }))
    const { producer, peer, ask } = askedByHand(runtime, iterable)
    for (const demand of [3, 3]) ask(demand)
    await expect(producer.exited).resolves.toEqual({ type: 'normal' })
    expect(peer.items).toEqual([0])
    expect(calls).toEqual({ next: 2, return: 0 })
  })

  it('F59 fails to start with BAD_SOURCE when there is no iterator', async () => {
    const { runtime } = recordedRuntime()
    const method = kind === 'sync' ? Symbol.iterator : Symbol.asyncIterator
    const iterable = deliberately<Iterable<Item>>({ [method]: () => 5 })
    await expect(start(fromIterable(iterable), { runtime }).ready).rejects.toMatchObject({ code: 'BAD_SOURCE' })
  })
})
