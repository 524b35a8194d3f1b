/** What is left behind: no timers, no handles, no listeners, no memory, and no process that cannot end. */
import { spawnSync } from 'node:child_process'
import { getEventListeners } from 'node:events'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import {
  broadcastDispatcher,
  consumer,
  createRuntime,
  demandDispatcher,
  type DispatcherFactory,
  partitionDispatcher,
  producer,
  producerConsumer,
  type ProducerRef,
  type Runtime,
  start,
} from '@genstage/core'
import { describe, expect, it } from 'vitest'
import { settle, turn } from './support/turns.ts'
import { watchedRuntime } from './support/watched-runtime.ts'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const boom = new Error('boom')

const Counting = producer.of<number>()((_: void, ctx) => {
  let next = 0
  ctx.every(5, 'tick')
  ctx.after(60_000, 'much later')
  return {
    handleDemand: demand => Array.from({ length: demand }, () => next++),
    handleInfo() {},
    handleCall: (request: 'wait' | 'now') => (request === 'now' ? { reply: next } : undefined),
  }
})
const Middle = producerConsumer.of<number, number>()((_: void, { stopping, signal }) => ({
  handleEvents: events => (stopping.aborted || signal.aborted ? [] : events),
}))
const Sink = consumer.of<number>()((_: void, { stopping }) => {
  let left = 20
  stopping.addEventListener('abort', () => {})
  return {
    async handleEvents(events, from) {
      left -= events.length
      if (left < 0) from.cancel()
      await Promise.resolve()
    },
  }
})

/** One life of a pipeline, with all that can hold something: timers, calls, monitors, signals, readers, names. */
async function cycle(runtime: Runtime, signal: AbortSignal, round: number): Promise<void> {
  const source = start(Counting, { runtime, name: 'source', signal, startTimeout: 1_000 })
  const middle = start(Middle, { runtime, signal, link: source, subscribeTo: [{ to: source, maxDemand: 4 }] })
  const sink = start(Sink, { runtime, signal, subscribeTo: [{ to: middle, maxDemand: 3, cancel: 'temporary' }] })
  sink.monitor(() => {})
  const waiting = source.call('wait', { signal }).catch(() => {})
  await source.call('now', { signal })
  let read = 0
  for await (const _ of source.stream({ maxDemand: 2, signal })) if (++read === 3) break
  if (round % 3 === 0) await sink.kill()
  if (round % 3 === 1) await middle.stop('normal', { drain: true, timeout: 50 })
  await source.stop()
  await runtime.stop()
  await waiting
}

/** What keeps the event loop alive now. */
function resources(): readonly string[] {
  return process.getActiveResourcesInfo().filter(resource => resource === 'Timeout' || resource === 'Immediate')
}

describe('500 lives of a pipeline', () => {
  it('INV-21 leave no handles, no timers of the event loop and no listeners', { timeout: 60_000 }, async () => {
    const runtime = createRuntime({ logger: quiet, onUncaught: () => {} })
    const { signal } = new AbortController()
    for (let round = 0; round < 5; round++) await cycle(runtime, signal, round)
    await turn()
    const before = { resources: resources().length, listeners: process.eventNames().map(name => process.listenerCount(name)) }
    for (let round = 0; round < 500; round++) await cycle(runtime, signal, round)
    await turn()
    expect(getEventListeners(signal, 'abort')).toEqual([])
    expect(process.eventNames().map(name => process.listenerCount(name))).toEqual(before.listeners)
    expect(resources().length).toBeLessThanOrEqual(before.resources)
    expect(runtime.topology()).toMatchObject({ stages: [], edges: [] })
    expect(runtime.whereis('source')).toBeUndefined()
  })

  it('INV-21 leave no timer of the clock, not even one that would keep nothing alive', { timeout: 60_000 }, async () => {
    const { runtime, timers, raised } = watchedRuntime()
    const { signal } = new AbortController()
    for (let round = 0; round < 500; round++) await cycle(runtime, signal, round === 1 ? 0 : round % 2 === 0 ? 2 : 0)
    expect(timers()).toBe(0)
    expect(getEventListeners(signal, 'abort')).toEqual([])
    expect(raised).toEqual([])
  })
})

