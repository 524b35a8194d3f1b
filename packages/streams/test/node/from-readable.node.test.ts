import { consumer, start } from '@genstage/core'
import { probeConsumer } from '@genstage/testing'
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Duplex, Readable } from 'node:stream'
import { describe, expect, it, onTestFinished } from 'vitest'
import { fromReadable } from '../../src/node/index.ts'
import { isPrematureClose } from './support/adapters.ts'
import { quiet, recordedRuntime, until } from './support/recorded-runtime.ts'
import { controlledReadable } from './support/streams.ts'

const streamEvents = ['data', 'readable', 'end', 'error', 'close', 'pause', 'resume', 'aborted']

/** Listeners that somebody has put on a stream. */
function listeners(stream: Readable): number {
  return streamEvents.reduce((sum, event) => sum + stream.listenerCount(event), 0)
}

function endless(options: { readonly highWaterMark: number }) {
  const counted = { taken: 0 }
  const stream = new Readable({
    objectMode: true,
    ...options,
    read() {
      this.push(counted.taken++)
    },
  })
  return { stream, counted }
}

describe('fromReadable', () => {
  it.each([0, 1, 16])('INV-1 INV-23 reads what is asked for and its highWaterMark of %i, and no more', async highWaterMark => {
    const { runtime } = recordedRuntime()
    const { stream, counted } = endless({ highWaterMark })
    const ref = start(fromReadable<number>(stream), { runtime })
    await quiet()
    expect(counted.taken).toBe(0)
    const probe = probeConsumer<number>({ mode: 'manual' })
    start(probe.definition, { runtime, subscribeTo: [{ to: ref, cancel: 'temporary' }] })
    for (const asked of [1, 5, 20]) {
      await until(() => probe.subscriptions.length > 0)
      const before = probe.events.length
      probe.subscriptions[0]?.ask(asked)
      await until(() => probe.events.length === before + asked)
      await quiet()
      expect(probe.events.length).toBe(before + asked)
      expect(counted.taken).toBeLessThanOrEqual(probe.events.length + Math.max(1, highWaterMark))
    }
    expect(probe.events).toEqual(Array.from({ length: 26 }, (_, index) => index))
  })

  it('INV-26 gives chunks of bytes and of text as they come', async () => {
    const { runtime } = recordedRuntime()
    const chunks = [Buffer.from('one'), Buffer.from('two'), Buffer.from('three')]
    const bytes = new Readable({ read() {} })
    for (const chunk of [...chunks, null]) bytes.push(chunk)
    const probe = probeConsumer<Buffer>()
    await start(probe.definition, { runtime, subscribeTo: [start(fromReadable<Buffer>(bytes), { runtime })] }).exited
    expect(probe.events.map((event, index) => event === chunks[index])).toEqual([true, true, true])

    const text = new Readable({ read() {}, encoding: 'utf8' })
    for (const chunk of [Buffer.from([0xe2, 0x82]), Buffer.from([0xac, 0x21]), null]) text.push(chunk)
    const read = probeConsumer<string>()
    await start(read.definition, { runtime, subscribeTo: [start(fromReadable<string>(text), { runtime })] }).exited
    expect(read.events.join('')).toBe('€!')
  })

  it('F60 a stream that is destroyed by others without an error ends the stage as one that was closed too early', async () => {
    const { runtime, takeUncaught } = recordedRuntime()
    const { stream } = controlledReadable({ objectMode: true })
    const ref = start(fromReadable(stream), { runtime })
    const probe = probeConsumer()
    start(probe.definition, { runtime, subscribeTo: [{ to: ref, cancel: 'temporary' }] })
    await until(() => probe.subscriptions.length > 0)
    stream.destroy()
    const reason = await ref.exited
    expect(reason.type === 'error' && isPrematureClose(reason.error)).toBe(true)
    takeUncaught()
  })

  it.each<[string, (stream: Readable, error: Error) => unknown]>([
    ['read', (stream, error) => Object.assign(stream, { _read: () => void stream.destroy(error) })],
    ['data', (stream, error) => stream.on('data', () => stream.destroy(error))],
    ['pause', (stream, error) => stream.on('pause', () => stream.destroy(error))],
    ['resume', (stream, error) => stream.on('resume', () => stream.destroy(error))],
  ])('F60 a stream that is destroyed in its %s ends the stage with the original error', async (_, arrange) => {
    const { runtime } = recordedRuntime()
    const { stream, output } = controlledReadable({ objectMode: true })
    const error = new Error('destroyed')
    const ref = start(fromReadable(stream), { runtime })
    await ref.ready
    arrange(stream, error)
    const Take = consumer(() => ({ handleEvents(_events: readonly unknown[]) {} }))
    start(Take, { runtime, subscribeTo: [{ to: ref, maxDemand: 2, cancel: 'temporary' }] })
    output.feed(stream, [1, 2, 3])
    const reason = await ref.exited
    expect(reason.type === 'error' && reason.error).toBe(error)
    await quiet()
    expect(stream.closed).toBe(true)
  })

  it('INV-21 leaves no listener behind, however it ends', async () => {
    const { runtime } = recordedRuntime()
    const arrange = [
      (made: ReturnType<typeof controlledReadable>) => made.output.finish(made.stream),
      (made: ReturnType<typeof controlledReadable>) => made.output.finish(made.stream, new Error('failed')),
      () => {},
    ]
    for (const end of arrange) {
      const made = controlledReadable({ objectMode: true })
      const before = listeners(made.stream)
      const ref = start(fromReadable(made.stream), { runtime })
      ref.monitor(() => {})
      const probe = probeConsumer()
      start(probe.definition, { runtime, subscribeTo: [{ to: ref, cancel: 'temporary' }] })
      made.output.feed(made.stream, [1, 2])
      await until(() => probe.events.length === 2)
      end(made)
      await quiet()
      await ref.stop()
      await ref.exited
      expect(listeners(made.stream)).toBe(before)
    }
  })

  it('INV-21 a stop waits until the file is closed; a kill closes it as well', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'streams-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const path = join(folder, 'file')
    writeFileSync(path, Buffer.alloc(1_000_000))
    const { runtime } = recordedRuntime()
    for (const end of ['stop', 'kill'] as const) {
      const file = createReadStream(path)
      const ref = start(fromReadable(file), { runtime })
      const probe = probeConsumer()
      start(probe.definition, { runtime, subscribeTo: [{ to: ref, maxDemand: 1, cancel: 'temporary' }] })
      await until(() => probe.events.length > 0)
      await ref[end]()
      if (end === 'stop') expect(file.closed).toBe(true)
      else await until(() => file.closed)
    }
  })

  it('INV-21 a stream that tells nothing of its close does not hold up a stop', async () => {
    const { runtime } = recordedRuntime()
    const stream = new Readable({ emitClose: false, read() {} })
    const ref = start(fromReadable(stream), { runtime })
    await ref.ready
    expect(await ref.stop('normal', { timeout: 60_000 })).toEqual({ type: 'normal' })
    expect(stream.destroyed).toBe(true)
  })

  it('INV-17 what goes wrong while it is closed fails the stage', async () => {
    const { runtime } = recordedRuntime()
    const error = new Error('cannot close')
    const stream = new Readable({ read() {}, destroy: (_, done) => done(error) })
    const ref = start(fromReadable(stream), { runtime })
    await ref.ready
    expect(await ref.stop()).toEqual({ type: 'error', error })
  })

  it('leaves the other half of a Duplex open at a good end', async () => {
    const { runtime } = recordedRuntime()
    const duplex = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() })
    const ref = start(fromReadable(duplex), { runtime })
    const probe = probeConsumer()
    start(probe.definition, { runtime, subscribeTo: [ref] })
    duplex.push(null)
    expect(await ref.exited).toEqual({ type: 'normal' })
    expect([duplex.destroyed, duplex.writable]).toEqual([false, true])
  })

  it('begins anew with a function, and ends with its last consumer where it is told to', async () => {
    const { runtime } = recordedRuntime()
    const Letters = fromReadable<string>(() => Readable.from(['a', 'b']), { onCancel: 'stop' })
    for (let life = 0; life < 2; life++) {
      const ref = start(Letters, { runtime })
      for await (const letter of ref.stream({ maxDemand: 1 })) {
        expect(letter).toBe('a')
        break
      }
      expect(await ref.exited).toEqual({ type: 'normal' })
    }
  })

  it('INV-6 reports what it had read and could not hand on', async () => {
    const { runtime } = recordedRuntime()
    const discarded: unknown[] = []
    runtime.telemetry.on('discarded', ({ reason, events }) => discarded.push(reason, ...events))
    const { stream, output } = controlledReadable({ objectMode: true })
    const ref = start(fromReadable(stream), { runtime })
    const probe = probeConsumer()
    start(probe.definition, { runtime, subscribeTo: [{ to: ref, cancel: 'temporary' }] })
    await until(() => probe.subscriptions.length > 0)
    await quiet()
    stream.once('data', () => void ref.stop())
    output.feed(stream, [1, 2])
    await ref.exited
    expect([...probe.events, ...discarded.filter(each => typeof each === 'number')]).toEqual([1, 2].slice(0, output.taken))
  })
})
