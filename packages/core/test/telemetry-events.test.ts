/** Every telemetry event, with exactly the fields that its type names. */
import {
  child,
  consumer,
  producer,
  type ProducerRef,
  type Runtime,
  start,
  supervisor,
  type TelemetryEvents,
  type TelemetryMessage,
} from '@genstage/core'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { watchedRuntime } from './support/watched-runtime.ts'

type Name = keyof TelemetryEvents

/** What is to happen for an event, and what it then tells: a value for each field of its type, no more and no fewer. */
interface Case<Event extends Name> {
  provoke(world: World): unknown
  readonly tells: (world: World) => { readonly [Field in keyof TelemetryEvents[Event][0]]: unknown }
}

interface World {
  readonly runtime: Runtime
  readonly source: ProducerRef<number>
  readonly settle: () => Promise<void>
  /** Emits as the source. */
  emit(...events: readonly number[]): Promise<void>
}

const boom = new Error('boom')

/** Emits what it is cast; fails when that is nothing. */
const Source = producer.of<number>()(() => ({
  handleDemand() {},
  handleCast(events: readonly number[]) {
    if (events.length === 0) throw boom
    return events
  },
}))
const Sink = consumer.of<number>()(() => ({ handleEvents() {} }))
const Failing = consumer.of<number>()(() => ({
  handleEvents() {
    throw boom
  },
}))

const aString = expect.any(String) as string
const of = (name: string, id: string = aString) => ({ stage: id, name, at: 5 })
const atSource = ({ source }: World) => of('source', source.id)
const subscribed = ({ runtime, source }: World) => {
  start(Sink, { runtime, name: 'sink' }).subscribe({ to: source, maxDemand: 3, cancel: 'temporary' })
}

const cases: { readonly [Event in Name]: Case<Event> } = {
  started: {
    provoke: ({ runtime }) => start(Sink, { runtime, name: 'sink' }),
    tells: () => ({ ...of('sink'), type: 'consumer' }),
  },
  exited: {
    provoke: ({ source }) => source.stop('shutdown'),
    tells: world => ({ ...atSource(world), reason: { type: 'shutdown' } }),
  },
  restarted: {
    async provoke({ runtime, source, settle, emit }) {
      const one = child(Failing, { id: 'one', subscribeTo: [{ to: source, maxDemand: 3 }] })
      start(supervisor([one]), { runtime, name: 'app' })
      await settle()
      await emit(1)
    },
    tells: () => ({ ...of('app'), child: 'one', reason: { type: 'error', error: boom }, restarts: 1 }),
  },
  subscribed: {
    provoke: subscribed,
    tells: ({ source }) => ({ ...of('sink'), subscription: aString, producer: source.id }),
  },
  cancelled: {
    async provoke(world) {
      subscribed(world)
      await world.settle()
      await world.source.stop()
    },
    tells: () => ({ ...of('sink'), subscription: aString, kind: 'down', reason: { type: 'normal' } }),
  },
  asked: {
    provoke: subscribed,
    tells: world => ({ ...atSource(world), subscription: aString, demand: 3 }),
  },
  dispatched: {
    async provoke(world) {
      subscribed(world)
      await world.settle()
      await world.emit(1, 2, 3, 4)
    },
    tells: world => ({ ...atSource(world), count: 4, leftover: 1 }),
  },
  buffered: {
    provoke: ({ emit }) => emit(1, 2),
    tells: world => ({ ...atSource(world), count: 2, size: 2 }),
  },
  discarded: {
    async provoke({ source, emit }) {
      await emit(1, 2)
      await source.stop()
    },
    tells: world => ({ ...atSource(world), count: 2, reason: 'stopped', events: [1, 2] }),
  },
  redelivered: {
    async provoke({ runtime, source, settle, emit }) {
      const failing = start(Failing, { runtime })
      failing.subscribe({ to: source, maxDemand: 3, redeliver: true })
      void failing.exited
      await settle()
      await emit(1, 2)
      start(Sink, { runtime, subscribeTo: [source] })
    },
    tells: world => ({ ...atSource(world), subscription: aString, count: 2 }),
  },
  handled: {
    async provoke(world) {
      subscribed(world)
      await world.settle()
      await world.emit(1, 2)
    },
    tells: () => ({ ...of('sink'), callback: 'handleEvents', count: 2, durationMs: 0 }),
  },
  failed: {
    async provoke({ source, emit }) {
      void source.exited
      await emit()
    },
    tells: world => ({ ...atSource(world), error: boom }),
  },
}

describe('each telemetry event', () => {
  it.each(Object.entries(cases) as [Name, Case<Name>][])(
    'GS-O4 %s has the fields of its type',
    async (name, { provoke, tells }) => {
      const { runtime, settle, pass } = watchedRuntime()
      const source = start(Source, { runtime, name: 'source' })
      await pass(5)
      const told: unknown[] = []
      runtime.telemetry.on(name, (event: unknown) => told.push(event))
      const world: World = {
        runtime,
        source,
        settle,
        emit(...events) {
          source.cast(events)
          return settle()
        },
      }
      await provoke(world)
      await settle()
      expect(told).toContainEqual(tells(world))
    },
  )

  it('reaches its listener with its type, and a channel with the runtime besides', () => {
    const { runtime } = watchedRuntime()
    runtime.telemetry.on('handled', event => expectTypeOf(event).toEqualTypeOf<TelemetryEvents['handled'][0]>())
    expectTypeOf<TelemetryMessage<'exited'>['reason']>().toEqualTypeOf<TelemetryEvents['exited'][0]['reason']>()
    expectTypeOf<TelemetryMessage['runtime']>().toEqualTypeOf<Runtime>()
    // @ts-expect-error there is no such event
    runtime.telemetry.on('handeld', () => {})
  })
})
