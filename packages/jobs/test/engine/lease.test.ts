import { describe, expect, it } from 'vitest'
import { type JobContext, type JobsError, kind } from '../../src/index.ts'
import type { Heart, HeartOptions } from '../../src/store.ts'
import { World } from '../support/world.ts'

describe('lease', () => {
  it('JOB-8 a job that runs for much longer than the lease is never taken away', async () => {
    const world = new World()
    const Work = kind('work', () => world.delay(10 * 60_000))
    const first = await world.runner([Work])
    await world.runner([Work])
    const job = await world.settled(first.enqueue(Work))
    await world.settled(job.result(), 11 * 60_000)
    expect(world.told('started')).toHaveLength(1)
    await world.close()
  })

  it('JOB-8 what a dead runner held runs again within lease + sweep + 1 s', async () => {
    const world = new World()
    const Work = kind('work', () => new Promise(() => {}))
    const dead = await world.runner([Work], { default: 1 }, { leaseMs: 10_000, heartbeatMs: 3_000 })
    const job = await world.settled(dead.enqueue(Work))
    await world.advance(4_000)
    world.hooks.heartbeat = (call, id) => (id === dead.id ? new Promise(() => {}) : call())
    dead.queue('default').pause()
    const Second = kind('work', (_: void, { crashes, attempt }) => [crashes, attempt])
    const living = await world.runner([Second], { default: 1 }, { leaseMs: 10_000, sweepMs: 2_000 })
    expect(await world.settled(living.result(job.id), 13_000)).toEqual([1, 1])
    expect(world.told('rescued').map(({ id }) => id)).toEqual([job.id])
    await world.settled(living.stop())
  })

  it('JOB-4 F8 a zombie learns that its job was taken away: its signal is aborted, its result refused, it goes on under a new id', async () => {
    const world = new World()
    const codes: unknown[] = []
    const handler =
      (runner: string, ms: number) =>
      async (_: void, { signal }: JobContext) => {
        signal.addEventListener('abort', () => codes.push((signal.reason as JobsError).code))
        await world.delay(ms)
        return runner
      }
    const Work = kind<void, string>('work')
    const zombie = await world.runner([Work.handledBy(handler('zombie', 60_000))], { default: 1 }, { abandonMs: 600_000 })
    const job = await world.settled(zombie.enqueue(Work))
    await world.advance(0)
    const { id } = zombie
    // Frozen: nothing that it says gets through
    world.hooks.heartbeat = (call, who) => (who === id ? world.delay(45_000).then(call) : call())
    world.hooks.rescue = (call, request) =>
      request.runner === id ? Promise.resolve({ runners: [], jobs: [], more: false }) : call()
    zombie.queue('default').pause()
    const living = await world.runner([Work.handledBy(handler('living', 10))], { default: 1 })
    expect(await world.settled(living.result(job.id))).toBe('living')
    await world.advance(120_000)
    expect(codes).toEqual(['LEASE_LOST'])
    expect(zombie.id).not.toBe(id)
    expect(world.told('leaseLost').map(each => each.id)).toEqual([job.id])
    expect(await world.settled(living.find(job.id))).toMatchObject({ state: 'completed', result: 'living' })
    expect((await world.settled(living.runners())).map(each => each.id).sort()).toEqual([zombie.id, living.id].sort())
    zombie.queue('default').resume()
    await world.settled(living.stop())
    const next = await world.settled(zombie.enqueue(Work))
    expect(await world.settled(next.result())).toBe('zombie')
    await world.close()
  })

  it('JOB-5 F8 an answer to a heartbeat that was long on its way does not confirm a lease that is over by now', async () => {
    const world = new World()
    const runs: string[] = []
    const make = (who: string) => kind('work', () => void runs.push(who))
    const late = await world.runner([make('late')], { default: 1 })
    const { id } = late
    await world.advance(9_000)
    // Carried out at once; the answers take longer than the lease
    world.hooks.heartbeat = async (call, who, ...rest) => {
      const answer = await call()
      if (who === id) await world.delay(45_000)
      void rest
      return answer
    }
    world.hooks.claim = async (call, request) => {
      const answer = await call()
      if (request.runner === id) await world.delay(47_000)
      return answer
    }
    await world.settled(world.client().enqueue('work'))
    await world.advance(1_000)
    const other = await world.runner([make('other')], { default: 1 })
    await world.advance(120_000)
    expect(runs).toEqual(['other'])
    world.hooks.heartbeat = call => call()
    await world.settled(Promise.all([late.stop(), other.stop()]))
  })

  it('is lost while the runner stops: stop ends, and no timer is left', async () => {
    const world = new World()
    const Work = kind('work', () => world.delay(1_000))
    const runner = await world.runner([Work])
    await world.settled(runner.enqueue(Work))
    await world.advance(0)
    const stopped = runner.stop()
    await world.settled(world.inner.unregister(runner.id))
    await world.settled(stopped)
    await world.close()
  })

  it('a registration that is under way, or fails, when the runner is stopped leaves no timer', async () => {
    for (const fault of ['slow', 'failing'] as const) {
      const world = new World()
      const Work = kind('work', () => {})
      const runner = await world.runner([Work])
      world.hooks.register = async call => {
        await world.delay(fault === 'slow' ? 3_000 : 0)
        return fault === 'slow' ? call() : Promise.reject(new Error('down'))
      }
      await world.settled(world.inner.unregister(runner.id))
      await world.advance(11_000)
      await world.settled(runner.stop())
      await world.close()
    }
  })

  it('dropQueue and addQueue before the runner is ready do not end its lease', async () => {
    const world = new World()
    const Work = kind('work', () => {})
    world.before('register', () => world.delay(1_000))
    const runner = world.starting([Work], { a: 1, b: 1 })
    const { id } = runner
    await world.settled(runner.dropQueue('a'), 0)
    runner.addQueue('c', 1)
    await world.settled(runner.ready)
    await world.advance(60_000)
    expect(runner.id).toBe(id)
    await world.close()
  })

  it('a cancellation whose hint got lost comes with the next beat', async () => {
    const world = new World()
    world.hooks.silent = true
    const Work = kind('work', async (_: void, { signal }) => {
      await new Promise(resolve => signal.addEventListener('abort', resolve))
      throw signal.reason
    })
    const runner = await world.runner([Work])
    const job = await world.settled(runner.enqueue(Work))
    await world.advance(2_000)
    expect(await world.settled(runner.cancel(job.id, 'late'))).toBe('requested')
    await world.advance(10_000)
    expect(await world.settled(job.find())).toMatchObject({ state: 'cancelled', cancelReason: 'late' })
    await world.close()
  })
})

