/** Supervisors where it takes Node to see them: signals of the process, handles, listeners, memory, time. */
import { spawn } from 'node:child_process'
import { getEventListeners } from 'node:events'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { child, consumer, createRuntime, producer, producerName, start, stopOnSignals, supervisor } from '@genstage/core'
import type { GenStageError, Runtime } from '@genstage/core'
import { describe, expect, it } from 'vitest'
import { disposeSymbol } from '../src/platform.ts'
import { boom, type Diary, living, tell } from './support/children.ts'
import { turn } from './support/turns.ts'
import { watchedRuntime } from './support/watched-runtime.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const quiet = { debug() {}, info() {}, warn() {}, error() {} }

// ── signals

const program = `
  import { child, consumer, fromIterable, producer, producerName, start, stopOnSignals, supervisor } from '@genstage/core'
  const say = text => process.stdout.write(text + '\\n')
  process.on('exit', code => say('exit ' + code + ' listeners ' + process.listenerCount('SIGINT') + process.listenerCount('SIGTERM')))
  const Numbers = producerName('numbers')
  const Source = producer((_, ctx) => { ctx.every(5, 'tick'); let n = 0; return { handleDemand() {}, handleInfo: () => [n++] } })
`

/** Runs a program, and sends it a signal each time it says that it is ready for one. */
function run(source: string, signals: readonly NodeJS.Signals[]) {
  const flags = ['--import', 'tsx', '--conditions=@genstage/source', '--input-type=module', '--eval']
  const cwd = fileURLToPath(new URL('../../..', import.meta.url))
  const running = spawn(process.execPath, [...flags, program + source], { cwd, timeout: 30_000 })
  let out = ''
  let err = ''
  let sent = 0
  running.stderr.on('data', data => (err += String(data)))
  running.stdout.on('data', data => {
    out += String(data)
    const ready = out.split('ready\n').length - 1
    for (; sent < Math.min(ready, signals.length); sent++) running.kill(signals[sent])
  })
  return new Promise<{ code: number | null; signal: NodeJS.Signals | null; lines: readonly string[]; err: string }>(resolve => {
    running.on('close', (code, signal) => resolve({ code, signal, lines: out.trim().split('\n'), err }))
  })
}

describe('stopOnSignals', { timeout: 60_000 }, () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    'stops a tree in order on %s; then the process ends by itself, with 0',
    async signal => {
      const { code, lines, err } = await run(
        `
      const Sink = consumer((id) => ({ handleEvents() {}, terminate: ({ type }) => say(id + ' ' + type) }))
      const App = supervisor([
        child(Source, { id: 'source', name: Numbers }),
        child(Sink, { id: 'a', arg: 'a', subscribeTo: [Numbers] }),
        child(Sink, { id: 'b', arg: 'b', subscribeTo: [Numbers] }),
      ])
      const app = start(App)
      const hold = app.runtime.keepAlive()
      stopOnSignals(app)
      await app.ready
      say('ready')
      await app.exited
      hold[Symbol.dispose ?? Symbol.for('Symbol.dispose')]()
    `,
        [signal],
      )
      expect(err).toBe('')
      expect(lines).toEqual(['ready', 'b shutdown', 'a shutdown', 'exit 0 listeners 00'])
      expect(code).toBe(0)
    },
  )

  it('hands its options to the stop: with drain everything emitted is handled first', async () => {
    const { code, lines, err } = await run(
      `
      const seen = []
      const Burst = producer(() => ({ handleDemand() {}, handleCast: events => events }))
      const Slow = consumer(() => ({
        async handleEvents(events) { await new Promise(resolve => setTimeout(resolve, 5)); seen.push(...events) },
      }))
      const app = start(supervisor([
        child(Burst, { id: 'burst', name: Numbers }),
        child(Slow, { id: 'slow', subscribeTo: [{ to: Numbers, maxDemand: 2 }] }),
      ]))
      stopOnSignals(app, { drain: true, timeout: 10_000 })
      await app.ready
      app.child('burst').cast(Array.from({ length: 40 }, (_, n) => n))
      const hold = app.runtime.keepAlive()
      say('ready')
      await app.exited
      say(String(seen.length))
      hold[Symbol.dispose ?? Symbol.for('Symbol.dispose')]()
    `,
      ['SIGTERM'],
    )
    expect(err).toBe('')
    expect(lines).toEqual(['ready', '40', 'exit 0 listeners 00'])
    expect(code).toBe(0)
  })

  it('kills the tree the second time, but not for the echo of the first; the third time is nobody’s', async () => {
    const { code, signal, lines } = await run(
      `
      const Stuck = producer(() => ({ handleDemand() {}, terminate: () => new Promise(() => {}) }))
      const app = start(supervisor([child(Stuck, { id: 'stuck', shutdown: 'infinity' })]))
      setInterval(() => {}, 1_000)
      stopOnSignals(app)
      app.monitor(({ reason }) => { say(reason.type); setTimeout(() => say('ready'), 50) })
      await app.ready
      let count = 0
      process.on('SIGINT', function noted() {
        count++
        if (count === 1) say('ready')
        if (count === 2) setTimeout(() => { say('still ' + app.children()[0].state); say('ready') }, 300)
        if (count === 3) process.off('SIGINT', noted)
      })
      say('ready')
    `,
      ['SIGINT', 'SIGINT', 'SIGINT', 'SIGINT'],
    )
    expect(lines.filter(line => line !== 'ready')).toEqual(['still running', 'killed'])
    expect([code, signal]).toEqual([null, 'SIGINT'])
  })

  it('keeps no process alive, and nothing after it was undone', async () => {
    const undone = await run(
      `
      const app = start(supervisor([]))
      stopOnSignals(app)[Symbol.dispose ?? Symbol.for('Symbol.dispose')]()
      setInterval(() => {}, 1_000)
      await app.ready
      say('ready')
    `,
      ['SIGTERM'],
    )
    expect(undone).toMatchObject({ code: null, signal: 'SIGTERM', lines: ['ready'] })
    const idle = await run(`const app = start(supervisor([])); stopOnSignals(app); await app.ready`, [])
    expect(idle).toMatchObject({ code: 0, lines: ['exit 0 listeners 11'] })
  })

  it('is not one who watches: a failure is as loud as ever', async () => {
    const { code, err } = await run(
      `
      const Bad = producer(() => ({ handleDemand() {}, handleCast() { throw new Error('boom') } }))
      const app = start(supervisor([child(Bad, { id: 'bad' })], { maxRestarts: 0 }), { name: 'app' })
      stopOnSignals(app)
      await app.ready
      app.child('bad').cast()
      setInterval(() => {}, 1_000)
    `,
      [],
    )
    expect(code).not.toBe(0)
    expect(err).toContain('stage "app" gives up: more than 0 restarts within 5 s')
  })

  it('leaves no listener behind, whoever ends the stage', async () => {
    const { runtime } = watchedRuntime()
    const before = [process.listenerCount('SIGINT'), process.listenerCount('SIGTERM')]
    const [stopped, killed, undone] = [0, 1, 2].map(() => start(supervisor([]), { runtime }))
    if (stopped === undefined || killed === undefined || undone === undefined) throw new Error('not started')
    for (const root of [stopped, killed]) stopOnSignals(root)
    const listening = stopOnSignals(undone)
    expect(process.listenerCount('SIGINT')).toBe((before[0] ?? 0) + 3)
    await stopped.stop()
    await killed.kill()
    listening[disposeSymbol]()
    listening[disposeSymbol]()
    expect([process.listenerCount('SIGINT'), process.listenerCount('SIGTERM')]).toEqual(before)
    stopOnSignals(stopped)
    expect([process.listenerCount('SIGINT'), process.listenerCount('SIGTERM')]).toEqual(before)
  })
})

