import { start } from '@genstage/core'
import { describe, expect, it } from 'vitest'
import { range, source } from './support/stages.ts'
import { rejectionOf } from './support/watched-runtime.ts'
import { Tasks, workshop } from './support/workshop.ts'

/** What a function that takes a signal rejects with. */
const aborted = new DOMException('given up', 'AbortError')

describe('stopping a consumer supervisor', () => {
  it('T149 GS-V14 aborts stopping at once, and ends when its tasks have', async () => {
    const tasks = new Tasks()
    const { send, settle, supervisor, lost, codes } = await workshop(tasks.handle, { shutdown: 1_000 })
    await send(1, 2)
    const stopped = supervisor.stop('shutdown')
    let isOver = false
    void stopped.then(() => (isOver = true))
    await settle()
    expect(tasks.calls.map(({ task }) => [task.stopping.aborted, task.signal.aborted])).toEqual([
      [true, false],
      [true, false],
    ])
    tasks.of(1).resolve()
    await settle()
    expect(isOver).toBe(false)
    tasks.of(2).resolve()
    expect((await stopped).type).toBe('shutdown')
    expect([lost, codes()]).toEqual([[], []])
  })

  it('T151 GS-V14 INV-21 aborts signal when time is up, waits no longer, and reports what was not finished', async () => {
    const tasks = new Tasks()
    const { send, settle, pass, supervisor, lost, timers } = await workshop(tasks.handle, { shutdown: 100 })
    await send(1, 2, 3)
    const stopped = supervisor.stop()
    await settle()
    tasks.of(2).resolve()
    await pass(99)
    expect(tasks.of(1).task.signal.aborted).toBe(false)
    await pass(1)
    expect(tasks.of(1).task.signal.reason).toMatchObject({ name: 'AbortError' })
    expect((await stopped).type).toBe('normal')
    expect(lost.map(({ reason, events: [event] }) => [reason, event]).toSorted()).toEqual([
      ['killed', 1],
      ['killed', 3],
    ])
    expect(timers()).toBe(0)
    tasks.of(1).resolve()
    tasks.of(3).reject(new Error('too late to be of interest'))
    await settle()
  })

  it('T146 GS-V14 with brutal_kill aborts both signals at once', async () => {
    const tasks = new Tasks()
    const { send, supervisor, lost } = await workshop(tasks.handle, { shutdown: 'brutal_kill' })
    await send(1)
    expect((await supervisor.stop()).type).toBe('normal')
    const { signal, stopping } = tasks.of(1).task
    expect([signal.aborted, stopping.aborted]).toEqual([true, true])
    expect(lost).toEqual([{ reason: 'killed', events: [1] }])
  })

  it('T147 GS-V14 with infinity waits as long as it takes', async () => {
    const tasks = new Tasks()
    const { send, pass, supervisor } = await workshop(tasks.handle, { shutdown: 'infinity' })
    await send(1)
    const stopped = supervisor.stop()
    await pass(1e9)
    expect(supervisor.children()).toHaveLength(1)
    tasks.of(1).resolve()
    expect((await stopped).type).toBe('normal')
  })

  it('GS-V14 the time limit of the stop comes before that of the children', async () => {
    const tasks = new Tasks()
    const { send, pass, supervisor, lost } = await workshop(tasks.handle, { shutdown: 'infinity' })
    await send(1)
    const stopped = supervisor.stop('normal', { timeout: 50 })
    await pass(50)
    expect((await stopped).type).toBe('killed')
    expect(tasks.of(1).task.signal.aborted).toBe(true)
    expect(lost).toEqual([{ reason: 'killed', events: [1] }])
  })

  it('T148 T150 a task that gives up when it is told to stop is no failure, and its event is reported', async () => {
    const tasks = new Tasks()
    const { send, settle, supervisor, lost, codes } = await workshop(tasks.handle, { restart: 'transient' })
    await send(1)
    const stopped = supervisor.stop()
    await settle()
    tasks.of(1).reject(aborted)
    expect((await stopped).type).toBe('normal')
    expect([lost, codes()]).toEqual([[{ reason: 'stopped', events: [1] }], []])
  })

  it('GS-V14 a task that fails meanwhile is logged, and not called again', async () => {
    const tasks = new Tasks()
    const { send, settle, supervisor, lost, codes } = await workshop(tasks.handle, { restart: 'transient' })
    await send(1)
    const stopped = supervisor.stop()
    await settle()
    tasks.of(1).reject(new Error('oops'))
    await stopped
    expect(tasks.events).toEqual([1])
    expect([lost, codes()]).toEqual([[{ reason: 'consumer_crash', events: [1] }], ['child_failed']])
  })

  it('an AbortError of a task that nobody told to stop is a failure like any other', async () => {
    const tasks = new Tasks()
    const { send, settle, codes } = await workshop(tasks.handle)
    await send(1)
    tasks.of(1).reject(aborted)
    await settle()
    expect(codes()).toEqual(['child_failed'])
  })

  it('INV-21 a task that waits for its restart is reported, and its timer gone', async () => {
    const tasks = new Tasks()
    const { send, settle, supervisor, lost, timers } = await workshop(tasks.handle, {
      restart: 'transient',
      backoff: { minDelayMs: 1_000, maxDelayMs: 1_000 },
    })
    await send(1)
    tasks.of(1).reject(new Error('oops'))
    await settle()
    expect(timers()).toBe(1)
    await supervisor.stop()
    expect([lost, timers(), tasks.events]).toEqual([[{ reason: 'stopped', events: [1] }], 0, [1]])
  })

  it('J6 kill aborts both signals of every task, and reports all of their events', async () => {
    const tasks = new Tasks()
    const { send, supervisor, lost } = await workshop(tasks.handle)
    await send(1, 2)
    expect((await supervisor.kill()).type).toBe('killed')
    expect(tasks.calls.every(({ task }) => task.signal.aborted && task.stopping.aborted)).toBe(true)
    expect(lost).toEqual([{ reason: 'killed', events: [1, 2] }])
    expect(supervisor.children()).toEqual([])
  })

  it('signals that are read too late are aborted already, and each try has its own', async () => {
    const tasks = new Tasks()
    const { send, supervisor } = await workshop(tasks.handle)
    await send(1)
    const { task } = tasks.of(1)
    expect(task.signal).toBe(task.signal)
    await supervisor.kill()
    expect([task.stopping.aborted, task.stopping.reason]).toEqual([true, expect.objectContaining({ name: 'AbortError' })])
  })

  it('events whose task had not begun are reported, and every other one is handled', async () => {
    const begun: unknown[] = []
    const { send, supervisor, lost } = await workshop(event => {
      begun.push(event)
      if (event === 3) void supervisor.stop()
    })
    await send(...range(0, 8))
    expect(begun).toEqual([0, 1, 2, 3])
    expect(lost).toEqual([{ reason: 'stopped', events: [4, 5, 6, 7] }])
  })

  it('a batch in which it is killed is reported as a whole, and once', async () => {
    const tasks = new Tasks()
    const { send, supervisor, lost } = await workshop((event, task) => {
      if (event === 3) void supervisor.kill()
      return tasks.handle(event, task)
    })
    await supervisor.startChild(9)
    await send(1, 2, 3, 4)
    expect(tasks.events).toEqual([9, 1, 2, 3])
    expect(tasks.calls.every(({ task }) => task.signal.aborted)).toBe(true)
    expect(lost.flatMap(({ events }) => events).toSorted()).toEqual([1, 2, 3, 4, 9])
  })

  it('a child that somebody began by hand and that kills the supervisor is reported', async () => {
    const { supervisor, lost } = await workshop(async () => void supervisor.kill())
    expect(await rejectionOf(supervisor.startChild(1))).toBeUndefined()
    expect(lost).toEqual([{ reason: 'killed', events: [1] }])
  })
})

