/** F14: threads that die under a job, of whatever there is to die of. */
import { describe, expect, it } from 'vitest'
import { fixed, kind } from '../../src/index.ts'
import { builtFunctions } from './built.ts'
import type double from './functions.ts'
import { finished, inThread, liveThreads, poolOf, runnerOf, threaded, threadOf, warnings } from './world.ts'

const rounds = 50
const numbers = Array.from({ length: rounds }, (_, n) => n)

describe('F14 a thread that dies under its job', { timeout: 120_000 }, () => {
  it.each([
    ['exit', 'its thread has ended with exit code 3'],
    ['throw', 'its thread has ended with exit code 1: RangeError: thrown in a timer'],
    ['reject', 'its thread has ended with exit code 1: RangeError: nobody awaits it'],
    [
      'heap',
      'its thread has ended with exit code 1: Error: Worker terminated due to reaching memory limit: JS heap out of memory',
    ],
    ['terminate', 'its thread has ended with exit code 1'],
  ] as const)(`${rounds} times by %s: the job fails and is tried again, the others go on`, async (how, text) => {
    const pool = poolOf({ threads: 2, resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 4 } })
    const Mortal = kind('mortal', { maxAttempts: 2, backoff: fixed(1), handler: threaded('mortal', { pool }) })
    const Sound = kind('sound', { maxAttempts: 1, handler: inThread<typeof double>(builtFunctions, { pool }) })
    const runner = runnerOf([Mortal, Sound])
    runner.events.on('progress', ({ progress }) => void (how === 'terminate' && threadOf(progress).terminate()))
    const mortals = await runner.enqueueMany(
      Mortal,
      numbers.map(() => how),
    )
    const sound = await runner.enqueueMany(Sound, numbers)

    expect(await Promise.all(sound.map(job => job.result()))).toEqual(numbers.map(n => 2 * n))
    for (const each of mortals) {
      const { state, result, crashes, history } = await finished(runner, each)
      expect([state, result, crashes]).toEqual(['completed', 'survived', 0])
      const errors = history.map(({ failure }) => failure && [failure.code, failure.message])
      expect(errors).toEqual([['WORKER_THREAD_EXIT', `job ${each.id} (mortal): ${text}`]])
    }
    expect([pool.running, pool.waiting, warnings]).toEqual([0, 0, []])
    await runner.stop()
    await pool.close()
    expect(liveThreads.size).toBe(0)
  })
})

describe('F14 a thread that dies without a job', { timeout: 30_000 }, () => {
  it('of something left behind is told in the log, and nobody is blamed', async () => {
    const pool = poolOf()
    const Bomb = kind('bomb', { maxAttempts: 1, handler: threaded('timeBomb', { pool }) })
    const Sound = kind('sound', { maxAttempts: 1, handler: inThread<typeof double>(builtFunctions, { pool }) })
    const runner = runnerOf([Bomb, Sound])
    for (let round = 1; round <= 5; round++) {
      expect(await (await runner.enqueue(Bomb)).result()).toBe('fine')
      for (const worker of liveThreads) await new Promise(resolve => worker.once('exit', resolve))
    }
    expect(await (await runner.enqueue(Sound, 1)).result()).toBe(2)
    const line = 'a thread without a job has died: RangeError: left behind'
    expect(warnings).toEqual([line, line, line, line, line])
  })

  it('as it begins fails the job that was to be its first, again and again', async () => {
    const dying = (code: string): readonly string[] => ['--import', `data:text/javascript,${encodeURIComponent(code)}`]
    const cases = [
      [dying('throw new RangeError("a bad flag")'), 'its thread has ended before it had begun: RangeError: a bad flag'],
      [dying('process.exit(7)'), 'its thread has ended before it had begun'],
    ] as const
    for (const [execArgv, text] of cases) {
      const pool = poolOf({ threads: 2, execArgv })
      const Sound = kind('sound', { maxAttempts: 1, handler: inThread<typeof double>(builtFunctions, { pool }) })
      const runner = runnerOf([Sound])
      for (let round = 1; round <= 3; round++) {
        const jobs = await runner.enqueueMany(Sound, [1, 2, 3])
        for (const job of jobs) {
          const { error } = await finished(runner, job)
          expect([error?.code, error?.message]).toEqual(['WORKER_THREAD_EXIT', `job ${job.id} (sound): ${text}`])
        }
      }
      expect([pool.running, pool.waiting]).toEqual([0, 0])
    }
  })

  it('before it was needed: the next job gets another', async () => {
    const pool = poolOf()
    const Sound = kind('sound', { maxAttempts: 1, handler: inThread<typeof double>(builtFunctions, { pool }) })
    const runner = runnerOf([Sound])
    for (const n of numbers.slice(0, 10)) {
      expect(await (await runner.enqueue(Sound, n)).result()).toBe(2 * n)
      for (const worker of liveThreads) await worker.terminate()
    }
  })
})
