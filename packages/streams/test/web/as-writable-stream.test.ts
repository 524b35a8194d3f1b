import { consumer, producer, start } from '@genstage/core'
import { probeConsumer } from '@genstage/testing'
import { describe, expect, it } from 'vitest'
import { asWritableStream } from '../../src/index.ts'
import { quiet, range, recordedRuntime, rejectionOf, thrownBy, wrong } from './support/recorded-runtime.ts'

/** A consumer that takes one batch after the other, each when the test says so. */
function slowConsumer() {
  const taken: number[] = []
  let go = (): void => {}
  const Slow = consumer(() => ({
    async handleEvents(events: readonly number[]) {
      await new Promise<void>(resolve => (go = resolve))
      taken.push(...events)
    },
  }))
  return { Slow, taken, go: () => go() }
}

const chunks = (count: number) => {
  let next = 0
  const stream = new ReadableStream<number>(
    {
      pull(controller) {
        if (next === count) controller.close()
        else controller.enqueue(next++)
      },
    },
    { highWaterMark: 0 },
  )
  return { stream, pulled: () => next }
}

describe('asWritableStream', () => {
  it('INV-5 INV-6 what is written is handled, in order, before the close is done', async () => {
    const { runtime } = recordedRuntime()
    const probe = probeConsumer<number>()
    const stage = start(probe.definition, { runtime })
    await chunks(2_500).stream.pipeTo(asWritableStream(stage, { maxDemand: 10 }))
    expect(probe.events).toEqual(range(2_500))
    expect(await stage.exited).toEqual({ type: 'normal' })
  })

  it.each([1, 4, 10])('INV-1 INV-23 a slow consumer with maxDemand %i holds the writer up', async maxDemand => {
    const { runtime } = recordedRuntime()
    const { Slow, taken, go } = slowConsumer()
    const { stream, pulled } = chunks(60)
    const stage = start(Slow, { runtime })
    const piping = stream.pipeTo(asWritableStream(stage, { maxDemand, cancel: 'temporary' }))
    while (taken.length < 60) {
      await quiet(4)
      // What was asked for, one in the queue of the writable stream that waits to be asked for
      expect(pulled()).toBeLessThanOrEqual(taken.length + maxDemand + 1)
      go()
    }
    await piping
    expect(taken).toEqual(range(60))
  })

  it('subscribes at the first write; a close without one tells the stage as well', async () => {
    const { runtime } = recordedRuntime()
    const probe = probeConsumer<number>()
    const stage = start(probe.definition, { runtime })
    const stream = asWritableStream(stage)
    await quiet()
    expect(probe.subscriptions).toEqual([])
    await stream.close()
    expect(await stage.exited).toEqual({ type: 'normal' })
    expect(probe.cancels).toEqual([{ kind: 'down', reason: { type: 'normal' } }])
  })

  it.each([undefined, 'transient', 'temporary'] as const)('F60 an abort tells the stage why (cancel %s)', async cancel => {
    const { runtime } = recordedRuntime()
    const error = new Error('the writer gave up')
    const probe = probeConsumer<number>()
    const stage = start(probe.definition, { runtime })
    stage.monitor(() => {})
    const writer = asWritableStream(stage, cancel === undefined ? {} : { cancel }).getWriter()
    await writer.write(1)
    await writer.abort(error)
    await quiet()
    expect(probe.cancels).toEqual([{ kind: 'down', reason: { type: 'error', error } }])
    expect(probe.terminatedWith).toEqual(cancel === 'temporary' ? undefined : { type: 'error', error })
  })

  it('F60 an abort without a reason, and without a write, fails the stage all the same', async () => {
    const { runtime } = recordedRuntime()
    const stage = start(probeConsumer<number>().definition, { runtime })
    const { exited } = stage
    await asWritableStream(stage).abort()
    expect(await exited).toMatchObject({ type: 'error', error: { name: 'AbortError' } })
  })

  it('F60 an abort is not held up by a write that waits', async () => {
    const { runtime } = recordedRuntime()
    const error = new Error('too slow')
    const { Slow } = slowConsumer()
    const stage = start(Slow, { runtime })
    const { exited } = stage
    const writer = asWritableStream(stage, { maxDemand: 1 }).getWriter()
    const writes = [writer.write(1), writer.write(2), writer.write(3)].map(rejectionOf)
    await quiet()
    await writer.abort(error)
    expect(await Promise.all(writes)).toEqual([undefined, error, error])
    await stage.kill()
    expect(await exited).toEqual({ type: 'killed' })
  })

  it('F60 a stage that fails errors the stream with that very error, also while nobody writes', async () => {
    const { runtime } = recordedRuntime()
    const error = new Error('cannot save')
    const Failing = consumer(() => ({
      handleEvents(_: readonly number[]) {
        throw error
      },
    }))
    const stage = start(Failing, { runtime })
    stage.monitor(() => {})
    const writer = asWritableStream(stage).getWriter()
    const closed = rejectionOf(writer.closed)
    await writer.write(1)
    expect(await closed).toBe(error)
    expect(await rejectionOf(writer.write(2))).toBe(error)
  })

  it('F60 a stage that stops, or cancels, errors it with a code; what waits is told', async () => {
    const { runtime } = recordedRuntime()
    const { Slow } = slowConsumer()
    const stage = start(Slow, { runtime })
    const writer = asWritableStream(stage, { maxDemand: 1 }).getWriter()
    const writes = [writer.write(1), writer.write(2)].map(rejectionOf)
    await quiet()
    await stage.kill()
    expect(await Promise.all(writes)).toEqual([undefined, expect.objectContaining({ code: 'STOPPED' })])

    const probe = probeConsumer<number>()
    const second = asWritableStream(start(probe.definition, { runtime }), { cancel: 'temporary' }).getWriter()
    await second.write(1)
    probe.subscriptions[0]?.cancel()
    expect(await rejectionOf(second.closed)).toMatchObject({
      code: 'STOPPED',
      message: 'asWritableStream: the stage takes no more events, its subscription has ended',
    })
  })

  it('F60 a stage that fails in its last batch rejects the close', async () => {
    const { runtime } = recordedRuntime()
    const error = new Error('the last one')
    const Failing = consumer(() => ({ handleEvents: (_: readonly number[]) => Promise.reject(error) }))
    const stage = start(Failing, { runtime })
    stage.monitor(() => {})
    const { stream } = chunks(1)
    expect(await rejectionOf(stream.pipeTo(asWritableStream(stage)))).toBe(error)
  })

  it('BAD-33 a stage that has ended, or ends before the first write, errors it', async () => {
    const { runtime } = recordedRuntime()
    const stage = start(probeConsumer<number>().definition, { runtime })
    const before = asWritableStream(stage).getWriter()
    await stage.stop()
    expect(await rejectionOf(before.closed)).toMatchObject({ code: 'STOPPED', reason: { type: 'normal' } })
    const after = asWritableStream(stage).getWriter()
    expect(await rejectionOf(after.write(1))).toMatchObject({ code: 'STOPPED' })
  })

  it.each(['before the beginning', 'later'])(
    'F60 BAD-67 an abort of the signal %s errors it, and the stage learns why',
    async when => {
      const { runtime } = recordedRuntime()
      const error = new Error('aborted')
      const abort = new AbortController()
      if (when !== 'later') abort.abort(error)
      const stage = start(probeConsumer<number>().definition, { runtime })
      const { exited } = stage
      const writer = asWritableStream(stage, { signal: abort.signal }).getWriter()
      if (when === 'later') await writer.write(1)
      abort.abort(error)
      expect(await rejectionOf(writer.closed)).toBe(error)
      expect(await exited).toEqual({ type: 'error', error })
    },
  )

  it('INV-21 nothing stays behind', async () => {
    const { runtime } = recordedRuntime()
    const probe = probeConsumer<number>()
    const stage = start(probe.definition, { runtime })
    const ends = [
      (stream: WritableStream<number>) => stream.close(),
      (stream: WritableStream<number>) => stream.abort(new Error('no')),
    ]
    for (const end of ends) {
      const stream = asWritableStream(stage, { cancel: 'temporary' })
      const writer = stream.getWriter()
      await writer.write(1)
      writer.releaseLock()
      await end(stream)
    }
    await quiet()
    expect(runtime.topology().stages.map(({ id }) => id)).toEqual([stage.id])
  })

  it('BAD-1 BAD-9 BAD-17 BAD-30 BAD-68 refuses at the call', () => {
    const { runtime } = recordedRuntime()
    const stage = start(probeConsumer<number>().definition, { runtime })
    const source = start(
      producer(() => ({ handleDemand() {} })),
      { runtime },
    )
    const refused = (options: unknown) => thrownBy(() => asWritableStream(stage, wrong(options)))
    expect(refused({ maxDemand: 0 })).toMatchObject({ code: 'BAD_OPTION', option: 'maxDemand' })
    expect(refused({ maxDemand: 5, minDemand: 5 })).toMatchObject({ code: 'BAD_OPTION', option: 'minDemand' })
    expect(refused({ cancel: 'forever' })).toMatchObject({ code: 'BAD_OPTION', option: 'cancel' })
    expect(refused({ highWaterMark: -1 })).toMatchObject({ code: 'BAD_OPTION', option: 'highWaterMark' })
    expect(refused({ redeliver: true })).toMatchObject({ code: 'BAD_OPTION', option: 'redeliver' })
    expect(refused({ signal: 'now' })).toMatchObject({ code: 'BAD_OPTION', option: 'signal' })
    expect(thrownBy(() => asWritableStream(wrong(source)))).toMatchObject({ code: 'NOT_A_CONSUMER' })
    expect(thrownBy(() => asWritableStream(wrong(null)))).toMatchObject({ code: 'NOT_A_STAGE' })
  })
})
