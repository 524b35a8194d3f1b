/** Children started, ended, restarted and deleted while a supervisor runs. */
import { child, ignore, producer, start, supervisor } from '@genstage/core'
import type { Runtime, Strategy } from '@genstage/core'
import { describe, expect, it } from 'vitest'
import { boom, deferred, type Diary, living } from './support/children.ts'
import { rejectionOf, thrownBy, watchedRuntime, wrong } from './support/watched-runtime.ts'

async function tree(runtime: Runtime, diary: Diary, strategy: Strategy = 'one_for_one') {
  const Child = living(diary)
  const specs = [child(Child, { id: 'a', arg: 'a' }), child(Child, { id: 'b', arg: 'b', restart: 'temporary' })] as const
  const root = start(supervisor(specs, { strategy }), { runtime, name: 'root' })
  await root.ready
  diary.length = 0
  return root
}

const states = (root: Awaited<ReturnType<typeof tree>>) => root.children().map(({ id, state }) => `${id} ${state}`)

describe('startChild', () => {
  it('starts one more, after all others, and resolves with its ref when it is set up', async () => {
    const { runtime, settle } = watchedRuntime()
    const diary: Diary = []
    const root = await tree(runtime, diary)
    const gate = deferred()
    const started = root.startChild(
      child(
        living(diary, () => gate.promise),
        { id: 'c', arg: 'c', name: 'c' },
      ),
    )
    await settle()
    expect(states(root)).toEqual(['a running', 'b running', 'c starting'])
    gate.resolve()
    const ref = await started
    expect(ref).toBe(runtime.whereis('c'))
    expect(ref.type).toBe('producer')
    ref.cast('crash')
    await settle()
    expect(diary).toEqual(['c up', 'c error', 'c up 1'])
    await root.stop()
    expect(diary.slice(3)).toEqual(['c shutdown', 'b shutdown', 'a shutdown'])
  })

  it.each(['one_for_one', 'one_for_all'] as const)('rejects with its failure, and forgets it: %s', async strategy => {
    const { runtime, settle, lines, uncaught } = watchedRuntime()
    const diary: Diary = []
    const root = await tree(runtime, diary, strategy)
    const Bad = producer<number>(() => {
      throw boom
    })
    expect(await rejectionOf(root.startChild(child(Bad, { id: 'c' })))).toMatchObject({ code: 'SETUP_FAILED', cause: boom })
    await settle()
    expect(states(root)).toEqual(['a running', 'b running'])
    expect(diary).toEqual([])
    expect(lines).toEqual([])
    expect(uncaught).toEqual([])
    expect(await rejectionOf(root.startChild(child(living(diary), { id: 'c', arg: 'c', name: 'root' })))).toMatchObject({
      code: 'NAME_TAKEN',
    })
    expect((await root.startChild(child(living(diary), { id: 'c', arg: 'c' }))).type).toBe('producer')
  })

  it('of one that answers ignore leaves it stopped', async () => {
    const { runtime } = watchedRuntime()
    const root = await tree(runtime, [])
    const ref = await root.startChild(
      child(
        producer.of<number>()(() => ignore),
        { id: 'c' },
      ),
    )
    expect(await ref.ready).toBe('ignored')
    expect(states(root)).toEqual(['a running', 'b running', 'c stopped'])
  })

  it('refuses a taken id', async () => {
    const { runtime } = watchedRuntime()
    const root = await tree(runtime, [])
    const error = await rejectionOf(root.startChild(child(living([]), { id: 'a', arg: 'a' })))
    expect(error).toMatchObject({ code: 'BAD_OPTION', option: 'id', stage: 'root' })
    expect(String(error)).toContain('child "a" is there already')
  })

  it.each([undefined, null, 'a', {}, living([])])('throws for what is no child: %s', async spec => {
    const { runtime } = watchedRuntime()
    const root = await tree(runtime, [])
    expect(thrownBy(() => root.startChild(wrong(spec)))).toMatchObject({ code: 'BAD_OPTION', option: 'spec', stage: 'root' })
  })

  it('waits until the supervisor has started', async () => {
    const { runtime, settle } = watchedRuntime()
    const diary: Diary = []
    const gate = deferred()
    const Child = living(diary, id => (id === 'a' ? gate.promise : undefined))
    const root = start(supervisor([child(Child, { id: 'a', arg: 'a' }), child(Child, { id: 'b', arg: 'b' })]), { runtime })
    const started = root.startChild(child(Child, { id: 'c', arg: 'c' }))
    await settle()
    expect(root.children()).toHaveLength(2)
    gate.resolve()
    await started
    expect(diary).toEqual(['a up', 'b up', 'c up'])
  })

  it('survives a restart of the group while it is under way', async () => {
    const { runtime, settle } = watchedRuntime()
    const diary: Diary = []
    const root = await tree(runtime, diary, 'one_for_all')
    const gates = [deferred(), deferred()]
    const Slow = living(diary, (_, count) => gates[count]?.promise)
    const kept = root.startChild(child(Slow, { id: 'c', arg: 'c', shutdown: 'brutal_kill' }))
    await settle()
    root.child('a')?.cast('crash')
    await settle()
    gates[1]?.resolve()
    expect(await kept).toBe(root.children()[1]?.ref)
    expect(diary).toEqual(['a error', 'b shutdown', 'a up 1', 'c up 1'])
  })

  it('of a temporary one rejects if a restart of the group ends it first', async () => {
    const { runtime, settle } = watchedRuntime()
    const root = await tree(runtime, [], 'one_for_all')
    const Slow = living([], () => new Promise(() => {}))
    const lost = root.startChild(child(Slow, { id: 'c', arg: 'c', shutdown: 'brutal_kill', restart: 'temporary' }))
    const rejection = rejectionOf(lost)
    await settle()
    root.child('a')?.cast('crash')
    expect(await rejection).toMatchObject({ code: 'STOPPED' })
    await settle()
    expect(states(root)).toEqual(['a running'])
  })
})

