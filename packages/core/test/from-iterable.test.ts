import { fromIterable, producerName, start } from '@genstage/core'
import { describe, expect, it } from 'vitest'
import { askedByHand, endless, handmade, watched } from './support/iterables.ts'
import { RawConsumer } from './support/raw-peer.ts'
import { recordedRuntime } from './support/recorded-runtime.ts'
import { batches, deliberately, type Item, range, type Seen, sink } from './support/stages.ts'
import { settle } from './support/turns.ts'

const boom = new Error('boom')

describe('fromIterable', () => {
  it('T116 GS-E1 GS-J4 is linked to another stage on request, and to nobody by default', async () => {
    const { runtime } = recordedRuntime()
    const failing = (): Iterable<Item> => {
      throw boom
    }
    const [linked, other] = [start(sink(), { runtime }), start(sink(), { runtime })]
    const first = start(fromIterable(failing), { runtime, link: linked })
    const second = start(fromIterable(failing), { runtime })
    await expect(first.exited).resolves.toEqual({ type: 'error', error: boom })
    await expect(second.exited).resolves.toEqual({ type: 'error', error: boom })
    await expect(linked.exited).resolves.toEqual({ type: 'error', error: boom })
    await expect(other.call([])).resolves.toBe('ok')
  })

  it('T117 GS-E1 takes a name, as every start does', () => {
    const { runtime } = recordedRuntime()
    const Letters = producerName<string>('letters')
    const producer = start(fromIterable(['a']), { runtime, name: Letters })
    expect(runtime.whereis(Letters)).toBe(producer)
  })

  it.each([
    ['lives on', 'by default', undefined],
    ['lives on', "with onCancel 'continue'", { onCancel: 'continue' }],
    ['ends', "with onCancel 'stop'", { onCancel: 'stop' }],
  ] as const)('T118 GS-E6 %s when its last consumer has gone, %s', async (outcome, _setting, options) => {
    const { runtime } = recordedRuntime()
    const producer = start(fromIterable(endless(), options), { runtime })
    const [first, second] = [new RawConsumer(runtime, 'first'), new RawConsumer(runtime, 'second')]
    for (const peer of [first, second]) peer.subscribe(producer)
    first.cancel(producer)
    await settle(runtime)
    expect((await producer.inspect()).consumers).toHaveLength(1)

    second.cancel(producer)
    await settle(runtime)
    if (outcome === 'lives on') expect((await producer.inspect()).consumers).toEqual([])
    else await expect(producer.exited).resolves.toEqual({ type: 'normal' })
  })

  it('GS-E2 GS-E3 takes just as many as are asked for, and goes on where it was', async () => {
    const { runtime } = recordedRuntime()
    const { watch, watching: source } = watched(endless())
    const { peer, ask } = askedByHand(runtime, source)
    await settle(runtime)
    expect(watch.taken).toBe(0)
    for (const demand of [3, 1, 4]) ask(demand)
    await settle(runtime)
    expect(peer.received.slice(1)).toEqual([
      ['events', [0, 1, 2]],
      ['events', [3]],
      ['events', [4, 5, 6, 7]],
    ])
    expect(watch.taken).toBe(8)
  })

  it('GS-E4 GS-E5 emits the last items and ends normal when what it has emitted is taken', async () => {
    const { runtime } = recordedRuntime()
    const { producer, peer, ask } = askedByHand(runtime, [1, 2, 3])
    ask(5)
    ask(5)
    await expect(producer.exited).resolves.toEqual({ type: 'normal' })
    expect(peer.received.slice(1)).toEqual([
      ['events', [1, 2, 3]],
      ['producerDown', { type: 'normal' }],
    ])
  })

  it('GS-E4 waits with its end until a buffer is empty', async () => {
    const { runtime } = recordedRuntime()
    const { watch, watching: source } = watched([1, 2, 3])
    const producer = start(fromIterable(source), { runtime })
    const [gone, next] = [new RawConsumer(runtime, 'gone'), new RawConsumer(runtime, 'next')]
    producer.setDemandMode('accumulate')
    gone.subscribe(producer)
    gone.ask(producer, 5)
    gone.cancel(producer)
    producer.setDemandMode('forward')
    await settle(runtime)
    expect(watch.closed).toBe(1)
    expect(await producer.estimateBufferedCount()).toBe(3)

    next.subscribe(producer)
    next.ask(producer, 2)
    await settle(runtime)
    expect(await producer.estimateBufferedCount()).toBe(1)
    next.ask(producer, 1)
    await expect(producer.exited).resolves.toEqual({ type: 'normal' })
    expect(next.items).toEqual([1, 2, 3])
  })

  it('GS-E5 GS-K5 ends its permanent consumer with normal, and a transient one lives', async () => {
    const { runtime } = recordedRuntime()
    const producer = start(fromIterable([1]), { runtime })
    const permanent = start(sink(), { runtime, subscribeTo: [producer] })
    const transient = start(sink(), { runtime, subscribeTo: [{ to: producer, cancel: 'transient' }] })
    await expect(permanent.exited).resolves.toEqual({ type: 'normal' })
    await expect(transient.call([])).resolves.toBe('ok')
  })

  it('GS-E7 sees a demand of 10 and then of 5 with maxDemand 10', async () => {
    const { runtime } = recordedRuntime()
    const seen: Seen = []
    const demands: number[] = []
    runtime.telemetry.on('handled', ({ callback, count }) => callback === 'handleDemand' && demands.push(count))
    const producer = start(fromIterable(range(0, 20)), { runtime })
    start(sink(seen), { runtime, subscribeTo: [{ to: producer, maxDemand: 10, cancel: 'transient' }] })
    await producer.exited
    await settle(runtime)
    expect(batches(seen)).toEqual([range(0, 5), range(5, 10), range(10, 15), range(15, 20)])
    expect(demands.slice(0, 4)).toEqual([10, 5, 5, 5])
  })

  it('GS-E8 F59 ends with the error that the iterable throws, behind the items before it', async () => {
    const { runtime } = recordedRuntime()
    function* failing(): Generator<number> {
      yield 1
      yield 2
      throw boom
    }
    const { producer, peer, ask } = askedByHand(runtime, failing())
    ask(5)
    await expect(producer.exited).resolves.toEqual({ type: 'error', error: boom })
    expect(peer.received.slice(1)).toEqual([
      ['events', [1, 2]],
      ['producerDown', { type: 'error', error: boom }],
    ])
  })

  it('U30 GS-J10 closes the iterable, once, at a stop in the middle', async () => {
    const { runtime } = recordedRuntime()
    const { watch, watching: source } = watched(range(0, 10))
    const { producer, ask } = askedByHand(runtime, source)
    ask(3)
    await settle(runtime)
    await Promise.all([producer.stop(), producer.stop()])
    expect(watch).toEqual({ taken: 3, closed: 1 })
  })

  it('U30 GS-J10 does not close an iterable that has come to its end', async () => {
    const { runtime } = recordedRuntime()
    const { calls, sync } = handmade(call => ({ done: call === 1, value: 1 }))
    const { producer, ask } = askedByHand(runtime, sync)
    ask(5)
    await producer.exited
    expect(calls).toEqual({ next: 2, return: 0 })
  })

  it('GS-J10 makes the iterable anew at each start when it gets a function', async () => {
    const { runtime } = recordedRuntime()
    const definition = fromIterable(() => [1, 2])
    for (let life = 0; life < 2; life++) {
      const all: number[] = []
      for await (const item of start(definition, { runtime }).stream({ cancel: 'transient' })) all.push(item)
      expect(all).toEqual([1, 2])
    }
  })

  it.each([5, null, undefined, 'letters', {}])('refuses %j, which cannot be iterated, with BAD_SOURCE', source => {
    expect(() => fromIterable(deliberately<readonly Item[]>(source))).toThrow(expect.objectContaining({ code: 'BAD_SOURCE' }))
  })
})
