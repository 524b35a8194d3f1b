/** How a supervisor ends its children, and how it ends itself. */
import { child, consumer, producer, producerName, type Shutdown, start, supervisor } from '@genstage/core'
import { describe, expect, it } from 'vitest'
import { deferred, type Diary, living } from './support/children.ts'
import { watchedRuntime } from './support/watched-runtime.ts'

const never = new Promise<never>(() => {})

/** A stage that tells of the request to stop, and ends when `gate` opens. */
function slow(diary: Diary, gate: Promise<void>) {
  return producer((id: string, { stopping }) => {
    stopping.addEventListener('abort', () => diary.push(`${id} asked`))
    return {
      handleDemand() {},
      async terminate() {
        await gate
        diary.push(`${id} down`)
      },
    }
  })
}

describe('the stop of a supervisor', () => {
  it('ends its children one after the other, in reverse order', async () => {
    const { runtime, settle } = watchedRuntime()
    const diary: Diary = []
    const gates = [deferred(), deferred()]
    const specs = gates.map(({ promise }, index) => child(slow(diary, promise), { id: `${index}`, arg: `${index}` }))
    const root = start(supervisor(specs), { runtime })
    await root.ready
    const stopped = root.stop('shutdown')
    await settle()
    expect(diary).toEqual(['1 asked'])
    gates[1]?.resolve()
    await settle()
    expect(diary).toEqual(['1 asked', '1 down', '0 asked'])
    gates[0]?.resolve()
    expect(await stopped).toEqual({ type: 'shutdown' })
    expect(diary.at(-1)).toBe('0 down')
    expect(await root.stop()).toEqual({ type: 'shutdown' })
  })

  it.each([
    [undefined, 5_000],
    [70, 70],
    [0, 0],
  ] as const)('kills a child whose shutdown is %s after %s ms, and says so', async (shutdown, ms) => {
    const { runtime, settle, pass, lines, timers } = watchedRuntime()
    const diary: Diary = []
    const Stuck = slow(diary, never)
    const spec = child(Stuck, shutdown === undefined ? { id: 'a', arg: 'a' } : { id: 'a', arg: 'a', shutdown })
    const root = start(supervisor([spec]), { runtime, name: 'root' })
    await root.ready
    const stopped = root.stop()
    await settle()
    if (ms > 0) {
      await pass(ms - 1)
      expect(runtime.topology().stages).toHaveLength(2)
    }
    await pass(1)
    expect(await stopped).toEqual({ type: 'normal' })
    expect(lines.map(({ text }) => text)).toEqual([`stage "root": child "a" did not end within ${ms} ms: killed`])
    expect(timers()).toBe(0)
  })

  it("waits for a child with 'infinity'; kills one with 'brutal_kill' at once, silently", async () => {
    const { runtime, settle, pass, lines } = watchedRuntime()
    const diary: Diary = []
    const gate = deferred()
    const specs = [
      child(slow(diary, gate.promise), { id: 'a', arg: 'a', shutdown: 'infinity' }),
      child(slow(diary, gate.promise), { id: 'b', arg: 'b', shutdown: 'brutal_kill' }),
    ]
    const root = start(supervisor(specs), { runtime })
    await root.ready
    const stopped = root.stop()
    await settle()
    await pass(1_000_000)
    expect(diary).toEqual(['b asked', 'a asked'])
    expect(runtime.topology().stages).toHaveLength(2)
    gate.resolve()
    await stopped
    expect(diary).toEqual(['b asked', 'a asked', 'a down'])
    expect(lines).toEqual([])
  })

  it('has no time limit of its own by default, for each child has one: nested ones take all the time they need', async () => {
    const { runtime, settle, pass } = watchedRuntime()
    const leaves = ['a', 'b', 'c'].map(id => child(slow([], never), { id, arg: id, shutdown: 4_000 }))
    const root = start(supervisor([child(supervisor(leaves), { id: 'inner' })]), { runtime })
    await root.ready
    const stopped = root.stop()
    await settle()
    for (let n = 0; n < 3; n++) {
      expect(runtime.topology().stages).toHaveLength(5 - n)
      await pass(4_000)
    }
    expect(await stopped).toEqual({ type: 'normal' })
  })

  it('kills the whole tree past the time limit it was given', async () => {
    const { runtime, settle, pass, timers } = watchedRuntime()
    const leaves = ['a', 'b'].map(id => child(slow([], never), { id, arg: id, name: id }))
    const root = start(supervisor([child(supervisor(leaves), { id: 'inner' })]), { runtime })
    await root.ready
    const stopped = root.stop('normal', { timeout: 100 })
    await settle()
    await pass(100)
    expect(await stopped).toEqual({ type: 'killed' })
    expect(runtime.topology().stages).toEqual([])
    expect(runtime.whereis('a')).toBeUndefined()
    expect(timers()).toBe(0)
  })

  it('INV-21 kill leaves nothing behind, at any depth and at any moment', async () => {
    for (const moment of ['starting', 'running', 'restarting', 'stopping'] as const) {
      const { runtime, settle, timers, uncaught } = watchedRuntime()
      const diary: Diary = []
      const Child = living(diary, id => (id === 'last' && moment === 'starting' ? never : undefined))
      const Inner = supervisor(
        [child(Child, { id: 'a', arg: 'a', name: 'a' }), child(slow(diary, never), { id: 'b', arg: 'b' })],
        { backoff: { minDelayMs: 10, maxDelayMs: 10 } },
      )
      const specs = [child(Inner, { id: 'inner' }), child(Child, { id: 'last', arg: 'last', startTimeout: 500 })] as const
      const root = start(supervisor(specs), { runtime })
      void root.ready.catch(() => {})
      await settle()
      if (moment === 'restarting') root.child('inner')?.child('a')?.cast('crash')
      if (moment === 'stopping') void root.stop()
      await settle()
      expect(await root.kill()).toEqual({ type: 'killed' })
      expect(runtime.topology().stages).toEqual([])
      expect(runtime.whereis('a')).toBeUndefined()
      expect(timers()).toBe(0)
      expect(uncaught).toEqual([])
      expect(root.children().map(({ ref }) => ref)).toEqual([undefined, undefined])
    }
  })

  it('comes at the end of await using, and by the abort of a signal', async () => {
    const { runtime, settle } = watchedRuntime()
    const diary: Diary = []
    const App = supervisor([child(living(diary), { id: 'a', arg: 'a' })])
    {
      await using app = start(App, { runtime })
      await app.ready
    }
    expect(diary).toEqual(['a up', 'a shutdown'])
    const controller = new AbortController()
    const app = start(App, { runtime, signal: controller.signal })
    await app.ready
    controller.abort()
    expect(await app.exited).toEqual({ type: 'shutdown' })
    await settle()
    expect(diary.slice(2)).toEqual(['a up', 'a shutdown'])
  })

  it('GS-J4 follows a failure of what it is linked to', async () => {
    const { runtime, settle } = watchedRuntime()
    const diary: Diary = []
    const other = start(living([]), { runtime, arg: 'other' })
    const root = start(supervisor([child(living(diary), { id: 'a', arg: 'a' })]), { runtime, link: other })
    await root.ready
    other.cast('crash')
    await settle()
    expect((await root.exited).type).toBe('error')
    expect(diary).toEqual(['a up', 'a shutdown'])
  })

  it('tells of children that fail while they end, and goes on', async () => {
    const { runtime, lines } = watchedRuntime()
    const diary: Diary = []
    const Bad = producer(() => ({
      handleDemand() {},
      terminate() {
        throw new Error('at the end')
      },
    }))
    const root = start(supervisor([child(living(diary), { id: 'a', arg: 'a' }), child(Bad, { id: 'bad' })]), {
      runtime,
      name: 'root',
    })
    await root.ready
    await root.stop()
    expect(diary).toEqual(['a up', 'a shutdown'])
    expect(lines.map(({ text, fields }) => [fields.code, text])).toEqual([
      ['child_failed', 'stage "root": child "bad" failed while it ended: Error: at the end'],
    ])
  })
})

