import { fromIterable, producer, start } from '@genstage/core'
import { probeProducer } from '@genstage/testing'
import { describe, expect, it } from 'vitest'
import { toWritableStream } from '../../src/index.ts'
import { ControlledWritable } from './support/controlled-streams.ts'
import { quiet, range, recordedRuntime, thrownBy, wrong } from './support/recorded-runtime.ts'

describe('toWritableStream', () => {
  it.each([
    ['nothing', undefined, 'toWritableStream: the sink must be a WritableStream, not undefined'],
    ['a readable stream', new ReadableStream(), 'toWritableStream: the sink must be a WritableStream, not an object'],
    ['a writer', new WritableStream().getWriter(), 'toWritableStream: the sink must be a WritableStream, not an object'],
  ])('BAD-62 refuses %s at the call', (_, sink, message) => {
    expect(thrownBy(() => toWritableStream(wrong(sink)))).toMatchObject({ code: 'BAD_SINK', message })
  })

  it('BAD-60 refuses a stream that has a writer, at the call or at the start', async () => {
    const { runtime } = recordedRuntime()
    const sink = new WritableStream()
    const definition = toWritableStream(sink)
    sink.getWriter()
    expect(thrownBy(() => toWritableStream(sink))).toMatchObject({ code: 'BAD_SINK' })
    for (const each of [definition, toWritableStream(() => sink), toWritableStream(() => wrong(null))]) {
      expect(await start(each, { runtime }).exited).toMatchObject({ type: 'error', error: { code: 'BAD_SINK' } })
    }
  })

  it('BAD-61 a stream that is closed already is refused, one that has failed fails it with its error', async () => {
    const { runtime } = recordedRuntime()
    const closed = new WritableStream()
    await closed.close()
    expect(await start(toWritableStream(closed), { runtime }).exited).toMatchObject({
      type: 'error',
      error: { code: 'BAD_SINK', message: 'toWritableStream: the sink must be open, but it is closed' },
    })
    const error = new Error('it had failed')
    const errored = new WritableStream({ start: controller => controller.error(error) })
    const reason = await start(toWritableStream(errored), { runtime }).exited
    expect(reason.type === 'error' && reason.error).toBe(error)
  })

  it('BAD-19 refuses options that it does not know', () => {
    const refused = (options: unknown) => thrownBy(() => toWritableStream(new WritableStream(), wrong(options)))
    expect(refused({ ends: true })).toMatchObject({ code: 'BAD_OPTION', option: 'ends' })
    expect(refused({ end: 'no' })).toMatchObject({ code: 'BAD_OPTION', option: 'end' })
  })

  it.each([1, 3, 10])(
    'INV-1 INV-23 never writes past a highWaterMark of %i, and takes at most maxDemand',
    async highWaterMark => {
      const { runtime } = recordedRuntime()
      let given = 0
      const Numbers = producer(() => ({
        handleDemand(demand) {
          given += demand
          return range(demand)
        },
      }))
      let underWay = 0
      let most = 0
      let finish = (): void => {}
      const sink = new WritableStream<number>(
        { write: () => new Promise<void>(resolve => (finish = () => (underWay--, resolve()))) },
        // Called with every write
        { highWaterMark, size: () => ((most = Math.max(most, ++underWay)), 1) },
      )
      const numbers = start(Numbers, { runtime })
      const writer = start(toWritableStream(sink), {
        runtime,
        subscribeTo: [{ to: numbers, maxDemand: 20, cancel: 'temporary' }],
      })
      for (let turns = 0; turns < 30; turns++) {
        await quiet(4)
        expect(most).toBe(highWaterMark)
        expect(given).toBeLessThanOrEqual(turns + 20)
        finish()
      }
      await writer.kill()
    },
  )

  it('closes the stream at a graceful end, waits for that, and lets go of it', async () => {
    const { runtime } = recordedRuntime()
    let close = (): void => {}
    const sink = new WritableStream<number>({ close: () => new Promise(resolve => (close = resolve)) })
    const stage = start(toWritableStream(sink), { runtime, subscribeTo: [start(fromIterable([1, 2]), { runtime })] })
    let over = false
    const exited = stage.exited.then(reason => ((over = true), reason))
    await quiet()
    expect([over, sink.locked]).toEqual([false, true])
    close()
    expect(await exited).toEqual({ type: 'normal' })
    expect(sink.locked).toBe(false)
  })

  it('F60 a close that fails is the failure of the stage', async () => {
    const { runtime } = recordedRuntime()
    const error = new Error('the disk is full')
    const sink = new WritableStream({ close: () => Promise.reject(error) })
    const stage = start(toWritableStream(sink), { runtime })
    await stage.ready
    const reason = await stage.stop()
    expect(reason.type === 'error' && reason.error).toBe(error)
  })

  it('F60 the failure of the producer aborts the stream with that very error; trouble with the abort does not hide it', async () => {
    const { runtime, warnings } = recordedRuntime()
    const error = new Error('the producer failed')
    const told: unknown[] = []
    const sink = new WritableStream({
      abort(reason) {
        told.push(reason)
        throw new Error('the abort failed')
      },
    })
    const probe = probeProducer<number>()
    const from = start(probe.definition, { runtime })
    const stage = start(toWritableStream(sink), { runtime, subscribeTo: [from] })
    await stage.ready
    await quiet()
    await from.stop({ type: 'error', error })
    const reason = await stage.exited
    expect(reason.type === 'error' && reason.error).toBe(error)
    expect([told, told[0] === error, sink.locked]).toEqual([[error], true, false])
    expect(warnings).toContain('toWritableStream: the stream could not be aborted')
  })

  it.each([
    [
      'sync',
      (error: Error) => {
        throw error
      },
    ],
    ['async', (error: Error) => Promise.reject(error)],
  ])('F60 what the sink throws while it writes (%s) ends the stage with it', async (_, fail) => {
    const { runtime, lost } = recordedRuntime()
    const error = new Error('cannot write')
    const sink = new WritableStream<number>({ write: chunk => (chunk === 3 ? fail(error) : undefined) })
    const numbers = start(fromIterable(range(10)), { runtime })
    const stage = start(toWritableStream(sink), { runtime, subscribeTo: [{ to: numbers, maxDemand: 4, minDemand: 0 }] })
    const reason = await stage.exited
    expect(reason.type === 'error' && reason.error).toBe(error)
    await quiet()
    // The batch that was in hand, among them those that had been written: nobody knows what the sink has made of them
    expect(lost).toEqual([['consumer_crash', [0, 1, 2, 3]]])
  })

  it('F60 a sink that errors its stream inside of write ends the stage', async () => {
    const { runtime } = recordedRuntime()
    const error = new Error('errored from inside')
    const sink = new WritableStream<number>({ write: (_, controller) => controller.error(error) })
    const stage = start(toWritableStream(sink), { runtime, subscribeTo: [start(fromIterable([1, 2, 3]), { runtime })] })
    const reason = await stage.exited
    expect(reason.type === 'error' && reason.error).toBe(error)
  })

  it('INV-21 a kill aborts the stream once, also while it closes', async () => {
    const { runtime } = recordedRuntime()
    const aborted: unknown[] = []
    const sink = new WritableStream({ write: () => new Promise(() => {}), abort: reason => void aborted.push(reason) })
    const writing = start(toWritableStream(sink), { runtime, subscribeTo: [start(fromIterable([1, 2]), { runtime })] })
    await quiet()
    await writing.kill()
    expect(sink.locked).toBe(false)

    const output = new ControlledWritable()
    const idle = start(toWritableStream(output.stream), { runtime })
    await idle.ready
    await idle.kill()
    expect(await output.finished).toMatchObject({ code: 'STOPPED', reason: { type: 'killed' } })
    await quiet()
    expect([output.aborts, output.closes, output.stream.locked]).toEqual([1, 0, false])

    let closes = 0
    const stuck = new WritableStream({ close: () => (closes++, new Promise(() => {})) })
    const closing = start(toWritableStream(stuck), { runtime })
    await closing.ready
    expect(await closing.stop('normal', { timeout: 0 })).toEqual({ type: 'killed' })
    expect(closes).toBe(1)
  })

  it.each([['normal'], [{ type: 'error', error: new Error('failed') }]] as const)(
    'end: false leaves the stream as it is, at the end with %j too',
    async reason => {
      const { runtime } = recordedRuntime()
      const output = new ControlledWritable()
      const stage = start(toWritableStream(output.stream, { end: false }), { runtime })
      await stage.ready
      await stage.stop(reason)
      expect([output.closes, output.aborts, output.stream.locked]).toEqual([0, 0, false])
      const next = start(toWritableStream(output.stream), { runtime, subscribeTo: [start(fromIterable([1]), { runtime })] })
      await next.exited
      expect([output.written, output.closes]).toEqual([[1], 1])
    },
  )

  it('X21 with redeliver, what a stream did not take goes to the next', async () => {
    const { runtime } = recordedRuntime()
    const probe = probeProducer<number>()
    const from = start(probe.definition, { runtime })
    const broken = new ControlledWritable()
    broken.pause()
    const stage = start(toWritableStream(broken.stream), { runtime, subscribeTo: [{ to: from, redeliver: true, maxDemand: 4 }] })
    const { exited } = stage
    from.cast([1, 2, 3, 4])
    await quiet()
    broken.fail(new Error('broken'))
    broken.resume()
    await exited
    const good = new ControlledWritable()
    start(toWritableStream(good.stream), { runtime, subscribeTo: [{ to: from, cancel: 'temporary' }] })
    await quiet()
    expect(good.written).toEqual([1, 2, 3, 4])
  })
})
