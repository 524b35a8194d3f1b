import { describe, expect, it } from 'vitest'
import { JobsError, kind } from '../../src/index.ts'
import { World } from '../support/world.ts'

describe('reporter', () => {
  it('writes the newest progress and all lines, every 100 ms, in one call for all jobs', async () => {
    const world = new World()
    const Work = kind('work', async (_: number, { progress, log }) => {
      for (let step = 1; step <= 30; step++) {
        progress(step)
        if (step % 10 === 0) log(`step ${step}`)
        await world.delay(10)
      }
    })
    const runner = await world.runner([Work], { default: 3 })
    const reports: number[] = []
    world.hooks.report = (call, each) => {
      reports.push(each.length)
      return call()
    }
    const jobs = await world.settled(runner.enqueueMany(Work, [1, 2, 3]))
    await world.advance(150)
    expect((await world.settled(runner.find(jobs[0]?.id ?? '')))?.progress).toBe(10)
    await world.advance(1_000)
    for (const { id } of jobs) {
      expect((await world.settled(runner.find(id)))?.progress).toBe(30)
      expect((await world.settled(runner.logs(id))).map(({ message }) => message)).toEqual(['step 10', 'step 20', 'step 30'])
    }
    expect(reports[0]).toBe(3)
    expect(reports.length).toBeLessThanOrEqual(6)
    expect(world.told('progress')).toHaveLength(90)
    await world.close()
  })

  it('what a job has reported stands before its end, also with a write of it under way and a slow store', async () => {
    const world = new World()
    const Work = kind('work', async (_: number, { progress, log }) => {
      progress('first')
      await world.delay(105)
      progress('last')
      log('a line')
    })
    const order: string[] = []
    world.hooks.report = async (call, [report]) => {
      await world.delay(40)
      order.push(String(report?.progress))
      return call()
    }
    world.hooks.settle = (call, settlements) => {
      order.push(...settlements.map(({ to }) => to))
      return call()
    }
    const runner = await world.runner([Work], { default: 2, other: 2 })
    const job = await world.settled(runner.enqueue(Work, 1))
    await world.settled(job.result())
    expect(order).toEqual(['"first"', '"last"', 'completed'])
    expect((await world.settled(runner.find(job.id)))?.progress).toBe('last')
    expect(await world.settled(runner.logs(job.id))).toHaveLength(1)
    await world.close()
  })

  it('what a handler reports that fails at once stands before its end, whatever the completer was about to do', async () => {
    const world = new World()
    const seen: unknown[] = []
    const Work = kind('work', {
      backoff: () => 5,
      handler: async (_: number, { attempt, lastProgress, progress }) => {
        seen.push(lastProgress)
        progress(attempt)
        if (attempt < 3) throw new Error('again')
      },
    })
    const runner = await world.runner([Work], { default: 1 })
    for (let n = 0; n < 3; n++) await world.settled((await world.settled(runner.enqueue(Work, n))).result())
    expect(seen).toEqual([undefined, 1, 2, undefined, 1, 2, undefined, 1, 2])
    await world.close()
  })

  it('the ends of another queue wait for the reports that are under way', async () => {
    const world = new World()
    const accepted: boolean[] = []
    const Work = kind('work', async (ms: number, { progress }) => {
      progress(ms)
      await world.delay(ms)
    })
    world.hooks.report = async call => {
      await world.delay(50)
      const answer = await call()
      accepted.push(...answer)
      return answer
    }
    const runner = await world.runner([Work], { default: 2, other: 2 })
    const jobs = [
      await world.settled(runner.enqueue(Work, 110)),
      await world.settled(runner.enqueue(Work, 120, { queue: 'other' })),
    ]
    await Promise.all(jobs.map(job => world.settled(job.result())))
    await world.advance(1_000)
    expect(accepted).not.toContain(false)
    await world.close()
  })

  it('a report that fails is given up: the job itself ends as it should', async () => {
    const world = new World()
    const Work = kind('work', (n: number, { progress }) => {
      progress(n)
      return n
    })
    const runner = await world.runner([Work])
    world.hooks.report = () => Promise.reject(new JobsError('STORE_BUSY', 'busy'))
    const job = await world.settled(runner.enqueue(Work, 5))
    expect(await world.settled(job.result())).toBe(5)
    await world.close()
  })
})