describe('a heart off the event loop', () => {
  it('is told what it needs, is stopped with the runner, and a block is told', async () => {
    const world = new World()
    const hearts: { options: HeartOptions; stopped: boolean }[] = []
    Object.assign(world.inner, {
      startHeart: async (options: HeartOptions): Promise<Heart> => {
        const heart = { options, stopped: false }
        hearts.push(heart)
        return { stop: async () => void (heart.stopped = true) }
      },
    })
    const Work = kind('work', () => {})
    const runner = await world.runner([Work], { default: 1 }, { leaseMs: 9_000, blockedLimitMs: 100_000 })
    expect(hearts[0]?.options).toMatchObject({ runner: runner.id, leaseMs: 9_000, everyMs: 3_000, giveUpAfterMs: 100_000 })
    hearts[0]?.options.onBlocked(7_000)
    expect(world.told('blocked').map(({ event }) => (event as { ms: number }).ms)).toEqual([7_000])
    expect(world.lines('EVENT_LOOP_BLOCKED')).toHaveLength(1)
    hearts[0]?.options.onLost()
    await world.settle()
    expect(hearts.map(({ stopped }) => stopped)).toEqual([true, false])
    expect(hearts[1]?.options.runner).toBe(runner.id)
    hearts[0]?.options.onLost() // an old one has no say
    await world.settle()
    expect(hearts).toHaveLength(2)
    await world.close()
    expect(hearts.map(({ stopped }) => stopped)).toEqual([true, true])
  })

  it('one that cannot be started costs a line; the beats of the event loop keep the lease', async () => {
    const world = new World()
    Object.assign(world.inner, { startHeart: () => Promise.reject(new Error('no threads here')) })
    const Work = kind('work', () => 'done')
    const runner = await world.runner([Work])
    await world.advance(60_000)
    const job = await world.settled(runner.enqueue(Work))
    expect(await world.settled(job.result())).toBe('done')
    expect(world.log.filter(({ level }) => level === 'warn')).toHaveLength(1)
    await world.close()
  })
})

describe('holdings', () => {
  it('F3 the answer to a claim gets lost: what was claimed is given back, and runs, with no crash counted', async () => {
    const world = new World()
    const Work = kind('work', () => 'done')
    const runner = await world.runner([Work])
    let isLost = true
    world.hooks.claim = async call => {
      const answer = await call()
      if (!isLost || answer.jobs.length === 0) return answer
      isLost = false
      throw new Error('the answer got lost')
    }
    const jobs = await world.settled(runner.enqueueMany(Work, [undefined, undefined, undefined]))
    for (const job of jobs) expect(await world.settled(job.result(), 15_000)).toBe('done')
    expect(isLost).toBe(false)
    for (const job of jobs) expect(await world.settled(job.find())).toMatchObject({ crashes: 0, attempt: 1, history: [] })
    await world.close()
  })

  it('F3 what is still on its way is not given back, however slow the store is', async () => {
    const world = new World()
    let runs = 0
    const Work = kind('work', () => ++runs)
    const runner = await world.runner([Work])
    let calls = 0
    world.hooks.claim = async call => {
      if (++calls === 1) throw new Error('refused, so that there is doubt')
      const answer = await call()
      await world.delay(14_000)
      return answer
    }
    const job = await world.settled(runner.enqueue(Work))
    await world.advance(40_000)
    expect([runs, await world.state(job.id), world.told('leaseLost').length]).toEqual([1, 'completed', 0])
    await world.close()
  })
})
