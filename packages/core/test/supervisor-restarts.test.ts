/** When and how a supervisor starts its children again. */
import { child, ignore, isGraceful, producer, producerName, type ReasonInput, shutdown, start, supervisor } from '@genstage/core'
import type { Restart, Runtime, Strategy, TelemetryEvents } from '@genstage/core'
import { describe, expect, it } from 'vitest'
import { boom, deferred, type Diary, living, tell } from './support/children.ts'
import { rejectionOf, watchedRuntime } from './support/watched-runtime.ts'

const strategies = ['one_for_one', 'one_for_all', 'rest_for_one'] as const
const restarts = ['permanent', 'transient', 'temporary'] as const
const reasons: readonly ReasonInput[] = [
  'normal',
  'shutdown',
  shutdown('with a detail'),
  { type: 'error', error: boom },
  { type: 'killed' },
  { type: 'noproc' },
  { type: 'other', value: 1 },
]

/** Three children, of which the one in the middle is as told. */
async function three(runtime: Runtime, strategy: Strategy, restart: Restart, diary: Diary) {
  const Child = living(diary)
  const a = child(Child, { id: 'a', arg: 'a' })
  const b = child(Child, { id: 'b', arg: 'b', restart })
  const c = child(Child, { id: 'c', arg: 'c' })
  const root = start(supervisor([a, b, c], { strategy }), { runtime, name: 'root' })
  await root.ready
  diary.length = 0
  return root
}

/** What has to happen when b has ended, and is to be started again. */
const again: Readonly<Record<Strategy, readonly string[]>> = {
  one_for_one: ['b up 1'],
  one_for_all: ['c shutdown', 'a shutdown', 'a up 1', 'b up 1', 'c up 1'],
  rest_for_one: ['c shutdown', 'b up 1', 'c up 1'],
}

const cells = strategies.flatMap(strategy =>
  restarts.flatMap(restart =>
    reasons.map(reason => [strategy, restart, typeof reason === 'string' ? reason : reason.type, reason] as const),
  ),
)

describe('the end of a child', () => {
  it.each(cells)('GS-J13 GS-J5 under %s, a %s child, %s', async (strategy, restart, type, reason) => {
    const { runtime, lines, uncaught, settle } = watchedRuntime()
    const diary: Diary = []
    const root = await three(runtime, strategy, restart, diary)
    const before = root.child('b')
    before?.cast({ end: reason })
    await settle()
    const isFailure = !isGraceful(typeof reason === 'string' ? { type: reason } : reason)
    const isRestarted = restart === 'permanent' || (restart === 'transient' && isFailure)
    expect(diary).toEqual([`b ${type}`, ...(isRestarted ? again[strategy] : [])])
    const b = root.children().find(({ id }) => id === 'b')
    if (isRestarted) expect(b).toMatchObject({ state: 'running', restarts: 1 })
    else if (restart === 'temporary') expect(b).toBeUndefined()
    else expect(b).toEqual({ id: 'b', ref: undefined, state: 'stopped', restarts: 0 })
    expect(root.child('b') === before).toBe(false)
    // One line for one end that was not as it should be
    const codes = lines.map(({ fields }) => fields.code)
    expect(codes).toEqual(isRestarted ? ['restarting'] : isFailure ? ['child_failed'] : [])
    expect(uncaught).toEqual([])
    await root.stop()
    expect(runtime.topology().stages).toEqual([])
  })

  it.each(strategies)('is one line of the log, and no uncaught error, for a crash: %s', async strategy => {
    const { runtime, lines, uncaught, settle } = watchedRuntime()
    const root = await three(runtime, strategy, 'permanent', [])
    root.child('b')?.cast('crash')
    await settle()
    expect(lines).toEqual([
      {
        level: 'warn',
        text: 'stage "root": child "b" failed: Error: boom; it is started again',
        fields: { code: 'restarting', stage: 'root', child: 'b', error: boom, n: 1, delayMs: 0 },
      },
    ])
    expect(uncaught).toEqual([])
  })

  it('is told with both its errors if it fails while it ends because it failed', async () => {
    const { runtime, lines, settle } = watchedRuntime()
    const Twice = producer(() => ({
      handleDemand() {},
      handleCast(_: 'crash') {
        throw new Error('first')
      },
      terminate() {
        throw new Error('second')
      },
    }))
    const root = start(supervisor([child(Twice, { id: 'a', name: 'a' })]), { runtime, name: 'root' })
    await root.ready
    root.child('a')?.cast('crash')
    await settle()
    expect(lines.map(({ text }) => text)).toEqual([
      'stage "a": failed: Error: first',
      'stage "root": child "a" failed: Error: second; it is started again',
    ])
  })

  it('when somebody else stops or kills it, is no different', async () => {
    const { runtime, settle } = watchedRuntime()
    const diary: Diary = []
    const root = await three(runtime, 'one_for_one', 'transient', diary)
    await root.child('a')?.stop()
    await root.child('c')?.kill()
    await root.child('b')?.stop()
    await settle()
    expect(diary).toEqual(['a normal', 'a up 1', 'c up 1', 'b normal'])
  })
})

