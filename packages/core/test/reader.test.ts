import { fromIterable, producerName, type ProducerRef, type Runtime, start, stream } from '@genstage/core'
import type { ProtocolMessage } from '@genstage/core/protocol'
import { describe, expect, it } from 'vitest'
import { endless } from './support/iterables.ts'
import { RawProducer } from './support/raw-peer.ts'
import { recordedRuntime } from './support/recorded-runtime.ts'
import { counter, deliberately, demands, type Item, range, type Seen, sink, valuesOf } from './support/stages.ts'
import { gate, settle } from './support/turns.ts'

const Unknown = producerName<Item>('unknown')
const noThanks = { type: 'other', value: 'no thanks' } as const

/** The first events of an iterable; leaves it then. */
async function take<T>(count: number, events: AsyncIterable<T>): Promise<readonly T[]> {
  const taken: T[] = []
  for await (const event of events) if (taken.push(event) === count) break
  return taken
}

/** Whether nobody subscribes to the producer any more. */
async function isLeft(producer: ProducerRef<Item>): Promise<boolean> {
  return (await producer.inspect()).consumers.length === 0
}

/** A producer that refuses every subscription, and then lives on or ends. */
function refusing(runtime: Runtime, then: 'lives on' | 'ends'): RawProducer {
  return new RawProducer(runtime, (message: ProtocolMessage, self) => {
    if (message.type !== 'subscribe') return
    const { from, subscription } = message
    from.post({ type: 'cancelled', from: self, subscription, reason: noThanks })
    if (then === 'ends') from.post({ type: 'producerDown', from: self, subscription, reason: { type: 'normal' } })
  })
}

