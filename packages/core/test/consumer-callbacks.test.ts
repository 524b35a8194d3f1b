import { type CancelMode, consumer, ignore, type Reason, start, type Subscription } from '@genstage/core'
import { describe, expect, it } from 'vitest'
import { recordedRuntime } from './support/recorded-runtime.ts'
import { batches, counter, deliberately, type Seen, sink, source, valuesOf } from './support/stages.ts'
import { settle } from './support/turns.ts'

const oops = { type: 'other', value: { what: 'oops' } } as const
const killed = { type: 'killed' } as const

/** A consumer, subscribed and accepted, over a producer. */
async function subscribed(cancel: CancelMode) {
  const recorded = recordedRuntime()
  const { runtime } = recorded
  const seen: Seen = []
  const producer = start(counter([], 10), { runtime })
  const stage = start(sink(seen), { runtime })
  const subscription = stage.subscribe({ to: producer, cancel })
  await subscription.accepted
  return { ...recorded, seen, producer, stage, subscription }
}

/** What the consumer saw of the end. */
function endOf(seen: Seen): Seen {
  return seen.filter(([what]) => what === 'cancelled' || what === 'terminated')
}

function cancelled(kind: 'cancel' | 'down', reason: Reason, { id }: Subscription): Seen[number] {
  return ['cancelled', kind, reason, id]
}

