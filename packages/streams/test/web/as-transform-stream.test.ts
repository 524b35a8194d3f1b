import { consumer, inFlight, producerConsumer, start } from '@genstage/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { asTransformStream } from '../../src/index.ts'
import { quiet, range, recordedRuntime, rejectionOf, thrownBy, wrong } from './support/recorded-runtime.ts'

const Double = producerConsumer(() => ({ handleEvents: (events: readonly number[]) => events.map(event => event * 2) }))

const numbers = (count: number) =>
  new ReadableStream<number>({
    start(controller) {
      for (const number of range(count)) controller.enqueue(number)
      controller.close()
    },
  })

async function readAll<T>(stream: ReadableStream<T>): Promise<readonly T[]> {
  const events: T[] = []
  await stream.pipeTo(new WritableStream({ write: event => void events.push(event) }))
  return events
}

describe('asTransformStream', () => {
  it('INV-5 INV-6 INV-26 a chain of streams and stages gives what the stages make, whatever the sizes', async () => {
    const plan = fc.record({
      count: fc.nat(80),
      maxDemand: fc.integer({ min: 1, max: 10 }),
      copies: fc.nat(3),
      overlap: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(plan, async ({ count, maxDemand, copies, overlap }) => {
        const { runtime } = recordedRuntime()
        const Copies = producerConsumer(() => ({
          handleEvents(events: readonly number[]) {
            const result = events.flatMap(event => new Array<number>(copies).fill(event))
            return overlap ? inFlight(Promise.resolve(result)) : result
          },
        }))
        const options = { runtime, maxDemand }
        const out = numbers(count).pipeThrough(asTransformStream(Copies, options)).pipeThrough(asTransformStream(Double, options))
        expect(await readAll(out)).toEqual(range(count).flatMap(number => new Array<number>(copies).fill(number * 2)))
        await quiet(3)
        expect(runtime.topology().stages).toEqual([])
      }),
      { seed: 20_261_122, numRuns: 80 },
    )
  })

  it('takes a stage that runs already, and ends it with the streams', async () => {
    const { runtime } = recordedRuntime()
    const Add = producerConsumer((more: number) => ({
      handleEvents: (events: readonly number[]) => events.map(each => each + more),
    }))
    const stage = start(Add, { runtime, arg: 10 })
    expect(await readAll(numbers(3).pipeThrough(asTransformStream(stage)))).toEqual([10, 11, 12])
    expect(await stage.exited).toEqual({ type: 'normal' })
  })

  it('INV-1 INV-23 who reads slowly holds up who writes', async () => {
    const { runtime } = recordedRuntime()
    let pulled = 0
    const source = new ReadableStream<number>({ pull: controller => controller.enqueue(pulled++) }, { highWaterMark: 0 })
    const reader = source.pipeThrough(asTransformStream(Double, { runtime, maxDemand: 2 })).getReader()
    for (let read = 0; read < 40; read++) {
      expect((await reader.read()).value).toBe(read * 2)
      await quiet(3)
      // Two asked for by the reader, two by the stage, one in the queue of the writable side
      expect(pulled).toBeLessThanOrEqual(read + 1 + 2 + 2 + 1)
    }
    await reader.cancel()
  })

  it('F60 a failure of the stage reaches both sides with its error', async () => {
    const { runtime } = recordedRuntime()
    const error = new Error('no threes')
    const Picky = producerConsumer(() => ({
      handleEvents(events: readonly number[]) {
        if (events.includes(3)) throw error
        return events
      },
    }))
    const cancelled: unknown[] = []
    let next = 0
    const source = new ReadableStream<number>({
      pull: controller => controller.enqueue(next++),
      cancel: reason => void cancelled.push(reason),
    })
    const reader = source.pipeThrough(asTransformStream(Picky, { runtime, maxDemand: 1 })).getReader()
    for (let read = 0; read < 3; read++) expect((await reader.read()).value).toBe(read)
    expect(await rejectionOf(reader.read())).toBe(error)
    await quiet()
    expect(cancelled).toEqual([error])
  })

  it.each(['before', 'behind'])('F60 a failure of the source %s its chunks reaches the reader with its error', async where => {
    const { runtime } = recordedRuntime()
    const error = new Error('the source failed')
    let next = 0
    const source = new ReadableStream<number>(
      {
        pull(controller) {
          if (where === 'before' || next === 3) controller.error(error)
          else controller.enqueue(next++)
        },
      },
      { highWaterMark: 0 },
    )
    const reader = source.pipeThrough(asTransformStream(Double, { runtime })).getReader()
    const read = async () => {
      for (let count = 0; ; count++) if ((await reader.read()).done) return count
    }
    expect(await rejectionOf(read())).toBe(error)
  })

  it('F60 who cancels the readable side errors the writable one with the same reason, and stops the stage', async () => {
    const { runtime } = recordedRuntime()
    const stage = start(Double, { runtime })
    const { writable, readable } = asTransformStream(stage)
    const reason = new Error('enough')
    const writer = writable.getWriter()
    const closed = rejectionOf(writer.closed)
    await readable.cancel(reason)
    expect(await closed).toBe(reason)
    expect(await stage.exited).toEqual({ type: 'normal' })

    const second = asTransformStream(Double, { runtime })
    await second.readable.cancel()
    expect(await rejectionOf(second.writable.getWriter().closed)).toMatchObject({ code: 'STOPPED' })
  })

  it('F60 BAD-67 an abort errors both sides and stops the stage', async () => {
    const { runtime } = recordedRuntime()
    const abort = new AbortController()
    const error = new Error('aborted')
    const stage = start(Double, { runtime })
    const { writable, readable } = asTransformStream(stage, { signal: abort.signal })
    const writer = writable.getWriter()
    await writer.write(1)
    const reader = readable.getReader()
    expect((await reader.read()).value).toBe(2)
    abort.abort(error)
    expect([await rejectionOf(reader.read()), await rejectionOf(writer.closed)]).toEqual([error, error])
    expect(await stage.exited).toEqual({ type: 'error', error })
  })

  it('a writable side that is closed without a write ends the readable one', async () => {
    const { runtime } = recordedRuntime()
    const { writable, readable } = asTransformStream(Double, { runtime })
    await writable.close()
    expect(await readAll(readable)).toEqual([])
  })

  it('BAD-1 BAD-28 BAD-29 refuses at the call, and starts nothing', () => {
    const { runtime } = recordedRuntime()
    const Sink = consumer(() => ({ handleEvents(_: readonly number[]) {} }))
    const refused = (options: object) => thrownBy(() => asTransformStream(Double, wrong({ runtime, ...options })))
    expect(refused({ maxDemand: -1 })).toMatchObject({ code: 'BAD_OPTION', option: 'maxDemand' })
    expect(refused({ runtime: {} })).toMatchObject({ code: 'BAD_OPTION', option: 'runtime' })
    expect(refused({ signal: 1 })).toMatchObject({ code: 'BAD_OPTION', option: 'signal' })
    expect(refused({ cancel: 'permanent' })).toMatchObject({ code: 'BAD_OPTION', option: 'cancel' })
    for (const stage of [Sink, start(Sink, { runtime }), {}, undefined])
      expect(thrownBy(() => asTransformStream(wrong(stage), { runtime }))).toMatchObject({ code: 'NOT_A_STAGE' })
    expect(runtime.topology().stages).toHaveLength(1)
  })
})