describe('ending one task', () => {
  it('T153 GS-V15 tells it to stop, and waits for its end', async () => {
    const tasks = new Tasks()
    const { send, settle, supervisor, lost } = await workshop(tasks.handle, { restart: 'transient', shutdown: 1_000 })
    await send(1, 2)
    const terminated = supervisor.terminateChild('child-1')
    const again = supervisor.terminateChild('child-1')
    await settle()
    expect([tasks.of(1).task.stopping.aborted, tasks.of(2).task.stopping.aborted]).toEqual([true, false])
    tasks.of(1).reject(aborted)
    await Promise.all([terminated, again])
    expect(tasks.events).toEqual([1, 2])
    expect(supervisor.children().map(({ id }) => id)).toEqual(['child-2'])
    expect(lost).toEqual([{ reason: 'stopped', events: [1] }])
  })

  it('T152 GS-V15 waits no longer than shutdown says', async () => {
    const tasks = new Tasks()
    const { send, pass, supervisor, lost, timers, settle } = await workshop(tasks.handle, { shutdown: 1_000 })
    await send(1)
    const terminated = supervisor.terminateChild('child-1')
    await settle()
    await pass(1_000)
    await terminated
    expect(tasks.of(1).task.signal.aborted).toBe(true)
    expect([lost, timers()]).toEqual([[{ reason: 'killed', events: [1] }], 0])
  })

  it('GS-V15 one that has ended by itself a moment before is not lost', async () => {
    const tasks = new Tasks()
    const { send, settle, supervisor, lost } = await workshop(tasks.handle, { shutdown: 'brutal_kill' }, { maxDemand: 2 })
    await send(1, 2)
    tasks.of(1).resolve()
    await supervisor.terminateChild('child-1')
    await settle()
    expect([lost, supervisor.children().map(({ id }) => id)]).toEqual([[], ['child-2']])
    await send(3)
    expect(tasks.events).toEqual([1, 2, 3])
    tasks.of(2).resolve()
    const stopped = supervisor.stop()
    await Promise.resolve()
    await stopped
    expect(lost).toEqual([{ reason: 'killed', events: [3] }])
  })

  it('T154 GS-V15 ends one that waits for its restart', async () => {
    const tasks = new Tasks()
    const { send, settle, supervisor, lost, pass } = await workshop(tasks.handle, {
      restart: 'transient',
      backoff: { minDelayMs: 10, maxDelayMs: 10 },
    })
    await send(1)
    tasks.of(1).reject(new Error('oops'))
    await settle()
    await supervisor.terminateChild('child-1')
    expect(lost).toEqual([{ reason: 'stopped', events: [1] }])
    expect(await rejectionOf(supervisor.terminateChild('child-1'))).toMatchObject({ code: 'UNKNOWN_CHILD' })
    await pass(10)
    expect(tasks.events).toEqual([1])
  })

  it('T152 GS-V15 whoever waits for it is answered when the supervisor is killed', async () => {
    const tasks = new Tasks()
    const { send, settle, supervisor } = await workshop(tasks.handle, { shutdown: 'infinity' })
    await send(1)
    const terminated = supervisor.terminateChild('child-1')
    await settle()
    await supervisor.kill()
    await terminated
  })
})