describe('a restart', () => {
  it('comes with fresh state, a free name, a new ref, and its count in the context', async () => {
    const { runtime, settle } = watchedRuntime()
    const Name = producerName<never>('a')
    const diary: Diary = []
    const root = start(supervisor([child(living(diary), { id: 'a', arg: 'a', name: 'a' })]), { runtime })
    await root.ready
    for (let round = 1; round <= 3; round++) {
      const before = root.child('a')
      before?.cast('crash')
      await settle()
      expect(root.child('a')).not.toBe(before)
      expect(runtime.whereis(Name)).toBe(root.child('a'))
    }
    expect(diary.filter(line => line.includes('up'))).toEqual(['a up', 'a up 1', 'a up 2', 'a up 3'])
    expect(root.children()).toMatchObject([{ restarts: 3 }])
  })

  it('is told to telemetry', async () => {
    const { runtime, settle } = watchedRuntime()
    const events: TelemetryEvents['restarted'][0][] = []
    runtime.telemetry.on('restarted', event => events.push(event))
    const root = await three(runtime, 'rest_for_one', 'permanent', [])
    root.child('b')?.cast('crash')
    await settle()
    const common = { stage: root.id, name: 'root', at: 0, restarts: 1 }
    expect(events).toEqual([
      { ...common, child: 'b', reason: { type: 'error', error: boom } },
      { ...common, child: 'c', reason: { type: 'shutdown' } },
    ])
  })

  it('ends temporary siblings for good, and starts those again that had ended as they should (as in OTP)', async () => {
    const { runtime, settle } = watchedRuntime()
    const diary: Diary = []
    const Child = living(diary)
    const specs = [
      child(Child, { id: 'a', arg: 'a', restart: 'transient' }),
      child(Child, { id: 'b', arg: 'b', restart: 'temporary' }),
      child(Child, { id: 'c', arg: 'c' }),
      child(Child, { id: 'd', arg: 'd' }),
    ] as const
    const root = start(supervisor(specs, { strategy: 'one_for_all' }), { runtime })
    await root.ready
    await root.terminateChild('d')
    root.child('a')?.cast({ end: 'normal' })
    await settle()
    diary.length = 0
    root.child('c')?.cast('crash')
    await settle()
    expect(diary).toEqual(['c error', 'b shutdown', 'a up 1', 'c up 1'])
    expect(root.children().map(({ id, state }) => [id, state])).toEqual([
      ['a', 'running'],
      ['c', 'running'],
      ['d', 'stopped'],
    ])
  })

  it('counts once for a group, and for two that end together', async () => {
    const { runtime, lines, settle } = watchedRuntime()
    const diary: Diary = []
    const root = await three(runtime, 'rest_for_one', 'permanent', diary)
    root.child('b')?.cast('crash')
    root.child('c')?.cast('crash')
    await settle()
    expect(lines.map(({ fields }) => [fields.code, fields['child']])).toEqual([
      ['restarting', 'b'],
      ['child_failed', 'c'],
    ])
    expect(diary).toEqual(['b error', 'c error', 'b up 1', 'c up 1'])
  })

  it('that fails counts, and is tried again; with rest_for_one from there on', async () => {
    const { runtime, lines, settle } = watchedRuntime()
    const diary: Diary = []
    let failures = 2
    const Child = living(diary, (id, count) => {
      if (id === 'c' && count > 0 && failures-- > 0) throw boom
    })
    const specs = ['a', 'b', 'c', 'd'].map(id => child(Child, { id, arg: id }))
    const root = start(supervisor(specs, { strategy: 'rest_for_one' }), { runtime, name: 'root' })
    await root.ready
    diary.length = 0
    tell(root, 1, 'crash')
    await settle()
    expect(diary).toEqual(['b error', 'd shutdown', 'c shutdown', 'b up 1', 'c up 3', 'd up 1'])
    expect(lines.map(({ text }) => text.slice(14))).toEqual([
      'child "b" failed: Error: boom; it is started again',
      'child "c" could not start: Error: boom; it is started again',
      'child "c" could not start: Error: boom; it is started again',
    ])
    tell(root, 3, 'crash')
    await settle()
    expect((await root.exited).type).toBe('shutdown')
  })

  it('whose setup answers ignore leaves the child stopped (GS-V11)', async () => {
    const { runtime, settle } = watchedRuntime()
    const Once = producer((_: void, ctx) =>
      ctx.restartCount > 0 ? ignore : { handleDemand() {}, handleCast: (_order: 'end') => ctx.stop() },
    )
    const root = start(supervisor([child(Once, { id: 'a' })]), { runtime })
    await root.ready
    root.child('a')?.cast('end')
    await settle()
    expect(root.children()).toEqual([{ id: 'a', ref: undefined, state: 'stopped', restarts: 1 }])
  })

  it('whose name is taken meanwhile counts, and is tried again', async () => {
    const { runtime, settle, pass, lines } = watchedRuntime()
    const diary: Diary = []
    const Child = living(diary)
    const options = { backoff: { minDelayMs: 10, maxDelayMs: 10 } }
    const root = start(supervisor([child(Child, { id: 'a', arg: 'a', name: 'a' })], options), { runtime })
    await root.ready
    root.child('a')?.cast('crash')
    await settle()
    const thief = start(Child, { runtime, arg: 'thief', name: 'a' })
    await pass(10)
    expect(root.children()).toMatchObject([{ state: 'restarting', restarts: 1 }])
    await thief.stop()
    await pass(10)
    expect(lines.map(({ fields }) => fields['error'])).toMatchObject([boom, { code: 'NAME_TAKEN' }])
    expect(runtime.whereis('a')).toBe(root.child('a'))
    expect(diary).toEqual(['a up', 'a error', 'thief up', 'thief normal', 'a up 2'])
  })

  it('of one child does not wait for that of another (one_for_one)', async () => {
    const { runtime, settle } = watchedRuntime()
    const diary: Diary = []
    const gate = deferred()
    const Child = living(diary, (id, count) => (id === 'a' && count > 0 ? gate.promise : undefined))
    const specs = [child(Child, { id: 'a', arg: 'a' }), child(Child, { id: 'b', arg: 'b' })] as const
    const root = start(supervisor(specs), { runtime })
    await root.ready
    root.child('a')?.cast('crash')
    await settle()
    root.child('b')?.cast('crash')
    await settle()
    expect(diary.slice(2)).toEqual(['a error', 'b error', 'b up 1'])
    expect(root.children().map(({ state }) => state)).toEqual(['starting', 'running'])
    gate.resolve()
    await settle()
    expect(diary.at(-1)).toBe('a up 1')
  })

  it('of a group begins anew when another of it fails while it is under way', async () => {
    const { runtime, settle } = watchedRuntime()
    const diary: Diary = []
    const gates = [deferred(), deferred()]
    const Child = living(diary, (id, count) => (id === 'c' && count > 0 ? gates[count - 1]?.promise : undefined))
    const specs = ['a', 'b', 'c'].map(id => child(Child, { id, arg: id, shutdown: 'brutal_kill' }))
    const root = start(supervisor(specs, { strategy: 'one_for_all' }), { runtime })
    await root.ready
    tell(root, 0, 'crash')
    await settle()
    tell(root, 1, 'crash')
    await settle()
    gates[1]?.resolve()
    await settle()
    expect(diary.slice(3)).toEqual(['a error', 'a up 1', 'b up 1', 'b error', 'a up 2', 'b up 2', 'c up 2'])
  })

  it('is not made after a stop', async () => {
    const { runtime, settle, timers } = watchedRuntime()
    const diary: Diary = []
    const Child = living(diary)
    const specs = [child(Child, { id: 'a', arg: 'a' }), child(Child, { id: 'b', arg: 'b' })] as const
    const root = start(supervisor(specs, { backoff: { minDelayMs: 100, maxDelayMs: 100 } }), { runtime })
    await root.ready
    root.child('a')?.cast('crash')
    await settle()
    expect(root.children()[0]).toMatchObject({ state: 'restarting', ref: undefined })
    root.child('b')?.cast('crash')
    await root.stop()
    expect(diary).toEqual(['a up', 'b up', 'a error', 'b error'])
    expect(timers()).toBe(0)
  })
})

