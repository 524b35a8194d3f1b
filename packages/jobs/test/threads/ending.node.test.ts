/** How a handler on a thread is told to end, and what becomes of one that does not. */
import { createRuntime } from '@genstage/core'
import { VirtualClock } from '@genstage/testing'
import { describe, expect, it } from 'vitest'
import { kind, type JobRunner } from '../../src/index.ts'
import type double from './functions.ts'
import { builtFunctions } from './built.ts'
import { finished, inThread, liveThreads, next, poolOf, runnerOf, threaded, threadOf } from './world.ts'

const Sound = (pool: ReturnType<typeof poolOf>) => kind('sound', inThread<typeof double>(builtFunctions, { pool }))

/** Resolves when a handler has reported, so that it is at work. */
const atWork = (runner: JobRunner): Promise<{ readonly id: string; readonly progress: unknown }> => next(runner, 'progress')

describe('the signals of a job', { timeout: 30_000 }, () => {
  it('are aborted on the thread when it is cancelled, also for a loop that never lets the event loop go round', async () => {
    const pool = poolOf()
    const Compute = kind('compute', threaded('computeUntilAborted', { pool }))
    const runner = runnerOf([Compute, Sound(pool)])
    const working = atWork(runner)
    const job = await runner.enqueue(Compute)
    await working
    const [{ threadId } = { threadId: 0 }] = liveThreads
    await job.cancel('not needed')
    expect((await finished(runner, job)).state).toBe('cancelled')
    // The thread was told, not killed
    expect(await (await runner.enqueue(Sound(pool), 1)).result()).toBe(2)
    expect(threadOf(threadId)).toBeDefined()
  })

  it('JOB_TIMEOUT comes as the reason; what returns nevertheless has done its work', async () => {
    const clock = new VirtualClock()
    const pool = poolOf({ threads: 2 })
    const Count = kind('count', { timeoutMs: 1000, handler: threaded('countUntilAborted', { pool }) })
    const Wait = kind('wait', { timeoutMs: 1000, handler: threaded('waitUntilAborted', { pool }) })
    const runner = runnerOf([Count, Wait], { runtime: createRuntime({ clock }) })
    for (const Kind of [Count, Wait]) {
      const working = atWork(runner)
      const job = await runner.enqueue(Kind, 'signal')
      await working
      clock.advance(1000)
      expect(await job.result()).toBe('JOB_TIMEOUT')
    }
  })

  it('`stopping` tells that the runner is to stop', async () => {
    const Wait = kind('wait', threaded('waitUntilAborted', { pool: poolOf({ threads: 2 }) }))
    const Count = kind('count', threaded('countUntilAborted', { pool: poolOf() }))
    const runner = runnerOf([Wait, Count])
    const completed: unknown[] = []
    runner.events.on('completed', ({ result }) => completed.push(result))
    for (const Kind of [Wait, Count]) {
      const working = atWork(runner)
      await runner.enqueue(Kind, 'stopping')
      await working
    }
    await runner.stop({ graceMs: 20_000 })
    expect(completed).toEqual(['STOPPED', 'STOPPED'])
  })
})

