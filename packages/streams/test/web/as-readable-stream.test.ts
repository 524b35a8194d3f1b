import { broadcastDispatcher, consumer, fromIterable, partitionDispatcher, producer, start } from '@genstage/core'
import { probeProducer } from '@genstage/testing'
import { describe, expect, it } from 'vitest'
import { asReadableStream } from '../../src/index.ts'
import { quiet, range, recordedRuntime, rejectionOf, thrownBy, wrong } from './support/recorded-runtime.ts'

function counter() {
  const asked: number[] = []
  let next = 0
  const Counter = producer(() => ({
    handleDemand(demand) {
      asked.push(demand)
      return Array.from({ length: demand }, () => next++)
    },
  }))
  return { Counter, given: () => next }
}

describe('asReadableStream', () => {
  it('subscribes at the first read, and asks as it is read', async () => {
    const { runtime } = recordedRuntime()
    const { Counter, given } = counter()
    const stream = asReadableStream(start(Counter, { runtime }), { maxDemand: 2, minDemand: 0 })
    await quiet()
    expect(given()).toBe(0)
    const reader = stream.getReader()
    for (let read = 0; read < 7; read++) {
      expect(await reader.read()).toEqual({ done: false, value: read })
      await quiet(3)
      expect(given()).toBe(Math.ceil((read + 1) / 2) * 2)
    }
    await reader.cancel()
  })

  it.each([1, 5])('INV-23 a highWaterMark of %i lets as many wait in the stream before anybody reads', async highWaterMark => {
    const { runtime } = recordedRuntime()
    const { Counter, given } = counter()
    const stream = asReadableStream(start(Counter, { runtime }), { highWaterMark, maxDemand: 1, minDemand: 0 })
    await quiet()
    // One more is asked for when the last of them has been taken out of the subscription
    expect(given()).toBe(highWaterMark)
    await stream.cancel()
  })

  it('INV-23 size says what an event counts in it', async () => {
    const { runtime } = recordedRuntime()
    const { Counter, given } = counter()
    const stream = asReadableStream(start(Counter, { runtime }), { highWaterMark: 10, size: number => number, maxDemand: 1 })
    await quiet()
    expect(given()).toBe(5) // 0 + 1 + 2 + 3 + 4 make 10
    await stream.cancel()
  })

  it('F60 a size that throws errors it, and cancels the subscription', async () => {
    const { runtime } = recordedRuntime()
    const error = new Error('no size')
    const probe = probeProducer<number>()
    const stage = start(probe.definition, { runtime })
    const size = (): number => {
      throw error
    }
    const reader = asReadableStream(stage, { highWaterMark: 5, size }).getReader()
    stage.cast([1])
    expect(await rejectionOf(reader.closed)).toBe(error)
    await quiet()
    expect(probe.cancels).toHaveLength(1)
  })

  it('closes at a graceful end, behind the last event', async () => {
    const { runtime } = recordedRuntime()
    const numbers = start(fromIterable(['one ', 'two']), { runtime })
    expect(await new Response(asReadableStream(numbers).pipeThrough(new TextEncoderStream())).text()).toBe('one two')
  })

  it.each([
    ['normal', 'normal', undefined],
    ['an error', { type: 'error', error: new Error('it had failed') }, 'it had failed'],
    ['a kill', { type: 'killed' }, 'the stage has ended: killed'],
  ] as const)('ends as the stage has ended before anybody read: %s', async (_, reason, message) => {
    const { runtime } = recordedRuntime()
    const stage = start(counter().Counter, { runtime })
    const stream = asReadableStream(stage)
    await stage.stop(reason)
    const failure = await rejectionOf(stream.getReader().read())
    if (message === undefined) expect(failure).toBeUndefined()
    else expect(failure).toMatchObject({ message })
    if (typeof reason === 'object' && 'error' in reason) expect(failure).toBe(reason.error)
  })

  it('F60 a stage that fails errors it with that very error, once it is read', async () => {
    const { runtime, takeUncaught } = recordedRuntime()
    const error = new Error('thrown by handleDemand')
    const Failing = producer(() => ({
      handleDemand(): readonly number[] {
        throw error
      },
    }))
    const stream = asReadableStream(start(Failing, { runtime }))
    expect(await rejectionOf(stream.getReader().read())).toBe(error)
    await quiet()
    // Nobody watched the stage itself
    expect(takeUncaught().map(each => each.cause)).toEqual([error])
  })

  it('F60 a partition that is taken is told with its code', async () => {
    const { runtime } = recordedRuntime()
    const dispatcher = partitionDispatcher<number>({ partitions: 1, hash: () => 0 })
    const stage = start(counter().Counter, { runtime, dispatcher })
    const first = asReadableStream(stage, { partition: 0 }).getReader()
    expect((await first.read()).value).toBe(0)
    const second = asReadableStream(stage, { partition: 0 })
    expect(await rejectionOf(second.getReader().read())).toMatchObject({ code: 'PARTITION_TAKEN' })
    await first.cancel()
  })

  it('passes subscription options on: a selector', async () => {
    const { runtime } = recordedRuntime()
    const probe = probeProducer<number>()
    const stage = start(probe.definition, { runtime, dispatcher: broadcastDispatcher() })
    const reader = asReadableStream(stage, { selector: number => number % 2 === 0 }).getReader()
    const first = reader.read()
    await quiet()
    stage.cast([1, 3, 4])
    expect((await first).value).toBe(4)
    await reader.cancel()
  })

  it('F60 INV-12 cancel cancels the subscription, waits for that, and the stage lives on', async () => {
    const { runtime } = recordedRuntime()
    const probe = probeProducer<number>()
    const stage = start(probe.definition, { runtime })
    const stream = asReadableStream(stage)
    const reader = stream.getReader()
    const read = reader.read()
    await quiet()
    expect(probe.subscribers).toHaveLength(1)
    await reader.cancel('enough')
    expect(await read).toEqual({ done: true, value: undefined })
    await quiet()
    expect(probe.cancels).toEqual([{ kind: 'cancel', reason: { type: 'normal' } }])
    expect(await stage.estimateBufferedCount()).toBe(0)
  })

  it('cancelled before it was read, it never subscribes', async () => {
    const { runtime } = recordedRuntime()
    const probe = probeProducer<number>()
    await asReadableStream(start(probe.definition, { runtime })).cancel()
    await quiet()
    expect(probe.subscribers).toEqual([])
  })

  it.each(['while a read waits', 'while nobody reads', 'before the beginning'])(
    'F60 BAD-67 an abort %s errors it and cancels',
    async when => {
      const { runtime } = recordedRuntime()
      const probe = probeProducer<number>()
      const stage = start(probe.definition, { runtime })
      const abort = new AbortController()
      const error = new Error('aborted')
      if (when === 'before the beginning') abort.abort(error)
      const stream = asReadableStream(stage, { signal: abort.signal })
      const reader = stream.getReader()
      if (when !== 'before the beginning') {
        stage.cast([1])
        expect((await reader.read()).value).toBe(1)
      }
      const read = when === 'while a read waits' ? rejectionOf(reader.read()) : undefined
      await quiet()
      abort.abort(error)
      expect(await (read ?? rejectionOf(reader.read()))).toBe(error)
      await quiet()
      expect(probe.cancels.length).toBe(probe.subscribers.length)
    },
  )

  it('INV-21 takes its listener off the signal when it is over', async () => {
    const { runtime } = recordedRuntime()
    const { signal } = new AbortController()
    let listeners = 0
    const add = signal.addEventListener.bind(signal)
    const remove = signal.removeEventListener.bind(signal)
    signal.addEventListener = (...args: Parameters<typeof add>) => (listeners++, add(...args))
    signal.removeEventListener = (...args: Parameters<typeof remove>) => (listeners--, remove(...args))
    for (const end of ['read', 'cancel']) {
      const stream = asReadableStream(start(fromIterable([1]), { runtime }), { signal })
      expect(listeners).toBe(1)
      if (end === 'cancel') await stream.cancel()
      else await stream.pipeTo(new WritableStream())
      expect(listeners).toBe(0)
    }
  })

  it('BAD-1 BAD-19 BAD-29 BAD-67 BAD-68 refuses at the call', () => {
    const { runtime } = recordedRuntime()
    const stage = start(counter().Counter, { runtime })
    const sink = start(
      consumer(() => ({ handleEvents(_: readonly number[]) {} })),
      { runtime },
    )
    const refused = (options: unknown) => thrownBy(() => asReadableStream(stage, wrong(options)))
    expect(refused({ maxDemand: 0 })).toMatchObject({ code: 'BAD_OPTION', option: 'maxDemand' })
    for (const option of ['runtime', 'redeliver', 'demand'])
      expect(refused({ [option]: true })).toMatchObject({ code: 'BAD_OPTION', option })
    expect(refused({ cancel: 'permanent' })).toMatchObject({ code: 'BAD_OPTION', option: 'cancel' })
    expect(refused({ signal: {} })).toMatchObject({ code: 'BAD_OPTION', option: 'signal' })
    expect(refused({ size: 1 })).toMatchObject({ code: 'BAD_OPTION', option: 'size' })
    for (const highWaterMark of [NaN, -1, Infinity, '1', 0.5])
      expect(refused({ highWaterMark })).toMatchObject({ code: 'BAD_OPTION', option: 'highWaterMark' })
    expect(thrownBy(() => asReadableStream(wrong({})))).toMatchObject({ code: 'NOT_A_STAGE' })
    expect(thrownBy(() => asReadableStream(wrong(sink)))).toMatchObject({ code: 'NOT_A_PRODUCER' })
  })

  it('BAD-19 an option that the dispatcher may know is refused when it subscribes', async () => {
    const { runtime } = recordedRuntime()
    const stream = asReadableStream(start(counter().Counter, { runtime }), wrong({ maxDemnad: 1 }))
    expect(await rejectionOf(stream.getReader().read())).toMatchObject({ code: 'BAD_OPTION', option: 'maxDemnad' })
  })

  it('INV-5 tee gives both branches everything', async () => {
    const { runtime } = recordedRuntime()
    const [left, right] = asReadableStream(start(fromIterable(range(50)), { runtime }), { maxDemand: 3 }).tee()
    const all = async (stream: ReadableStream<number>) => {
      const events: number[] = []
      await stream.pipeTo(new WritableStream({ write: event => void events.push(event) }))
      return events
    }
    expect(await Promise.all([all(left), all(right)])).toEqual([range(50), range(50)])
  })
})
