import { fromIterable, producer, start } from '@genstage/core'
import { finished, PassThrough, Writable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { toWritable } from '../../src/node/index.ts'
import { isPrematureClose } from './support/adapters.ts'
import { quiet, recordedRuntime, until } from './support/recorded-runtime.ts'
import { controlledWritable } from './support/streams.ts'

const streamEvents = ['drain', 'finish', 'error', 'close', 'pipe', 'unpipe', 'end']

function listeners(stream: Writable): number {
  return streamEvents.reduce((sum, event) => sum + stream.listenerCount(event), 0)
}

/** Numbers without end, and how many have been taken. */
function counting() {
  const counted = { given: 0 }
  const Numbers = producer(() => ({
    handleDemand: demand => Array.from({ length: demand }, () => counted.given++),
  }))
  return { Numbers, counted }
}

describe('toWritable', () => {
  it.each([
    [5, 1],
    [10, 16],
    [1, 3],
  ])('INV-1 INV-23 a slow stream slows the producer: maxDemand %i, highWaterMark %i', async (maxDemand, highWaterMark) => {
    const { runtime } = recordedRuntime()
    const { Numbers, counted } = counting()
    const { stream, input } = controlledWritable({ objectMode: true, highWaterMark })
    input.pause()
    const source = start(Numbers, { runtime })
    const ref = start(toWritable(stream), { runtime, subscribeTo: [{ to: source, maxDemand }] })
    await until(() => counted.given > 0)
    await quiet(100)
    expect(counted.given).toBeLessThanOrEqual(maxDemand + highWaterMark)
    expect(stream.writableLength).toBeLessThanOrEqual(highWaterMark)
    input.resume()
    await until(() => input.received.length > 1_000)
    expect(input.received.slice(0, 1_000)).toEqual(Array.from({ length: 1_000 }, (_, index) => index))
    await ref.stop()
    await source.stop()
  })

  it('INV-21 a good end waits until the stream has taken all and is closed', async () => {
    const { runtime } = recordedRuntime()
    const { stream, input } = controlledWritable({ objectMode: true })
    const ref = start(toWritable(stream), { runtime, subscribeTo: [start(fromIterable([1, 2, 3]), { runtime })] })
    expect(await ref.exited).toEqual({ type: 'normal' })
    expect([input.received, stream.writableFinished, stream.closed]).toEqual([[1, 2, 3], true, true])
  })

  it('INV-21 a stop ends the stream, a kill destroys it', async () => {
    const { runtime } = recordedRuntime()
    for (const end of ['stop', 'kill'] as const) {
      const { stream } = controlledWritable({ objectMode: true })
      const errors: unknown[] = []
      stream.on('error', error => errors.push(error))
      const ref = start(toWritable(stream), { runtime })
      await ref.ready
      await ref[end]()
      await quiet()
      expect(stream.closed).toBe(true)
      expect(stream.writableFinished).toBe(end === 'stop')
      expect(errors.length).toBe(end === 'stop' ? 0 : 1)
    }
  })

  it('F60 a failure of the producer destroys the stream with the original error', async () => {
    const { runtime, takeUncaught } = recordedRuntime()
    const error = new Error('the producer failed')
    const { stream } = controlledWritable({ objectMode: true })
    const failures: unknown[] = []
    stream.on('error', failure => failures.push(failure))
    const Failing = producer(() => ({
      handleDemand(): number[] {
        throw error
      },
    }))
    const ref = start(toWritable(stream), { runtime, subscribeTo: [start(Failing, { runtime })] })
    expect(await ref.exited).toEqual({ type: 'error', error })
    expect(failures).toEqual([error])
    takeUncaught()
  })

  it.each<[string, (error: Error) => ConstructorParameters<typeof Writable>[0]]>([
    ['write', error => ({ write: (_chunk, _encoding, done) => done(error) })],
    [
      'write, by destroy',
      error => ({
        write() {
          this.destroy(error)
        },
      }),
    ],
    ['final', error => ({ write: (_chunk, _encoding, done) => done(), final: done => done(error) })],
    [
      'final, by destroy',
      error => ({
        write: (_chunk, _encoding, done) => done(),
        final() {
          this.destroy(error)
        },
      }),
    ],
    ['construct', error => ({ construct: done => done(error), write: (_chunk, _encoding, done) => done() })],
    ['destroy', error => ({ write: (_chunk, _encoding, done) => done(), destroy: (_error, done) => done(error) })],
  ])('F60 a stream that fails in its %s ends the stage with that very error', async (_, options) => {
    const { runtime } = recordedRuntime()
    const error = new Error('the stream failed')
    const stream = new Writable({ objectMode: true, ...options(error) })
    const source = start(fromIterable([1, 2, 3]), { runtime })
    const ref = start(toWritable(stream), { runtime, subscribeTo: [{ to: source, maxDemand: 1 }] })
    expect(await ref.exited).toEqual({ type: 'error', error })
    expect(stream.destroyed).toBe(true)
  })

  it('F60 an error while nothing is written, and a close before the end, end the stage', async () => {
    const { runtime } = recordedRuntime()
    const error = new Error('idle')
    for (const given of [error, undefined]) {
      const { stream } = controlledWritable({ objectMode: true })
      const ref = start(toWritable(stream), { runtime })
      await ref.ready
      stream.destroy(given)
      const reason = await ref.exited
      if (reason.type !== 'error') expect.unreachable(reason.type)
      else if (given === undefined) expect(isPrematureClose(reason.error)).toBe(true)
      else expect(reason.error).toBe(error)
    }
  })

  it('F60 a stream that somebody else has ended ends the stage with BAD_SINK', async () => {
    const { runtime } = recordedRuntime()
    const { stream } = controlledWritable({ objectMode: true })
    const ref = start(toWritable(stream), { runtime })
    await ref.ready
    stream.end()
    expect(await ref.exited).toMatchObject({ type: 'error', error: { code: 'BAD_SINK' } })
  })

  it('BAD-63 an event that is null is refused, and so is an object in a stream of bytes', async () => {
    const { runtime } = recordedRuntime()
    const cases: readonly (readonly [boolean, unknown, string])[] = [
      [true, null, 'BAD_SINK'],
      [false, null, 'BAD_SINK'],
      [false, { no: 'bytes' }, 'ERR_INVALID_ARG_TYPE'],
      [false, 42, 'ERR_INVALID_ARG_TYPE'],
    ]
    for (const [objectMode, event, code] of cases) {
      const { stream, input } = controlledWritable({ objectMode })
      const source = start(fromIterable(['first', event, 'last']), { runtime })
      const ref = start(toWritable(stream), { runtime, subscribeTo: [{ to: source, maxDemand: 1 }] })
      expect(await ref.exited).toMatchObject({ type: 'error', error: { code } })
      expect(input.received.map(String)).toEqual(['first'])
      expect(stream.destroyed).toBe(true)
    }
  })

  it('INV-21 with end: false the stream stays open, and no listener is left on it', async () => {
    const { runtime } = recordedRuntime()
    const { stream, input } = controlledWritable({ objectMode: true })
    const before = listeners(stream)
    for (const events of [[1], [2], [3]]) {
      const source = start(fromIterable(events), { runtime })
      await start(toWritable(stream, { end: false }), { runtime, subscribeTo: [source] }).exited
      expect(listeners(stream)).toBe(before)
    }
    await start(toWritable(stream, { end: false }), { runtime }).kill()
    await quiet()
    expect([stream.writable, listeners(stream)]).toEqual([true, before])
    stream.end(4)
    await new Promise(resolve => finished(stream, resolve))
    expect(input.received).toEqual([1, 2, 3, 4])
  })

  it('INV-21 leaves no listener behind after an end and after a failure', async () => {
    const { runtime } = recordedRuntime()
    for (const error of [undefined, new Error('failed')]) {
      const stream = new PassThrough({ objectMode: true }).resume()
      const before = listeners(stream)
      const ref = start(toWritable(stream), { runtime })
      await ref.ready
      await ref.stop(error === undefined ? 'normal' : { type: 'error', error })
      await until(() => stream.closed)
      expect(listeners(stream)).toBe(before)
    }
  })
})