describe('draining a consumer supervisor', () => {
  it('finishes what has been asked for, restarts included, and tells no task to stop', async () => {
    const tasks = new Tasks()
    const { send, settle, supervisor, lost } = await workshop(tasks.handle, { restart: 'transient' }, { maxDemand: 2 })
    await send(1, 2, 3)
    const stopped = supervisor.stop('normal', { drain: true })
    await settle()
    expect(tasks.calls.some(({ task }) => task.stopping.aborted)).toBe(false)
    expect(await rejectionOf(supervisor.startChild(4))).toMatchObject({ code: 'STOPPED' })
    tasks.of(1).reject(new Error('oops'))
    tasks.of(2).resolve()
    await settle()
    expect(tasks.events).toEqual([1, 2, 1])
    tasks.of(1).resolve()
    expect((await stopped).type).toBe('normal')
    expect(lost).toEqual([])
  })

  it('waits no longer than shutdown says', async () => {
    const tasks = new Tasks()
    const { send, pass, supervisor, lost, settle } = await workshop(tasks.handle, { shutdown: 1_000 })
    await send(1)
    const stopped = supervisor.stop('normal', { drain: true })
    await settle()
    await pass(1_000)
    expect((await stopped).type).toBe('normal')
    expect(lost).toEqual([{ reason: 'killed', events: [1] }])
  })

  it('a stop in the middle of it tells the tasks', async () => {
    const tasks = new Tasks()
    const { send, supervisor, settle } = await workshop(tasks.handle)
    await send(1)
    const drained = supervisor.stop('normal', { drain: true })
    await settle()
    const stopped = supervisor.stop('shutdown')
    await settle()
    expect(tasks.of(1).task.stopping.aborted).toBe(true)
    tasks.of(1).resolve()
    expect(await drained).toEqual(await stopped)
  })

  it('goes down from the sources with the whole runtime', async () => {
    const tasks = new Tasks()
    const { send, settle, runtime, lost } = await workshop(tasks.handle, {}, { maxDemand: 1, cancel: 'permanent' })
    await send(1, 2, 3)
    const stopped = runtime.stop({ drain: true })
    for (const event of [1, 2, 3]) {
      await settle()
      tasks.of(event).resolve()
    }
    await stopped
    expect([tasks.events, lost]).toEqual([[1, 2, 3], []])
  })

  it('GS-K5 a failure of its producer stops it, and its tasks with it', async () => {
    const tasks = new Tasks()
    const { runtime, supervisor, settle } = await workshop(tasks.handle)
    const second = start(source(), { runtime })
    supervisor.subscribe({ to: second })
    await settle()
    second.cast([1])
    await settle()
    const exited = supervisor.exited
    void second.stop({ type: 'other', value: 'oops' })
    await settle()
    expect(tasks.of(1).task.stopping.aborted).toBe(true)
    tasks.of(1).resolve()
    expect(await exited).toEqual({ type: 'other', value: 'oops' })
  })
})
