/** U32: one test for each adopted rule of section X. It names the rules that X overrides, and would fail on what GenStage 1.3.2 does. */
import { broadcastDispatcher, none, partitionDispatcher, producer, producerConsumer, start } from '@genstage/core'
import type { AnyMessages, DispatcherFactory, ProducerRef, StageRef } from '@genstage/core'
import { describe, expect, it } from 'vitest'
import { RawConsumer } from './support/raw-peer.ts'
import { recordedRuntime } from './support/recorded-runtime.ts'
import { batches, counter, deliberately, demands, doubler, items, range, sink, source, valuesOf } from './support/stages.ts'
import type { Item, Seen } from './support/stages.ts'
import { settle } from './support/turns.ts'

const oops = { type: 'other', value: 'oops' } as const

/** Events by parity: even ones to partition 0, odd ones to 1. */
const byParity: DispatcherFactory<Item> = partitionDispatcher({ partitions: 2, hash: (event: Item) => Number(event) % 2 })

/** A peer that has subscribed. */
function peerOf(
  to: ProducerRef<Item>,
  id: string,
  options: Readonly<Record<string, unknown>> = {},
  seen: Seen = [],
): RawConsumer {
  const peer = new RawConsumer(to.runtime, id, seen)
  peer.subscribe(to, options)
  return peer
}