describe('a reader', () => {
  it('T102 GS-R3 GS-R6 takes 10 events of an endless producer, and leaves nothing behind', async () => {
    const { runtime } = recordedRuntime()
    const above: Seen = []
    const producer = start(counter(above), { runtime })
    await expect(take(10, stream([producer]))).resolves.toEqual(range(0, 10))
    expect(await isLeft(producer)).toBe(true)
    expect(demands(above)).toEqual([1_000])
  })

  it('T103 GS-R3 takes 300 events with a maxDemand of 100, and asks only when it comes back for more', async () => {
    const { runtime } = recordedRuntime()
    const above: Seen = []
    const producer = start(counter(above), { runtime })
    await expect(take(300, producer.stream({ maxDemand: 100 }))).resolves.toEqual(range(0, 300))
    expect(await isLeft(producer)).toBe(true)
    // After the last batch it did not come back for more
    expect(demands(above)).toEqual([100, 50, 50, 50, 50, 50])
  })

  it('T104 GS-R6 keeps out of the mailbox of a stage that reads: what others sent to it waits', async () => {
    const { runtime } = recordedRuntime()
    const seen: Seen = []
    const producer = start(counter(), { runtime })
    const reading = sink(seen, ctx => ({
      async handleCall() {
        ctx.self.send('of others')
        const events = await take(10, producer.stream())
        return { reply: events.join(' ') }
      },
    }))
    const stage = start(reading, { runtime })
    await expect(stage.call([])).resolves.toBe('0 1 2 3 4 5 6 7 8 9')
    await settle(runtime)
    expect(seen).toEqual([['info', 'of others']])
    expect(await isLeft(producer)).toBe(true)
  })

  it.each(['permanent', 'transient'] as const)(
    'T105 GS-R2 fails with noproc on opening when nobody has the name, %s',
    async cancel => {
      const { runtime } = recordedRuntime()
      const above: Seen = []
      const producer = start(counter(above), { runtime })
      const events = stream([{ to: Unknown, cancel }, producer], { runtime })
      await expect(take(10, events)).rejects.toMatchObject({ code: 'STOPPED', stage: 'unknown', reason: { type: 'noproc' } })
      expect(above).toEqual([])
    },
  )

  it.each(['permanent', 'transient'] as const)('T106 GS-R5 fails with noproc when the producer has ended, %s', async cancel => {
    const { runtime } = recordedRuntime()
    const producer = start(counter(), { runtime })
    await producer.stop()
    const gone = { code: 'STOPPED', stage: producer.id, reason: { type: 'noproc' } }
    await expect(take(10, producer.stream({ cancel }))).rejects.toMatchObject(gone)
  })

  it.each([
    ['T107', 'permanent', 'ends'],
    ['T107', 'transient', 'ends'],
    ['T108', 'permanent', 'lives on'],
    ['T108', 'transient', 'lives on'],
  ] as const)('%s GS-R5 fails with the reason of a cancel, %s, when the producer %s', async (_id, cancel, then) => {
    const { runtime } = recordedRuntime()
    const events = stream([{ to: refusing(runtime, then).ref, cancel }])
    await expect(take(10, events)).rejects.toMatchObject({ code: 'STOPPED', reason: noThanks })
  })

  it('T109 GS-R2 is empty when nobody has the name of a temporary subscription', async () => {
    const { runtime } = recordedRuntime()
    await expect(take(10, stream([{ to: Unknown, cancel: 'temporary' }], { runtime }))).resolves.toEqual([])
  })

  it('T110 GS-R5 is empty when the producer of a temporary subscription has ended', async () => {
    const { runtime } = recordedRuntime()
    const producer = start(counter(), { runtime })
    await producer.stop()
    await expect(take(10, producer.stream({ cancel: 'temporary' }))).resolves.toEqual([])
  })

  it.each([
    ['T111', 'ends'],
    ['T112', 'lives on'],
  ] as const)('%s GS-R5 is empty when a temporary subscription is refused and the producer %s', async (_id, then) => {
    const { runtime } = recordedRuntime()
    const { ref } = refusing(runtime, then)
    await expect(take(10, stream([{ to: ref, cancel: 'temporary' }]))).resolves.toEqual([])
  })

  it('T113 GS-R4 GS-E6 leaves an endless source alive', async () => {
    const { runtime } = recordedRuntime()
    const producer = start(fromIterable(endless()), { runtime })
    await expect(take(10, producer.stream({ cancel: 'transient' }))).resolves.toEqual(range(0, 10))
    await settle(runtime)
    expect((await producer.inspect()).consumers).toEqual([])
  })

  it('T114 GS-E4 GS-R5 reads a finite source to its end, and the source ends', async () => {
    const { runtime } = recordedRuntime()
    const producer = start(fromIterable(range(0, 10)), { runtime })
    const all: Item[] = []
    for await (const event of producer.stream({ cancel: 'transient' })) all.push(event)
    expect(all).toEqual(range(0, 10))
    await expect(producer.exited).resolves.toEqual({ type: 'normal' })
  })

  it('T115 GS-R1 refuses bad options when it is made, before any iteration', async () => {
    const { runtime } = recordedRuntime()
    const above: Seen = []
    const producer = start(counter(above), { runtime })
    expect(() => stream([{ to: Unknown, maxDemand: 0 }])).toThrow(
      expect.objectContaining({ code: 'BAD_OPTION', option: 'maxDemand' }),
    )
    expect(() => producer.stream({ minDemand: 2_000 })).toThrow(
      expect.objectContaining({ code: 'BAD_OPTION', option: 'minDemand' }),
    )
    expect(() => stream(deliberately<readonly never[]>(producer))).toThrow(
      expect.objectContaining({ code: 'BAD_OPTION', option: 'subscriptions' }),
    )
    await settle(runtime)
    expect(above).toEqual([])
  })

  it('GS-R2 GS-R5 reads several producers until all have ended', async () => {
    const { runtime } = recordedRuntime()
    const lists = [range(0, 10), range(10, 20), []]
    const producers = lists.map(list => start(fromIterable(list), { runtime }))
    const all: Item[] = []
    for await (const event of stream(producers.map(to => ({ to, cancel: 'transient' as const, maxDemand: 4 })))) all.push(event)
    expect(all.toSorted((a, b) => Number(a) - Number(b))).toEqual(range(0, 20))
  })

  it('GS-R4 sets the demand mode of its producers when it has subscribed', async () => {
    const { runtime } = recordedRuntime()
    const producer = start(counter(), { runtime, demand: 'accumulate' })
    await expect(take(5, producer.stream())).resolves.toEqual(range(0, 5))
    expect(await producer.demandMode()).toBe('forward')
  })

  describe('that is left early', () => {
    const left = new Error('left')

    async function leave(how: 'break' | 'return' | 'throw', events: AsyncIterable<Item>): Promise<void> {
      for await (const event of events) {
        if (event !== 3) continue
        if (how === 'break') break
        if (how === 'return') return
        throw left
      }
    }

    it.each(['break', 'return', 'throw'] as const)('U29 GS-R6 cancels everything at a %s in the loop', async how => {
      const { runtime } = recordedRuntime()
      const above: [Seen, Seen] = [[], []]
      const producers = above.map(seen => start(counter(seen), { runtime }))
      const leaving = leave(how, stream(producers.map(to => ({ to, maxDemand: 10 }))))
      if (how === 'throw') await expect(leaving).rejects.toBe(left)
      else await leaving
      // Resolved means confirmed: nothing more is to come
      for (const seen of above) expect(seen.at(-1)?.slice(0, 3)).toEqual(['cancelled', 'cancel', { type: 'normal' }])
      for (const producer of producers) expect(await isLeft(producer)).toBe(true)
      expect(above.map(seen => valuesOf(seen, 'subscribed'))).toEqual([['consumer'], ['consumer']])
    })

    it('U29 GS-R6 waits for the confirmation, and drops what arrives before it', async () => {
      const { runtime } = recordedRuntime()
      const { opened: confirmed, open: confirm } = gate()
      const peer = new RawProducer(runtime, (message, self) => {
        const { type, from, subscription } = message
        if (type === 'ask') from.post({ type: 'events', from: self, subscription, events: range(0, 10) })
        if (type !== 'cancel') return
        void confirmed.then(() => {
          from.post({ type: 'events', from: self, subscription, events: ['late'] })
          from.post({ type: 'cancelled', from: self, subscription, reason: { type: 'normal' } })
        })
      })
      let taken: readonly Item[] | undefined
      const reading = take(3, stream([{ to: peer.ref, maxDemand: 10 }])).then(events => {
        taken = events
      })
      await settle(runtime)
      expect(peer.received.at(-1)).toEqual(['cancel', { type: 'normal' }])
      expect(taken).toBeUndefined()
      confirm()
      await reading
      expect(taken).toEqual([0, 1, 2])
    })

    it('U29 GS-R6 cancels everything when the signal is aborted', async () => {
      const { runtime } = recordedRuntime()
      const producer = start(counter([], 5), { runtime })
      const controller = new AbortController()
      const reading = take(10, producer.stream({ signal: controller.signal }))
      await settle(runtime)
      controller.abort(left)
      await expect(reading).rejects.toBe(left)
      expect(await isLeft(producer)).toBe(true)
    })
  })
})