describe('signals', () => {
  it('INV-21 have no listener of a stage that has ended, of a call that was answered, of a reader that has stopped', async () => {
    const { runtime } = watchedRuntime()
    const { signal } = new AbortController()
    const listeners = () => getEventListeners(signal, 'abort').length
    const source = start(Counting, { runtime, signal })
    await source.ready
    expect(listeners()).toBe(1)
    await source.call('now', { signal })
    expect(listeners()).toBe(1)
    const iterator = source.stream({ signal })[Symbol.asyncIterator]()
    await iterator.next()
    expect(listeners()).toBe(2)
    await iterator.return?.()
    expect(listeners()).toBe(1)
    const ended = start(
      producer<number>(() => Promise.reject(boom)),
      { runtime, signal },
    )
    await ended.exited
    expect(listeners()).toBe(1)
    await source.stop()
    expect(listeners()).toBe(0)
  })
})

// ── memory

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Whether what `make` leaves behind is forgotten. Only the weak reference comes out of `make`. */
async function isForgotten(make: () => Promise<WeakRef<object>>): Promise<boolean> {
  const weak = await make()
  for (let attempt = 0; attempt < 20; attempt++) {
    await turn()
    collectGarbage()
    if (weak.deref() === undefined) return true
  }
  return false
}

const Emitting = producer.of<object>()(() => ({ handleDemand() {}, handleCast: (events: readonly object[]) => events }))
const Taking = consumer.of<object>()(() => ({ handleEvents() {} }))

const dispatchers: readonly (readonly [string, () => DispatcherFactory, object])[] = [
  ['demand', () => demandDispatcher(), {}],
  ['broadcast', () => broadcastDispatcher(), {}],
  ['broadcast with a selector', () => broadcastDispatcher(), { selector: () => true }],
  ['partition', () => partitionDispatcher({ partitions: 1, hash: () => 0 }), { partition: 0 }],
]

describe('a producer that lives on forgets', () => {
  async function withConsumer(
    runtime: Runtime,
    source: ProducerRef<object>,
    options: object,
    end: (sink: ReturnType<typeof startTaking>) => Promise<unknown>,
  ): Promise<WeakRef<object>> {
    const sink = startTaking(runtime, source, options)
    await settle(runtime)
    Reflect.apply(Reflect.get(source, 'cast') as (events: object[]) => void, source, [[{}, {}]])
    await settle(runtime)
    const weak = new WeakRef<object>(sink.sink)
    await end(sink)
    await settle(runtime)
    return weak
  }

  function startTaking(runtime: Runtime, source: ProducerRef<object>, options: object) {
    const sink = start(Taking, { runtime })
    return { sink, subscription: sink.subscribe({ to: source, cancel: 'temporary', maxDemand: 4, minDemand: 0, ...options }) }
  }

  it.each(dispatchers)('INV-22 a consumer that has cancelled: %s', async (_name, dispatcher, options) => {
    const { runtime } = watchedRuntime()
    const source = start(Emitting, { runtime, dispatcher: dispatcher() })
    const forgotten = await isForgotten(() =>
      withConsumer(runtime, source, options, async ({ subscription }) => {
        subscription.cancel()
        await subscription.ended
      }),
    )
    expect(forgotten).toBe(true)
    expect((await source.inspect()).consumers).toEqual([])
  })

  it.each(dispatchers)('INV-22 a consumer that was stopped, or killed: %s', async (_name, dispatcher, options) => {
    const { runtime } = watchedRuntime()
    const source = start(Emitting, { runtime, dispatcher: dispatcher() })
    expect(await isForgotten(() => withConsumer(runtime, source, options, ({ sink }) => sink.stop()))).toBe(true)
    expect(await isForgotten(() => withConsumer(runtime, source, options, ({ sink }) => sink.kill()))).toBe(true)
    expect((await source.inspect()).consumers).toEqual([])
  })

  it.each(dispatchers)(
    'INV-22 the events that it has delivered, but those of the last message: %s',
    async (_name, dispatcher, options) => {
      const { runtime } = watchedRuntime()
      const source = start(Emitting, { runtime, dispatcher: dispatcher() })
      const sink = start(Taking, { runtime })
      sink.subscribe({ to: source, maxDemand: 4, minDemand: 0, ...options })
      await settle(runtime)
      const forgotten = await isForgotten(async () => {
        const event = {}
        source.cast([event, {}])
        await settle(runtime)
        source.cast([{}, {}])
        await settle(runtime)
        return new WeakRef(event)
      })
      expect(forgotten).toBe(true)
      expect(await sink.inspect()).toMatchObject({ producers: [{ delivered: 4 }] })
    },
  )

  it('INV-22 a reader that has left', async () => {
    const { runtime } = watchedRuntime()
    const source = start(Emitting, { runtime })
    const forgotten = await isForgotten(async () => {
      const iterator = source.stream({ maxDemand: 2 })[Symbol.asyncIterator]()
      source.cast([{}])
      const { value } = (await iterator.next()) as { value: object }
      await iterator.return?.()
      return new WeakRef(value)
    })
    expect(forgotten).toBe(true)
  })

  it('INV-22 a call that was given up', async () => {
    const { runtime } = watchedRuntime()
    const source = start(Counting, { runtime })
    const forgotten = await isForgotten(async () => {
      const why = {}
      await source.call('wait', { signal: AbortSignal.abort(why) }).catch(() => {})
      const controller = new AbortController()
      const call = source.call('wait', { signal: controller.signal }).catch(() => {})
      await settle(runtime)
      controller.abort(why)
      await call
      return new WeakRef(controller.signal)
    })
    expect(forgotten).toBe(true)
    await source.stop()
  })
})

