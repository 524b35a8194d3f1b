import { consumer, fromIterable, producer, type ProducerRef, type Runtime, start, type SubscribeOptions } from '@genstage/core'
import { probeConsumer, probeProducer } from '@genstage/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type StreamPair, throughTransformStream } from '../../src/index.ts'
import { quiet, range, recordedRuntime, thrownBy, until, wrong } from './support/recorded-runtime.ts'

type Options = Omit<SubscribeOptions<number>, 'to'>

/** Everything that comes out of `pair` when `events` go in. */
async function through<In, Out>(
  runtime: Runtime,
  events: Iterable<In>,
  pair: () => StreamPair<In, Out>,
): Promise<readonly Out[]> {
  const from = start(fromIterable(events), { runtime })
  const stage = start(throughTransformStream(pair), { runtime, subscribeTo: [{ to: from, cancel: 'transient' }] })
  return readAll(stage)
}

async function readAll<Out>(ref: ProducerRef<Out>, maxDemand = 3): Promise<readonly Out[]> {
  const events: Out[] = []
  for await (const event of ref.stream({ cancel: 'transient', maxDemand })) events.push(event)
  return events
}

async function joined(chunks: readonly Uint8Array<ArrayBuffer>[]): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await new Blob([...chunks]).arrayBuffer())
}

/** Two chunks for every number. */
const twice = () =>
  new TransformStream<number, number>({
    transform(number, controller) {
      controller.enqueue(number)
      controller.enqueue(number)
    },
  })

/** Chunks of noise that compresses badly. */
const noise = (chunks: number, size: number): readonly Uint8Array<ArrayBuffer>[] => {
  let state = 1
  return range(chunks).map(() => {
    const bytes = new Uint8Array(size)
    for (let at = 0; at < size; at++) bytes[at] = (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) >> 8
    return bytes
  })
}