describe('runtime.stop', () => {
  it('leaves the children to their supervisors, which end them in order', async () => {
    const { runtime } = watchedRuntime()
    const diary: Diary = []
    const Child = living(diary)
    const root = start(supervisor(['a', 'b'].map(id => child(Child, { id, arg: id }))), { runtime })
    start(Child, { runtime, arg: 'alone' })
    await root.ready
    diary.length = 0
    await runtime.stop()
    expect(diary).toEqual(['alone shutdown', 'b shutdown', 'a shutdown'])
  })
})

describe('a drain', () => {
  const Numbers = producerName<number>('numbers')

  /** A pipeline in a tree, its consumer not in the same branch as its producer, and slow. */
  function pipeline(seen: number[], shutdown: Shutdown = 5_000) {
    const Source = producer(() => {
      let next = 0
      return {
        handleDemand: (demand: number) => Array.from({ length: Math.min(demand, 20 - next) }, () => next++),
        handleCast: (_: 'burst') => [100, 101, 102],
      }
    })
    const Sink = consumer(() => ({
      async handleEvents(events: readonly number[]) {
        await Promise.resolve()
        seen.push(...events)
      },
    }))
    return supervisor([
      child(supervisor([child(Source, { id: 'source', name: Numbers, shutdown })]), { id: 'sources' }),
      child(supervisor([child(Sink, { id: 'sink', shutdown, subscribeTo: [{ to: Numbers, maxDemand: 2 }] })]), { id: 'sinks' }),
    ])
  }

  it('lets a whole tree finish what is on its way, from the sources down, before it ends', async () => {
    const { runtime, settle, uncaught, lines } = watchedRuntime()
    const seen: number[] = []
    const discarded: unknown[] = []
    runtime.telemetry.on('discarded', event => discarded.push(event))
    const root = start(pipeline(seen), { runtime })
    await root.ready
    await settle()
    root.child('sources')?.child('source')?.cast('burst')
    expect(await root.stop('shutdown', { drain: true })).toEqual({ type: 'shutdown' })
    expect(seen).toEqual([...Array.from({ length: 20 }, (_, n) => n), 100, 101, 102])
    expect(discarded).toEqual([])
    expect(uncaught).toEqual([])
    expect(lines).toEqual([])
    expect(runtime.topology().stages).toEqual([])
  })

  it('is the same by runtime.stop, and nothing is restarted meanwhile', async () => {
    const { runtime, settle } = watchedRuntime()
    const seen: number[] = []
    const root = start(pipeline(seen), { runtime })
    await root.ready
    await settle()
    root.child('sources')?.child('source')?.cast('burst')
    await runtime.stop({ drain: true })
    expect(seen).toEqual(expect.arrayContaining([100, 101, 102]))
    expect(root.children().map(({ restarts, state }) => [restarts, state])).toEqual([
      [0, 'stopped'],
      [0, 'stopped'],
    ])
  })

  it('does not wait for producers outside of the tree: their subscriptions are cancelled', async () => {
    const { runtime, settle } = watchedRuntime()
    const seen: number[] = []
    const Source = producer(() => ({ handleDemand() {}, handleCast: (events: readonly number[]) => events }))
    const source = start(Source, { runtime })
    const Sink = consumer(() => ({ handleEvents: (events: readonly number[]) => void seen.push(...events) }))
    const root = start(supervisor([child(Sink, { id: 'sink', subscribeTo: [source] })]), { runtime })
    await root.ready
    source.cast([1, 2, 3])
    await settle()
    expect(await root.stop('normal', { drain: true })).toEqual({ type: 'normal' })
    expect(seen).toEqual([1, 2, 3])
    expect((await source.inspect()).consumers).toEqual([])
  })

  it('takes no longer than the shutdown of each child, which is then killed', async () => {
    const { runtime, settle, pass, lines } = watchedRuntime()
    const Full = producer(() => ({ handleDemand() {}, handleCast: (events: readonly number[]) => events }))
    const root = start(supervisor([child(Full, { id: 'full', shutdown: 50 })]), { runtime, name: 'root' })
    await root.ready
    root.child('full')?.cast([1, 2, 3])
    await settle()
    const stopped = root.stop('normal', { drain: true })
    await settle()
    await pass(50)
    expect(await stopped).toEqual({ type: 'normal' })
    expect(lines).toMatchObject([{ fields: { code: 'child_failed', child: 'full' } }])
  })

  it('of a supervisor that is still starting ends it when what it has started has ended', async () => {
    const { runtime, settle, pass } = watchedRuntime()
    const diary: Diary = []
    const Child = living(diary, id => (id === 'b' ? never : undefined))
    const root = start(supervisor(['a', 'b'].map(id => child(Child, { id, arg: id, shutdown: 50 }))), { runtime })
    void root.ready.catch(() => {})
    await settle()
    const stopped = root.stop('normal', { drain: true })
    await settle()
    await pass(50)
    expect(await stopped).toEqual({ type: 'normal' })
    expect(diary).toEqual(['a up', 'a shutdown'])
  })
})