describe('a consumer that lives on forgets', () => {
  it('INV-22 a producer that has stopped', async () => {
    const { runtime } = watchedRuntime()
    const sink = start(Taking, { runtime })
    const forgotten = await isForgotten(async () => {
      const source = start(Emitting, { runtime })
      const subscription = sink.subscribe({ to: source, cancel: 'temporary' })
      await settle(runtime)
      source.cast([{}])
      await settle(runtime)
      await source.stop()
      await subscription.ended
      await settle(runtime)
      return new WeakRef<object>(source)
    })
    expect(forgotten).toBe(true)
    expect((await sink.inspect()).producers).toEqual([])
  })

  it('INV-22 F52 the subscriptions that were replaced', async () => {
    const { runtime } = watchedRuntime()
    const source = start(Emitting, { runtime })
    const sink = start(Taking, { runtime })
    let subscription = sink.subscribe({ to: source })
    const forgotten = await isForgotten(async () => {
      const weak = new WeakRef<object>(subscription)
      for (let round = 0; round < 3; round++) {
        subscription = subscription.resubscribe({ maxDemand: 10 + round })
        await settle(runtime)
      }
      return weak
    })
    expect(forgotten).toBe(true)
    expect((await sink.inspect()).producers).toMatchObject([{ subscription: subscription.id }])
  })
})

describe('a runtime that lives on forgets', () => {
  it.each(['stop', 'kill'] as const)('INV-22 a stage after %s, though its signal, its link and its watcher live', async how => {
    const { runtime } = watchedRuntime()
    const { signal } = new AbortController()
    const partner = start(Emitting, { runtime })
    const Watching = producer((_: void, ctx) => ({
      handleDemand() {},
      handleCast: (stage: ProducerRef<object>) => void ctx.monitor(stage),
      handleInfo() {},
    }))
    const watcher = start(Watching, { runtime })
    const forgotten = await isForgotten(async () => {
      const stage = start(Emitting, { runtime, name: 'stage', signal, link: partner })
      watcher.cast(stage)
      stage.monitor(() => {}).cancel()
      await settle(runtime)
      if (how === 'stop') await stage.stop()
      else void partner.exited
      await stage.kill()
      await settle(runtime)
      return new WeakRef<object>(stage)
    })
    expect(forgotten).toBe(true)
    expect(signal.aborted).toBe(false)
  })

  it('INV-22 a stage that nobody can reach any more, though it was never stopped', async () => {
    const { runtime } = watchedRuntime()
    const forgotten = await isForgotten(async () => {
      const stage = start(Taking, { runtime })
      await stage.ready
      return new WeakRef<object>(stage)
    })
    expect(forgotten).toBe(true)
    expect(runtime.topology().stages).toEqual([])
  })
})

// ── processes

