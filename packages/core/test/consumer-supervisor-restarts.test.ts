import type { GenStageError, Reason } from '@genstage/core'
import { describe, expect, it } from 'vitest'
import { deliberately, type Item, range } from './support/stages.ts'
import { type Child, Tasks, workshop } from './support/workshop.ts'

const oops = new Error('oops')

/** The error in the reason of a supervisor that gave up. */
function whyGivenUp(reason: Reason): GenStageError {
  expect(reason.type).toBe('shutdown')
  return (reason as { detail: GenStageError }).detail
}

describe('a task that fails', () => {
  it('T139 GS-V10 INV-17 is logged once and gone, if it is temporary', async () => {
    const tasks = new Tasks()
    const { send, settle, supervisor, lines, lost, runtime } = await workshop(tasks.handle)
    const failed: unknown[] = []
    runtime.telemetry.on('failed', ({ error }) => failed.push(error))
    await send(1, 2)
    tasks.of(1).reject(oops)
    await settle()
    expect(lines).toMatchObject([
      {
        level: 'error',
        text: 'stage "workshop": child "child-1" failed: Error: oops',
        fields: { code: 'child_failed', stage: 'workshop', child: 'child-1', error: oops },
      },
    ])
    expect(failed).toEqual([oops])
    expect(lost).toEqual([{ reason: 'consumer_crash', events: [1] }])
    expect(supervisor.children().map(({ id }) => id)).toEqual(['child-2'])
    expect(tasks.events).toEqual([1, 2])
  })

  it('T140 GS-V10 is called again with the same event, if it is transient', async () => {
    const tasks = new Tasks()
    const { send, settle, supervisor, lines, lost, runtime } = await workshop(tasks.handle, { restart: 'transient' })
    const restarted: unknown[] = []
    runtime.telemetry.on('restarted', event => restarted.push(event))
    await send(1)
    const [first] = tasks.calls
    first?.reject(oops)
    await settle()
    expect(tasks.events).toEqual([1, 1])
    expect(tasks.calls.map(call => call.task.restartCount)).toEqual([0, 1])
    expect(tasks.of(1).task).not.toBe(first?.task)
    expect(restarted).toMatchObject([{ name: 'workshop', child: 'child-1', restarts: 1, reason: { type: 'error', error: oops } }])
    expect(supervisor.children()).toMatchObject([{ id: 'child-1', state: 'running', restarts: 1 }])
    tasks.of(1).resolve()
    await settle()
    expect(supervisor.children()).toEqual([])
    expect(lines).toMatchObject([
      {
        level: 'warn',
        text: 'stage "workshop": child "child-1" failed: Error: oops; it is started again',
        fields: { code: 'restarting', child: 'child-1', error: oops, n: 1, delayMs: 0 },
      },
    ])
    expect(lost).toEqual([])
  })

  it('T140 GS-V10 is not called again when it has resolved, whatever with', async () => {
    const seen: Item[] = []
    const { send } = await workshop(async event => void seen.push(event), { restart: 'transient' })
    await send(1, 2, 3)
    expect(seen).toEqual([1, 2, 3])
  })

  it('fails as well with a function that throws at once, or with a thenable that does', async () => {
    const seen: Item[] = []
    const hostile = {
      get then(): never {
        throw oops
      },
    }
    const { send, codes, supervisor } = await workshop(
      event => {
        seen.push(event)
        if (seen.length > 2) return undefined
        if (event === 2) throw oops
        return hostile
      },
      { restart: 'transient' },
    )
    await send(2, 3)
    expect(seen).toEqual([2, 3, 2, 3])
    expect(codes()).toEqual(['restarting', 'restarting'])
    expect(supervisor.children()).toEqual([])
  })

  it('F56 settles once: what a thenable brings later is not listened to', async () => {
    const settles: { resolve?: () => void; reject?: (error: unknown) => void } = {}
    const thenable = {
      // oxlint-disable-next-line unicorn/no-thenable -- what users return may be any thenable
      then(resolve: () => void, reject: (error: unknown) => void) {
        Object.assign(settles, { resolve, reject })
      },
    }
    const { send, settle, codes, supervisor } = await workshop(() => thenable)
    await send(1)
    expect(supervisor.children()).toHaveLength(1)
    settles.resolve?.()
    settles.resolve?.()
    settles.reject?.(oops)
    await settle()
    expect([supervisor.children(), codes()]).toEqual([[], []])
  })

  it('F56 what an earlier try brings late is not taken for the end of the next', async () => {
    const settles: { resolve(): void; reject(error: unknown): void }[] = []
    const child = () => ({
      // oxlint-disable-next-line unicorn/no-thenable -- what users return may be any thenable
      then: (resolve: () => void, reject: (error: unknown) => void) => void settles.push({ resolve, reject }),
    })
    const { send, settle, supervisor } = await workshop(deliberately<Child>(child), { restart: 'transient' })
    await send(1)
    settles[0]?.reject(oops)
    await settle()
    expect(settles).toHaveLength(2)
    settles[0]?.resolve()
    settles[0]?.reject(oops)
    await settle()
    expect(supervisor.children()).toMatchObject([{ state: 'running', restarts: 1 }])
    settles[1]?.resolve()
    await settle()
    expect(supervisor.children()).toEqual([])
  })

  it('waits before a restart as backoff says, twice as long each time', async () => {
    const tasks = new Tasks()
    const { send, settle, pass, supervisor, lines } = await workshop(tasks.handle, {
      restart: 'transient',
      backoff: { minDelayMs: 100, maxDelayMs: 150 },
    })
    await send(1)
    for (const delay of [100, 150, 150]) {
      const { length } = tasks.calls
      tasks.of(1).reject(oops)
      await settle()
      expect(supervisor.children()).toMatchObject([{ state: 'restarting' }])
      await pass(delay - 1)
      expect(tasks.calls).toHaveLength(length)
      await pass(1)
      expect(tasks.calls).toHaveLength(length + 1)
      expect(lines.at(-1)?.text).toContain(`; it is started again in ${delay} ms`)
    }
  })

  it('backs off for each child apart', async () => {
    const tasks = new Tasks()
    const { send, settle, pass } = await workshop(tasks.handle, {
      restart: 'transient',
      backoff: { minDelayMs: 10, maxDelayMs: 1_000 },
    })
    await send(1, 2)
    tasks.of(1).reject(oops)
    tasks.of(2).reject(oops)
    await settle()
    await pass(10)
    expect(tasks.events).toEqual([1, 2, 1, 2])
  })
})