describe('throughTransformStream', () => {
  it.each(['gzip', 'deflate'] as const)('INV-5 INV-6 %s and back again gives the same bytes', async format => {
    const { runtime } = recordedRuntime()
    const input = noise(50, 10_000)
    const small = await through(runtime, input, () => new CompressionStream(format))
    const cut = await joined(small)
    const pieces = range(Math.ceil(cut.length / 777)).map(at => cut.slice(at * 777, (at + 1) * 777))
    const again = await through(runtime, pieces, () => new DecompressionStream(format))
    const [out, before] = [await joined(again), await joined(input)]
    expect(out.length).toBe(before.length)
    expect(out.every((byte, at) => byte === before[at])).toBe(true)
  })

  it('INV-5 decodes text that is cut inside of its characters', async () => {
    const { runtime } = recordedRuntime()
    const bytes = new TextEncoder().encode('Größe: 5 €, 𝒙 = 𝒚')
    const texts = await through(
      runtime,
      Array.from(bytes, byte => new Uint8Array([byte])),
      () => new TextDecoderStream(),
    )
    expect(texts.join('')).toBe('Größe: 5 €, 𝒙 = 𝒚')
  })

  it('INV-5 INV-6 INV-26 whatever the sizes of batches and queues, what goes in comes out', async () => {
    const sizes = fc.record({
      events: fc.nat(60),
      above: fc.integer({ min: 1, max: 12 }),
      below: fc.integer({ min: 1, max: 12 }),
      writable: fc.integer({ min: 1, max: 5 }),
      readable: fc.nat(5),
      // How many chunks come out for each that goes in
      copies: fc.nat(4),
      later: fc.boolean(),
      cancel: fc.constantFrom('permanent', 'transient'),
    })
    await fc.assert(
      fc.asyncProperty(sizes, async ({ events, above, below, writable, readable, copies, later, cancel }) => {
        const { runtime } = recordedRuntime()
        const pair = () =>
          new TransformStream<number, number>(
            {
              async transform(number, controller) {
                if (later) await Promise.resolve()
                for (let copy = 0; copy < copies; copy++) controller.enqueue(number)
              },
              flush: controller => controller.enqueue(-1),
            },
            { highWaterMark: writable },
            { highWaterMark: readable },
          )
        const from = start(fromIterable(range(events)), { runtime })
        const to = { to: from, cancel, maxDemand: above } as const
        const stage = start(throughTransformStream(pair), { runtime, subscribeTo: [to] })
        const expected = range(events).flatMap(number => new Array<number>(copies).fill(number))
        expect(await readAll(stage, below)).toEqual([...expected, -1])
      }),
      { seed: 20_261_122, numRuns: 80 },
    )
  })

  it('INV-1 INV-23 a consumer that takes nothing holds up reading, writing, and the producer', async () => {
    const { runtime } = recordedRuntime()
    let given = 0
    const Numbers = producer(() => ({
      handleDemand(demand) {
        given += demand
        return range(demand)
      },
    }))
    let made = 0
    // Each number becomes as many chunks as one cares to read
    const endless = (): StreamPair<number, number> => {
      const { writable } = new TransformStream<number, number>()
      const readable = new ReadableStream<number>({ pull: controller => controller.enqueue(made++) }, { highWaterMark: 0 })
      return { writable, readable }
    }
    const from = start(Numbers, { runtime })
    const stage = start(throughTransformStream(endless), { runtime, subscribeTo: [{ to: from, maxDemand: 4 }] })
    const iterator = stage.stream({ maxDemand: 2, minDemand: 0 })[Symbol.asyncIterator]()
    for (let read = 1; read <= 20; read++) {
      await iterator.next()
      await quiet(4)
      // What was asked for, and what waits in the stage: 8 in its inbox, 8 in its buffer
      expect(made).toBeLessThanOrEqual(Math.ceil(read / 2) * 2 + 16)
    }
    expect(given).toBeLessThanOrEqual(4)
    await iterator.return?.()
    await stage.kill()
  })

  it('INV-23 a chunk that becomes many is written only as fast as they are taken', async () => {
    const { runtime } = recordedRuntime()
    const transformed: number[] = []
    const tenfold = () =>
      new TransformStream<number, number>({
        transform(number, controller) {
          transformed.push(number)
          for (let copy = 0; copy < 10; copy++) controller.enqueue(number)
        },
      })
    const from = start(fromIterable(range(100)), { runtime })
    const stage = start(throughTransformStream(tenfold), {
      runtime,
      subscribeTo: [{ to: from, cancel: 'transient', maxDemand: 8 }],
    })
    const iterator = stage.stream({ maxDemand: 5, minDemand: 4, cancel: 'transient' })[Symbol.asyncIterator]()
    for (let read = 1; read <= 200; read++) {
      expect((await iterator.next()).value).toBe(Math.floor((read - 1) / 10))
      if (read % 10 === 0) {
        await quiet(2)
        // 5 are asked for, 16 wait: no further than the third number after this one
        expect(transformed.length).toBeLessThanOrEqual(read / 10 + 3)
      }
    }
    await iterator.return?.()
  })

  it('hands on what comes out between two batches', async () => {
    const { runtime } = recordedRuntime()
    let later = (): void => {}
    const pair = () =>
      new TransformStream<number, string>({
        transform(number, controller) {
          later = () => controller.enqueue(`later ${number}`)
        },
      })
    const probe = probeProducer<number>()
    const from = start(probe.definition, { runtime })
    const stage = start(throughTransformStream(pair), { runtime, subscribeTo: [from] })
    const sink = probeConsumer<string>()
    start(sink.definition, { runtime, subscribeTo: [stage] })
    from.cast([1])
    await quiet()
    expect(sink.events).toEqual([])
    later()
    await quiet()
    expect(sink.events).toEqual(['later 1'])
  })

  it.each([0, 1, 5])('a pair that wants no more after %i chunks ends the stage well, behind them', async count => {
    const { runtime } = recordedRuntime()
    const take = () => {
      let left = count
      return new TransformStream<number, number>({
        start(controller) {
          if (left === 0) controller.terminate()
        },
        transform(number, controller) {
          controller.enqueue(number)
          if (--left === 0) controller.terminate()
        },
      })
    }
    for (const maxDemand of [1, 2, 100]) {
      const from = start(fromIterable(range(20)), { runtime })
      from.monitor(() => {})
      const stage = start(throughTransformStream(take), { runtime, subscribeTo: [{ to: from, maxDemand: 3 }] })
      const { exited } = stage
      expect(await readAll(stage, maxDemand)).toEqual(range(count))
      expect(await exited).toEqual({ type: 'normal' })
    }
  })

  it('F60 an error of the transform ends the stage with it, behind what was asked for; the rest is reported', async () => {
    const { runtime, lost } = recordedRuntime()
    const error = new Error('no sevens')
    const pair = () =>
      new TransformStream<number, number>({
        transform(number, controller) {
          if (number === 7) throw error
          controller.enqueue(number)
        },
      })
    const from = start(fromIterable(range(20)), { runtime })
    const stage = start(throughTransformStream(pair), {
      runtime,
      subscribeTo: [{ to: from, cancel: 'transient', maxDemand: 4, minDemand: 0 }],
    })
    const sink = probeConsumer<number>()
    start(sink.definition, { runtime, subscribeTo: [{ to: stage, cancel: 'temporary' }] })
    const reason = await stage.exited
    expect(reason.type === 'error' && reason.error).toBe(error)
    await quiet()
    expect(sink.events).toEqual(range(7))
    expect(lost).toEqual([['producer_crash', [4, 5, 6, 7]]])
  })

  it('F60 data that is no gzip ends the stage with the error of the decompression', async () => {
    const { runtime } = recordedRuntime()
    const from = start(fromIterable<BufferSource>([new TextEncoder().encode('this is no gzip')]), { runtime })
    const Gunzip = throughTransformStream(() => new DecompressionStream('gzip'))
    const stage = start(Gunzip, { runtime, subscribeTo: [{ to: from, cancel: 'transient' }] })
    const sink = probeConsumer<Uint8Array<ArrayBuffer>>()
    start(sink.definition, { runtime, subscribeTo: [{ to: stage, cancel: 'temporary' }] })
    const reason = await stage.exited
    expect(reason.type === 'error' && reason.error).toBeInstanceOf(Error)
  })

  it.each(['stop', 'kill', 'failure'] as const)(
    'INV-21 F60 a %s ends both sides once, with the error, and lets go of them',
    async how => {
      const { runtime } = recordedRuntime()
      const error = new Error('from outside')
      const told: [string, unknown][] = []
      const writable = new WritableStream({ abort: reason => void told.push(['abort', reason]) })
      const readable = new ReadableStream({ cancel: reason => void told.push(['cancel', reason]) }, { highWaterMark: 0 })
      const stage = start(throughTransformStream({ writable, readable }), { runtime })
      await stage.ready
      await quiet()
      if (how === 'kill') await stage.kill()
      else await stage.stop(how === 'stop' ? 'normal' : { type: 'error', error })
      await quiet()
      expect(told.map(([what]) => what)).toEqual(['cancel', 'abort'])
      for (const [what, reason] of told) {
        if (how === 'failure') expect(reason).toBe(error)
        // A graceful end cancels without a reason; but there is no abort that is not a failure
        else if (how === 'stop' && what === 'cancel') expect(reason).toBeUndefined()
        else expect(reason).toMatchObject({ code: 'STOPPED' })
      }
      expect([writable.locked, readable.locked]).toEqual([false, false])
    },
  )

  it('INV-21 a stop comes to its end also while nobody takes what comes out', async () => {
    const { runtime } = recordedRuntime()
    const from = start(fromIterable(range(20)), { runtime })
    const stage = start(throughTransformStream(twice), { runtime, subscribeTo: [{ to: from, maxDemand: 4 }] })
    const sink = probeConsumer<number>({ mode: 'manual' })
    start(sink.definition, { runtime, subscribeTo: [{ to: stage, cancel: 'temporary' }] })
    await quiet()
    sink.subscriptions[0]?.ask(1)
    await quiet()
    expect(await stage.stop()).toEqual({ type: 'normal' })
  })

  it.each([undefined, 'transient'] as const)(
    'GS-L10 a drain brings out what is inside, also the end of it (cancel %s)',
    async cancel => {
      const { runtime, lost } = recordedRuntime()
      const last = () => new TransformStream<number, number>({ flush: controller => controller.enqueue(99) })
      const probe = probeProducer<number>()
      const from = start(probe.definition, { runtime })
      const options: Options = cancel === undefined ? {} : { cancel }
      const stage = start(throughTransformStream(last), { runtime, subscribeTo: [{ to: from, ...options }] })
      const sink = probeConsumer<number>()
      const to = { to: stage, cancel: 'transient', maxDemand: 1 } as const
      const consumerRef = start(sink.definition, { runtime, subscribeTo: [to] })
      await consumerRef.ready
      from.cast(range(10))
      await until(() => sink.events.length > 0)
      expect(await stage.stop('normal', { drain: true })).toEqual({ type: 'normal' })
      await quiet()
      expect([sink.events, lost]).toEqual([[...range(10), 99], []])
    },
  )

  it('GS-L10 a drain from the source downwards loses nothing', async () => {
    const { runtime, lost } = recordedRuntime()
    const probe = probeProducer<number>()
    const from = start(probe.definition, { runtime })
    const stage = start(throughTransformStream(twice), {
      runtime,
      subscribeTo: [{ to: from, cancel: 'transient', maxDemand: 4 }],
    })
    const taken: number[] = []
    const Slow = consumer(() => ({
      async handleEvents(numbers: readonly number[]) {
        await quiet(2)
        taken.push(...numbers)
      },
    }))
    const slow = start(Slow, { runtime, subscribeTo: [{ to: stage, cancel: 'transient', maxDemand: 1 }] })
    await slow.ready
    await quiet()
    from.cast(range(10))
    for (const each of [from, stage, slow]) await each.stop('normal', { drain: true })
    expect([taken, lost]).toEqual([range(10).flatMap(number => [number, number]), []])
  })

  it('GS-K5 ends with the last producer, and not with one that is temporary', async () => {
    const { runtime } = recordedRuntime()
    const stage = start(throughTransformStream(twice), { runtime })
    const sink = probeConsumer<number>()
    start(sink.definition, { runtime, subscribeTo: [{ to: stage, cancel: 'transient' }] })
    const take = (events: readonly number[], cancel: 'temporary' | 'transient') =>
      stage.subscribe({ to: start(fromIterable(events), { runtime }), cancel }).ended
    await take([1], 'temporary')
    await quiet()
    await Promise.all([take([2], 'transient'), take([3], 'transient')])
    expect(await stage.exited).toEqual({ type: 'normal' })
    await quiet()
    expect(sink.events.toSorted()).toEqual([1, 1, 2, 2, 3, 3])
  })

  it.each([1, 2, 100])(
    'with permanent, and a consumer that takes %i at a time, everything comes out as well',
    async maxDemand => {
      const { runtime, lost } = recordedRuntime()
      const from = start(fromIterable([1, 2, 3]), { runtime })
      const stage = start(throughTransformStream(twice), { runtime, subscribeTo: [from] })
      const sink = probeConsumer<number>()
      start(sink.definition, { runtime, subscribeTo: [{ to: stage, maxDemand }] })
      expect(await stage.exited).toEqual({ type: 'normal' })
      await quiet()
      expect([sink.events, lost]).toEqual([[1, 1, 2, 2, 3, 3], []])
    },
  )

  it.each(['kill', 'stop', 'failure of the producer'])('INV-6 what had not been written at a %s is reported', async how => {
    const { runtime, lost } = recordedRuntime()
    const probe = probeProducer<number>()
    const from = start(probe.definition, { runtime })
    const stuck = () => new TransformStream<number, number>({ transform: () => new Promise(() => {}) })
    const stage = start(throughTransformStream(stuck), { runtime, subscribeTo: [{ to: from, maxDemand: 4 }] })
    const { exited } = stage
    start(probeConsumer<number>().definition, { runtime, subscribeTo: [{ to: stage, cancel: 'temporary' }] })
    await quiet()
    from.cast([1, 2, 3])
    await quiet()
    if (how === 'kill') void stage.kill()
    else if (how === 'stop') void stage.stop('normal', { timeout: 100 })
    else void from.stop({ type: 'error', error: new Error('failed') })
    await exited
    await quiet()
    expect(lost.flatMap(([, events]) => events)).toEqual([1, 2, 3])
  })

  it('BAD-60 BAD-62 refuses what is no pair, and one that is locked', async () => {
    const { runtime } = recordedRuntime()
    const locked = twice()
    locked.readable.getReader()
    const refused = (pair: unknown) => thrownBy(() => throughTransformStream(wrong(pair)))
    expect(refused(undefined)).toMatchObject({ code: 'BAD_SINK' })
    expect(refused({ writable: new WritableStream() })).toMatchObject({ code: 'BAD_SOURCE' })
    expect(refused(locked)).toMatchObject({ code: 'BAD_SOURCE' })
    expect(
      await start(
        throughTransformStream(() => locked),
        { runtime },
      ).exited,
    ).toMatchObject({
      type: 'error',
      error: { code: 'BAD_SOURCE' },
    })
    expect(locked.writable.locked).toBe(false)
  })
})