/** Runs a program of its own: how it ended, and what it said. */
function run(program: string): { readonly code: number | null; readonly out: string; readonly err: string } {
  const flags = ['--import', 'tsx', '--conditions=@genstage/source', '--input-type=module', '--eval']
  const { status, stdout, stderr } = spawnSync(process.execPath, [...flags, program], {
    cwd: fileURLToPath(new URL('../../..', import.meta.url)),
    encoding: 'utf8',
    timeout: 20_000,
  })
  return { code: status, out: stdout, err: stderr }
}

const imports = `
  import { consumer, defaultRuntime, producer, start } from '@genstage/core'
  const Source = producer((_, ctx) => {
    ctx.every(10, 'tick')
    return { handleDemand() {}, handleInfo() {}, handleCast() { throw new Error('boom') } }
  })
  const Sink = consumer(() => ({ handleEvents() {} }))
  /** Called only if something else keeps the process alive until then. */
  const after = (ms, work) => setTimeout(work, ms).unref()
`

describe('a process', () => {
  it('INV-21 whose stages only wait ends by itself', { timeout: 30_000 }, () => {
    const { code, out, err } = run(`${imports}
      const source = start(Source)
      await start(Sink, { subscribeTo: [source] }).ready
      source.monitor(() => console.log('down'))
      after(5_000, () => console.log('kept alive'))
      console.log('waiting')
    `)
    expect([code, out, err]).toEqual([0, 'waiting\n', ''])
  })

  it('INV-21 with keepAlive stays until that is disposed', { timeout: 30_000 }, () => {
    const { code, out, err } = run(`${imports}
      const hold = defaultRuntime.keepAlive()
      start(Source)
      after(200, () => {
        console.log('still here')
        hold[Symbol.dispose ?? Symbol.for('Symbol.dispose')]()
        after(5_000, () => console.log('kept alive'))
      })
    `)
    expect([code, out, err]).toEqual([0, 'still here\n', ''])
  })

  it('INV-21 with keepAlive ends when the last stage has', { timeout: 30_000 }, () => {
    const { code, out, err } = run(`${imports}
      defaultRuntime.keepAlive()
      const stages = [start(Source), start(Source)]
      after(100, () => stages[0].stop())
      after(200, () => {
        console.log('one left')
        stages[1].stop()
        after(5_000, () => console.log('kept alive'))
      })
    `)
    expect([code, out, err]).toEqual([0, 'one left\n', ''])
  })

  it('lives while somebody waits for an answer, an event or an end', { timeout: 30_000 }, () => {
    const { code, out, err } = run(`${imports}
      const Slow = producer((_, ctx) => {
        let answer
        return {
          handleDemand() {},
          handleCall(request, reply) { answer = reply; ctx.after(100, 'now') },
          handleInfo() { answer?.('answered'); return ['event'] },
          terminate: () => new Promise(resolve => after(100, resolve)),
        }
      })
      const slow = start(Slow)
      console.log(await slow.call('anything'))
      after(100, () => slow.send('emit'))
      for await (const event of slow.stream()) {
        console.log(event)
        break
      }
      console.log((await slow.stop()).type)
    `)
    expect([code, out, err]).toEqual([0, 'answered\nevent\nnormal\n', ''])
  })

  it('INV-17 ends with an error when a stage fails that nobody watches', { timeout: 30_000 }, () => {
    const { code, err } = run(`${imports}
      defaultRuntime.keepAlive()
      start(Source, { name: 'victim' }).cast('fail')
    `)
    expect(code).toBe(1)
    expect(err).toContain('GenStageError: stage "victim" failed: Error: boom')
    expect(err).not.toContain('UnhandledPromiseRejection')
  })

  it('INV-17 ends with an error when a setup fails and nobody reads ready', { timeout: 30_000 }, () => {
    const { code, err } = run(`${imports}
      start(producer(async () => { throw new Error('no database') }), { name: 'victim' })
    `)
    expect(code).toBe(1)
    expect(err).toContain('GenStageError: stage "victim" failed: Error: no database')
    expect(err).not.toContain('UnhandledPromiseRejection')
  })

  it('INV-17 goes on when the failure is watched', { timeout: 30_000 }, () => {
    const { code, out } = run(`${imports}
      const victim = start(Source, { name: 'victim' })
      victim.cast('fail')
      console.log(await victim.done.catch(error => error.code))
    `)
    expect([code, out]).toEqual([0, 'STAGE_FAILED\n'])
  })
})
