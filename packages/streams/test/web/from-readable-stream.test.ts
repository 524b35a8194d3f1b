import { child, producerName, start, stream, supervisor } from '@genstage/core'
import { probeConsumer } from '@genstage/testing'
import { describe, expect, it } from 'vitest'
import { fromReadableStream } from '../../src/index.ts'
import { ControlledReadable } from './support/controlled-streams.ts'
import { quiet, range, recordedRuntime, thrownBy, until, wrong } from './support/recorded-runtime.ts'
import { unusableReadables } from './support/web-adapters.ts'

describe('fromReadableStream', () => {
  it.each([
    ['nothing', undefined, 'fromReadableStream: the source must be a ReadableStream, not undefined'],
    ['an array', [1], 'fromReadableStream: the source must be a ReadableStream, not an array'],
    ['a writable stream', new WritableStream(), 'fromReadableStream: the source must be a ReadableStream, not an object'],
    ['a stream with a reader', unusableReadables['locked']?.(), 'fromReadableStream: the source must be free, not locked'],
  ])('BAD-60 refuses %s at the call', (_, source, message) => {
    expect(thrownBy(() => fromReadableStream(wrong(source)))).toMatchObject({
      code: 'BAD_SOURCE',
      message: expect.stringContaining(message) as string,
    })
  })

  it('BAD-60 refuses a stream that has got a reader since, and what a function makes, at the start', async () => {
    const { runtime } = recordedRuntime()
    const taken = new ReadableStream()
    const definition = fromReadableStream(taken)
    taken.getReader()
    for (const source of [definition, fromReadableStream(() => wrong(5))]) {
      expect(await start(source, { runtime }).exited).toMatchObject({ type: 'error', error: { code: 'BAD_SOURCE' } })
    }
  })

  it('BAD-19 BAD-68 refuses options that it does not know', () => {
    const refused = (options: unknown) => thrownBy(() => fromReadableStream(new ReadableStream(), wrong(options)))
    expect(refused({ onCancle: 'stop' })).toMatchObject({ code: 'BAD_OPTION', option: 'onCancle' })
    expect(refused({ onCancel: 'end' })).toMatchObject({ code: 'BAD_OPTION', option: 'onCancel' })
    expect(refused([])).toMatchObject({ code: 'BAD_OPTION' })
  })

  it('F60 an error of the stream ends it, also while nobody asks', async () => {
    const { runtime } = recordedRuntime()
    const error = new Error('the connection is gone')
    const errored = new ReadableStream<number>({ start: controller => controller.error(error) })
    const reason = await start(fromReadableStream(errored), { runtime }).exited
    expect(reason).toEqual({ type: 'error', error })
    expect((reason as { error: unknown }).error).toBe(error)
  })

  it.each(['closed', 'cancelled'])('GS-E4 a stream that is %s is an empty one, and still there for whoever comes', async how => {
    const { runtime } = recordedRuntime()
    const empty = new ReadableStream<number>({ start: controller => (how === 'closed' ? controller.close() : undefined) })
    if (how === 'cancelled') await empty.cancel()
    const source = start(fromReadableStream(empty), { runtime })
    await quiet()
    for await (const event of source.stream({ cancel: 'transient' })) expect(event).toBe('never')
    expect(await source.exited).toEqual({ type: 'normal' })
  })

  it('INV-5 hands on the last chunk before the end, however much is asked for', async () => {
    for (const maxDemand of [1, 2, 3, 4, 5]) {
      const { runtime } = recordedRuntime()
      const source = start(fromReadableStream(new Blob(['abc']).stream()), { runtime })
      const sizes: number[] = []
      for await (const bytes of source.stream({ cancel: 'transient', maxDemand })) sizes.push(bytes.length)
      expect(sizes).toEqual([3])
      await runtime.stop()
    }
  })

  it('F60 a graceful stop cancels the stream without a reason, a failure with its error; the lock is released', async () => {
    const { runtime } = recordedRuntime()
    const error = new Error('not needed any more')
    for (const [reason, told] of [
      ['normal', undefined],
      [{ type: 'error', error }, error],
    ] as const) {
      const input = new ControlledReadable()
      const source = start(fromReadableStream(input.stream), { runtime })
      const probe = probeConsumer<unknown>()
      start(probe.definition, { runtime, subscribeTo: [{ to: source, cancel: 'temporary' }] })
      await quiet()
      await source.stop(reason)
      expect([input.released, input.cancelledWith, input.stream.locked]).toEqual([1, told, false])
    }
  })

  it('INV-21 a stop waits until the stream has been cancelled, and tells its failure', async () => {
    const { runtime } = recordedRuntime()
    let release = (): void => {}
    const slow = new ReadableStream({ cancel: () => new Promise<void>(resolve => (release = resolve)) })
    const source = start(fromReadableStream(slow), { runtime })
    await source.ready
    let stopped = false
    const stop = source.stop().then(() => (stopped = true))
    await quiet()
    expect(stopped).toBe(false)
    release()
    await stop

    const error = new Error('cannot cancel')
    const bad = start(fromReadableStream(new ReadableStream({ cancel: () => Promise.reject(error) })), { runtime })
    await bad.ready
    expect(await bad.stop()).toEqual({ type: 'error', error })
  })

  it('F60 trouble with the cancel does not hide the failure of the stage', async () => {
    const { runtime, warnings } = recordedRuntime()
    const error = new Error('the failure')
    const bad = start(fromReadableStream(new ReadableStream({ cancel: () => Promise.reject(new Error('no')) })), { runtime })
    await bad.ready
    expect(await bad.stop({ type: 'error', error })).toEqual({ type: 'error', error })
    expect(warnings).toEqual(['a stream could not be closed'])
  })

  it('INV-17 a kill that cannot cancel the stream tells the log', async () => {
    const { runtime, warnings } = recordedRuntime()
    const source = start(fromReadableStream(new ReadableStream({ cancel: () => Promise.reject(new Error('no')) })), { runtime })
    await source.ready
    await source.kill()
    await quiet()
    expect(warnings).toEqual(['a stream could not be closed'])
  })

  it('F60 goes on behind what somebody has read before, and leaves the stream usable when it ends', async () => {
    const { runtime } = recordedRuntime()
    const numbers = new ReadableStream<number>({
      start(controller) {
        for (const number of [1, 2, 3]) controller.enqueue(number)
        controller.close()
      },
    })
    const reader = numbers.getReader()
    expect(await reader.read()).toEqual({ done: false, value: 1 })
    reader.releaseLock()
    const rest: number[] = []
    const source = start(fromReadableStream(numbers), { runtime })
    for await (const number of source.stream({ cancel: 'transient' })) rest.push(number)
    expect([rest, numbers.locked]).toEqual([[2, 3], false])
  })

  it.each([1, 3, 16, 50])(
    'INV-1 INV-23 with maxDemand %i at most that many chunks leave the stream ahead of the consumer',
    async max => {
      const { runtime } = recordedRuntime()
      const input = new ControlledReadable()
      input.push(range(200))
      const source = start(fromReadableStream(input.stream), { runtime })
      const iterator = source.stream({ maxDemand: max, minDemand: 0, cancel: 'transient' })[Symbol.asyncIterator]()
      for (let read = 1; read <= 120; read++) {
        expect((await iterator.next()).value).toBe(read - 1)
        await quiet(3)
        expect(input.taken).toBeLessThanOrEqual(Math.ceil(read / max) * max)
      }
      await iterator.return?.()
    },
  )

  it('INV-6 what had been read and not handed on when it is stopped is reported', async () => {
    const { runtime, lost } = recordedRuntime()
    let stop = (): void => {}
    const numbers = new ReadableStream<number>(
      {
        pull(controller) {
          controller.enqueue(1)
          stop()
        },
      },
      { highWaterMark: 0 },
    )
    const source = start(fromReadableStream(numbers), { runtime })
    stop = () => void source.stop()
    const probe = probeConsumer<number>()
    start(probe.definition, { runtime, subscribeTo: [{ to: source, cancel: 'temporary' }] })
    await source.exited
    await quiet()
    expect(probe.events.length + lost.flatMap(([, events]) => events).length).toBe(1)
  })

  it('GS-E6 onCancel: stop ends it with its last consumer', async () => {
    const { runtime } = recordedRuntime()
    const input = new ControlledReadable()
    const source = start(fromReadableStream(input.stream, { onCancel: 'stop' }), { runtime })
    input.push([1])
    for await (const event of source.stream()) {
      expect(event).toBe(1)
      break
    }
    expect(await source.exited).toEqual({ type: 'normal' })
    expect(input.released).toBe(1)
  })

  it('GS-J8 with a function a restart begins anew', async () => {
    const { runtime } = recordedRuntime()
    const name = producerName<number>('numbers')
    let made = 0
    const Numbers = fromReadableStream(() => {
      made++
      const isFirst = made === 1
      return new ReadableStream<number>({
        start(controller) {
          if (isFirst) return controller.error(new Error('the first fails'))
          controller.enqueue(made)
          controller.close()
        },
      })
    })
    const tree = start(supervisor([child(Numbers, { id: 'numbers', name, restart: 'transient' })]), { runtime })
    await until(() => made === 2)
    const events: number[] = []
    for await (const event of stream([{ to: name, cancel: 'temporary' }], { runtime })) events.push(event)
    expect(events).toEqual([2])
    await tree.stop()
  })

  it('reads streams of bytes, by a default reader', async () => {
    const { runtime } = recordedRuntime()
    let next = 0
    const bytes = new ReadableStream({
      type: 'bytes',
      pull(controller) {
        if (next === 3) controller.close()
        else controller.enqueue(new Uint8Array([next++]))
      },
    })
    const source = start(fromReadableStream<Uint8Array>(bytes), { runtime })
    const read: number[] = []
    for await (const chunk of source.stream({ cancel: 'transient', maxDemand: 1 })) read.push(...chunk)
    expect(read).toEqual([0, 1, 2])
  })

  it('GS-L10 a drain hands on what has been read, and reads no more', async () => {
    const { runtime, lost } = recordedRuntime()
    const input = new ControlledReadable()
    const source = start(fromReadableStream(input.stream), { runtime })
    const probe = probeConsumer<unknown>()
    start(probe.definition, { runtime, subscribeTo: [{ to: source, cancel: 'temporary' }] })
    input.push([1, 2])
    await probe.received(2)
    const stopped = source.stop('normal', { drain: true })
    input.push([3])
    await stopped
    await quiet()
    expect([probe.events.slice(0, 2), input.released]).toEqual([[1, 2], 1])
    expect([...probe.events.slice(2), ...lost.flatMap(([, events]) => events)]).toHaveLength(input.taken - 2)
  })
})
