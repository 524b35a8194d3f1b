import { type CancelMode, ignore, producerConsumer, shutdown, start } from '@genstage/core'
import { describe, expect, it } from 'vitest'
import { recordedRuntime } from './support/recorded-runtime.ts'
import { counter, deliberately, doubler, type Seen, sink } from './support/stages.ts'
import { settle } from './support/turns.ts'

const oops = { type: 'other', value: { what: 'oops' } } as const

/** A stage in the middle, with a consumer, and subscribed to a producer. */
async function subscribedUpstream(cancel: CancelMode) {
  const recorded = recordedRuntime()
  const { runtime } = recorded
  const seen: Seen = []
  const producer = start(counter([], 10), { runtime })
  const stage = start(doubler(seen), { runtime })
  const consumer = start(sink(), { runtime, subscribeTo: [{ to: stage, cancel: 'temporary' }] })
  const subscription = stage.subscribe({ to: producer, cancel })
  await settle(runtime)
  return { ...recorded, seen, producer, stage, consumer, subscription }
}

/** A stage in the middle with a consumer. */
async function subscribedDownstream() {
  const { runtime } = recordedRuntime()
  const seen: Seen = []
  const stage = start(doubler(seen), { runtime })
  const consumer = start(sink(), { runtime })
  const subscription = consumer.subscribe({ to: stage, cancel: 'temporary' })
  await subscription.accepted
  return { runtime, seen, stage, consumer, subscription }
}

/** What the stage saw of the end of a subscription, and of its own. */
function endOf(seen: Seen): Seen {
  return seen.filter(([what]) => what === 'cancelled' || what === 'terminated')
}