describe('a handler that heeds nothing', { timeout: 30_000 }, () => {
  it('F14 ends with its thread after a timeout, before it is stuck; its place is free, and another thread does the next job', async () => {
    const clock = new VirtualClock()
    const runtime = createRuntime({ clock })
    const pool = poolOf({ runtime })
    const Loop = kind('loop', { maxAttempts: 1, timeoutMs: 1000, handler: threaded('loopForEver', { pool }) })
    const runner = runnerOf([Loop, Sound(pool)], { queues: { default: 1 }, runtime })
    const stuck: unknown[] = []
    runner.events.on('stuck', event => stuck.push(event))
    const working = atWork(runner)
    const job = await runner.enqueue(Loop)
    const { progress } = await working
    const gone = new Promise(resolve => threadOf(progress).once('exit', resolve))
    const after = await runner.enqueue(Sound(pool), 1)
    clock.advance(1000 + 4000 - 1)
    expect(pool.running).toBe(1)
    clock.advance(1)
    const { state, error } = await finished(runner, job)
    expect([state, error?.code, await after.result(), stuck]).toEqual(['failed', 'JOB_TIMEOUT', 2, []])
    await gone
    expect([pool.running, pool.waiting, liveThreads.size]).toEqual([0, 0, 1])
  })

  it('is cancelled so', async () => {
    const pool = poolOf()
    const Loop = kind('loop', threaded('loopForEver', { pool, killAfterMs: 0 }))
    const runner = runnerOf([Loop])
    const working = atWork(runner)
    const job = await runner.enqueue(Loop)
    await working
    await job.cancel('not needed')
    expect((await finished(runner, job)).state).toBe('cancelled')
  })

  it('is given back when the runner stops, with no attempt counted', async () => {
    const pool = poolOf()
    const Loop = kind('loop', threaded('loopForEver', { pool, killAfterMs: 10 }))
    const runner = runnerOf([Loop])
    const released = next(runner, 'released')
    const working = atWork(runner)
    const job = await runner.enqueue(Loop)
    await working
    await runner.stop({ graceMs: 0 })
    expect((await released).id).toBe(job.id)
    await pool.close()
    expect(liveThreads.size).toBe(0)
  })

  it('F14 50 times: other jobs go on, and no place is lost', { timeout: 60_000 }, async () => {
    const pool = poolOf({ threads: 2 })
    const Loop = kind('loop', threaded('loopForEver', { pool, killAfterMs: 0 }))
    const runner = runnerOf([Loop, Sound(pool)])
    runner.events.on('progress', ({ id }) => void runner.cancel(id, 'enough'))
    const jobs = await runner.enqueueMany(
      Loop,
      Array.from({ length: 50 }, () => undefined),
    )
    const sound = await runner.enqueueMany(
      Sound(pool),
      Array.from({ length: 50 }, (_, n) => n),
    )
    const ends = await Promise.all(jobs.map(job => finished(runner, job)))
    expect(new Set(ends.map(({ state }) => state))).toEqual(new Set(['cancelled']))
    expect(await Promise.all(sound.map(job => job.result()))).toEqual(Array.from({ length: 50 }, (_, n) => 2 * n))
    expect([pool.running, pool.waiting]).toEqual([0, 0])
  })
})

describe('a job that waits for a thread', { timeout: 30_000 }, () => {
  it('leaves when it is cancelled, and no thread is ended for it', async () => {
    const pool = poolOf()
    const Wait = kind('wait', threaded('waitUntilAborted', { pool }))
    const runner = runnerOf([Wait])
    const working = atWork(runner)
    const first = await runner.enqueue(Wait, 'signal')
    const { id } = await working
    const started = next(runner, 'started')
    const second = await runner.enqueue(Wait, 'signal')
    await started
    expect([id, pool.running, pool.waiting]).toEqual([first.id, 1, 1])
    await second.cancel('not needed')
    expect((await finished(runner, second)).state).toBe('cancelled')
    expect([pool.running, pool.waiting, liveThreads.size]).toEqual([1, 0, 1])
    await first.cancel('not needed either')
    expect(await first.result()).toBe('JOB_CANCELLED')
  })

  it('leaves also while its thread begins', async () => {
    const pool = poolOf()
    const Wait = kind('wait', threaded('waitUntilAborted', { pool }))
    const runner = runnerOf([Wait, Sound(pool)])
    const started = next(runner, 'started')
    const job = await runner.enqueue(Wait, 'signal')
    await started
    await job.cancel('not needed')
    expect((await finished(runner, job)).state).toBe('cancelled')
    expect(await (await runner.enqueue(Sound(pool), 1)).result()).toBe(2)
  })
})