describe('the restart intensity of a consumer supervisor', () => {
  it('T143 GS-V12 INV-20 with maxRestarts 1 the second restart stops it with shutdown', async () => {
    const tasks = new Tasks()
    const { send, settle, supervisor, codes, lines } = await workshop(tasks.handle, { restart: 'transient', maxRestarts: 1 })
    const exited = supervisor.exited
    await send(1, 2)
    tasks.of(1).reject(oops)
    await settle()
    expect(tasks.events).toEqual([1, 2, 1])
    tasks.of(1).reject(oops)
    await settle()
    expect(tasks.of(2).task.stopping.aborted).toBe(true)
    tasks.of(2).resolve()
    const error = whyGivenUp(await exited)
    expect(error).toMatchObject({ code: 'TOO_MANY_RESTARTS', stage: 'workshop' })
    expect(error.message).toBe(
      'stage "workshop" gives up: more than 1 restarts within 5 s; the last was of child "child-1", which failed: Error: oops',
    )
    expect(error).toMatchObject({ reason: { type: 'error', error: oops }, cause: oops })
    expect(codes()).toEqual(['restarting', 'stage_failed'])
    expect(lines[1]).toMatchObject({ text: error.message, fields: { error, child: 'child-1' } })
  })

  it('T144 GS-V12 counts restarts that are exactly maxSeconds apart, and none that are further', async () => {
    const tasks = new Tasks()
    const { send, settle, pass, supervisor } = await workshop(tasks.handle, {
      restart: 'transient',
      maxRestarts: 1,
      maxSeconds: 1,
    })
    const exited = supervisor.exited
    await send(1)
    tasks.of(1).reject(oops)
    await settle()
    await pass(1_001)
    tasks.of(1).reject(oops)
    await settle()
    expect(tasks.calls).toHaveLength(3)
    await pass(1_000)
    tasks.of(1).reject(oops)
    expect(whyGivenUp(await exited).code).toBe('TOO_MANY_RESTARTS')
  })

  it('T145 GS-V12 a function that always fails is called maxRestarts times more', async () => {
    const seen: Item[] = []
    const { send, supervisor, lost } = await workshop(
      event => {
        seen.push(event)
        throw oops
      },
      { restart: 'transient', maxRestarts: 10 },
      { maxDemand: 2 },
    )
    const exited = supervisor.exited
    await send(1)
    expect(seen).toHaveLength(11)
    expect(whyGivenUp(await exited).code).toBe('TOO_MANY_RESTARTS')
    expect(lost).toEqual([{ reason: 'consumer_crash', events: [1] }])
  })

  it('INV-20 counts the restarts of all children together, and restarts nothing after it gave up', async () => {
    const tasks = new Tasks()
    const { send, settle, supervisor, lost } = await workshop(tasks.handle, { restart: 'transient', maxRestarts: 2 })
    const exited = supervisor.exited
    await send(1, 2, 3, 4)
    for (const call of tasks.calls) call.reject(oops)
    await settle()
    expect(tasks.events).toHaveLength(6)
    for (const call of tasks.calls.slice(4)) call.resolve()
    expect(whyGivenUp(await exited).code).toBe('TOO_MANY_RESTARTS')
    expect(tasks.events).toEqual([1, 2, 3, 4, 1, 2])
    expect(lost.flatMap(({ events }) => events)).toEqual([3, 4])
  })

  it('raises a give-up that nobody sees', async () => {
    const { send, settle, uncaught } = await workshop(
      () => {
        throw oops
      },
      { restart: 'transient', maxRestarts: 0 },
    )
    await send(1)
    await settle()
    expect(uncaught.splice(0)).toMatchObject([{ code: 'TOO_MANY_RESTARTS', stage: 'workshop' }])
  })

  it('F54 a storm of 1,000 children that fail at once is one line each', async () => {
    const { send, codes, supervisor } = await workshop(async () => Promise.reject(oops), { restart: 'temporary' })
    await send(...range(0, 1_000))
    expect(codes()).toHaveLength(1_000)
    expect(supervisor.children()).toEqual([])
  })
})
