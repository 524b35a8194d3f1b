import { fromIterable, start } from '@genstage/core'
import fc from 'fast-check'
import { PassThrough, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { asDuplex, asReadable, asWritable, fromReadable, throughDuplex, toWritable } from '../../src/node/index.ts'
import { Relay } from './support/adapters.ts'
import { recordedRuntime } from './support/recorded-runtime.ts'
import { controlledWritable } from './support/streams.ts'

const seed = 20_260_501
const runs = 60

/** Chunks of bytes, empty ones among them, and how wide every pipe between them is. */
const plans = fc.record({
  chunks: fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 40 }),
  maxDemand: fc.integer({ min: 1, max: 12 }),
  highWaterMark: fc.integer({ min: 0, max: 64 }),
  /** Where the source gives way to the event loop. */
  pauses: fc.array(fc.boolean(), { maxLength: 40 }),
})

type Plan = typeof plans extends fc.Arbitrary<infer T> ? T : never

function input({ chunks, highWaterMark, pauses }: Plan, objectMode = false): Readable {
  const source = async function* (): AsyncGenerator<Uint8Array> {
    for (const [index, chunk] of chunks.entries()) {
      if (pauses[index] === true) await new Promise(resolve => setImmediate(resolve))
      yield chunk
    }
  }
  return Readable.from(source(), { objectMode, highWaterMark })
}

/** What came out of a path, as bytes. */
type Path = (plan: Plan) => Promise<readonly unknown[]>

const paths: Readonly<Record<string, Path>> = {
  async 'fromReadable, toWritable'(plan) {
    const { runtime } = recordedRuntime()
    const { stream, input: output } = controlledWritable({ highWaterMark: plan.highWaterMark })
    const source = start(fromReadable(input(plan)), { runtime })
    await start(toWritable(stream), { runtime, subscribeTo: [{ to: source, maxDemand: plan.maxDemand }] }).done
    return output.received
  },
  async 'throughDuplex, twice'({ maxDemand, ...plan }) {
    const { runtime } = recordedRuntime()
    const { stream, input: output } = controlledWritable({ highWaterMark: plan.highWaterMark })
    const source = start(fromReadable(input({ maxDemand, ...plan })), { runtime })
    const zip = start(
      throughDuplex(() => createGzip()),
      { runtime, subscribeTo: [{ to: source, maxDemand }] },
    )
    const back = start(
      throughDuplex(() => createGunzip()),
      { runtime, subscribeTo: [{ to: zip, maxDemand }] },
    )
    await start(toWritable(stream), { runtime, subscribeTo: [{ to: back, maxDemand }] }).done
    return output.received
  },
  async 'asReadable, asDuplex, asWritable'({ maxDemand, ...plan }) {
    const { runtime } = recordedRuntime()
    const { stream, input: output } = controlledWritable({ highWaterMark: plan.highWaterMark })
    const options = { maxDemand, highWaterMark: plan.highWaterMark, objectMode: false }
    const source = asReadable(start(fromIterable(plan.chunks), { runtime }), options)
    const sink = start(toWritable(stream), { runtime })
    await pipeline(source, asDuplex(Relay, { ...options, runtime }), asWritable(sink, options))
    await sink.done
    return output.received
  },
}

describe('any chunks, any demand, any highWaterMark', () => {
  it.each(Object.entries(paths))(`INV-5 INV-6 INV-26 the bytes come out as they went in: %s (seed ${seed})`, async (_, path) => {
    const property = fc.asyncProperty(plans, async plan => {
      const received = await path(plan)
      expect(Buffer.concat(received as Uint8Array[]).equals(Buffer.concat(plan.chunks))).toBe(true)
    })
    await fc.assert(property, { seed, numRuns: runs })
  })

  it(`INV-5 INV-6 INV-23 objects come out one by one, and the source is never further ahead than it may (seed ${seed})`, async () => {
    const property = fc.asyncProperty(plans, async plan => {
      const { runtime } = recordedRuntime()
      const events = plan.chunks.map((chunk, index) => ({ index, chunk }))
      let taken = 0
      let ahead = 0
      const source = new Readable({
        objectMode: true,
        highWaterMark: plan.highWaterMark,
        read() {
          this.push(events[taken] ?? null)
          if (taken < events.length) taken++
        },
      })
      const middle = new PassThrough({ objectMode: true, highWaterMark: 1 })
      const { stream, input: output } = controlledWritable({ objectMode: true, highWaterMark: 1 })
      const write = output.write.bind(output)
      output.write = (chunk, done) => {
        ahead = Math.max(ahead, taken - output.received.length)
        setImmediate(() => write(chunk, done))
      }
      const { maxDemand } = plan
      const from = start(fromReadable(source), { runtime })
      const through = start(throughDuplex(middle), { runtime, subscribeTo: [{ to: from, maxDemand }] })
      await start(toWritable(stream), { runtime, subscribeTo: [{ to: through, maxDemand }] }).done
      expect(output.received).toEqual(events)
      expect(output.received.every((event, index) => event === events[index])).toBe(true)
      // The source, both demands, the stream in the middle and what waits behind it, the sink
      expect(ahead).toBeLessThanOrEqual(Math.max(1, plan.highWaterMark) + 2 * maxDemand + 3 + 96 + 2)
    })
    await fc.assert(property, { seed, numRuns: runs })
  })
})