describe('terminateChild, restartChild, deleteChild', () => {
  it('end a child, which stays in the list; start it again; take it off the list', async () => {
    const { runtime } = watchedRuntime()
    const diary: Diary = []
    const root = await tree(runtime, diary)
    await root.terminateChild('a')
    expect(diary).toEqual(['a shutdown'])
    expect(states(root)).toEqual(['a stopped', 'b running'])
    await root.terminateChild('a')
    await root.restartChild('a')
    expect(diary).toEqual(['a shutdown', 'a up 1'])
    expect(root.child('a')?.type).toBe('producer')
    await root.terminateChild('a')
    await root.deleteChild('a')
    expect(states(root)).toEqual(['b running'])
    await root.startChild(child(living(diary), { id: 'a', arg: 'a' }))
    expect(states(root)).toEqual(['b running', 'a running'])
  })

  it('end a temporary child for good (as in OTP)', async () => {
    const { runtime } = watchedRuntime()
    const root = await tree(runtime, [])
    await root.terminateChild('b')
    expect(states(root)).toEqual(['a running'])
    expect(await rejectionOf(root.restartChild('b'))).toMatchObject({ code: 'UNKNOWN_CHILD' })
  })

  it.each(['terminateChild', 'restartChild', 'deleteChild'] as const)('%s knows no other children', async command => {
    const { runtime } = watchedRuntime()
    const root = start(supervisor([child(living([]), { id: 'saver', arg: 'a' })]), { runtime, name: 'root' })
    const error = await rejectionOf(root[command]('savr'))
    expect(error).toMatchObject({ code: 'UNKNOWN_CHILD', stage: 'root' })
    expect(String(error)).toBe('GenStageError: stage "root": child "savr" is unknown; did you mean saver?')
  })

  it.each([undefined, 5, {}, Symbol('a')])('do not know %s either', async id => {
    const { runtime } = watchedRuntime()
    const root = await tree(runtime, [])
    expect(await rejectionOf(root.terminateChild(wrong(id)))).toMatchObject({ code: 'UNKNOWN_CHILD' })
    expect(await rejectionOf(root.restartChild(wrong(id)))).toMatchObject({ code: 'UNKNOWN_CHILD' })
    expect(states(root)).toEqual(['a running', 'b running'])
  })

  it.each(['restartChild', 'deleteChild'] as const)('%s is refused for a child that is not stopped', async command => {
    const { runtime } = watchedRuntime()
    const root = await tree(runtime, [])
    const error = await rejectionOf(root[command]('a'))
    expect(error).toMatchObject({ code: 'BAD_OPTION', option: 'id' })
    expect(String(error)).toContain('child "a" is running; terminate it first')
    expect(states(root)).toEqual(['a running', 'b running'])
  })

  it('restartChild rejects with the failure of the start, and leaves the child stopped', async () => {
    const { runtime, settle, lines } = watchedRuntime()
    const Child = living([], (_, count) => {
      if (count === 1) throw boom
    })
    const root = start(supervisor([child(Child, { id: 'a', arg: 'a' })]), { runtime })
    await root.terminateChild('a')
    expect(await rejectionOf(root.restartChild('a'))).toMatchObject({ code: 'SETUP_FAILED', cause: boom })
    await settle()
    expect(root.children()).toMatchObject([{ id: 'a', state: 'stopped' }])
    expect(lines).toEqual([])
    await root.restartChild('a')
    expect(root.children()).toMatchObject([{ id: 'a', state: 'running', restarts: 2 }])
  })

  it('T154 terminateChild ends a child that waits for its restart', async () => {
    const { runtime, settle, pass, timers } = watchedRuntime()
    const Child = living([])
    const options = { backoff: { minDelayMs: 10, maxDelayMs: 10 } }
    const root = start(supervisor([child(Child, { id: 'a', arg: 'a' })], options), { runtime })
    await root.ready
    root.child('a')?.cast('crash')
    await settle()
    await root.terminateChild('a')
    expect(timers()).toBe(0)
    await pass(1_000)
    expect(root.children()).toMatchObject([{ state: 'stopped' }])
    await root.restartChild('a')
    expect(root.children()).toMatchObject([{ state: 'running' }])
  })

  it('terminateChild ends a child that is being started, whose startChild rejects', async () => {
    const { runtime, settle } = watchedRuntime()
    const root = await tree(runtime, [])
    const Slow = living([], () => new Promise(() => {}))
    const rejection = rejectionOf(root.startChild(child(Slow, { id: 'c', arg: 'c', shutdown: 'brutal_kill' })))
    await settle()
    await root.terminateChild('c')
    expect(await rejection).toMatchObject({ code: 'STOPPED' })
    expect(states(root)).toEqual(['a running', 'b running', 'c stopped'])
  })

  it('one child at its own pace: others are started and restarted meanwhile', async () => {
    const { runtime, settle, pass } = watchedRuntime()
    const diary: Diary = []
    const gate = deferred()
    const root = await tree(runtime, diary)
    const Slow = producer(() => ({ handleDemand() {}, terminate: () => gate.promise }))
    await root.startChild(child(Slow, { id: 'c' }))
    const ended = root.terminateChild('c')
    root.child('a')?.cast('crash')
    await settle()
    expect(diary).toEqual(['a error', 'a up 1'])
    expect(states(root)).toEqual(['a running', 'b running', 'c running'])
    await pass(5_000)
    await ended
    expect(states(root)).toEqual(['a running', 'b running', 'c stopped'])
  })

  it('all reject with STOPPED when the supervisor has ended, or does so meanwhile', async () => {
    const { runtime, settle } = watchedRuntime()
    const spec = child(
      living([], () => new Promise(() => {})),
      { id: 'c', arg: 'c', shutdown: 'brutal_kill' },
    )
    const attempt = (root: Awaited<ReturnType<typeof tree>>) =>
      [root.startChild(spec), root.terminateChild('a'), root.restartChild('a'), root.deleteChild('a')].map(rejectionOf)
    const root = await tree(runtime, [])
    const pending = rejectionOf(root.startChild(spec))
    await settle()
    const stopped = root.stop()
    const meanwhile = attempt(root)
    await stopped
    for (const rejection of [pending, ...meanwhile, ...attempt(root)])
      expect(await rejection).toMatchObject({ code: 'STOPPED', stage: 'root' })
    const killed = await tree(runtime, [])
    const waiting = rejectionOf(killed.startChild(spec))
    await settle()
    await killed.kill()
    expect(await waiting).toMatchObject({ code: 'STOPPED', reason: { type: 'killed' } })
    expect(root.children().map(({ state }) => state)).toEqual(['stopped', 'stopped'].slice(0, root.children().length))
  })
})
