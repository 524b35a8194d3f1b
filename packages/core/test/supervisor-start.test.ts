/** How a supervisor starts its children. */
import { child, consumer, fromIterable, ignore, producer, producerName, start, supervisor } from '@genstage/core'
import type { ProducerRef } from '@genstage/core'
import { describe, expect, it } from 'vitest'
import { boom, deferred, type Diary, living } from './support/children.ts'
import { rejectionOf, watchedRuntime } from './support/watched-runtime.ts'

const never = new Promise<never>(() => {})

describe('a supervisor starts', () => {
  it('GS-L1 GS-J13 its children in order, each when the one before has been set up', async () => {
    const { runtime, settle } = watchedRuntime()
    const diary: Diary = []
    const gate = deferred()
    const Child = living(diary, id => (id === 'a' ? gate.promise : undefined))
    const root = start(supervisor([child(Child, { id: 'a', arg: 'a' }), child(Child, { id: 'b', arg: 'b' })]), { runtime })
    await settle()
    expect(diary).toEqual([])
    expect(root.children().map(({ state }) => state)).toEqual(['starting', 'starting'])
    gate.resolve()
    expect(await root.ready).toBe('started')
    expect(diary).toEqual(['a up', 'b up'])
    expect(root.children()).toEqual([
      { id: 'a', ref: root.child('a'), state: 'running', restarts: 0 },
      { id: 'b', ref: root.child('b'), state: 'running', restarts: 0 },
    ])
    expect(root.type).toBe('supervisor')
  })

  it('as well without children', async () => {
    const { runtime } = watchedRuntime()
    const root = start(supervisor([]), { runtime, name: 'root' })
    expect(await root.ready).toBe('started')
    expect(runtime.whereis('root')).toBe(root)
    expect(await root.stop()).toEqual({ type: 'normal' })
  })

  it.each(['one_for_one', 'one_for_all', 'rest_for_one'] as const)(
    'GS-L2 without a child whose setup answers ignore, and goes on: %s',
    async strategy => {
      const { runtime, lines } = watchedRuntime()
      const diary: Diary = []
      const Child = living(diary)
      const Nothing = producer.of<number>()(() => ignore)
      const specs = [
        child(Nothing, { id: 'nothing' }),
        child(Nothing, { id: 'gone', restart: 'temporary' }),
        child(Child, { id: 'a', arg: 'a' }),
      ] as const
      const root = start(supervisor(specs, { strategy }), { runtime })
      expect(await root.ready).toBe('started')
      expect(diary).toEqual(['a up'])
      expect(root.children().map(({ id, state }) => [id, state])).toEqual([
        ['nothing', 'stopped'],
        ['a', 'running'],
      ])
      expect(root.child('nothing')).toBeUndefined()
      expect(lines).toEqual([])
    },
  )

  it.each(['one_for_one', 'one_for_all', 'rest_for_one'] as const)(
    'GS-L2 not at all if one of them fails: those before it are stopped in reverse, and it is told once: %s',
    async strategy => {
      const { runtime, lines, uncaught, settle } = watchedRuntime()
      const diary: Diary = []
      const Child = living(diary, id => {
        if (id === 'c') throw boom
      })
      const specs = ['a', 'b', 'c', 'd'].map(id => child(Child, { id, arg: id, name: id }))
      const root = start(supervisor(specs, { strategy }), { runtime, name: 'root' })
      const error = await rejectionOf(root.ready)
      expect(error).toMatchObject({ code: 'SETUP_FAILED', stage: 'root', cause: boom })
      expect((error as Error).message).toBe('stage "root" could not start: child "c": Error: boom')
      expect(await root.exited).toEqual({ type: 'error', error })
      expect(diary).toEqual(['a up', 'b up', 'b shutdown', 'a shutdown'])
      expect(lines.map(({ fields }) => [fields.code, fields.stage])).toEqual([['stage_failed', 'root']])
      await settle()
      expect(uncaught).toEqual([])
      expect(runtime.topology().stages).toEqual([])
    },
  )

  it('a failed start that nobody watches is raised, once', async () => {
    const { runtime, uncaught, settle } = watchedRuntime()
    const Bad = producer<number>(() => Promise.reject(boom))
    const Inner = supervisor([child(Bad, { id: 'bad' })])
    start(supervisor([child(Inner, { id: 'inner' })]), { runtime, name: 'outer' })
    await settle()
    expect(uncaught).toHaveLength(1)
    expect(uncaught[0]).toMatchObject({ code: 'STAGE_FAILED', stage: 'outer' })
    expect(uncaught[0]?.cause).toMatchObject({ code: 'SETUP_FAILED', cause: { code: 'SETUP_FAILED', cause: boom } })
  })

  it('not a child whose name is taken: NAME_TAKEN is the cause', async () => {
    const { runtime } = watchedRuntime()
    const Child = living([])
    start(Child, { runtime, arg: 'x', name: 'taken' })
    const root = start(supervisor([child(Child, { id: 'a', arg: 'a', name: 'taken' })]), { runtime })
    expect(await rejectionOf(root.ready)).toMatchObject({ code: 'SETUP_FAILED', cause: { code: 'NAME_TAKEN' } })
  })

  it('no longer than startTimeout: its children are killed, also one that is being set up', async () => {
    const { runtime, pass, settle, timers } = watchedRuntime()
    const diary: Diary = []
    const Child = living(diary, id => (id === 'b' ? never : undefined))
    const specs = [child(Child, { id: 'a', arg: 'a' }), child(Child, { id: 'b', arg: 'b' })]
    const root = start(supervisor(specs), { runtime, startTimeout: 100 })
    const ready = rejectionOf(root.ready)
    await settle()
    await pass(100)
    expect(await ready).toMatchObject({ code: 'TIMEOUT', option: 'startTimeout' })
    expect(runtime.topology().stages).toEqual([])
    expect(diary).toEqual(['a up'])
    expect(timers()).toBe(0)
  })

  it('no child for longer than its own startTimeout', async () => {
    const { runtime, pass, settle } = watchedRuntime()
    const Child = living([], () => never)
    const root = start(supervisor([child(Child, { id: 'a', arg: 'a', startTimeout: 100 })]), { runtime })
    const ready = rejectionOf(root.ready)
    await settle()
    await pass(100)
    expect(await ready).toMatchObject({ code: 'SETUP_FAILED', cause: { code: 'TIMEOUT' } })
  })

  it('and stops while it waits for a child', async () => {
    const { runtime, pass, settle } = watchedRuntime()
    const diary: Diary = []
    const Child = living(diary, id => (id === 'b' ? never : undefined))
    const specs = ['a', 'b', 'c'].map(id => child(Child, { id, arg: id, shutdown: 50 }))
    const root = start(supervisor(specs), { runtime })
    const ready = rejectionOf(root.ready)
    await settle()
    const stopped = root.stop()
    await settle()
    expect(diary).toEqual(['a up'])
    await pass(50)
    expect(await stopped).toEqual({ type: 'normal' })
    expect(await ready).toMatchObject({ code: 'SETUP_FAILED' })
    expect(diary).toEqual(['a up', 'a shutdown'])
  })

  it('a child again that ends while it still waits for another', async () => {
    const { runtime, settle } = watchedRuntime()
    const diary: Diary = []
    const gate = deferred()
    const Child = living(diary, id => (id === 'b' ? gate.promise : undefined))
    const root = start(supervisor([child(Child, { id: 'a', arg: 'a' }), child(Child, { id: 'b', arg: 'b' })]), { runtime })
    await settle()
    root.child('a')?.cast('crash')
    await settle()
    expect(diary).toEqual(['a up', 'a error', 'a up 1'])
    gate.resolve()
    await root.ready
    expect(diary).toEqual(['a up', 'a error', 'a up 1', 'b up'])
  })

  it('all anew where all belong together, also when one ends while it waits for another', async () => {
    const { runtime, settle } = watchedRuntime()
    const diary: Diary = []
    let gate = deferred()
    const Child = living(diary, id => (id === 'b' ? gate.promise : undefined))
    const specs = ['a', 'b', 'c'].map(id => child(Child, { id, arg: id }))
    const root = start(supervisor(specs, { strategy: 'one_for_all' }), { runtime })
    await settle()
    root.child('a')?.cast('crash')
    await settle()
    const first = gate
    gate = deferred()
    first.resolve()
    await settle()
    expect(diary).toEqual(['a up', 'a error', 'b up', 'b shutdown', 'a up 1'])
    gate.resolve()
    expect(await root.ready).toBe('started')
    expect(diary.slice(5)).toEqual(['b up 1', 'c up'])
  })
})

