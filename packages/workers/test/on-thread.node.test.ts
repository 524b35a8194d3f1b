/** What a stage can do on a thread: all that it can do elsewhere. */
import { consumer, fromIterable, partitionDispatcher, producer, type Runtime, start } from '@genstage/core'
import { describe, expect, it } from 'vitest'
import { allOf, liveThreads, recordedRuntime, threaded, threadsGone } from './support/threads.ts'

const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index + 1)

describe('onThread', () => {
  it('INV-5 INV-6 hands on every event once and in order, and ends with its producer', async () => {
    const { runtime, uncaught } = recordedRuntime()
    const source = start(fromIterable(numbers(1_000)), { runtime })
    const double = start(threaded('Double'), { runtime, subscribeTo: [{ to: source, maxDemand: 7 }] })
    const out = await allOf(double.stream({ cancel: 'transient' }))
    expect(out).toEqual(numbers(1_000).map(number => number * 2))
    expect(await double.exited).toEqual({ type: 'normal' })
    await threadsGone()
    expect([liveThreads.size, uncaught]).toEqual([0, []])
  })

  it('runs setup and callbacks on another thread, with the argument and a context', async () => {
    const { runtime } = recordedRuntime()
    const source = start(fromIterable([1]), { runtime })
    const where = start(threaded('Where'), { runtime, name: 'where', arg: { greeting: 'hello' }, subscribeTo: [source] })
    expect(await allOf(where.stream({ cancel: 'transient' }))).toEqual([
      {
        event: 1,
        greeting: 'hello',
        isMainThread: false,
        isOther: true,
        name: 'where',
        self: 'where',
        restartCount: 0,
        stopping: false,
        signal: false,
        now: 'number',
      },
    ])
  })

  it.each([
    ['that wait', (runtime: Runtime) => start(threaded('EchoLater'), { runtime })],
    ['in flight', (runtime: Runtime) => start(threaded('EchoInFlight'), { runtime })],
  ])('INV-5 keeps the order of events with asynchronous callbacks: %s', async (_, startEcho) => {
    const { runtime } = recordedRuntime()
    const source = start(fromIterable(numbers(60)), { runtime })
    const echo = startEcho(runtime)
    echo.subscribe({ to: source, maxDemand: 12, minDemand: 9 })
    expect(await allOf(echo.stream({ cancel: 'transient' }))).toEqual(numbers(60))
  })

  it.each(['Sum', 'FrozenSum'] as const)('takes an instance of a class for its callbacks: %s', async name => {
    const { runtime } = recordedRuntime()
    const sum = start(threaded(name), { runtime })
    const reader = sum.stream({ maxDemand: 4 })[Symbol.asyncIterator]()
    const first = reader.next()
    sum.subscribe({ to: start(fromIterable([1, 2, 3]), { runtime }), cancel: 'temporary' })
    expect(await first).toEqual({ done: false, value: 6 })
    expect(await sum.call('sum')).toBe(6)
    await runtime.stop()
    await reader.return?.()
  })

  it('runs consumers', async () => {
    const { runtime } = recordedRuntime()
    const source = start(fromIterable(numbers(50)), { runtime })
    const keeper = start(threaded('Keeper', { type: 'consumer' }), {
      runtime,
      subscribeTo: [{ to: source, cancel: 'temporary', maxDemand: 8 }],
    })
    await source.exited
    expect(await keeper.call('kept')).toEqual(numbers(50))
    expect(await keeper.call('stop')).toEqual(numbers(50))
    expect(await keeper.exited).toEqual({ type: 'normal' })
  })
})

