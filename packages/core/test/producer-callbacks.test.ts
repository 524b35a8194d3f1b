import { type Down, ignore, producer, shutdown, start } from '@genstage/core'
import { describe, expect, it } from 'vitest'
import { RawConsumer } from './support/raw-peer.ts'
import { recordedRuntime } from './support/recorded-runtime.ts'
import { deliberately, type Item, range, type Seen, sink, source, valuesOf } from './support/stages.ts'
import { gate, settle } from './support/turns.ts'

const oops = { type: 'other', value: 'oops' } as const

describe('the callbacks of a producer', () => {
  it('T58 GS-L2 do not start when the setup answers ignore', async () => {
    const { runtime } = recordedRuntime()
    const stage = start(
      producer(() => ignore),
      { runtime, name: 'ignored' },
    )
    await expect(stage.ready).resolves.toBe('ignored')
    await expect(stage.exited).resolves.toEqual({ type: 'normal' })
    expect(runtime.whereis('ignored')).toBeUndefined()
  })

  it('T58 GS-L2 fail the start with SETUP_FAILED and the reason when the setup stops, without terminate', async () => {
    const { runtime } = recordedRuntime()
    const seen: Seen = []
    const stopping = source(seen, ctx => {
      ctx.stop(oops)
      return {}
    })
    const stage = start(stopping, { runtime })
    await expect(stage.ready).rejects.toMatchObject({ code: 'SETUP_FAILED', stage: stage.id, reason: oops })
    await expect(stage.exited).resolves.toEqual(oops)
    expect(seen).toEqual([])
  })

  it('T58 GS-L2 fail the start with BAD_CALLBACKS when the setup answers anything else', async () => {
    const { runtime } = recordedRuntime()
    const wrong = producer(deliberately<() => typeof ignore>(() => 'unknown'))
    const stage = start(wrong, { runtime })
    await expect(stage.ready).rejects.toMatchObject({ code: 'BAD_CALLBACKS', message: expect.stringContaining('not "unknown"') })
  })

  it.each([
    ['bufferSize', { bufferSize: -1 }, /bufferSize must be a whole number from 0, or Infinity, not -1/],
    ['dispatcher', { dispatcher: 0 }, /dispatcher must be a factory.* not 0/],
    ['unknown', { unknown: 'value' }, /unknown option "unknown"/],
    ['subscribeTo', { subscribeTo: [] }, /unknown option "subscribeTo"/],
  ])('T58 GS-L3 GS-L4 GS-L7 refuse the start with BAD_OPTION for a bad %s', (option, options, message) => {
    const { runtime } = recordedRuntime()
    const begin = () => start(source(), { runtime, ...deliberately<object>(options) })
    expect(begin).toThrow(expect.objectContaining({ code: 'BAD_OPTION', option, message: expect.stringMatching(message) }))
    expect(runtime.topology().stages).toEqual([])
  })

  it('T58 GS-L8 refuse the start with NAME_TAKEN and tell who has the name', async () => {
    const { runtime } = recordedRuntime()
    const holder = start(source(), { runtime, name: 'taken' })
    expect(() => start(source(), { runtime, name: 'taken' })).toThrow(
      expect.objectContaining({ code: 'NAME_TAKEN', message: expect.stringContaining(`"${holder.id}"`) }),
    )
    expect(runtime.whereis('taken')).toBe(holder)
  })

  it('T59 GS-S6 hear of a consumer with its subscription', async () => {
    const { runtime } = recordedRuntime()
    const seen: Seen = []
    const stage = start(source(seen), { runtime })
    const consumer = start(sink(), { runtime })
    const subscription = consumer.subscribe({ to: stage })
    await subscription.accepted
    expect(seen[0]).toEqual(['subscribed', 'consumer', consumer.id, subscription.id])
  })

  it('T60 GS-S6 end the stage with BAD_RETURN when they answer manual to a consumer', async () => {
    const { runtime } = recordedRuntime()
    const manual = source([], () => ({ handleSubscribe: () => deliberately<undefined>('manual') }))
    const stage = start(manual, { runtime })
    const subscription = start(sink(), { runtime }).subscribe({ to: stage, cancel: 'temporary' })
    await expect(stage.exited).resolves.toMatchObject({ type: 'error', error: { code: 'BAD_RETURN', option: 'handleSubscribe' } })
    await expect(subscription.accepted).rejects.toMatchObject({ code: 'STOPPED' })
  })

  it('T61 GS-K10 hear of a cancel with its reason', async () => {
    const { runtime } = recordedRuntime()
    const seen: Seen = []
    const stage = start(source(seen), { runtime })
    const subscription = start(sink(), { runtime }).subscribe({ to: stage, cancel: 'temporary' })
    await subscription.accepted
    subscription.cancel(oops)
    await subscription.ended
    expect(seen.at(-1)).toEqual(['cancelled', 'cancel', oops, subscription.id])
  })

  it('T62 GS-K10 hear that a consumer was killed', async () => {
    const { runtime } = recordedRuntime()
    const seen: Seen = []
    const stage = start(source(seen), { runtime })
    const consumer = start(sink(), { runtime })
    const subscription = consumer.subscribe({ to: stage, cancel: 'temporary' })
    await subscription.accepted
    await consumer.kill()
    await settle(runtime)
    expect(seen.at(-1)).toEqual(['cancelled', 'down', { type: 'killed' }, subscription.id])
  })

  it('T63 GS-C4 send the events of a call before its reply', async () => {
    const { runtime } = recordedRuntime()
    const stage = start(source(), { runtime })
    const peer = new RawConsumer(runtime)
    peer.subscribe(stage)
    peer.ask(stage, 3)
    await stage.call([1, 2, 3])
    expect(peer.items).toEqual([1, 2, 3])
  })

  it('T64 GS-C4 may reply before they send the events', async () => {
    const { runtime } = recordedRuntime()
    const { opened, open } = gate()
    const early = source([], () => ({
      async handleCall(events, reply) {
        reply('early')
        await opened
        return { events }
      },
    }))
    const stage = start(early, { runtime })
    const peer = new RawConsumer(runtime)
    peer.subscribe(stage)
    peer.ask(stage, 3)
    await expect(stage.call([1, 2, 3])).resolves.toBe('early')
    expect(peer.items).toEqual([])
    open()
    await settle(runtime)
    expect(peer.items).toEqual([1, 2, 3])
  })

  it('T65 GS-C4 may stop the stage with a reply', async () => {
    const { runtime } = recordedRuntime()
    const stopping = source([], ctx => ({
      handleCall() {
        ctx.stop('shutdown')
        return { reply: 'ok' }
      },
    }))
    const stage = start(stopping, { runtime })
    const downs: Down[] = []
    stage.monitor(down => downs.push(down))
    await expect(stage.call([])).resolves.toBe('ok')
    await expect(stage.exited).resolves.toEqual(shutdown())
    expect(downs).toEqual([{ type: 'down', stage, reason: shutdown() }])
  })

  it('GS-P4 GS-P7 may emit from each of them, with demand or without; what one returned stays together', async () => {
    const { runtime } = recordedRuntime()
    const emitting = source([], () => ({
      handleDemand: demand => range(0, demand),
      handleInfo: message => ['info', message as Item],
      handleCancel: () => ['cancel', 'led'],
    }))
    const producer = start(emitting, { runtime })
    const [leaver, peer] = [new RawConsumer(runtime, 'leaver'), new RawConsumer(runtime)]
    leaver.subscribe(producer)
    leaver.cancel(producer)
    await producer.call(['call', 'ed'])
    producer.cast(['ca', 'st'])
    producer.send('rmed')
    peer.subscribe(producer)
    await settle(runtime)
    expect(await producer.estimateBufferedCount()).toBe(8)

    peer.ask(producer, 11)
    await settle(runtime)
    expect(peer.items).toEqual(['cancel', 'led', 'call', 'ed', 'ca', 'st', 'info', 'rmed', 0, 1, 2])
  })

  it('T66 GS-K13 hear in handleInfo of an end that belongs to no subscription', async () => {
    const { runtime } = recordedRuntime()
    const seen: Seen = []
    const other = start(sink(), { runtime })
    const watching = source(seen, ctx => {
      ctx.monitor(other)
      return {}
    })
    await start(watching, { runtime }).ready
    await other.stop(oops)
    await settle(runtime)
    expect(valuesOf(seen, 'info')).toEqual([{ type: 'down', stage: other, reason: oops }])
  })

  it('T67 GS-L10 end with terminate, with the reason of the stop', async () => {
    const { runtime } = recordedRuntime()
    const seen: Seen = []
    const stage = start(source(seen), { runtime })
    await stage.ready
    await expect(stage.stop()).resolves.toEqual({ type: 'normal' })
    expect(seen).toEqual([['terminated', { type: 'normal' }]])
  })

  it('T68 GS-O2 show in inspect the type, the dispatcher, the consumers and the buffer', async () => {
    const { runtime } = recordedRuntime()
    const stage = start(source(), { runtime })
    const consumer = start(sink(), { runtime, subscribeTo: [stage] })
    await settle(runtime)
    expect(await stage.inspect()).toMatchObject({
      id: stage.id,
      type: 'producer',
      demandMode: 'forward',
      dispatcher: { type: 'demand' },
      producers: [],
      consumers: [{ producer: stage.id, consumer: consumer.id, demand: 1_000 }],
      buffered: 0,
    })
  })
})