describe('the callbacks of a consumer', () => {
  it('T69 GS-L2 do not start when the setup answers ignore', async () => {
    const { runtime } = recordedRuntime()
    const stage = start(
      consumer(() => ignore),
      { runtime, name: 'ignored' },
    )
    await expect(stage.ready).resolves.toBe('ignored')
    expect(runtime.whereis('ignored')).toBeUndefined()
  })

  it('T69 GS-L2 fail the start when the setup stops, without terminate', async () => {
    const { runtime } = recordedRuntime()
    const seen: Seen = []
    const stopping = sink(seen, ctx => {
      ctx.stop(oops)
      return {}
    })
    const stage = start(stopping, { runtime })
    await expect(stage.ready).rejects.toMatchObject({ code: 'SETUP_FAILED', reason: oops })
    await expect(stage.exited).resolves.toEqual(oops)
    expect(seen).toEqual([])
  })

  it('T69 GS-L2 fail the start with BAD_CALLBACKS when the setup answers anything else', async () => {
    const { runtime } = recordedRuntime()
    const stage = start(consumer(deliberately<() => typeof ignore>(() => 'unknown')), { runtime })
    await expect(stage.ready).rejects.toMatchObject({ code: 'BAD_CALLBACKS', message: expect.stringContaining('not "unknown"') })
  })

  it.each(['unknown', 'dispatcher', 'bufferSize', 'demand'])('T69 GS-L4 GS-L6 refuse the start with the option %s', option => {
    const { runtime } = recordedRuntime()
    const begin = () => start(sink(), { runtime, ...deliberately<object>({ [option]: 'value' }) })
    expect(begin).toThrow(
      expect.objectContaining({ code: 'BAD_OPTION', option, message: expect.stringContaining(`"${option}"`) }),
    )
    expect(runtime.topology().stages).toEqual([])
  })

  it('T69 GS-L8 refuse the start under a name that is taken', () => {
    const { runtime } = recordedRuntime()
    const holder = start(sink(), { runtime, name: 'taken' })
    expect(() => start(sink(), { runtime, name: 'taken' })).toThrow(
      expect.objectContaining({ code: 'NAME_TAKEN', message: expect.stringContaining(`"${holder.id}"`) }),
    )
  })

  it('T70 GS-S6 hear of their own subscription with the producer', async () => {
    const { seen, producer, subscription } = await subscribed('permanent')
    expect(seen[0]).toEqual(['subscribed', 'producer', producer.id, subscription.id])
  })

  it('T71 GS-S6 end the stage with BAD_RETURN when they answer no mode', async () => {
    const { runtime } = recordedRuntime()
    const odd = sink([], () => ({ handleSubscribe: () => deliberately<undefined>('unknown') }))
    const stage = start(odd, { runtime })
    stage.subscribe({ to: start(source(), { runtime }) })
    await expect(stage.exited).resolves.toMatchObject({ type: 'error', error: { code: 'BAD_RETURN', option: 'handleSubscribe' } })
  })

  it.each([
    ['T72 GS-K3', 'temporary', oops],
    ['T73', 'transient', { type: 'normal' }],
  ] as const)('%s GS-K5 hear of a cancel of a %s subscription, and the stage lives: %j', async (_ids, cancel, reason) => {
    const { runtime, seen, stage, subscription } = await subscribed(cancel)
    subscription.cancel(reason)
    await settle(runtime)
    expect(endOf(seen)).toEqual([cancelled('cancel', reason, subscription)])
    expect((await stage.inspect()).producers).toEqual([])
  })

  it.each([
    ['T74', 'transient'],
    ['T75', 'permanent'],
  ] as const)(
    '%s GS-K5 GS-K7 hear of a cancel of a %s subscription, and the stage ends with the very same reason',
    async (_id, cancel) => {
      const { seen, stage, subscription, lines } = await subscribed(cancel)
      subscription.cancel(oops)
      await expect(stage.exited).resolves.toBe(oops)
      expect(endOf(seen)).toEqual([cancelled('cancel', oops, subscription), ['terminated', oops]])
      expect(lines).toMatchObject([{ level: 'info', code: 'stopping_on_cancel', stage: stage.id }])
    },
  )

  it('GS-K4 that stop the stage at a cancel decide the reason, whatever the cancel mode', async () => {
    const { runtime, lines } = recordedRuntime()
    const ending = sink([], ctx => ({ handleCancel: () => ctx.stop('shutdown') }))
    const stage = start(ending, { runtime })
    const subscription = stage.subscribe({ to: start(source(), { runtime }), cancel: 'permanent' })
    await subscription.accepted
    subscription.cancel(oops)
    await expect(stage.exited).resolves.toEqual({ type: 'shutdown' })
    expect(lines).toEqual([])
  })

  it('GS-Q8 that stop the stage within a message see no more of it', async () => {
    const { runtime } = recordedRuntime()
    const seen: Seen = []
    const leaving = sink(seen, ctx => ({
      handleEvents(events) {
        seen.push(['events', events])
        if (events[0] === 1) ctx.stop()
      },
    }))
    const stage = start(leaving, {
      runtime,
      subscribeTo: [{ to: start(counter([], 4), { runtime }), maxDemand: 4, minDemand: 3 }],
    })
    await expect(stage.exited).resolves.toEqual({ type: 'normal' })
    expect(batches(seen)).toEqual([[0], [1]])
  })

  it('T76 GS-K1 GS-K3 hear that the producer of a temporary subscription was killed, and the stage lives', async () => {
    const { runtime, seen, producer, stage, subscription } = await subscribed('temporary')
    await producer.kill()
    await settle(runtime)
    expect(endOf(seen)).toEqual([cancelled('down', killed, subscription)])
    expect((await stage.inspect()).producers).toEqual([])
  })

  it.each([
    ['T77', 'transient'],
    ['T78', 'permanent'],
  ] as const)(
    '%s GS-K5 hear that the producer of a %s subscription was killed, and the stage ends so too',
    async (_id, cancel) => {
      const { seen, producer, stage, subscription } = await subscribed(cancel)
      await producer.kill()
      await expect(stage.exited).resolves.toEqual(killed)
      expect(endOf(seen)).toEqual([cancelled('down', killed, subscription), ['terminated', killed]])
    },
  )

  it('T79 GS-K13 hear in handleInfo of an end that belongs to no subscription', async () => {
    const { runtime } = recordedRuntime()
    const seen: Seen = []
    const other = start(source(), { runtime })
    const watching = sink(seen, ctx => {
      ctx.monitor(other)
      return {}
    })
    await start(watching, { runtime }).ready
    await other.stop(oops)
    await settle(runtime)
    expect(valuesOf(seen, 'info')).toEqual([{ type: 'down', stage: other, reason: oops }])
  })

  it('T80 GS-L10 end with terminate, with the reason of the stop', async () => {
    const { seen, stage } = await subscribed('permanent')
    await stage.stop()
    expect(seen.at(-1)).toEqual(['terminated', { type: 'normal' }])
  })

  it('T81 GS-P6 that return events get an error in the log, and the call is answered', async () => {
    const { runtime, lines } = recordedRuntime()
    const emitting = sink([], () => ({ handleCall: deliberately(() => ({ reply: 'ok', events: ['f', 'g', 'h'] })) }))
    const stage = start(emitting, { runtime, name: 'emitting' })
    await expect(stage.call([])).resolves.toBe('ok')
    expect(lines).toMatchObject([
      { level: 'error', code: 'consumer_cannot_emit', stage: 'emitting', text: expect.stringContaining('"emitting"') },
    ])
  })

  it('T82 GS-O2 show in inspect the type and the producers', async () => {
    const { producer, stage } = await subscribed('permanent')
    expect(await stage.inspect()).toMatchObject({
      id: stage.id,
      type: 'consumer',
      producers: [{ producer: producer.id, consumer: stage.id }],
      consumers: [],
    })
  })
})
