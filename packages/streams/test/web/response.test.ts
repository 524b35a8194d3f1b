/** What the platform makes of streams, on Node and in browsers: blobs, responses, compression. */
import { fromIterable, producerConsumer, start } from '@genstage/core'
import { describe, expect, it } from 'vitest'
import {
  asReadableStream,
  asTransformStream,
  asWritableStream,
  fromReadableStream,
  throughTransformStream,
  toWritableStream,
} from '../../src/index.ts'
import { range, recordedRuntime } from './support/recorded-runtime.ts'

const text = range(5_000)
  .map(number => `${number}: ä ö ü 𝒙\n`)
  .join('')

const streams = {
  'a blob': () => new Blob([text]).stream(),
  'the body of a response': () => new Response(text).body as ReadableStream<Uint8Array<ArrayBuffer>>,
}

describe.each(Object.entries(streams))('%s', (_, open) => {
  it('INV-5 INV-6 goes through stages into a response', async () => {
    const { runtime } = recordedRuntime()
    const source = start(fromReadableStream(open), { runtime })
    const transient = { cancel: 'transient', maxDemand: 2 } as const
    const decode = throughTransformStream(() => new TextDecoderStream())
    const texts = start(decode, { runtime, subscribeTo: [{ to: source, ...transient }] })
    const encode = throughTransformStream(() => new TextEncoderStream())
    const bytes = start(encode, { runtime, subscribeTo: [{ to: texts, ...transient }] })
    expect((await new Response(asReadableStream(bytes)).text()) === text).toBe(true)
  })

  it('INV-5 INV-6 is compressed and decompressed by stages, piece by piece', async () => {
    const { runtime } = recordedRuntime()
    const source = start(fromReadableStream(open), { runtime })
    const transient = { cancel: 'transient', maxDemand: 2 } as const
    const compress = throughTransformStream(() => new CompressionStream('gzip'))
    const small = start(compress, { runtime, subscribeTo: [{ to: source, ...transient }] })
    const decompress = throughTransformStream(() => new DecompressionStream('gzip'))
    const large = start(decompress, { runtime, subscribeTo: [{ to: small, ...transient }] })
    const { writable, readable } = new TransformStream<Uint8Array, Uint8Array<ArrayBuffer>>()
    start(toWritableStream(writable), { runtime, subscribeTo: [{ to: large, maxDemand: 2 }] })
    expect((await new Response(readable).text()) === text).toBe(true)
  })

  it('INV-5 INV-6 is piped through a stage', async () => {
    const { runtime } = recordedRuntime()
    const Lines = producerConsumer(() => ({
      handleEvents: (texts: readonly string[]) => texts.flatMap(each => each.split(/(?<=\n)/)),
    }))
    const lines = open()
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(asTransformStream(Lines, { runtime, maxDemand: 3 }))
    expect((await new Response(lines.pipeThrough(new TextEncoderStream())).text()) === text).toBe(true)
  })
})

it('INV-5 a stage writes into a stage by way of streams', async () => {
  const { runtime } = recordedRuntime()
  const Same = producerConsumer(() => ({ handleEvents: (events: readonly number[]) => events }))
  const second = start(Same, { runtime })
  const writing = asReadableStream(start(fromIterable(range(100)), { runtime })).pipeTo(
    asWritableStream(second, { cancel: 'temporary' }),
  )
  const read: number[] = []
  for await (const number of second.stream({ maxDemand: 5 })) {
    read.push(number)
    if (read.length === 100) break
  }
  await writing
  expect(read).toEqual(range(100))
})