describe('the callbacks of a producer-consumer', () => {
  it('T83 GS-L2 do not start when the setup answers ignore', async () => {
    const { runtime } = recordedRuntime()
    const stage = start(
      producerConsumer(() => ignore),
      { runtime, name: 'ignored' },
    )
    await expect(stage.ready).resolves.toBe('ignored')
    expect(runtime.whereis('ignored')).toBeUndefined()
  })

  it('T83 GS-L2 fail the start when the setup stops, without terminate', async () => {
    const { runtime } = recordedRuntime()
    const seen: Seen = []
    const stopping = doubler(seen, ctx => {
      ctx.stop(oops)
      return {}
    })
    const stage = start(stopping, { runtime })
    await expect(stage.ready).rejects.toMatchObject({ code: 'SETUP_FAILED', reason: oops })
    await expect(stage.exited).resolves.toEqual(oops)
    expect(seen).toEqual([])
  })

  it('T83 GS-L2 fail the start with BAD_CALLBACKS when the setup answers anything else', async () => {
    const { runtime } = recordedRuntime()
    const stage = start(producerConsumer(deliberately<() => typeof ignore>(() => 'unknown')), { runtime })
    await expect(stage.ready).rejects.toMatchObject({ code: 'BAD_CALLBACKS', message: expect.stringContaining('not "unknown"') })
  })

  it.each([
    ['bufferSize', -1],
    ['bufferKeep', 'middle'],
    ['dispatcher', 0],
    ['subscribeTo', 'all'],
    ['unknown', 'value'],
    ['demand', 'accumulate'],
  ])('T83 GS-L4 GS-L5 GS-L7 refuse the start with BAD_OPTION for the option %s: %j', (option, value) => {
    const { runtime } = recordedRuntime()
    const begin = () => start(doubler(), { runtime, ...deliberately<object>({ [option]: value }) })
    expect(begin).toThrow(expect.objectContaining({ code: 'BAD_OPTION', option, message: expect.stringContaining(option) }))
    expect(runtime.topology().stages).toEqual([])
  })

  it('T83 GS-L8 refuse the start under a name that is taken', () => {
    const { runtime } = recordedRuntime()
    const holder = start(doubler(), { runtime, name: 'taken' })
    expect(() => start(doubler(), { runtime, name: 'taken' })).toThrow(
      expect.objectContaining({ code: 'NAME_TAKEN', message: expect.stringContaining(`"${holder.id}"`) }),
    )
  })

  it('T84 GS-S6 GS-C6 hear of a subscriber below with the role consumer', async () => {
    const { seen, consumer, subscription } = await subscribedDownstream()
    expect(seen).toEqual([['subscribed', 'consumer', consumer.id, subscription.id]])
  })

  it('T85 GS-S6 end the stage with BAD_RETURN when they answer manual to a subscriber below', async () => {
    const { runtime } = recordedRuntime()
    const manual = doubler([], () => ({ handleSubscribe: () => 'manual' as const }))
    const stage = start(manual, { runtime })
    start(sink(), { runtime, subscribeTo: [{ to: stage, cancel: 'temporary' }] })
    await expect(stage.exited).resolves.toMatchObject({ type: 'error', error: { code: 'BAD_RETURN', option: 'handleSubscribe' } })
  })

  it('T86 GS-K10 hear of a cancel from below with its reason', async () => {
    const { seen, subscription } = await subscribedDownstream()
    subscription.cancel(oops)
    await subscription.ended
    expect(endOf(seen)).toEqual([['cancelled', 'cancel', oops, subscription.id]])
  })

  it('T87 GS-K10 hear that a consumer below was killed', async () => {
    const { runtime, seen, consumer, subscription } = await subscribedDownstream()
    await consumer.kill()
    await settle(runtime)
    expect(endOf(seen)).toEqual([['cancelled', 'down', { type: 'killed' }, subscription.id]])
  })

  it('T88 GS-S6 GS-C6 hear of their own subscription with the role producer', async () => {
    const { seen, producer, subscription } = await subscribedUpstream('permanent')
    expect(seen).toContainEqual(['subscribed', 'producer', producer.id, subscription.id])
  })

  it('T89 GS-S6 end the stage with BAD_RETURN when they answer no mode', async () => {
    const { runtime } = recordedRuntime()
    const odd = doubler([], () => ({ handleSubscribe: () => deliberately<undefined>('unknown') }))
    const stage = start(odd, { runtime, subscribeTo: [start(counter([], 10), { runtime })] })
    await expect(stage.exited).resolves.toMatchObject({ type: 'error', error: { code: 'BAD_RETURN', option: 'handleSubscribe' } })
  })

  it('T90 GS-K5 hear of a cancel of a temporary subscription above, and the stage lives', async () => {
    const { runtime, seen, stage, subscription } = await subscribedUpstream('temporary')
    subscription.cancel(oops)
    await settle(runtime)
    expect(endOf(seen)).toEqual([['cancelled', 'cancel', oops, subscription.id]])
    expect((await stage.inspect()).producers).toEqual([])
  })

  it('T91 GS-K5 hear of a cancel of a permanent subscription above, and the stage ends with the reason', async () => {
    const { seen, stage, subscription } = await subscribedUpstream('permanent')
    subscription.cancel(oops)
    await expect(stage.exited).resolves.toBe(oops)
    expect(endOf(seen)).toEqual([
      ['cancelled', 'cancel', oops, subscription.id],
      ['terminated', oops],
    ])
  })

  it.each([
    ['T92', 'temporary', 'killed'],
    ['T93', 'transient', 'shutdown'],
  ] as const)(
    '%s GS-K5 hear of the end of the producer of a %s subscription, and the stage lives: %s',
    async (_id, cancel, end) => {
      const { runtime, seen, producer, stage, subscription } = await subscribedUpstream(cancel)
      const reason = await (end === 'killed' ? producer.kill() : producer.stop(end))
      await settle(runtime)
      expect(reason).toEqual(end === 'killed' ? { type: 'killed' } : shutdown())
      expect(endOf(seen)).toEqual([['cancelled', 'down', reason, subscription.id]])
      expect((await stage.inspect()).producers).toEqual([])
    },
  )

  it.each([
    ['T94', 'transient'],
    ['T95', 'permanent'],
  ] as const)(
    '%s GS-K5 hear that the producer of a %s subscription was killed, and the stage ends so too',
    async (_id, cancel) => {
      const { seen, producer, stage, subscription } = await subscribedUpstream(cancel)
      await producer.kill()
      await expect(stage.exited).resolves.toEqual({ type: 'killed' })
      expect(endOf(seen)).toEqual([
        ['cancelled', 'down', { type: 'killed' }, subscription.id],
        ['terminated', { type: 'killed' }],
      ])
    },
  )

  it('T96 GS-O2 show in inspect the type, the dispatcher, the producers, the consumers and the buffer', async () => {
    const { producer, stage, consumer } = await subscribedUpstream('permanent')
    expect(await stage.inspect()).toMatchObject({
      id: stage.id,
      type: 'producerConsumer',
      dispatcher: { type: 'demand' },
      producers: [{ producer: producer.id, consumer: stage.id }],
      consumers: [{ producer: stage.id, consumer: consumer.id }],
      buffered: 0,
    })
  })
})
