import { consumer, fromIterable, producer, producerConsumer, type Runtime, start } from '@genstage/core'
import { probeConsumer, probeProducer } from '@genstage/testing'
import { finished, PassThrough, Readable, Transform, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { describe, expect, it } from 'vitest'
import { asDuplex, asReadable, asWritable } from '../../src/node/index.ts'
import { isPrematureClose, Relay } from './support/adapters.ts'
import { quiet, recordedRuntime, until } from './support/recorded-runtime.ts'
import { controlledWritable } from './support/streams.ts'

const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index + 1)

const edges = (runtime: Runtime): number => runtime.topology().edges.length

/** A consumer that takes a batch when the test says so. */
function slowConsumer(runtime: Runtime) {
  const received: unknown[] = []
  let goOn = (): void => {}
  const Slow = consumer(() => ({
    handleEvents(events: readonly unknown[]) {
      received.push(...events)
      return new Promise<void>(resolve => (goOn = resolve))
    },
  }))
  return { ref: start(Slow, { runtime }), received, goOn: () => goOn() }
}

describe('asReadable', () => {
  it('subscribes when it is first read, and cancels when it is closed', async () => {
    const { runtime } = recordedRuntime()
    const probe = probeProducer<number>()
    const ref = start(probe.definition, { runtime })
    const stream = asReadable(ref, { maxDemand: 7 })
    await quiet()
    expect(probe.subscribers.length).toBe(0)
    stream.read()
    await until(() => probe.demands.length > 0)
    expect(probe.demands).toEqual([7])
    stream.destroy()
    await until(() => probe.cancels.length > 0)
    expect(probe.cancels).toEqual([{ kind: 'cancel', reason: { type: 'normal' } }])
    expect(stream.listenerCount('error')).toBe(0)
  })

  it.each([
    [3, 0],
    [8, 4],
    [100, 16],
  ])('INV-1 INV-23 a slow reader slows the producer: maxDemand %i, highWaterMark %i', async (maxDemand, highWaterMark) => {
    const { runtime } = recordedRuntime()
    let given = 0
    const Numbers = producer(() => ({ handleDemand: demand => Array.from({ length: demand }, () => given++) }))
    const stream = asReadable(start(Numbers, { runtime }), { maxDemand, highWaterMark })
    let read = 0
    for await (const number of stream) {
      expect(number).toBe(read++)
      await quiet(3)
      expect(given - read).toBeLessThanOrEqual(maxDemand + highWaterMark + 1)
      if (read === 300) break
    }
    expect(stream.destroyed).toBe(true)
    await quiet()
    expect(edges(runtime)).toBe(0)
  })

  it('carries bytes and text, and refuses what is neither (BAD-63)', async () => {
    const { runtime } = recordedRuntime()
    const bytes = asReadable(start(fromIterable([Buffer.from('a'), 'b', new Uint8Array([99]), '']), { runtime }), {
      objectMode: false,
    })
    expect(Buffer.concat(await bytes.toArray()).toString()).toBe('abc')
    for (const [event, code] of [
      [42, 'ERR_INVALID_ARG_TYPE'],
      [null, 'BAD_SINK'],
    ] as const) {
      const stream = asReadable(start(fromIterable([event]), { runtime }), { objectMode: event === null })
      await expect(stream.toArray()).rejects.toMatchObject({ code })
    }
  })

  it.each<[string, (stream: Readable, error: Error) => void]>([
    ['data', (stream, error) => stream.on('data', () => stream.destroy(error))],
    ['readable', (stream, error) => stream.on('readable', () => stream.destroy(error))],
    ['read', (stream, error) => stream.on('resume', () => stream.destroy(error)).resume()],
    ['pause', (stream, error) => stream.on('data', () => stream.pause()).on('pause', () => stream.destroy(error))],
  ])('F60 destroyed in its %s it cancels with the error, and the producer lives on', async (_, arrange) => {
    const { runtime } = recordedRuntime()
    const probe = probeProducer<number>()
    const ref = start(probe.definition, { runtime })
    const stream = asReadable(ref)
    const error = new Error('destroyed')
    const outcome = new Promise(resolve => finished(stream, resolve))
    arrange(stream, error)
    ref.cast([1, 2, 3])
    expect(await outcome).toBe(error)
    await quiet()
    expect([edges(runtime), stream.closed]).toEqual([0, true])
    expect(await ref.call([4])).toBe(1)
  })

  it('F60 an aborted signal destroys it, and its listener is gone afterwards', async () => {
    const { runtime } = recordedRuntime()
    const controller = new AbortController()
    const stream = asReadable(start(probeProducer<number>().definition, { runtime }), { signal: controller.signal })
    const read = stream.toArray()
    await until(() => edges(runtime) === 1)
    controller.abort()
    await expect(read).rejects.toMatchObject({ name: 'AbortError' })
    await until(() => edges(runtime) === 0)
  })

  it('F60 a failing output of a pipeline cancels the subscription', async () => {
    const { runtime } = recordedRuntime()
    const ref = start(
      producer(() => ({ handleDemand: demand => numbers(demand) })),
      { runtime },
    )
    const error = new Error('disk full')
    const failing = new Writable({ objectMode: true, write: (chunk, _encoding, done) => done(chunk === 3 ? error : null) })
    await expect(pipeline(asReadable(ref, { maxDemand: 4 }), failing)).rejects.toBe(error)
    await until(() => edges(runtime) === 0)
  })

  it('ends with an error when its producer is killed or not there', async () => {
    const { runtime } = recordedRuntime()
    const ref = start(probeProducer<number>().definition, { runtime })
    const read = asReadable(ref).toArray()
    await until(() => edges(runtime) === 1)
    void ref.kill()
    await expect(read).rejects.toMatchObject({ code: 'STOPPED', reason: { type: 'killed' } })
    await expect(asReadable(ref).toArray()).rejects.toMatchObject({ code: 'STOPPED', reason: { type: 'noproc' } })
  })
})