// ── nothing left behind

const Numbers = producerName<number>('numbers')
const Source = producer.of<number>()((_: void, ctx) => {
  let next = 0
  ctx.every(50, 'tick')
  return {
    handleDemand: demand => Array.from({ length: Math.min(demand, 5) }, () => next++),
    handleInfo() {},
    handleCast(_: 'crash') {
      throw boom
    },
  }
})
const Sink = consumer.of<number>()((_: void, { stopping }) => {
  stopping.addEventListener('abort', () => {})
  return { handleEvents: async () => {} }
})

const Tree = supervisor(
  [
    child(supervisor([child(Source, { id: 'source', name: Numbers })], { backoff: { minDelayMs: 1_000, maxDelayMs: 1_000 } }), {
      id: 'sources',
    }),
    child(Sink, { id: 'sink', subscribeTo: [{ to: Numbers, maxDemand: 4, cancel: 'temporary' }] }),
  ],
  { strategy: 'rest_for_one' },
)

/** One life of a tree, with restarts, waits, commands, and one of several ends. */
async function cycle(runtime: Runtime, signal: AbortSignal, round: number): Promise<void> {
  const root = start(Tree, { runtime, signal, name: 'root' })
  root.monitor(() => {})
  await root.ready
  const listening = stopOnSignals(root)
  if (round % 2 === 0) root.child('sources')?.child('source')?.cast('crash')
  if (round % 3 === 0) await root.terminateChild('sink')
  if (round % 4 === 1) await root.child('sink')?.kill()
  if (round % 5 === 0) await root.kill()
  else if (round % 5 === 1) await root.stop('normal', { drain: true, timeout: 20 })
  else if (round % 5 === 2) await runtime.stop()
  else await root.stop()
  if (round % 7 === 0) listening[disposeSymbol]()
}