describe('a window of restarts', () => {
  async function failing(options: { readonly maxRestarts?: number; readonly maxSeconds?: number }) {
    const world = watchedRuntime()
    const diary: Diary = []
    const specs = [child(living(diary), { id: 'a', arg: 'a' }), child(living(diary), { id: 'b', arg: 'b' })] as const
    const root = start(supervisor(specs, options), { runtime: world.runtime, name: 'root' })
    void root.exited
    await root.ready
    diary.length = 0
    const crash = async (after = 0) => {
      await world.pass(after)
      root.child('b')?.cast('crash')
      await world.settle()
    }
    return { ...world, root, diary, crash }
  }

  it('INV-20 has room for exactly maxRestarts: 3 within 5 s by default', async () => {
    const { root, diary, crash, lines, runtime, uncaught } = await failing({})
    for (let n = 0; n < 3; n++) await crash()
    expect(diary).toEqual(['b error', 'b up 1', 'b error', 'b up 2', 'b error', 'b up 3'])
    diary.length = 0
    await crash()
    const reason = await root.exited
    expect(diary).toEqual(['b error', 'a shutdown'])
    expect(reason).toMatchObject({
      type: 'shutdown',
      detail: { code: 'TOO_MANY_RESTARTS', stage: 'root', cause: boom, reason: { type: 'error', error: boom } },
    })
    const text = 'stage "root" gives up: more than 3 restarts within 5 s; the last was of child "b", which failed: Error: boom'
    expect(lines.slice(3)).toEqual([
      {
        level: 'error',
        text,
        fields: { code: 'stage_failed', stage: 'root', child: 'b', error: (reason as { detail?: unknown }).detail },
      },
    ])
    await root.done
    expect(runtime.topology().stages).toEqual([])
    expect(uncaught).toEqual([])
  })

  it('INV-20 includes its edge: 5 s apart is within 5 s', async () => {
    const { root, crash } = await failing({ maxRestarts: 1 })
    await crash()
    await crash(5_000)
    expect((await root.exited).type).toBe('shutdown')
  })

  it('INV-20 is over a moment later', async () => {
    const { root, crash } = await failing({ maxRestarts: 1 })
    await crash()
    for (let n = 0; n < 10; n++) await crash(5_001)
    expect(root.children()[1]).toMatchObject({ state: 'running', restarts: 11 })
  })

  it('INV-20 may be of no restart at all, or of any number', async () => {
    const none = await failing({ maxRestarts: 0 })
    await none.crash()
    expect(none.diary).toEqual(['b error', 'a shutdown'])
    const any = await failing({ maxRestarts: Infinity })
    for (let n = 0; n < 100; n++) await any.crash()
    expect(any.root.children()[1]).toMatchObject({ state: 'running', restarts: 100 })
  })

  it('INV-20 is common to all children', async () => {
    const { root, diary, settle } = await failing({ maxRestarts: 1 })
    root.child('a')?.cast('crash')
    root.child('b')?.cast('crash')
    await settle()
    expect((await root.exited).type).toBe('shutdown')
    expect(diary).toEqual(['a error', 'b error', 'a up 1', 'a shutdown'].filter((_, index) => index < diary.length))
  })

  it('INV-20 tells TOO_MANY_RESTARTS as an uncaught error if nobody watches, but not to one who does', async () => {
    for (const watch of [true, false]) {
      const { runtime, uncaught, settle } = watchedRuntime()
      const root = start(supervisor([child(living([]), { id: 'a', arg: 'a' })], { maxRestarts: 0 }), { runtime, name: 'root' })
      if (watch) root.monitor(() => {})
      await root.ready
      root.child('a')?.cast('crash')
      await settle()
      expect(uncaught.map(({ code, stage }) => [code, stage])).toEqual(watch ? [] : [['TOO_MANY_RESTARTS', 'root']])
    }
  })

  it('INV-20 of a nested supervisor: its end is an end of a child for the one above', async () => {
    const { runtime, uncaught, lines, settle } = watchedRuntime()
    const diary: Diary = []
    const Inner = supervisor([child(living(diary), { id: 'a', arg: 'a' })], { maxRestarts: 0 })
    const root = start(supervisor([child(Inner, { id: 'inner', name: 'inner' })]), { runtime, name: 'root' })
    await root.ready
    root.child('inner')?.child('a')?.cast('crash')
    await settle()
    expect(diary).toEqual(['a up', 'a error', 'a up'])
    expect(root.children()).toMatchObject([{ id: 'inner', state: 'running', restarts: 1 }])
    expect(lines.map(({ fields }) => [fields.code, fields.stage])).toEqual([
      ['stage_failed', 'inner'],
      ['restarting', 'root'],
    ])
    expect(uncaught).toEqual([])
  })

  it('INV-20 fails the start if it is exceeded before that is over', async () => {
    const { runtime, settle } = watchedRuntime()
    const never = new Promise<never>(() => {})
    const Child = living([], id => (id === 'b' ? never : undefined))
    const specs = [child(Child, { id: 'a', arg: 'a' }), child(Child, { id: 'b', arg: 'b', shutdown: 'brutal_kill' })] as const
    const root = start(supervisor(specs, { maxRestarts: 0 }), { runtime })
    const ready = rejectionOf(root.ready)
    await settle()
    root.child('a')?.cast('crash')
    expect(await ready).toMatchObject({ code: 'TOO_MANY_RESTARTS' })
    expect(runtime.topology().stages).toEqual([])
  })
})