describe('asWritable', () => {
  it('INV-1 INV-23 write answers false when demand and highWaterMark are used up, and drain comes with the next ask', async () => {
    const { runtime } = recordedRuntime()
    const { ref, received, goOn } = slowConsumer(runtime)
    const stream = asWritable(ref, { maxDemand: 4, minDemand: 0, highWaterMark: 3, cancel: 'temporary' })
    const writeAll = (): number => {
      for (let written = 1; ; written++) if (!stream.write(written)) return written
    }
    expect(writeAll()).toBe(3) // nobody has asked for anything yet
    await until(() => received.length === 3)
    await quiet()
    expect(writeAll()).toBe(1 + 3)
    await quiet()
    let drains = 0
    stream.on('drain', () => drains++)
    await quiet()
    expect([received.length, drains, stream.writableLength]).toEqual([3, 0, 3])
    goOn()
    await until(() => received.length === 4)
    goOn()
    await until(() => drains === 1)
    stream.destroy()
  })

  it('F60 finish comes when the consumer has handled all', async () => {
    const { runtime } = recordedRuntime()
    const { ref, received, goOn } = slowConsumer(runtime)
    const stream = asWritable(ref)
    for (const number of [1, 2]) stream.write(number)
    stream.end(3)
    await until(() => received.length > 0)
    await quiet()
    expect([stream.writableEnded, stream.writableFinished]).toEqual([true, false])
    goOn()
    await until(() => stream.writableFinished)
    expect(received).toEqual([1, 2, 3])
    expect(await ref.exited).toEqual({ type: 'normal' })
  })

  it.each(['stop', 'kill'] as const)(
    'INV-21 a consumer that is ended by %s closes the stream after its first event',
    async end => {
      const { runtime } = recordedRuntime()
      const probe = probeConsumer<number>()
      const ref = start(probe.definition, { runtime })
      const stream = asWritable(ref)
      const outcome = new Promise(resolve => finished(stream, resolve))
      stream.write(1)
      await until(() => probe.events.length === 1)
      await ref[end]()
      const error = await outcome
      if (end === 'stop') expect(isPrematureClose(error)).toBe(true)
      else expect(error).toMatchObject({ code: 'STOPPED', reason: { type: 'killed' } })
      stream.write(2)
      await until(() => stream.closed)
    },
  )

  it('F60 a consumer that fails destroys the stream with the original error, also while it ends', async () => {
    const { runtime } = recordedRuntime()
    const error = new Error('cannot handle it')
    const Failing = consumer(() => ({
      async handleEvents(events: readonly number[]) {
        await Promise.resolve()
        if (events.includes(3)) throw error
      },
    }))
    for (const count of [3, 100]) {
      const ref = start(Failing, { runtime })
      ref.monitor(() => {})
      await expect(pipeline(Readable.from(numbers(count)), asWritable(ref, { maxDemand: 2 }))).rejects.toBe(error)
    }
  })

  it('F60 a consumer that leaves before it has handled everything is told of, also at the end', async () => {
    const { runtime } = recordedRuntime()
    const Once = consumer((_: void, ctx) => ({
      handleEvents() {
        ctx.stop()
      },
    }))
    const outcome = pipeline(Readable.from(numbers(100)), asWritable(start(Once, { runtime }), { maxDemand: 2 }))
    await expect(outcome).rejects.toSatisfy(isPrematureClose)
    const gone = start(Once, { runtime })
    await gone.stop()
    await expect(pipeline(Readable.from([1]), asWritable(gone))).rejects.toMatchObject({ code: 'STOPPED' })
  })

  it('F60 destroyed before its end it fails the consumer with the error, behind what was taken', async () => {
    const { runtime, takeUncaught } = recordedRuntime()
    const error = new Error('the source failed')
    for (const given of [error, undefined]) {
      const probe = probeConsumer<number>()
      const ref = start(probe.definition, { runtime })
      ref.monitor(() => {})
      const stream = asWritable(ref).on('error', () => {})
      stream.write(1)
      await until(() => probe.events.length === 1)
      stream.write(2)
      stream.destroy(given)
      const reason = await ref.exited
      expect(probe.events).toEqual([1, 2])
      if (given !== undefined) expect(reason).toEqual({ type: 'error', error })
      else expect(reason).toMatchObject({ type: 'error', error: { code: 'STOPPED' } })
    }
    takeUncaught()
  })

  it('a consumer with a temporary subscription outlives it', async () => {
    const { runtime } = recordedRuntime()
    const probe = probeConsumer<number>()
    const ref = start(probe.definition, { runtime })
    for (const number of [1, 2]) await pipeline(Readable.from([number]), asWritable(ref, { cancel: 'temporary' }))
    expect(probe.events).toEqual([1, 2])
    expect((await ref.inspect()).producers).toEqual([])
  })

  it('F60 a write whose stream is destroyed is told so', async () => {
    const { runtime } = recordedRuntime()
    const { ref } = slowConsumer(runtime)
    const stream = asWritable(ref, { maxDemand: 1, cancel: 'temporary' })
    const outcomes: unknown[] = []
    for (const number of numbers(4)) stream.write(number, error => outcomes.push(error instanceof Error))
    await until(() => outcomes.length === 1)
    stream.destroy()
    await until(() => stream.closed)
    await quiet()
    expect(outcomes).toEqual([false, true, true, true])
  })
})

