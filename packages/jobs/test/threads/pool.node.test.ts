/** Pools: what they take, how long their threads live, and what they leave behind. */
import { spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { createRuntime } from '@genstage/core'
import { VirtualClock } from '@genstage/testing'
import { describe, expect, it } from 'vitest'
import { kind } from '../../src/index.ts'
import type { InThreadOptions, ThreadPoolOptions } from '../../src/threads/index.ts'
import { badOption } from '../support/refusal.ts'
import { builtFunctions, builtPrograms } from './built.ts'
import type double from './functions.ts'
import { finished, inThread, liveThreads, next, poolOf, runnerOf, threaded, threadPool } from './world.ts'

describe('threadPool refuses with BAD_OPTION', () => {
  it.each([
    ['threads', [0, 1.5, -1, 1025, Number.NaN, Infinity, '2', null]],
    ['idleMs', [0, -1, Infinity, Number.NaN, '1']],
    ['env', ['A=1', 7, null, []]],
    ['execArgv', ['--import', [1], null, {}]],
    ['runtime', [null, 'clock', {}, { clock: {} }]],
  ])('the option %s', (option, values) => {
    for (const value of values)
      expect(badOption(() => threadPool({ [option]: value } as ThreadPoolOptions)).message).toContain(
        `threadPool: ${option} must be`,
      )
  })

  it('limits that are none, and unknown ones', () => {
    for (const resourceLimits of [null, [], 'low', { stackSizeMb: 0 }, { stackSizeMb: '4' }, { maxHeap: 1 }])
      expect(badOption(() => threadPool({ resourceLimits } as ThreadPoolOptions)).message).toContain('threadPool: resourceLimits')
  })

  it('BAD-19 BAD-20 what is unknown, and what is no object', () => {
    expect(badOption(() => threadPool({ thread: 1 } as ThreadPoolOptions)).message).toContain('did you mean threads?')
    for (const options of [null, [], 'two']) badOption(() => threadPool(options as ThreadPoolOptions))
  })
})

describe('inThread refuses with BAD_OPTION', () => {
  it.each([undefined, './functions.ts', '', 7, { href: 'file:///functions.js' }])('the module %s', module => {
    expect(badOption(() => inThread<typeof double>(module as URL)).message).toMatch(/^inThread: module must be a URL, as new URL/)
  })

  it.each([
    ['export', ['', 1, null]],
    ['pool', [null, {}, 4, { threads: 1, close() {} }]],
    ['killAfterMs', [-1, Number.NaN, Infinity, '1', null]],
  ])('the option %s', (option, values) => {
    for (const value of values)
      expect(badOption(() => inThread(builtFunctions, { [option]: value } as InThreadOptions)).message).toContain(
        `${option} must`,
      )
  })

  it('BAD-19 unknown options', () => {
    expect(badOption(() => inThread(builtFunctions, { killMs: 1 } as InThreadOptions)).message).toContain('unknown option')
  })
})

describe('a module', { timeout: 30_000 }, () => {
  const failing = async (module: string, name: string): Promise<unknown> => {
    const Job = kind('job', { maxAttempts: 1, handler: inThread(module, { export: name, pool: poolOf() }) })
    const runner = runnerOf([Job])
    const { error } = await finished(runner, await runner.enqueue(Job, undefined as never))
    return [error?.code, error?.message]
  }

  it('that is not there fails the job', async () => {
    expect(await failing('file:///no/such/module.js', 'default')).toEqual([
      'ERR_MODULE_NOT_FOUND',
      expect.stringContaining('/no/such/module.js'),
    ])
  })

  it('that throws as it is loaded fails the job with that', async () => {
    expect(await failing('data:text/javascript,throw new Error("no database")', 'default')).toEqual([undefined, 'no database'])
  })

  it('without such a function fails the job, with a suggestion', async () => {
    const module = 'data:text/javascript,export const resize = n => n; export const size = 1'
    for (const name of ['rezise', 'size', 'default', 'toString', '__proto__'])
      expect(await failing(module, name)).toEqual(['BAD_OPTION', expect.stringContaining(`inThread: export must be the name`)])
    expect(await failing(module, 'rezise')).toEqual(['BAD_OPTION', expect.stringContaining('did you mean resize?')])
  })
})

describe('args that cannot be copied', { timeout: 30_000 }, () => {
  it('fail the job, and no thread is begun for it', async () => {
    const Job = kind('job', {
      maxAttempts: 1,
      upgrade: () => () => {},
      version: 2,
      handler: inThread<(args: unknown) => void>(builtFunctions, { export: 'nothing', pool: poolOf() }),
    })
    const Old = kind('job', { handler: () => {} })
    const runner = runnerOf([Job])
    const { error } = await finished(runner, await runner.enqueue(Old, undefined, { maxAttempts: 1 }))
    expect([error?.code, error?.message]).toEqual(['BAD_PAYLOAD', expect.stringContaining('its args cannot cross to a thread: ')])
    expect(liveThreads.size).toBe(0)
  })
})

describe('the threads of a pool', { timeout: 30_000 }, () => {
  it('begin with the first job, end when there is none, and begin again', async () => {
    const pool = poolOf({ threads: 3, idleMs: 1 })
    expect([pool.threads, liveThreads.size]).toEqual([3, 0])
    const Double = kind('double', inThread<typeof double>(builtFunctions, { pool }))
    const runner = runnerOf([Double])
    for (let round = 0; round < 3; round++) {
      const jobs = await runner.enqueueMany(Double, [1, 2, 3])
      expect(await Promise.all(jobs.map(job => job.result()))).toEqual([2, 4, 6])
      for (const worker of liveThreads) await new Promise(resolve => worker.once('exit', resolve))
      expect(liveThreads.size).toBe(0)
    }
  })

  it('are as many as there is work for, up to the number that was given', async () => {
    const pool = poolOf({ threads: 3 })
    const Wait = kind('wait', threaded('waitUntilAborted', { pool }))
    const runner = runnerOf([Wait], { queues: { default: 5 } })
    const jobs = await runner.enqueueMany(
      Wait,
      Array.from({ length: 5 }, () => 'signal' as const),
    )
    let atWork = 0
    await new Promise<void>(resolve => runner.events.on('progress', () => ++atWork === 3 && resolve()))
    expect([pool.running, pool.waiting, liveThreads.size]).toEqual([3, 2, 3])
    for (const job of jobs) await job.cancel('enough')
    for (const job of jobs) await finished(runner, job)
    expect([pool.running, pool.waiting, liveThreads.size]).toEqual([0, 0, 3])
  })

  it('have the environment and the limits that were given', async () => {
    const module =
      'data:text/javascript,import w from "node:worker_threads"; export default () => [process.env.A, w.resourceLimits.stackSizeMb]'
    const pool = poolOf({ env: { A: 'b' }, resourceLimits: { stackSizeMb: 2 } })
    const Env = kind('env', inThread<() => unknown>(module, { pool }))
    expect(await (await runnerOf([Env]).enqueue(Env)).result()).toEqual(['b', 2])
  })

  it('are killed by the clock of the runtime', async () => {
    const clock = new VirtualClock()
    const pool = poolOf({ runtime: createRuntime({ clock }) })
    const Loop = kind('loop', { handler: threaded('loopForEver', { pool, killAfterMs: 600_000 }) })
    const runner = runnerOf([Loop])
    const working = next(runner, 'progress')
    const job = await runner.enqueue(Loop)
    await working
    const aborted = next(runner, 'cancelled')
    await job.cancel('not needed')
    while (clock.pending === 0) await new Promise(resolve => setImmediate(resolve))
    clock.advance(600_000)
    await aborted
    expect(pool.running).toBe(0)
  })
})

describe('close', { timeout: 30_000 }, () => {
  it('waits for jobs that run or wait, refuses later ones with STOPPED, and can be called twice', async () => {
    const pool = poolOf()
    const Wait = kind('wait', { maxAttempts: 1, handler: threaded('waitUntilAborted', { pool }) })
    const runner = runnerOf([Wait])
    const working = next(runner, 'progress')
    const first = await runner.enqueue(Wait, 'signal')
    await working
    const started = next(runner, 'started')
    const second = await runner.enqueue(Wait, 'signal')
    await started
    const closing = pool.close()
    expect(pool.close()).toBe(closing)
    const third = await finished(runner, await runner.enqueue(Wait, 'signal'))
    expect([third.error?.code, third.error?.message]).toEqual([
      'STOPPED',
      `job ${third.id} (wait): its pool of threads is closed`,
    ])
    const secondAtWork = next(runner, 'progress')
    await first.cancel('enough')
    await secondAtWork
    await second.cancel('enough')
    await closing
    expect([await first.result(), await second.result(), liveThreads.size]).toEqual(['JOB_CANCELLED', 'JOB_CANCELLED', 0])
  })

  it('is what `await using` does', async () => {
    {
      await using pool = threadPool({ threads: 1 })
      const Double = kind('double', inThread<typeof double>(builtFunctions, { pool }))
      expect(await (await runnerOf([Double]).enqueue(Double, 1)).result()).toBe(2)
      expect(liveThreads.size).toBe(1)
    }
    expect(liveThreads.size).toBe(0)
  })
})

describe('what is left behind', { timeout: 60_000 }, () => {
  it('INV-21 is nothing: no thread, no handle, no listener, in 20 lives of a pool and a runner', async () => {
    const resources = (): readonly string[] => process.getActiveResourcesInfo().filter(each => /Worker|MessagePort/.test(each))
    const listeners = (): unknown => process.eventNames().map(name => [name, process.listenerCount(name)])
    const life = async (round: number): Promise<void> => {
      const pool = threadPool({ threads: 2 })
      const Double = kind('double', inThread<typeof double>(builtFunctions, { pool }))
      const Loop = kind('loop', threaded('loopForEver', { pool, killAfterMs: 0 }))
      const runner = runnerOf([Double, Loop], { signals: true, strayErrors: 'exit' })
      const jobs = await runner.enqueueMany(Double, [1, 2, 3, 4])
      expect(await Promise.all(jobs.map(job => job.result()))).toEqual([2, 4, 6, 8])
      if (round % 2 === 0) {
        const working = next(runner, 'progress')
        await runner.enqueue(Loop)
        await working
      }
      await runner.stop({ graceMs: 0 })
      await pool.close()
      expect(liveThreads.size).toBe(0)
    }
    // The ports of a thread that has ended close a turn or two later
    const quiet = async (): Promise<void> => await expect.poll(resources).toEqual([])
    await life(0)
    await quiet()
    const before = listeners()
    for (let round = 0; round < 20; round++) await life(round)
    await quiet()
    expect(listeners()).toEqual(before)
  })

  const textOf = async (stream: Readable): Promise<string> => {
    let text = ''
    for await (const chunk of stream.setEncoding('utf8')) text += String(chunk)
    return text
  }

  const cases = builtPrograms.flatMap(file =>
    ['shared', 'open', 'closed'].map(pool => [pool, file.replace(/.*\./, ''), file] as const),
  )
  it.each(cases)('INV-21 a process ends by itself: its pool is %s, its program .%s', async (pool, _, file) => {
    const child = spawn(process.execPath, [file, pool], { stdio: ['ignore', 'pipe', 'pipe'], timeout: 20_000 })
    const code = new Promise(resolve => child.once('close', resolve))
    const [output, errors] = await Promise.all([textOf(child.stdout), textOf(child.stderr)])
    expect([await code, output, errors]).toEqual([0, '[ 2, 4, 6 ]\nend of the program\n', ''])
  })
})
