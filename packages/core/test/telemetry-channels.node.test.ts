/** Telemetry on the channels of `node:diagnostics_channel`. */
import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel'
import {
  createRuntime,
  producer,
  consumer,
  type Runtime,
  start,
  type TelemetryEvents,
  type TelemetryMessage,
} from '@genstage/core'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { diagnosticsChannel } from '../src/platform.ts'
import { TelemetryBus } from '../src/telemetry.ts'
import { watchedRuntime } from './support/watched-runtime.ts'

type Name = keyof TelemetryEvents

/** Emits what it is cast. */
const Source = producer.of<number>()(() => ({ handleDemand() {}, handleCast: (events: readonly number[]) => events }))
const Sink = consumer.of<number>()(() => ({ handleEvents() {} }))

const undo: (() => void)[] = []
afterEach(() => {
  for (const each of undo.splice(0)) each()
})

/** Takes what arrives on a channel; everything is undone after the test. */
function hear<Event extends Name>(name: Event, take: (message: TelemetryMessage<Event>) => void): () => void {
  const listener = (message: unknown): void => take(message as TelemetryMessage<Event>)
  subscribe(`genstage:${name}`, listener)
  const stop = (): void => void unsubscribe(`genstage:${name}`, listener)
  undo.push(stop)
  return stop
}

/** What arrived, in order, with the runtime left out. */
function heard(...names: readonly Name[]): [Name, object][] {
  const told: [Name, object][] = []
  for (const name of names) hear(name, ({ runtime: _, ...event }) => told.push([name, event]))
  return told
}

describe('the channels', () => {
  it('carry what the bus emits, and the runtime that it happened in', async () => {
    const { runtime, settle } = watchedRuntime()
    const onBus: [Name, unknown][] = []
    const runtimes = new Set<Runtime>()
    const names = ['started', 'subscribed', 'asked', 'dispatched', 'handled', 'cancelled', 'exited'] as const
    const told = heard(...names)
    for (const name of names) {
      runtime.telemetry.on(name, (event: unknown) => onBus.push([name, event]))
      hear(name, message => runtimes.add(message.runtime))
    }
    const source = start(Source, { runtime, name: 'source' })
    start(Sink, { runtime, subscribeTo: [source] })
    source.cast([1, 2])
    await settle()
    await source.stop()
    await settle()
    expect(told).toEqual(onBus)
    expect(new Set(told.map(([name]) => name))).toEqual(new Set(names))
    expect([...runtimes]).toEqual([runtime])
  })

  it('are enough: no listener on the bus is needed', async () => {
    const { runtime, settle } = watchedRuntime()
    const told = heard('handled')
    const source = start(Source, { runtime })
    start(Sink, { runtime, name: 'sink', subscribeTo: [source] })
    await settle()
    source.cast([1, 2, 3])
    await settle()
    expect(told.at(-1)).toEqual(['handled', expect.objectContaining({ name: 'sink', callback: 'handleEvents', count: 3 })])
  })

  it('carry the news of all runtimes of a process', async () => {
    const [one, other] = [watchedRuntime(), watchedRuntime()]
    const from: Runtime[] = []
    hear('started', ({ runtime }) => from.push(runtime))
    start(Source, { runtime: one.runtime })
    start(Source, { runtime: other.runtime })
    await Promise.all([one.settle(), other.settle()])
    expect(from).toEqual([one.runtime, other.runtime])
  })

  it('honour subscriptions that come and go while stages run', async () => {
    const { runtime, settle } = watchedRuntime()
    const source = start(Source, { runtime })
    start(Sink, { runtime, subscribeTo: [source] })
    await settle()
    const counts: number[] = []
    const emit = async (count: number) => {
      source.cast(Array.from({ length: count }, (_, index) => index))
      await settle()
    }
    await emit(1)
    const stop = hear('dispatched', ({ count }) => counts.push(count))
    await emit(2)
    stop()
    await emit(3)
    hear('dispatched', ({ count }) => counts.push(count))
    await emit(4)
    expect(counts).toEqual([2, 4])
  })

  it('honour a subscription at once where a stage is started or killed', async () => {
    const { runtime, settle } = watchedRuntime()
    const source = start(Source, { runtime })
    await settle()
    const told = heard('exited')
    void source.kill()
    expect(told).toEqual([['exited', { stage: source.id, name: undefined, at: 0, reason: { type: 'killed' } }]])
  })

  it('F43 a subscriber that throws harms no stage and no other subscriber', async () => {
    const { runtime, settle, uncaught } = watchedRuntime()
    const raised = vi.fn<(error: unknown) => void>()
    process.prependOnceListener('uncaughtException', raised)
    const others = process.listeners('uncaughtException').filter(listener => listener !== raised)
    for (const listener of others) process.off('uncaughtException', listener)
    undo.push(() => {
      for (const listener of others) process.on('uncaughtException', listener)
      process.off('uncaughtException', raised)
    })
    hear('started', () => {
      throw new Error('boom')
    })
    const told = heard('started')
    const source = start(Source, { runtime })
    await source.ready
    await settle()
    expect(told).toHaveLength(1)
    expect(raised).toHaveBeenCalledOnce()
    expect(uncaught).toEqual([])
  })
})

describe('channels that nobody subscribes to', () => {
  it('make nothing', async () => {
    const { runtime, settle } = watchedRuntime()
    const publish = vi.spyOn(channel('genstage:dispatched'), 'publish')
    const emit = vi.spyOn(runtime.telemetry, 'emit')
    hear('handled', () => {})()
    const source = start(Source, { runtime })
    start(Sink, { runtime, subscribeTo: [source] })
    source.cast([1])
    await settle()
    await source.stop()
    expect(emit).not.toHaveBeenCalled()
    expect(publish).not.toHaveBeenCalled()
    publish.mockRestore()
  })

  it('are looked at once a slice, a start and an end, however many events go through', async () => {
    const looks = vi.spyOn(TelemetryBus.prototype, 'look')
    undo.push(() => looks.mockRestore())
    const runtime = createRuntime({ sliceMs: Infinity, logger: { debug() {}, info() {}, warn() {}, error() {} } })
    let left = 100_000
    let end = (): void => {}
    const over = new Promise<void>(resolve => {
      end = resolve
    })
    const Numbers = producer(() => ({ handleDemand: demand => Array.from({ length: demand }, () => 1) }))
    const Count = consumer(() => ({
      handleEvents(events: readonly number[]) {
        left -= events.length
        if (left <= 0) end()
      },
    }))
    const source = start(Numbers, { runtime })
    start(Count, { runtime, subscribeTo: [{ to: source, maxDemand: 10 }] })
    await over
    await source.stop()
    expect(looks.mock.calls.length).toBeLessThan(20)
  })
})

describe('diagnosticsChannel', () => {
  it('is that of node:diagnostics_channel', () => {
    expect(diagnosticsChannel('genstage:started')).toBe(channel('genstage:started'))
  })

  it.each([[undefined], [{}], [{ getBuiltinModule: () => undefined }]])('is undefined where the process is %j', process => {
    vi.stubGlobal('process', process)
    const found = diagnosticsChannel('genstage:started')
    vi.unstubAllGlobals()
    expect(found).toBeUndefined()
  })
})