describe('asDuplex', () => {
  const Double = producerConsumer(() => ({ handleEvents: (events: readonly number[]) => events.map(event => event * 2) }))

  it('INV-5 INV-6 stands in the middle of a pipeline, as a definition and as a stage', async () => {
    const { runtime } = recordedRuntime()
    for (const stage of [Double, start(Double, { runtime })]) {
      const { stream, input } = controlledWritable({ objectMode: true })
      await pipeline(Readable.from(numbers(500)), asDuplex(stage, { runtime, maxDemand: 10 }), stream)
      expect(input.received).toEqual(numbers(500).map(number => number * 2))
    }
    await until(() => runtime.topology().stages.length === 0)
  })

  it('composes, and gives what a stage has kept until the end', async () => {
    const { runtime } = recordedRuntime()
    const Pairs = producerConsumer((_: void, ctx) => {
      const kept: number[] = []
      return {
        handleEvents(events: readonly number[]): (readonly number[])[] {
          kept.push(...events)
          return Array.from({ length: Math.floor(kept.length / 2) }, () => kept.splice(0, 2))
        },
        handleCancel(_ended, from): (readonly number[])[] {
          if (from.role === 'producer') ctx.self.asyncInfo('end')
          return from.role === 'producer' && kept.length > 0 ? [kept.splice(0)] : []
        },
        handleInfo(_message: 'end') {
          ctx.stop()
        },
      }
    })
    const pairs = await Readable.from(numbers(5)).compose(asDuplex(Pairs, { runtime })).toArray()
    expect(pairs).toEqual([[1, 2], [3, 4], [5]])
  })

  it('F60 a stage that fails fails the pipeline with the original error; a pipeline that fails stops the stage', async () => {
    const { runtime } = recordedRuntime()
    const error = new Error('in the middle')
    const Failing = producerConsumer(() => ({
      handleEvents(events: readonly number[]): readonly number[] {
        if (events.includes(7)) throw error
        return events
      },
    }))
    const sink = () => new PassThrough({ objectMode: true }).resume()
    await expect(pipeline(Readable.from(numbers(100)), asDuplex(Failing, { runtime, maxDemand: 2 }), sink())).rejects.toBe(error)
    const broken = new Transform({ objectMode: true, transform: (_chunk, _encoding, done) => done(error) })
    await expect(pipeline(Readable.from(numbers(100)), asDuplex(Relay, { runtime }), broken)).rejects.toBe(error)
    const source = Readable.from(
      (function* () {
        yield 1
        throw error
      })(),
    )
    await expect(pipeline(source, asDuplex(Relay, { runtime }), sink())).rejects.toBe(error)
    await until(() => runtime.topology().stages.length === 0)
  })

  it('F60 destroyed, it stops a stage of its own, and lets go of one that was given', async () => {
    const { runtime, takeUncaught } = recordedRuntime()
    const given = start(Relay, { runtime })
    for (const stage of [Relay, given]) {
      const stream = asDuplex(stage, { runtime })
      stream.write(1)
      expect(await new Promise(resolve => stream.once('data', resolve))).toBe(1)
      stream.destroy()
      await until(() => stream.closed)
      await quiet()
    }
    expect(edges(runtime)).toBe(0)
    takeUncaught()
  })

  it('F60 what a stage gave before it ended is still read; then the stream is closed too early', async () => {
    const { runtime } = recordedRuntime()
    const First = producerConsumer((count: number, ctx) => ({
      handleEvents(events: readonly number[]) {
        if (events.includes(count)) ctx.self.asyncInfo('end')
        return events.filter(event => event <= count)
      },
      handleInfo(_message: 'end') {
        ctx.stop()
      },
    }))
    const { stream, input } = controlledWritable({ objectMode: true })
    const first = start(First, { runtime, arg: 3 })
    const outcome = pipeline(Readable.from(numbers(1_000)), asDuplex(first, { maxDemand: 2 }), stream)
    await expect(outcome).rejects.toSatisfy(isPrematureClose)
    expect(input.received).toEqual([1, 2, 3])
  })

  it('is inert until it is used', async () => {
    const { runtime } = recordedRuntime()
    asDuplex(Relay, { runtime }).destroy()
    asDuplex(Relay, { runtime })
    await quiet()
    expect(runtime.topology().stages).toEqual([])
  })
})