describe('2,000 lives of a tree', () => {
  it('INV-21 leave no timers, handles, listeners, names or stages, and the heap as it was', { timeout: 120_000 }, async () => {
    const runtime = createRuntime({ logger: quiet, onUncaught: () => {} })
    const { signal } = new AbortController()
    const resources = () => process.getActiveResourcesInfo().filter(each => each === 'Timeout' || each === 'Immediate').length
    const listeners = () => process.eventNames().map(name => process.listenerCount(name))
    const heap = async () => {
      await turn()
      collectGarbage()
      return process.memoryUsage().heapUsed
    }
    for (let round = 0; round < 200; round++) await cycle(runtime, signal, round)
    const before = { resources: resources(), listeners: listeners(), heap: await heap() }
    for (let round = 0; round < 2_000; round++) await cycle(runtime, signal, round)
    const grown = (await heap()) - before.heap
    expect(getEventListeners(signal, 'abort')).toEqual([])
    expect(listeners()).toEqual(before.listeners)
    expect(resources()).toBeLessThanOrEqual(before.resources)
    expect(runtime.topology().stages).toEqual([])
    expect(runtime.whereis('root') ?? runtime.whereis('numbers')).toBeUndefined()
    expect(grown).toBeLessThan(1_000_000)
  })

  it('INV-21 leave no timer of the clock', { timeout: 60_000 }, async () => {
    const { runtime, timers, raised } = watchedRuntime()
    const { signal } = new AbortController()
    for (let round = 0; round < 500; round++) if (round % 5 !== 1) await cycle(runtime, signal, round)
    expect(timers()).toBe(0)
    expect(raised).toEqual([])
  })

  it('INV-22 a child that has been replaced is forgotten', async () => {
    const { runtime, settle } = watchedRuntime()
    const root = start(supervisor([child(Source, { id: 'a' })]), { runtime })
    await root.ready
    const weak = await (async () => {
      const ref = root.child('a')
      ref?.cast('crash')
      await settle()
      return new WeakRef<object>(ref ?? {})
    })()
    for (let attempt = 0; attempt < 20 && weak.deref() !== undefined; attempt++) {
      await turn()
      collectGarbage()
    }
    expect(weak.deref()).toBeUndefined()
  })
})

// ── a storm

describe('F54 a restart storm of 1,000 children', () => {
  const fails = (id: number, life: number) => ['at once', 'later', life % 2 === 0 ? 'at once' : 'later'][id % 3]
  const Child = producer((id: number, ctx) => {
    if (ctx.restartCount > 0 && fails(id, ctx.restartCount) === 'at once') throw boom
    ctx.after(1, 'fail')
    return {
      handleDemand() {},
      handleInfo(_: 'fail') {
        throw boom
      },
    }
  })
  const specs = Array.from({ length: 1_000 }, (_, id) => child(Child, { id: `${id}`, arg: id }))

  it(
    'INV-20 costs less than a fifth of a core with back-off, and a line of the log for each crash',
    { timeout: 60_000 },
    async () => {
      const counts = { restarting: 0, other: 0 }
      const count = (_: string, fields?: { readonly code?: unknown }) => {
        counts[fields?.code === 'restarting' ? 'restarting' : 'other']++
      }
      const uncaught: GenStageError[] = []
      const runtime = createRuntime({
        logger: { ...quiet, warn: count, error: count },
        onUncaught: error => uncaught.push(error),
      })
      let crashes = 0
      runtime.telemetry.on('failed', () => crashes++)
      const options = { maxRestarts: Infinity, backoff: { minDelayMs: 100, maxDelayMs: 10_000 } }
      const root = start(supervisor(specs, options), { runtime })
      await root.ready
      await new Promise(resolve => setTimeout(resolve, 500))
      const before = process.cpuUsage()
      const began = performance.now()
      await new Promise(resolve => setTimeout(resolve, 2_000))
      const used = process.cpuUsage(before)
      const share = (used.user + used.system) / 1_000 / (performance.now() - began)
      await root.stop()
      expect(crashes).toBeGreaterThan(3_000)
      expect(counts).toEqual({ restarting: crashes, other: 0 })
      expect(uncaught).toEqual([])
      expect(runtime.topology().stages).toEqual([])
      expect(share).toBeLessThan(0.2)
    },
  )

  it('INV-20 ends by the intensity without back-off, with all of them gone', { timeout: 60_000 }, async () => {
    const { runtime, lines, settle, pass, uncaught } = watchedRuntime()
    const root = start(supervisor(specs, { maxRestarts: 100 }), { runtime, name: 'root' })
    void root.exited
    await root.ready
    await pass(1)
    await settle()
    expect(await root.exited).toMatchObject({ type: 'shutdown', detail: { code: 'TOO_MANY_RESTARTS' } })
    expect(lines.filter(({ fields }) => fields.code === 'restarting')).toHaveLength(100)
    expect(lines.filter(({ fields }) => fields.code === 'stage_failed')).toHaveLength(1)
    expect(runtime.topology().stages).toEqual([])
    expect(uncaught).toEqual([])
  })

  it('INV-20 is fair to others: a child that needs a restart gets it', { timeout: 60_000 }, async () => {
    const runtime = createRuntime({ logger: quiet })
    const diary: Diary = []
    const calm = child(living(diary), { id: 'calm', arg: 'calm' })
    const root = start(supervisor([...specs.slice(0, 100), calm], { maxRestarts: Infinity }), { runtime })
    await root.ready
    tell(root, 100, 'crash')
    await new Promise(resolve => setTimeout(resolve, 50))
    expect(diary).toEqual(['calm up', 'calm error', 'calm up 1'])
    await root.kill()
  })
})
