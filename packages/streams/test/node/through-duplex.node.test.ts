import { fromIterable, producer, start } from '@genstage/core'
import { probeConsumer } from '@genstage/testing'
import { createReadStream, createWriteStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Duplex, PassThrough, Transform } from 'node:stream'
import { createGunzip, createGzip, gunzipSync, gzipSync } from 'node:zlib'
import { describe, expect, it, onTestFinished } from 'vitest'
import { fromReadable, throughDuplex, toWritable } from '../../src/node/index.ts'
import { quiet, recordedRuntime, until } from './support/recorded-runtime.ts'
import { controlledDuplex } from './support/streams.ts'

/** Bytes that compress, and do not repeat themselves too soon. */
function text(size: number): Buffer {
  const lines: string[] = []
  for (let line = 0, length = 0; length < size; line++) {
    lines.push(`line ${line} of a text, ${(line * 7919) % 1000} in some order\n`)
    length += lines[line]?.length ?? 0
  }
  return Buffer.from(lines.join('')).subarray(0, size)
}

type Done = (error: Error) => void

/** What comes out when a stage in the middle gets these events, and how it ended. */
async function sent(events: Iterable<unknown>, make: () => Duplex, cancel: 'permanent' | 'transient' = 'permanent') {
  const { runtime } = recordedRuntime()
  const source = start(fromIterable(events), { runtime })
  const middle = start(throughDuplex(make), { runtime, subscribeTo: [{ to: source, maxDemand: 3, cancel }] })
  const probe = probeConsumer<unknown>()
  start(probe.definition, { runtime, subscribeTo: [{ to: middle, maxDemand: 2, cancel: 'temporary' }] })
  const reason = await middle.exited
  await until(() => probe.cancels.length > 0)
  return { events: probe.events, reason }
}

const triple = () =>
  new Transform({
    objectMode: true,
    transform(chunk, _encoding, done) {
      for (const copy of [1, 2, 3]) this.push(`${chunk}${copy}`)
      done()
    },
    flush(done) {
      this.push('last')
      done()
    },
  })

