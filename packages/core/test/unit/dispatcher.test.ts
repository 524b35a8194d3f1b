import { describe, expect, it, onTestFinished } from 'vitest'
import type { Context } from '../../src/callbacks.ts'
import { producer } from '../../src/definition.ts'
import type { Dispatched, Dispatcher, DispatcherFactory } from '../../src/dispatcher.ts'
import { broadcastDispatcher } from '../../src/dispatchers/broadcast.ts'
import { demandDispatcher } from '../../src/dispatchers/demand.ts'
import { fairDispatcher } from '../../src/dispatchers/fair.ts'
import { partitionDispatcher } from '../../src/dispatchers/partition.ts'
import { rateLimit } from '../../src/dispatchers/rate-limit.ts'
import { GenStageError } from '../../src/errors.ts'
import { peerAddress } from '../../src/absent.ts'
import type { Reason } from '../../src/reason.ts'
import type { Runtime } from '../../src/refs.ts'
import { createRuntime } from '../../src/runtime.ts'
import { addressOf } from '../../src/stage-ref.ts'
import { start } from '../../src/start.ts'
import { Rig } from './support/rig.ts'

/** Every dispatcher, with the options of its first and second subscription. */
const dispatchers: readonly (readonly [name: string, factory: DispatcherFactory<number>, options: readonly [object, object]])[] =
  [
    ['demandDispatcher', demandDispatcher(), [{}, {}]],
    ['broadcastDispatcher', broadcastDispatcher(), [{}, {}]],
    ['fairDispatcher', fairDispatcher(), [{}, { weight: 2 }]],
    ['rateLimit', rateLimit(demandDispatcher(), { events: 10, perMs: 1 }), [{}, {}]],
    [
      'partitionDispatcher',
      partitionDispatcher({ partitions: 2, hash: (event: number) => event % 2 }),
      [{ partition: 0 }, { partition: 1 }],
    ],
  ]

describe.each(dispatchers)('%s as a dispatcher', (_name, factory, [first, second]) => {
  function rigWithTwo(): Rig<number> {
    const rig = new Rig(factory)
    rig.subscribe('a', first)
    rig.subscribe('b', second)
    return rig
  }

  it('GS-G1 is made with fresh state each time', () => {
    const used = rigWithTwo()
    used.ask('a', 3)
    used.ask('b', 3)
    const fresh = new Rig(factory)
    expect(fresh.ask('a', 3)).toBe(0)
    expect(() => fresh.subscribe('a', first)).not.toThrow()
    expect(fresh.allowance).toBe(0)
  })

  it('GS-G2 takes a subscription, which by itself can take nothing', () => {
    const rig = new Rig(factory)
    expect(rig.subscribe('a', first)).toBe(0)
    expect(rig.allowance).toBe(0)
    expect(rig.dispatch([1, 2])).toEqual([1, 2])
    expect(rig.delivered()).toEqual([])
  })

  it('GS-G3 delivers nothing to a subscription that has ended', () => {
    const rig = rigWithTwo()
    rig.ask('a', 5)
    rig.ask('b', 5)
    rig.cancel('a')
    rig.dispatch([0, 1, 2, 3, 4, 5])
    expect(rig.delivered().map(([to]) => to)).not.toContain('a')
  })

  it('GS-G3 GS-G4 is not changed by an ask or a cancel of somebody it does not know (any more)', () => {
    const rig = rigWithTwo()
    rig.ask('a', 5)
    rig.ask('b', 5)
    const before = rig.dispatcher.inspect?.()
    expect([rig.ask('stranger', 3), rig.cancel('stranger')]).toEqual([0, 0])
    expect(rig.dispatcher.inspect?.()).toEqual(before)

    rig.cancel('b')
    const { allowance } = rig
    expect([rig.cancel('b'), rig.ask('b', 3)]).toEqual([0, 0])
    expect(rig.allowance).toBe(allowance)
  })

  it('GS-G5 answers what it cannot deliver or hold, in order', () => {
    const rig = rigWithTwo()
    rig.ask('a', 2)
    rig.ask('b', 2)
    const { allowance } = rig
    const events = Array.from({ length: 20 }, (_, index) => index)
    expect(rig.dispatch(events)).toEqual(events.slice(allowance))
    expect(rig.allowance).toBe(0)
  })

  it('GS-G5 answers everything when there is no consumer', () => {
    const rig = new Rig(factory)
    expect(rig.dispatch([3, 1, 2])).toEqual([3, 1, 2])
  })

  it('GS-G6 gives an info back when it holds no events', () => {
    const rig = rigWithTwo()
    rig.info('hello')
    expect(rig.infos()).toEqual(['hello'])
  })

  it('GS-G7 does not change the arrays it is given', () => {
    const rig = rigWithTwo()
    rig.ask('a', 2)
    rig.ask('b', 2)
    const events = Object.freeze([0, 1, 2, 3, 4, 5])
    rig.dispatch(events)
    rig.dispatch(events)
    expect(events).toEqual([0, 1, 2, 3, 4, 5])
  })
})

/** Emits what it is told to, and ends when it is told to. */
const Told = producer.of<number>()((_: undefined, ctx: Context) => ({
  handleDemand: () => {},
  handleCast: (events: readonly number[]) => events,
  handleInfo: (message: 'stay' | 'end') => {
    if (message === 'end') ctx.stop()
  },
}))

interface Scene {
  readonly runtime: Runtime
  readonly uncaught: GenStageError[]
}

function scene(): Scene {
  const uncaught: GenStageError[] = []
  const quiet = (): void => {}
  const logger = { debug: quiet, info: quiet, warn: quiet, error: quiet }
  const runtime = createRuntime({ logger, onUncaught: error => uncaught.push(error) })
  onTestFinished(() => runtime.stop({ timeout: 0 }))
  return { runtime, uncaught }
}

