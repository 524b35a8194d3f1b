import { consumer, fromIterable, producer, producerConsumer, start } from '@genstage/core'
import { Duplex, PassThrough, Readable, Writable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { asDuplex, asReadable, asWritable, fromReadable, throughDuplex, toWritable } from '../../src/node/index.ts'
import { recordedRuntime } from './support/recorded-runtime.ts'
import { expectRefusal } from './support/refusal.ts'

const wrong = (value: unknown): never => value as never

async function ended(): Promise<Readable> {
  const stream = Readable.from([])
  await stream.toArray()
  return stream
}

/** A stream that has failed, without anybody being troubled by it. */
async function failed<Stream extends Readable | Writable>(stream: Stream): Promise<Stream> {
  stream.on('error', () => {}).destroy(new Error('failed before'))
  await new Promise(resolve => stream.on('close', resolve))
  return stream
}

describe('an input that cannot be read', () => {
  it.each([null, undefined, 42, 'text', {}, [1], { on() {} }])('BAD-58 is refused: %s', value => {
    expectRefusal('BAD_SOURCE', 'must be a Readable, not', () => fromReadable(wrong(value)))
    expectRefusal('BAD_SOURCE', 'must be a Readable, not', () => throughDuplex(wrong(value)))
  })

  it('BAD-60 is refused when somebody reads it already', () => {
    const flowing = new Readable({ read() {} }).resume()
    const listened = new Readable({ read() {} }).on('readable', () => {})
    const paused = new Readable({ read() {} }).on('data', () => {}).pause()
    for (const stream of [flowing, listened, paused])
      expectRefusal('BAD_SOURCE', 'nobody reads, but somebody does', () => fromReadable(stream))
  })

  it('BAD-60 is refused by the second stage that is started with it', async () => {
    const { runtime } = recordedRuntime()
    const definition = fromReadable(new Readable({ read() {} }))
    await start(definition, { runtime }).ready
    await expect(start(definition, { runtime }).ready).rejects.toMatchObject({ code: 'BAD_SOURCE' })
  })

  it('BAD-61 is refused when it is destroyed, has failed or has ended', async () => {
    expectRefusal('BAD_SOURCE', 'it is destroyed', () => fromReadable(new Readable().destroy()))
    const broken = await failed(new Readable())
    expectRefusal('BAD_SOURCE', 'it has failed', () => fromReadable(broken))
    expect(() => fromReadable(broken)).toThrow(expect.objectContaining({ cause: new Error('failed before') }))
    const empty = await ended()
    expectRefusal('BAD_SOURCE', 'Readable', () => fromReadable(empty))
  })

  it('BAD-62 is refused when it is a Writable, also out of a function', async () => {
    const { runtime } = recordedRuntime()
    expectRefusal('BAD_SOURCE', 'must be a Readable, not an object', () => fromReadable(wrong(new Writable())))
    expectRefusal('BAD_SOURCE', 'it has ended', () => fromReadable(new Duplex(wrong({ readable: false }))))
    const ref = start(
      fromReadable(() => wrong(new Writable())),
      { runtime },
    )
    await expect(ref.ready).rejects.toMatchObject({ code: 'BAD_SOURCE' })
  })
})

describe('an output that cannot be written to', () => {
  it.each([null, undefined, 42, 'text', {}])('BAD-58 is refused: %s', value => {
    expectRefusal('BAD_SINK', 'must be a Writable, not', () => toWritable(wrong(value)))
  })

  it('BAD-61 is refused when it is destroyed, has failed or has ended', async () => {
    expectRefusal('BAD_SINK', 'it is destroyed', () => toWritable(new Writable().destroy()))
    const broken = await failed(new Writable())
    expectRefusal('BAD_SINK', 'it has failed', () => toWritable(broken))
    const slow = new Writable({ write() {} })
    slow.write('something')
    expectRefusal('BAD_SINK', 'it has ended', () => toWritable(slow.end()))
  })

  it('BAD-62 is refused when it is a Readable', () => {
    expectRefusal('BAD_SINK', 'must be a Writable, not an object', () => toWritable(wrong(new Readable())))
    expectRefusal('BAD_SINK', 'it has ended', () => toWritable(new Duplex(wrong({ writable: false, read() {} }))))
    expectRefusal('BAD_SINK', 'must be a Writable', () => throughDuplex(wrong(new Readable())))
  })
})

describe('a stage that does not fit', () => {
  const stages = () => {
    const { runtime } = recordedRuntime()
    return {
      source: start(fromIterable([1]), { runtime }),
      sink: start(
        consumer(() => ({ handleEvents(_: readonly number[]) {} })),
        { runtime },
      ),
    }
  }

  it('BAD-66 is refused', () => {
    const { source, sink } = stages()
    for (const value of [null, undefined, 42, {}, new PassThrough()]) {
      expectRefusal('NOT_A_STAGE', 'stage', () => asReadable(wrong(value)))
      expectRefusal('NOT_A_STAGE', 'stage', () => asWritable(wrong(value)))
    }
    for (const value of [null, undefined, 42, 'text']) expectRefusal('NOT_A_STAGE', 'stage', () => asDuplex(wrong(value)))
    expectRefusal('NOT_A_PRODUCER', 'is a consumer', () => asReadable(wrong(sink)))
    expectRefusal('NOT_A_CONSUMER', 'is a producer', () => asWritable(wrong(source)))
    expectRefusal('NOT_A_PRODUCER', 'in the middle', () => asDuplex(wrong(source)))
    expectRefusal('NOT_A_PRODUCER', 'in the middle', () => asDuplex(wrong(sink)))
    expectRefusal('NOT_A_PRODUCER', 'in the middle', () => asDuplex(wrong(producer(() => ({ handleDemand() {} })))))
  })
})

describe('options', () => {
  const Middle = producerConsumer(() => ({ handleEvents: (events: readonly unknown[]) => events }))

  const makers: Readonly<Record<string, (options: never) => unknown>> = {
    asReadable: options => asReadable(start(fromIterable([1]), { runtime: recordedRuntime().runtime }), options),
    asWritable: options => asWritable(start(Middle, { runtime: recordedRuntime().runtime }), options),
    asDuplex: options => asDuplex(Middle, options),
  }

  it.each(Object.entries(makers))('BAD-19 BAD-63 BAD-67 BAD-68 of %s are checked', (_, make) => {
    for (const highWaterMark of [NaN, -1, Infinity, 1.5, '16'])
      expectRefusal('BAD_OPTION', 'highWaterMark must be a whole number', () => make(wrong({ highWaterMark })))
    for (const objectMode of [0, 'yes', null])
      expectRefusal('BAD_OPTION', 'objectMode must be true or false', () => make(wrong({ objectMode })))
    for (const signal of [{}, 'abort', { aborted: true }])
      expectRefusal('BAD_OPTION', 'signal must be an AbortSignal', () => make(wrong({ signal })))
    for (const maxDemand of [0, -1, 0.5, NaN, Infinity])
      expectRefusal('BAD_OPTION', 'maxDemand must be a whole number', () => make(wrong({ maxDemand })))
    expectRefusal('BAD_OPTION', 'must be below maxDemand (5)', () => make(wrong({ maxDemand: 5, minDemand: 5 })))
    for (const options of [42, 'text', []]) expectRefusal('BAD_OPTION', 'options must be an object', () => make(wrong(options)))
    for (const options of [{ to: 1 }, { redeliver: true }, { resubscribe: {} }])
      expectRefusal('BAD_OPTION', 'unknown option', () => make(wrong(options)))
  })

  it('BAD-19 of the others are checked', () => {
    expectRefusal('BAD_OPTION', 'onCancel must be one of', () => fromReadable(new Readable(), wrong({ onCancel: 'never' })))
    expectRefusal('BAD_OPTION', 'unknown option "onCancle"', () => fromReadable(new Readable(), wrong({ onCancle: 'stop' })))
    expectRefusal('BAD_OPTION', 'end must be true or false', () => toWritable(new Writable(), wrong({ end: 1 })))
    expectRefusal('BAD_OPTION', 'unknown option', () => toWritable(new Writable(), wrong({ ends: true })))
    expectRefusal('BAD_OPTION', 'unknown option "cancel"', () =>
      asReadable(start(fromIterable([1]), { runtime: recordedRuntime().runtime }), wrong({ cancel: 'permanent' })),
    )
  })

  it('BAD-19 that nobody knows are refused by the producer, which ends the stream', async () => {
    const { runtime } = recordedRuntime()
    const stream = asReadable(start(fromIterable([1]), { runtime }), wrong({ maxDemnd: 1 }))
    await expect(stream.toArray()).rejects.toMatchObject({ code: 'BAD_OPTION' })
  })

  it('BAD-67 a signal that is aborted already destroys the stream', async () => {
    const { runtime } = recordedRuntime()
    const stream = asReadable(start(fromIterable([1]), { runtime }), { signal: AbortSignal.abort() })
    await expect(stream.toArray()).rejects.toMatchObject({ name: 'AbortError' })
  })
})