describe('throughDuplex', () => {
  it('INV-5 INV-6 gzips a file: the bytes are those of gzipSync, and come back', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'streams-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const [path, zipped, back] = ['text', 'text.gz', 'back'].map(name => join(folder, name)) as [string, string, string]
    const content = text(3_000_000)
    writeFileSync(path, content)
    const { runtime } = recordedRuntime()
    const through = async (from: string, make: () => Duplex, to: string): Promise<void> => {
      const source = start(fromReadable(createReadStream(from)), { runtime })
      const middle = start(throughDuplex(make), { runtime, subscribeTo: [{ to: source, maxDemand: 4 }] })
      await start(toWritable(createWriteStream(to)), { runtime, subscribeTo: [{ to: middle, maxDemand: 4 }] }).done
    }
    await through(path, () => createGzip(), zipped)
    expect(readFileSync(zipped).equals(gzipSync(content))).toBe(true)
    expect(gunzipSync(readFileSync(zipped)).equals(content)).toBe(true)
    await through(zipped, () => createGunzip(), back)
    expect(readFileSync(back).equals(content)).toBe(true)
  })

  it.each(['permanent', 'transient'] as const)(
    'INV-6 the rest comes out before it ends, with a %s subscription',
    async cancel => {
      const { events, reason } = await sent([1, 2], triple, cancel)
      expect(events).toEqual(['11', '12', '13', '21', '22', '23', 'last'])
      expect(reason).toEqual({ type: 'normal' })
    },
  )

  it('INV-6 a drain lets everything out', async () => {
    const { runtime } = recordedRuntime()
    const source = start(
      producer(() => ({ handleDemand() {}, handleCast: (numbers: readonly number[]) => numbers })),
      { runtime },
    )
    const middle = start(throughDuplex<number, string>(triple), { runtime, subscribeTo: [{ to: source, cancel: 'transient' }] })
    const probe = probeConsumer<string>()
    start(probe.definition, { runtime, subscribeTo: [{ to: middle, maxDemand: 1, cancel: 'temporary' }] })
    source.cast([1, 2])
    await until(() => probe.events.length > 0)
    expect(await middle.stop('shutdown', { drain: true })).toEqual({ type: 'shutdown' })
    await until(() => probe.cancels.length > 0)
    expect(probe.events).toEqual(['11', '12', '13', '21', '22', '23', 'last'])
  })

  it('INV-19 ends with the last of its transient producers, and at once with a permanent one that fails', async () => {
    const { runtime, takeUncaught } = recordedRuntime()
    const left = start(fromIterable([1, 2]), { runtime })
    const Slow = producer(() => ({ handleDemand() {}, handleCast: (numbers: readonly number[]) => numbers }))
    const right = start(Slow, { runtime })
    const middle = start(
      throughDuplex(() => new PassThrough({ objectMode: true })),
      {
        runtime,
        subscribeTo: [left, right].map(to => ({ to, cancel: 'transient' as const })),
      },
    )
    const probe = probeConsumer<unknown>()
    start(probe.definition, { runtime, subscribeTo: [{ to: middle, cancel: 'temporary' }] })
    await left.exited
    await until(() => probe.events.length === 2)
    right.cast([3])
    await until(() => probe.events.length === 3)
    const error = new Error('a producer failed')
    void right.stop({ type: 'error', error })
    expect(await middle.exited).toEqual({ type: 'error', error })
    takeUncaught()
  })

  it('X13 goes on when a subscription takes the place of another', async () => {
    const { runtime } = recordedRuntime()
    const Slow = producer(() => ({ handleDemand() {}, handleCast: (numbers: readonly number[]) => numbers }))
    const source = start(Slow, { runtime })
    const middle = start(
      throughDuplex<number, number>(() => new PassThrough({ objectMode: true })),
      { runtime },
    )
    const first = middle.subscribe({ to: source })
    await first.accepted
    const probe = probeConsumer<number>()
    start(probe.definition, { runtime, subscribeTo: [{ to: middle, cancel: 'temporary' }] })
    source.cast([1])
    await until(() => probe.events.length === 1)
    await first.resubscribe({ maxDemand: 2 }).accepted
    await first.ended
    source.cast([2])
    await until(() => probe.events.length === 2)
    await source.stop()
    expect(await middle.exited).toEqual({ type: 'normal' })
  })

  it('INV-1 INV-23 holds back both sides: what goes in, and what comes out', async () => {
    const { runtime } = recordedRuntime()
    let given = 0
    const Numbers = producer(() => ({ handleDemand: demand => Array.from({ length: demand }, () => given++) }))
    const source = start(Numbers, { runtime })
    let pushed = 0
    const expand = new Transform({
      objectMode: true,
      transform(chunk, _encoding, done) {
        for (let copy = 0; copy < 10; copy++) this.push([chunk, copy, pushed++])
        done()
      },
    })
    const middle = start(throughDuplex<number>(expand), { runtime, subscribeTo: [{ to: source, maxDemand: 4 }] })
    const probe = probeConsumer<unknown>({ mode: 'manual' })
    start(probe.definition, { runtime, subscribeTo: [{ to: middle, cancel: 'temporary' }] })
    await until(() => probe.subscriptions.length > 0)
    for (const asked of [1, 10, 100]) {
      probe.subscriptions[0]?.ask(asked)
      await quiet(50)
    }
    expect(probe.events.length).toBe(111)
    // 96 in the stage, 16 and one expansion in the stream that is read
    expect(pushed).toBeLessThanOrEqual(111 + 96 + 16 + 10)
    // 16 in the stream that is written to, 4 on their way
    expect(given).toBeLessThanOrEqual(Math.ceil(pushed / 10) + 16 + 4)
    await middle.stop()
    await source.stop()
  })

  it.each<[string, (duplex: Duplex, error: Error) => unknown]>([
    [
      'write',
      (duplex, error) => Object.assign(duplex, { _write: (_chunk: unknown, _encoding: string, done: Done) => done(error) }),
    ],
    ['write, by destroy', (duplex, error) => Object.assign(duplex, { _write: () => void duplex.destroy(error) })],
    ['read', (duplex, error) => Object.assign(duplex, { _read: () => void duplex.destroy(error) })],
    ['final', (duplex, error) => Object.assign(duplex, { _final: (done: Done) => done(error) })],
    ['data', (duplex, error) => duplex.on('data', () => duplex.destroy(error))],
  ])('F60 a stream that fails in its %s ends the stage with the original error', async (_, arrange) => {
    const { runtime } = recordedRuntime()
    const error = new Error('the stream failed')
    const { stream, output } = controlledDuplex({ objectMode: true })
    const source = start(fromIterable([1, 2, 3]), { runtime })
    const middle = start(throughDuplex(stream), { runtime })
    middle.monitor(() => {})
    await middle.ready
    arrange(stream, error)
    output.feed(stream, ['a', 'b'])
    const probe = probeConsumer<unknown>()
    start(probe.definition, { runtime, subscribeTo: [{ to: middle, maxDemand: 1, cancel: 'temporary' }] })
    middle.subscribe({ to: source, maxDemand: 1 })
    expect(await middle.exited).toEqual({ type: 'error', error })
    await until(() => stream.closed)
  })

  it('F60 a failure of the stage above destroys the stream with the original error; a stop without one', async () => {
    const { runtime, takeUncaught } = recordedRuntime()
    const error = new Error('above')
    const failures: unknown[] = []
    for (const end of ['fail', 'stop', 'kill'] as const) {
      const { stream } = controlledDuplex({ objectMode: true })
      stream.on('error', failure => failures.push(failure))
      const source = start(
        producer(() => ({ handleDemand() {} })),
        { runtime },
      )
      const middle = start(throughDuplex(stream), { runtime, subscribeTo: [{ to: source, cancel: 'transient' }] })
      await middle.ready
      if (end === 'fail') await source.stop({ type: 'error', error })
      else await middle[end]()
      await middle.exited
      await until(() => stream.closed)
      await quiet()
    }
    expect(failures).toEqual([error, expect.objectContaining({ code: 'STOPPED' })])
    takeUncaught()
  })

  it('ends when the stream ends its own output first', async () => {
    const { runtime } = recordedRuntime()
    const { stream, output } = controlledDuplex({ objectMode: true })
    const middle = start(throughDuplex(stream), { runtime })
    const probe = probeConsumer<unknown>()
    start(probe.definition, { runtime, subscribeTo: [{ to: middle, cancel: 'temporary' }] })
    output.feed(stream, [1])
    output.finish(stream)
    expect(await middle.exited).toEqual({ type: 'normal' })
    await until(() => probe.cancels.length > 0)
    expect(probe.events).toEqual([1])
    await until(() => stream.closed)
  })

  it('BAD-63 an event that the stream does not take fails the stage', async () => {
    for (const [event, code] of [
      [null, 'BAD_SINK'],
      [{ no: 'bytes' }, 'ERR_INVALID_ARG_TYPE'],
    ]) {
      const { reason } = await sent([event], () => new PassThrough())
      expect(reason).toMatchObject({ type: 'error', error: { code } })
    }
  })
})