/** A dispatcher that takes everything, apart from what is said otherwise. */
function dispatcherWith(parts: Partial<Dispatcher>): DispatcherFactory {
  const willing = (): Dispatched => ({ allowance: 0 })
  return () => ({
    subscribe: willing,
    ask: willing,
    cancel: willing,
    dispatch: events => ({ allowance: 0, leftover: events }),
    ...parts,
  })
}

/** Starts a producer with this dispatcher, has everything happen to it, and answers how it ended. */
async function endWith(factory: DispatcherFactory): Promise<Reason> {
  const { runtime } = scene()
  const ref = start(Told, { dispatcher: factory, runtime })
  const from = peerAddress(runtime, { id: 'peer', type: 'consumer', post: () => {} })
  const to = addressOf(ref)
  to.post({ type: 'subscribe', from, subscription: 's', options: {}, current: undefined })
  ref.asyncInfo('stay')
  to.post({ type: 'ask', from, subscription: 's', demand: 3 })
  ref.cast([1, 2])
  to.post({ type: 'cancel', from, subscription: 's', reason: { type: 'normal' } })
  ref.send('end')
  return ref.exited
}

function throwing(error: unknown): () => never {
  return () => {
    throw error
  }
}

describe('a dispatcher of a stage', () => {
  it('GS-G1 is made with chance and time of the runtime', async () => {
    const { runtime } = scene()
    const seen: number[] = []
    const ref = start(Told, {
      runtime,
      dispatcher: context => {
        seen.push(context.random(), context.now())
        return dispatcherWith({})(context)
      },
    })
    await ref.ready
    expect(seen).toHaveLength(2)
    expect(seen[0]).toBeGreaterThanOrEqual(0)
    expect(seen[0]).toBeLessThan(1)
    expect(seen[1]).toBeLessThanOrEqual(runtime.clock.now())
  })

  it('GS-G1 GS-G2 GS-G3 GS-G4 GS-G5 may do without info, wake, held and inspect', async () => {
    expect(await endWith(dispatcherWith({}))).toEqual({ type: 'normal' })
  })

  it.each(['subscribe', 'ask', 'cancel', 'dispatch', 'info'] as const)(
    'GS-G8 ends its stage when its %s throws, with the cause',
    async operation => {
      const cause = new Error('out of order')
      const reason = await endWith(dispatcherWith({ [operation]: throwing(cause) }))
      expect(reason).toMatchObject({ type: 'error', error: { code: 'DISPATCHER_FAILED', cause } })
    },
  )

  it('GS-G8 ends its stage when its wake throws, with the cause', async () => {
    const { runtime } = scene()
    const cause = new Error('out of order')
    const dispatcher = dispatcherWith({ subscribe: () => ({ allowance: 0, wakeAt: 0 }), wake: throwing(cause) })
    const ref = start(Told, { dispatcher, runtime })
    const from = peerAddress(runtime, { id: 'peer', type: 'consumer', post: () => {} })
    addressOf(ref).post({ type: 'subscribe', from, subscription: 's', options: {}, current: undefined })
    expect(await ref.exited).toMatchObject({ type: 'error', error: { code: 'DISPATCHER_FAILED', cause } })
  })

  it.each(['ask', 'cancel', 'dispatch', 'info'] as const)(
    'GS-G8 ends its stage with a GenStageError as it is when its %s throws one',
    async operation => {
      const error = new GenStageError('UNKNOWN_PARTITION', 'no such shelf')
      const reason = await endWith(dispatcherWith({ [operation]: throwing(error) }))
      expect(reason).toEqual({ type: 'error', error })
    },
  )

  it('X5 GS-G2 refuses one subscription when its subscribe throws a GenStageError, and is not told of its end', async () => {
    const told: string[] = []
    const reason = await endWith(
      dispatcherWith({
        subscribe: throwing(new GenStageError('UNKNOWN_PARTITION', 'no such shelf')),
        ask: () => {
          told.push('ask')
          return { allowance: 0 }
        },
        cancel: () => {
          told.push('cancel')
          return { allowance: 0 }
        },
      }),
    )
    expect(reason).toEqual({ type: 'normal' })
    expect(told).toEqual([])
  })

  const stranger = { subscriptionId: 's', consumerId: 'peer' }
  let known = stranger
  const remember: Dispatcher['subscribe'] = recipient => {
    known = recipient
    return { allowance: 0 }
  }

  it.each<[what: string, parts: Partial<Dispatcher>]>([
    ['a negative allowance', { ask: () => ({ allowance: -1 }) }],
    ['an allowance that is no whole number', { ask: () => ({ allowance: 0.5 }) }],
    ['an allowance of NaN', { subscribe: () => ({ allowance: NaN }) }],
    [
      'a delivery of more than was asked for',
      { subscribe: remember, dispatch: () => ({ allowance: 0, deliveries: [{ to: known, events: [1, 2, 3, 4] }] }) },
    ],
    [
      'a delivery to somebody it does not know',
      { dispatch: events => ({ allowance: 0, deliveries: [{ to: stranger, events }] }) },
    ],
    [
      'a delivery to a subscription that has ended',
      { subscribe: remember, cancel: () => ({ allowance: 0, deliveries: [{ to: known, events: [1] }] }) },
    ],
  ])('GS-G7 ends its stage when it answers %s', async (_what, parts) => {
    expect(await endWith(dispatcherWith(parts))).toMatchObject({ type: 'error', error: { code: 'DISPATCHER_FAILED' } })
  })
})
