import { describe, expect, it } from 'vitest'
import { kind } from '../../src/index.ts'
import { World } from '../support/world.ts'

const Work = kind('work', () => {})

describe('maintenance', () => {
  it('F10 a sweep that comes late judges nobody: first it beats', async () => {
    const world = new World()
    const calls: string[] = []
    await world.runner([Work], { default: 1 }, { leaseMs: 9_000, sweepMs: 2_000, heartbeatMs: 3_000 })
    world.hooks.rescue = call => {
      calls.push(`rescue ${world.now}`)
      return call()
    }
    world.hooks.heartbeat = call => {
      calls.push(`beat ${world.now}`)
      return call()
    }
    // The event loop is blocked: time passes, no timer fires
    const { clock } = world.simulation
    await world.advance(1_000)
    clock.now = () => 21_000
    clock.fireNext()
    await world.settle()
    expect(calls).toEqual(['beat 21000'])
    Reflect.deleteProperty(clock, 'now')
    await world.close()
  })

  it('F44 rescues page after page, also behind jobs that are not rescued', async () => {
    const world = new World()
    const Stuck = kind('work', () => new Promise(() => {}))
    const dead = await world.runner([Stuck], { default: 1_200 }, { leaseMs: 1_000, heartbeatMs: 300 })
    await world.settled(
      dead.enqueueMany(
        Stuck,
        Array.from({ length: 1_200 }, () => undefined),
      ),
    )
    await world.advance(0)
    expect((await world.inner.stats()).queues['default']?.running).toBe(1_200)
    world.hooks.heartbeat = (call, id) => (id === dead.id ? new Promise(() => {}) : call())
    dead.queue('default').pause()
    const pages: number[] = []
    world.hooks.rescue = async (call, { runner }) => {
      if (runner === dead.id) return { runners: [], jobs: [], more: false }
      const answer = await call()
      pages.push(answer.jobs.length)
      return answer
    }
    const living = await world.runner([Work], { default: { paused: true } }, { leaseMs: 1_000, sweepMs: 500 })
    await world.advance(2_000)
    expect(pages.filter(count => count > 0)).toEqual([500, 500, 200])
    expect(world.told('rescued')).toHaveLength(1_200)
    await world.settled(living.stop())
  })

  it('JOB-14 one runner prunes, the oldest finished jobs alone, and tells how many', async () => {
    const world = new World()
    const retention = { completedMs: 60_000, completedKeep: 50 }
    const runners = [
      await world.runner([Work], { default: 5 }, { retention }),
      await world.runner([Work], { default: 5 }, { retention }),
    ]
    const leaders = new Set<string>()
    world.hooks.lead = async (call, id) => {
      const answer = await call()
      if (answer) leaders.add(id)
      return answer
    }
    const [runner] = runners
    if (runner === undefined) throw new Error('no runner')
    await world.settled(
      runner.enqueueMany(
        Work,
        Array.from({ length: 120 }, () => undefined),
      ),
    )
    const delayed = await world.settled(runner.enqueue(Work, undefined, { delayMs: 10 * 86_400_000 }))
    await world.advance(100_000)
    const after = (await world.settled(runner.stats())).queues['default']
    expect(after?.completed).toBeLessThanOrEqual(50)
    await world.advance(200_000)
    expect((await world.settled(runner.stats())).queues['default']).toMatchObject({ completed: 0, delayed: 1 })
    expect(world.told('pruned').reduce((sum, { event }) => sum + (event as { count: number }).count, 0)).toBe(120)
    expect(leaders.size).toBe(1)
    expect(await world.state(delayed.id)).toBe('delayed')
    expect((await world.settled(runner.stats())).processed).toBe(120)
    await world.close()
  })

  it('retention: false keeps everything', async () => {
    const world = new World()
    const runner = await world.runner([Work], { default: 5 }, { retention: false })
    const job = await world.settled(runner.enqueue(Work))
    await world.advance(3 * 60_000)
    let pruned = 0
    world.before('prune', () => void pruned++)
    await world.advance(10 * 60_000)
    expect([pruned, await world.state(job.id)]).toEqual([0, 'completed'])
    await world.close()
  })

  it('a stop waits for the round under way', async () => {
    const world = new World()
    const runner = await world.runner([Work])
    world.before('rescue', () => world.delay(3_000))
    await world.advance(5_500)
    const { now } = world
    await world.settled(runner.stop())
    expect(world.now - now).toBe(2_500)
    expect(world.told('storeError')).toEqual([])
    await world.close()
  })
})