describe('a tree', () => {
  it('nests: refs by id, names by the runtime, supervisors in the topology', async () => {
    const { runtime } = watchedRuntime()
    const Numbers = producerName<number>('numbers')
    const App = supervisor([
      child(fromIterable([1, 2, 3]), { id: 'source', name: Numbers, restart: 'temporary', demand: 'accumulate' }),
      child(
        consumer(() => ({ handleEvents(_: readonly number[]) {} })),
        { id: 'sink', subscribeTo: [{ to: Numbers, cancel: 'transient' }] },
      ),
    ])
    const root = start(supervisor([child(App, { id: 'app', name: 'app' })]), { runtime, name: 'root' })
    await root.ready
    const app = root.child('app')
    const source: ProducerRef<number> | undefined = app?.child('source')
    expect(runtime.whereis(Numbers)).toBe(source)
    expect(app?.name).toBe('app')
    const { stages } = runtime.topology()
    expect(stages.map(({ type, supervisor }) => [type, supervisor])).toEqual([
      ['supervisor', undefined],
      ['supervisor', root.id],
      ['producer', app?.id],
      ['consumer', app?.id],
    ])
    expect((await root.inspect()).type).toBe('supervisor')
    source?.setDemandMode('forward')
    await source?.exited
    await root.stop()
    expect(runtime.topology().stages).toEqual([])
  })

  it('runs in the runtime of its supervisor, and one definition may be started in several', async () => {
    const [one, two] = [watchedRuntime(), watchedRuntime()]
    const App = supervisor([child(living([]), { id: 'a', arg: 'a', name: 'a' })])
    const roots = [start(App, { runtime: one.runtime }), start(App, { runtime: two.runtime })]
    for (const root of roots) await root.ready
    expect(one.runtime.whereis('a')).toBe(roots[0]?.child('a'))
    expect(two.runtime.whereis('a')).toBe(roots[1]?.child('a'))
  })

  it('is no producer and no consumer', async () => {
    const { runtime, lines, settle } = watchedRuntime()
    const root = start(supervisor([]), { runtime, name: 'root' })
    const plain = root as unknown as ProducerRef<number> & { subscribe(options: object): unknown }
    expect(() => plain.stream()).toThrow(expect.objectContaining({ code: 'NOT_A_PRODUCER' }))
    expect(() => plain.subscribe({ to: start(living([]), { runtime, arg: 'a' }) })).toThrow(
      expect.objectContaining({ code: 'NOT_A_CONSUMER' }),
    )
    const sink = start(
      consumer(() => ({ handleEvents(_: readonly number[]) {} })),
      { runtime },
    )
    const subscription = sink.subscribe({ to: plain, cancel: 'temporary' })
    expect(await rejectionOf(subscription.accepted)).toMatchObject({ code: 'NOT_A_PRODUCER' })
    ;(root as unknown as { send(message: unknown): void }).send('hello')
    await settle()
    expect(lines.at(-1)).toMatchObject({ fields: { code: 'unhandled_info', stage: 'root' } })
    expect(root.children()).toEqual([])
  })
})