describe('the X rules', () => {
  it('X1 over GS-D4 GS-D7: an ask is served from the buffer before it is set off against the demand of a leaver', async () => {
    const { runtime } = recordedRuntime()
    const [above, below]: [Seen, Seen] = [[], []]
    const stage = start(source(above), { runtime })
    const leaver = peerOf(stage, 'leaver')
    leaver.ask(stage, 10)
    leaver.cancel(stage)
    await stage.call([1, 2, 3, 4, 5])
    const next = peerOf(stage, 'next', {}, below)
    next.ask(stage, 3)
    await settle(runtime)
    expect(batches(below)).toEqual([[1, 2, 3]])

    await stage.call([6, 7])
    next.ask(stage, 9)
    await settle(runtime)
    expect(items(below)).toEqual(range(1, 8))
    // 12 were asked for, 10 of them of the leaver; 7 have been answered
    expect(demands(above)).toEqual([10, 2])
  })

  it('X1 over GS-PC4 GS-PC7: a stage in the middle whose consumer left makes what was asked for, and no more', async () => {
    const { runtime } = recordedRuntime()
    const [above, middle]: [Seen, Seen] = [[], []]
    const upstream = start(counter(above, 60), { runtime })
    const stage = start(doubler(middle), { runtime })
    const leaver = peerOf(stage, 'leaver')
    leaver.ask(stage, 6)
    leaver.end(stage, { type: 'killed' })
    stage.subscribe({ to: upstream, maxDemand: 4, minDemand: 0 })
    await settle(runtime)
    expect(batches(middle)).toEqual([range(0, 4)])
    expect(demands(above)).toEqual([4, 4])
    expect(await stage.estimateBufferedCount()).toBe(8)
  })

  it('X2 over GS-W4 GS-W6 GS-W7 GS-W9: a broadcast gives its buffer to the next consumer, newer events stay behind', async () => {
    const { runtime } = recordedRuntime()
    const [above, below]: [Seen, Seen] = [[], []]
    const stage = start(source(above), { runtime, dispatcher: broadcastDispatcher() })
    const leaver = peerOf(stage, 'leaver')
    leaver.ask(stage, 10)
    leaver.cancel(stage)
    await stage.call(range(0, 10))
    peerOf(stage, 'next', {}, below).ask(stage, 12)
    await stage.call([10, 11])
    await settle(runtime)
    expect(batches(below)).toEqual([range(0, 10), [10, 11]])
    expect(demands(above)).toEqual([10, 2])
  })

  it('X3 over GS-H5 GS-H13: events that the hash discards are asked for again', async () => {
    const { runtime } = recordedRuntime()
    const below: Seen = []
    const dispatcher = partitionDispatcher({ partitions: 1, hash: (event: Item) => (Number(event) % 2 === 0 ? 0 : none) })
    const stage = start(counter([], 40), { runtime, dispatcher })
    start(sink(below), { runtime, subscribeTo: [{ to: stage, maxDemand: 10, minDemand: 2, partition: 0 }] })
    await settle(runtime)
    expect(items(below)).toEqual(range(0, 20).map(half => half * 2))
  })

  it('X4 over GS-H4 GS-H8 GS-H11: a partition keeps its queue for the next consumer, and the others get its share', async () => {
    const { runtime } = recordedRuntime()
    const above: Seen = []
    const stage = start(source(above), { runtime, dispatcher: byParity })
    const [leaver, other] = [peerOf(stage, 'leaver', { partition: 0 }), peerOf(stage, 'other', { partition: 1 })]
    leaver.ask(stage, 1)
    other.ask(stage, 4)
    await stage.call([0, 2, 4])
    leaver.cancel(stage)
    await stage.call([1, 3, 5, 7])
    expect(other.items).toEqual([1, 3, 5, 7])

    const successor = peerOf(stage, 'successor', { partition: 0 })
    successor.ask(stage, 3)
    await settle(runtime)
    expect(successor.items).toEqual([2, 4])
    // The leaver's two queued events were asked for again; its successor asks for the rest
    expect(demands(above)).toEqual([1, 4, 2, 1])
  })

  it.each([
    ['a partition that is taken', 'PARTITION_TAKEN', byParity, { partition: 0 }],
    ['a partition that does not exist', 'UNKNOWN_PARTITION', byParity, { partition: 2 }],
    ['no partition', 'BAD_OPTION', byParity, {}],
    ['a selector that is no function', 'BAD_OPTION', broadcastDispatcher(), { selector: deliberately<() => boolean>(42) }],
  ])(
    'X5 over GS-W1 GS-H2: a subscription with %s is refused, and the producer lives',
    async (_what, code, dispatcher, options) => {
      const { runtime } = recordedRuntime()
      const [above, below]: [Seen, Seen] = [[], []]
      const stage = start(source(above), { runtime, dispatcher })
      const first = peerOf(stage, 'first', { partition: 0 })
      const [temporary, permanent] = [start(sink(below), { runtime }), start(sink(), { runtime })]
      const refused = temporary.subscribe({ to: stage, cancel: 'temporary', ...options })
      await expect(refused.accepted).rejects.toMatchObject({ code })
      expect(above.slice(1).map(([what]) => what)).toEqual(['subscribed', 'cancelled'])
      expect(valuesOf(below, 'cancelled')).toEqual(['cancel'])

      permanent.subscribe({ to: stage, ...options })
      await expect(permanent.exited).resolves.toMatchObject({ type: 'error', error: { code } })
      first.ask(stage, 1)
      await stage.call([0])
      expect(first.items).toEqual([0])
      await expect(temporary.call([])).resolves.toBe('ok')
    },
  )

  it('X6 over GS-W3: a broadcast refuses a consumer that it has also at the third attempt, so nothing arrives twice', async () => {
    const { runtime } = recordedRuntime()
    const below: Seen = []
    const stage = start(source(), { runtime, dispatcher: broadcastDispatcher() })
    const consumer = start(sink(below), { runtime })
    const [first, ...others] = [1, 2, 3].map(() => consumer.subscribe({ to: stage }))
    await first?.accepted
    for (const other of others) await expect(other.accepted).rejects.toMatchObject({ code: 'ALREADY_SUBSCRIBED' })
    await stage.call([1])
    await settle(runtime)
    expect(batches(below)).toEqual([[1]])
  })

  it('X8 over GS-W8 GS-Q7: nothing is sent when a selector picks nothing', async () => {
    const { runtime } = recordedRuntime()
    const [picky, open]: [Seen, Seen] = [[], []]
    const stage = start(source(), { runtime, dispatcher: broadcastDispatcher() })
    const manual = (seen: Seen) => sink(seen, () => ({ handleSubscribe: () => 'manual' as const }))
    const nothing = start(manual(picky), { runtime }).subscribe({ to: stage, selector: event => event === 'never' })
    const everything = start(manual(open), { runtime }).subscribe({ to: stage })
    for (const subscription of [nothing, everything]) subscription.ask(2)
    await settle(runtime)
    await stage.call([1, 2])
    await settle(runtime)
    expect(batches(open)).toEqual([[1, 2]])
    expect(batches(picky)).toEqual([])
  })

  it.each(['first', 'last'] as const)(
    'X9 over GS-L7: a buffer of size 0 discards all that is left over, keeping the %s',
    async keep => {
      const { runtime } = recordedRuntime()
      const seen: Seen = []
      const stage = start(source(seen), { runtime, bufferSize: 0, bufferKeep: keep })
      const peer = peerOf(stage, 'peer')
      peer.ask(stage, 2)
      await stage.call([1, 2, 3, 4])
      await stage.call([5])
      await stage.syncInfo('at once')
      await settle(runtime)
      expect(peer.items).toEqual([1, 2])
      expect(valuesOf(seen, 'discarded')).toEqual([2, 1])
      expect(valuesOf(seen, 'info')).toEqual(['at once'])
    },
  )

  it('X11 over GS-S2: a subscription to a consumer is refused, and a permanent subscriber ends', async () => {
    const { runtime, lines } = recordedRuntime()
    const target = start(sink(), { runtime })
    const to = deliberately<ProducerRef<Item>>(target)
    const [temporary, permanent] = [start(sink(), { runtime }), start(sink(), { runtime })]
    await expect(temporary.subscribe({ to, cancel: 'temporary' }).accepted).rejects.toMatchObject({ code: 'NOT_A_PRODUCER' })
    await expect(temporary.call([])).resolves.toBe('ok')
    permanent.subscribe({ to })
    await expect(permanent.exited).resolves.toMatchObject({ type: 'error', error: { code: 'NOT_A_PRODUCER' } })
    // Each sent its subscription and its first ask
    const logged = lines.filter(line => line.stage === target.id).map(line => line.code)
    expect(logged).toEqual(Array.from({ length: 4 }, () => 'not_a_producer'))
  })

  it('X12 over GS-M6: a stage in the middle answers forward when its demand mode is read', async () => {
    const { runtime } = recordedRuntime()
    const stage = start(doubler(), { runtime })
    await expect(stage.demandMode()).resolves.toBe('forward')
    await expect(stage.call([])).resolves.toBe('ok')
  })

  it('X13 over GS-S9: to resubscribe never ends the consumer, also where the old subscription is permanent', async () => {
    const { runtime } = recordedRuntime()
    const seen: Seen = []
    const to = start(source(), { runtime })
    const stage = start(sink(seen), { runtime })
    const old = stage.subscribe({ to })
    await old.accepted
    const renewed = old.resubscribe({ reason: oops })
    await renewed.accepted
    await expect(old.ended).resolves.toEqual({ kind: 'cancel', reason: oops })
    await settle(runtime)
    expect(seen.at(-1)).toEqual(['cancelled', 'cancel', oops, old.id])

    renewed.cancel(oops)
    await expect(stage.exited).resolves.toEqual(oops)
  })

  it('X14 over GS-S3: bad options in subscribeTo fail the start, and no producer hears of it', async () => {
    const { runtime, lines } = recordedRuntime()
    const above: Seen = []
    const to = start(source(above), { runtime })
    const begin = () => start(sink(), { runtime, name: 'never', subscribeTo: [to, { to, maxDemand: 0 }] })
    expect(begin).toThrow(expect.objectContaining({ code: 'BAD_OPTION', option: 'maxDemand' }))
    await settle(runtime)
    expect(above).toEqual([])
    expect(runtime.whereis('never')).toBeUndefined()
    expect(lines.map(line => line.code)).toEqual(['bad_opts'])
  })

  it('X16 over GS-PC10: events of a producer that has gone come from that producer', async () => {
    const { runtime } = recordedRuntime()
    const from: unknown[] = []
    const upstream = start(counter([], 3), { runtime })
    const noting = doubler([], () => ({
      handleEvents(events, { producer: sender }) {
        from.push(sender)
        return events
      },
    }))
    const stage = start(noting, { runtime, subscribeTo: [{ to: upstream, cancel: 'temporary' }] })
    await settle(runtime)
    await upstream.kill()
    const peer = peerOf(stage, 'peer')
    peer.ask(stage, 5)
    await settle(runtime)
    expect(peer.items).toEqual([0, 1, 2])
    expect(from.map(sender => sender === upstream)).toEqual([true])
  })

  it('X17 over GS-I5: an info waits behind the events that are held while accumulating', async () => {
    const { runtime } = recordedRuntime()
    const seen: Seen = []
    const stage = start(source(seen), { runtime, demand: 'accumulate' })
    await stage.syncInfo('at once')
    await stage.call([1, 2])
    await stage.syncInfo('behind 2')
    await stage.call([3])
    await settle(runtime)
    expect(valuesOf(seen, 'info')).toEqual(['at once'])

    stage.setDemandMode('forward')
    peerOf(stage, 'peer', {}, seen).ask(stage, 2)
    await settle(runtime)
    expect(seen.slice(2)).toEqual([
      ['events', [1, 2]],
      ['info', 'behind 2'],
    ])
  })

  it('X17 over GS-M3 GS-M4: events that were buffered before accumulating leave before those held since', async () => {
    const { runtime } = recordedRuntime()
    const seen: Seen = []
    const stage = start(source(seen), { runtime })
    await stage.call([1, 2, 3])
    stage.setDemandMode('accumulate')
    await stage.call([4, 5])
    await stage.call([6])
    const peer = peerOf(stage, 'peer')
    peer.ask(stage, 5)
    await settle(runtime)
    expect(peer.items).toEqual([])

    stage.setDemandMode('forward')
    await settle(runtime)
    expect(peer.items).toEqual([1, 2, 3, 4, 5])
    // What was asked for above the buffer has been answered by 4 and 5
    expect(demands(seen)).toEqual([])
    peer.ask(stage, 1)
    await settle(runtime)
    expect(peer.items).toEqual(range(1, 7))
  })

  it('X17 over GS-M3: demand for discarded events takes nothing out of the buffer while accumulating (X3, GS-M2)', async () => {
    const { runtime } = recordedRuntime()
    const hash = (event: Item) => (Number(event) % 2 === 0 ? 0 : none)
    const stage = start(source(), { runtime, dispatcher: partitionDispatcher({ partitions: 1, hash }) })
    const peer = peerOf(stage, 'peer', { partition: 0 })
    peer.ask(stage, 2)
    await settle(runtime)
    stage.cast([1, 2, 4, 6, 8])
    stage.setDemandMode('accumulate')
    peer.ask(stage, 2)
    await settle(runtime)
    expect(peer.items).toEqual([2, 4])

    stage.setDemandMode('forward')
    await settle(runtime)
    expect(peer.items).toEqual([2, 4, 6, 8])
  })

  it('X19 over GS-B11 GS-B13: in an infinite buffer too an info belongs to the event before it, and is not counted', async () => {
    const { runtime } = recordedRuntime()
    const seen: Seen = []
    const stage = start(source(seen), { runtime, bufferSize: Infinity })
    await stage.call([1, 2])
    await stage.syncInfo('behind 2')
    await stage.call([3])
    expect(await stage.estimateBufferedCount()).toBe(3)
    peerOf(stage, 'peer', {}, seen).ask(stage, 2)
    await settle(runtime)
    expect(seen.slice(1)).toEqual([
      ['events', [1, 2]],
      ['info', 'behind 2'],
    ])
  })

  it.each([
    ['producer', producer(() => ({ handleDemand: (demand: number) => range(0, demand) }))],
    ['producer-consumer', producerConsumer(() => ({ handleEvents: (events: readonly number[]) => events }))],
  ])('X20 over GS-C handleCall: a %s without one rejects the call with NO_HANDLER, and lives', async (_type, definition) => {
    const { runtime } = recordedRuntime()
    const stage = start(definition, { runtime, name: 'deaf' })
    const called = deliberately<StageRef<AnyMessages>>(stage).call('anything')
    await expect(called).rejects.toMatchObject({
      code: 'NO_HANDLER',
      stage: 'deaf',
      message: expect.stringMatching(/"deaf" .*handleCall/),
    })
    await expect(stage.estimateBufferedCount()).resolves.toBe(0)
  })

  it('X23 over GS-K10: what handleCancel emits is not sent to the consumer that leaves, but waits for the next one', async () => {
    const { runtime } = recordedRuntime()
    const stage = start(
      source([], () => ({ handleCancel: () => [90, 91] })),
      { runtime, dispatcher: broadcastDispatcher() },
    )
    const leaver = peerOf(stage, 'leaver')
    leaver.ask(stage, 3)
    leaver.cancel(stage)
    await settle(runtime)
    expect(leaver.items).toEqual([])
    expect(await stage.estimateBufferedCount()).toBe(2)

    const next = peerOf(stage, 'next')
    next.ask(stage, 3)
    await settle(runtime)
    expect(next.items).toEqual([90, 91])
  })
})