describe('a back-off', () => {
  const backoff = { minDelayMs: 100, maxDelayMs: 350 }

  it('waits before each restart, twice as long each time, and not longer than maxDelayMs', async () => {
    const { runtime, pass, settle, lines } = watchedRuntime()
    const diary: Diary = []
    const specs = [child(living(diary), { id: 'a', arg: 'a' }), child(living(diary), { id: 'b', arg: 'b' })] as const
    const root = start(supervisor(specs, { maxRestarts: 10, backoff }), { runtime })
    await root.ready
    for (const delay of [100, 200, 350, 350]) {
      diary.length = 0
      root.child('a')?.cast('crash')
      await settle()
      await pass(delay - 1)
      expect(diary).toEqual(['a error'])
      expect(root.children()[0]).toMatchObject({ state: 'restarting', ref: undefined })
      await pass(1)
      expect(diary).toHaveLength(2)
    }
    expect(lines[1]?.text).toContain('it is started again in 200 ms')
    // Another child begins with the shortest
    root.child('b')?.cast('crash')
    await settle()
    await pass(100)
    expect(root.children()[1]).toMatchObject({ state: 'running' })
    // And this one, when it has held out for longer than the window
    await pass(5_001)
    root.child('a')?.cast('crash')
    await settle()
    await pass(100)
    expect(root.children()[0]).toMatchObject({ state: 'running' })
  })

  it('of a group: its siblings end at once, and all start after it', async () => {
    const { runtime, pass, settle } = watchedRuntime()
    const diary: Diary = []
    const specs = ['a', 'b', 'c'].map(id => child(living(diary), { id, arg: id }))
    const root = start(supervisor(specs, { strategy: 'one_for_all', backoff }), { runtime })
    await root.ready
    diary.length = 0
    tell(root, 1, 'crash')
    await settle()
    expect(diary).toEqual(['b error', 'c shutdown', 'a shutdown'])
    await pass(99)
    expect(diary).toHaveLength(3)
    await pass(1)
    expect(diary.slice(3)).toEqual(['a up 1', 'b up 1', 'c up 1'])
  })
})