describe('messages', () => {
  it('GS-C1 GS-C4 reach the callbacks on the thread, and what they give comes back in order', async () => {
    const { runtime, lines } = recordedRuntime()
    const talker = start(threaded('Talker'), { runtime, name: 'talker' })
    const out: string[] = []
    const Reader = consumer(() => ({
      handleEvents(events: readonly string[]) {
        out.push(...events)
      },
    }))
    const reader = start(Reader, { runtime, subscribeTo: [{ to: talker, cancel: 'transient' }] })
    await reader.ready
    expect(await talker.call('one')).toBe('reply one')
    expect(out).toEqual(['call one']) // dispatched before the reply is sent
    const late = talker.call('later')
    talker.cast('two')
    talker.send('three')
    await talker.syncInfo('four')
    talker.cast('self')
    talker.cast('answer')
    expect(await late).toBe('late')
    talker.cast('log')
    await talker.inspect()
    expect(out).toEqual([
      'call one',
      'cast two',
      'info three',
      'info four',
      'cast self',
      'info myself',
      'cast answer',
      'cast log',
    ])
    const line = lines.find(({ text }) => text === 'a line')
    expect([line?.level, line?.fields?.['of'], line?.fields?.['odd']]).toEqual(['warn', 'mine', 'a function'])
    expect(line?.fields?.['error']).toBeInstanceOf(RangeError)
    await talker.stop()
  })

  it('timers of the thread come as infos, with their events', async () => {
    const { runtime } = recordedRuntime()
    const talker = start(threaded('Talker'), { runtime })
    const reader = talker.stream({ maxDemand: 2 })[Symbol.asyncIterator]()
    const first = reader.next()
    talker.cast('after')
    expect((await first).value).toBe('cast after')
    using _ = runtime.keepAlive()
    expect((await reader.next()).value).toBe('info the timer')
    await reader.return?.()
    await talker.stop()
  })

  it('GS-X20 a call without handleCall is refused, and the stage lives on; a cast without handleCast fails it', async () => {
    const { runtime } = recordedRuntime()
    const mute = start(threaded('Mute'), { runtime, name: 'mute' })
    await expect(mute.call('anything' as never)).rejects.toMatchObject({ code: 'NO_HANDLER', stage: 'mute' })
    mute.send('nothing' as never)
    await mute.inspect()
    mute.cast('anything' as never)
    expect(await mute.exited).toMatchObject({ type: 'error', error: { code: 'NO_HANDLER' } })
  })

  it('a call that is not answered rejects when the stage ends', async () => {
    const { runtime } = recordedRuntime()
    const talker = start(threaded('Talker'), { runtime })
    const call = talker.call('never')
    await talker.call('one')
    talker.cast('stop')
    await expect(call).rejects.toMatchObject({ code: 'STOPPED' })
    expect(await talker.exited).toEqual({ type: 'normal' })
  })

  it('ctx.stop ends the stage with its reason, behind the events of that callback', async () => {
    const { runtime } = recordedRuntime()
    const talker = start(threaded('Talker'), { runtime })
    const out = allOf(talker.stream({ cancel: 'temporary' }))
    talker.cast('one')
    talker.cast('stop for a reason')
    expect(await talker.exited).toEqual({ type: 'other', value: 'a reason' })
    expect(await out).toEqual(['cast one', 'cast stop for a reason'])
  })

  it('ctx.discard is told on this side', async () => {
    const { runtime } = recordedRuntime()
    const discarded: unknown[] = []
    runtime.telemetry.on('discarded', ({ name, events, reason }) => discarded.push([name, events, reason]))
    const talker = start(threaded('Talker'), { runtime, name: 'talker' })
    talker.cast('discard')
    await talker.inspect()
    expect(discarded).toEqual([['talker', ['lost'], 'source_overflow']])
    await talker.stop()
  })
})

describe('subscriptions', () => {
  it('GS-S7 manual demand is asked for from the thread, and cancelled there', async () => {
    const { runtime } = recordedRuntime()
    const asked: number[] = []
    let next = 1
    const Asked = producer(() => ({
      handleDemand(demand) {
        asked.push(demand)
        return Array.from({ length: demand }, () => next++)
      },
    }))
    const source = start(Asked, { runtime })
    const byHand = start(threaded('ByHand'), { runtime })
    const reader = byHand.stream({ maxDemand: 100 })[Symbol.asyncIterator]()
    const first = reader.next()
    const link = byHand.subscribe({ to: source, cancel: 'temporary' })
    expect((await first).value).toBe(1)
    expect(asked).toEqual([1])
    byHand.cast('next')
    expect([(await reader.next()).value, (await reader.next()).value, asked]).toEqual([2, 3, [1, 2]])
    byHand.cast('cancel')
    expect(await link.ended).toEqual({ kind: 'cancel', reason: { type: 'shutdown' } })
    await reader.return?.()
    await runtime.stop()
  })

  it('GS-K10 are told to the callbacks, with their producers and options', async () => {
    const { runtime } = recordedRuntime()
    const source = start(fromIterable(['a', 'b']), {
      runtime,
      name: 'letters',
      dispatcher: partitionDispatcher({ partitions: ['x'], hash: () => 'x' }),
    })
    const stage = start(threaded('Subscribed'), { runtime })
    const out = allOf(stage.stream({ cancel: 'transient', maxDemand: 10 }))
    stage.subscribe({ to: source, partition: 'x', cancel: 'transient' })
    await source.exited
    await stage.inspect()
    await stage.stop('normal', { drain: true })
    expect(await out).toEqual([
      'a of letters',
      'b of letters',
      'subscribed producer letters x',
      'ended producer letters x down normal',
    ])
  })
})
