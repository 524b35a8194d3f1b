import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type JobRunner, kind } from '../../src/index.ts'
import type { ClaimRequest } from '../../src/store.ts'
import { World } from '../support/world.ts'

/** Jobs that take so long, and what ran at once. */
function workshop(world: World) {
  const shop = { running: 0, most: 0, order: [] as number[], runs: new Map<string, number>() }
  const Work = kind('work', async ({ ms, n = 0 }: { ms: number; n?: number }, { id }) => {
    shop.order.push(n)
    shop.runs.set(id, (shop.runs.get(id) ?? 0) + 1)
    shop.most = Math.max(shop.most, ++shop.running)
    if (ms > 0) await world.delay(ms)
    shop.running--
  })
  const enqueue = (runner: JobRunner, count: number, ms: number) =>
    world.settled(
      runner.enqueueMany(
        Work,
        Array.from({ length: count }, (_, n) => ({ ms, n })),
      ),
    )
  return { shop, Work, enqueue }
}

/** What was claimed, request by request. */
function watchClaims(world: World): ClaimRequest[] {
  const claims: ClaimRequest[] = []
  world.hooks.claim = (call, request) => {
    claims.push(request)
    return call()
  }
  world.hooks.settle = (call, _, request) => {
    if (request !== undefined) claims.push(request)
    return call()
  }
  return claims
}

/** Kills the fetcher of a queue, and with it its executors. False while it is down. */
function killFetcher(world: World, queue: string = 'default'): boolean {
  const stage = world.simulation.runtime.topology().stages.find(({ name }) => name?.includes(`/${queue}/`) === true)
  const fetcher = world.simulation.runtime.whereis(stage?.name ?? '')
  void fetcher?.kill()
  return fetcher !== undefined
}

describe('demand and claims', () => {
  it('the first claim asks for all free places, and nothing is asked again while nothing comes', async () => {
    const world = new World()
    const claims = watchClaims(world)
    const { Work } = workshop(world)
    await world.runner([Work], { default: 7 }, { pollMs: 2_000 })
    await world.advance(1_999)
    expect(claims.map(({ limit, queue, kinds }) => [limit, queue, kinds])).toEqual([[7, 'default', ['work']]])
    await world.advance(10_000)
    expect(claims).toHaveLength(6)
    await world.close()
  })

  it('nothing is claimed that nobody can begin: with long jobs, only as many as there are places', async () => {
    const world = new World()
    const { Work, enqueue, shop } = workshop(world)
    const runner = await world.runner([Work], { default: 3 })
    await enqueue(runner, 20, 1_000)
    await world.advance(900)
    expect(shop.running).toBe(3)
    const { queues } = await world.settled(runner.stats())
    expect([queues['default']?.running, queues['default']?.waiting]).toEqual([3, 17])
    await world.advance(10_000)
    expect(shop.order).toEqual(Array.from({ length: 20 }, (_, n) => n))
    await world.close()
  })

  it('ends are written and the next jobs claimed in one call', async () => {
    const world = new World()
    const { Work, enqueue } = workshop(world)
    const runner = await world.runner([Work], { default: { concurrency: 10, prefetchMs: 0 } })
    let settles = 0
    let claims = 0
    world.hooks.settle = call => {
      settles++
      return call()
    }
    world.hooks.claim = call => {
      claims++
      return call()
    }
    await enqueue(runner, 100, 0)
    await world.settle()
    expect((await world.settled(runner.stats())).processed).toBe(100)
    expect([settles, claims]).toEqual([10, 1])
    await world.close()
  })

  it('a delayed job begins at its time, not at the next poll', async () => {
    const world = new World()
    const { Work } = workshop(world)
    const runner = await world.runner([Work], { default: 1 }, { pollMs: 60_000 })
    await world.settled(runner.enqueue(Work, { ms: 0 }, { delayMs: 777 }))
    await world.advance(2_000)
    expect(world.told('started').map(({ at }) => at)).toEqual([777])
    await world.close()
  })

  it('JOB-16 with no hints at all, a job begins within a poll', async () => {
    const world = new World()
    world.hooks.silent = true
    const { Work } = workshop(world)
    const runner = await world.runner([Work], { default: 1 }, { pollMs: 500 })
    await world.advance(1_300)
    await world.settled(runner.enqueue(Work, { ms: 0 }))
    await world.advance(500)
    expect(world.told('started')).toHaveLength(1)
    await world.close()
  })

  it('JOB-19 jobs of kinds that it does not know are left alone', async () => {
    const world = new World()
    const { Work } = workshop(world)
    const Other = kind('other')
    const runner = await world.runner([Work])
    const job = await world.settled(runner.enqueue(Other))
    await world.advance(10_000)
    expect(await world.state(job.id)).toBe('waiting')
    const second = await world.runner([Other.handledBy(() => 'handled')])
    expect(await world.settled(second.result(job.id))).toBe('handled')
    await world.close()
  })

  it('jobs that lie claimed while the handlers have become slow go back, for another runner to begin', async () => {
    const world = new World()
    const { Work, enqueue, shop } = workshop(world)
    const busy = await world.runner([Work], { default: 2 })
    await enqueue(busy, 2_000, 1)
    await enqueue(busy, 20, 60_000)
    await world.advance(3_000)
    const idle = await world.runner([Work], { default: 100 })
    await world.advance(5_000)
    expect([busy.queue('default').running, idle.queue('default').running, shop.running]).toEqual([2, 18, 20])
    await world.settled(Promise.all([busy.stop({ graceMs: 0 }), idle.stop({ graceMs: 0 })]))
  })
})

describe('concurrency', () => {
  it('is kept at every step, resized up and down, and all work is done once', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 1_000 }),
        fc.array(fc.tuple(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 0, max: 30 })), { minLength: 1, maxLength: 6 }),
        async (seed, steps) => {
          const world = new World(seed)
          const { Work, enqueue, shop } = workshop(world)
          const runner = await world.runner([Work], { default: { concurrency: 3, prefetchMs: 20 } })
          const jobs = await enqueue(runner, 60, 10)
          let before = 3
          for (const [size, ms] of steps) {
            runner.queue('default').resize(size)
            shop.most = shop.running
            await world.advance(0)
            // Those that run go on; more begin up to the new size alone
            expect(shop.most).toBeLessThanOrEqual(Math.max(before, size))
            await world.advance(15)
            shop.most = shop.running
            await world.advance(ms)
            expect(shop.most).toBeLessThanOrEqual(size)
            if ((await world.inner.stats()).queues['default']?.waiting !== 0) expect(shop.running).toBe(size)
            before = size
          }
          await world.advance(1_000)
          expect([...shop.runs.values()]).toEqual(jobs.map(() => 1))
          await world.close()
        },
      ),
      { numRuns: 60, seed: 5 },
    )
  })

  it('a resize while jobs are on their way to the executors runs none twice, and loses none', async () => {
    for (let seed = 1; seed <= 60; seed++) {
      const world = new World(seed)
      const { Work, enqueue, shop } = workshop(world)
      const runner = await world.runner([Work], { default: { concurrency: 4, prefetchMs: 50 } })
      const jobs = await enqueue(runner, 60, 3)
      for (let round = 0; round < 12; round++) {
        for (let step = 0; step < (seed + round) % 7; step++) if (!world.simulation.step()) await world.simulation.flush()
        runner.queue('default').resize(1 + ((seed + round * 3) % 6))
        if (round % 3 === 0) await world.advance(4)
      }
      await world.advance(1_000)
      expect([seed, [...shop.runs.values()]]).toEqual([seed, jobs.map(() => 1)])
      expect(world.simulation.runtime.topology().edges).toHaveLength(1)
      await world.close()
    }
  })

  it('many resizes in one turn leave one subscription', async () => {
    const world = new World()
    const { Work, enqueue, shop } = workshop(world)
    const runner = await world.runner([Work], { default: 3 })
    for (let size = 10; size > 1; size--) runner.queue('default').resize(size)
    runner.queue('default').resize(4)
    await world.settle()
    expect(world.simulation.runtime.topology().edges).toHaveLength(1)
    await enqueue(runner, 12, 100)
    await world.advance(300)
    expect([shop.most, shop.order.length]).toEqual([4, 12])
    await world.close()
  })
})

describe('pause and resume', () => {
  it('of this runner: what runs goes on, nothing begins, other runners go on', async () => {
    const world = new World()
    const { Work, enqueue } = workshop(world)
    const first = await world.runner([Work], { default: 2 })
    await enqueue(first, 6, 100)
    await world.advance(50)
    first.queue('default').pause()
    expect(first.queue('default').isPaused).toBe(true)
    await world.advance(1_000)
    expect(await counts(world)).toEqual({ completed: 2, waiting: 4, running: 0 })
    const second = await world.runner([Work], { default: 2 })
    await world.advance(100)
    expect(await counts(world)).toEqual({ completed: 4, waiting: 0, running: 2 })
    first.queue('default').resume()
    await world.settled(second.stop())
    await enqueue(first, 1, 1)
    await world.advance(50)
    expect(await counts(world)).toMatchObject({ completed: 7 })
    await world.close()
  })

  it('of all runners: pauseQueue and resumeQueue, also of what was claimed ahead', async () => {
    const world = new World()
    const { Work, enqueue, shop } = workshop(world)
    const runner = await world.runner([Work], { default: { concurrency: 2, prefetchMs: 1_000 } })
    await enqueue(runner, 100, 5)
    await world.advance(200)
    const begun = shop.order.length
    await world.settled(runner.pauseQueue('default'))
    await world.advance(100)
    // The ends of those that ran tell it
    expect(shop.order.length - begun).toBeLessThanOrEqual(4)
    const { waiting = 0, running } = (await world.settled(runner.stats())).queues['default'] ?? {}
    expect([waiting, running]).toEqual([100 - shop.order.length, 0])
    await world.settled(runner.resumeQueue('default'))
    await world.advance(1_000)
    expect(shop.order).toHaveLength(100)
    await world.close()
  })

  it('a queue that is paused from the beginning begins with resume', async () => {
    const world = new World()
    const { Work, enqueue, shop } = workshop(world)
    const runner = await world.runner([Work], { default: { paused: true } })
    await enqueue(runner, 3, 0)
    await world.advance(60_000)
    expect(shop.order).toEqual([])
    runner.queue('default').resume()
    await world.settle()
    expect(shop.order).toEqual([0, 1, 2])
    await world.close()
  })
})

describe('stages that fail', () => {
  it('ROW-G18 a fetcher that is killed again and again loses nothing, runs nothing twice, and other queues go on', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const world = new World(seed)
      const { Work, enqueue, shop } = workshop(world)
      const runner = await world.runner([Work], { default: 3, other: 1 })
      const jobs = await enqueue(runner, 40, 7)
      const other = await world.settled(runner.enqueueMany(Work, [{ ms: 5, n: 100 }, { ms: 5, n: 101 }], { queue: 'other' })) // prettier-ignore
      let killed = 0
      for (let round = 0; round < 5; round++) {
        for (let step = 0; step < seed; step++) world.simulation.step()
        killed += Number(killFetcher(world))
        await world.advance(20)
      }
      expect(killed).toBeGreaterThan(1)
      await world.advance(3_000)
      expect([seed, [...shop.runs.values()], shop.most <= 4]).toEqual([seed, [...jobs, ...other].map(() => 1), true])
      await world.close()
    }
  })

  it('ROW-G18 stages that cannot be kept alive by their supervisor are started anew, with a line in the log', async () => {
    const world = new World()
    const { Work, enqueue, shop } = workshop(world)
    const runner = await world.runner([Work], { default: 3 })
    await enqueue(runner, 20, 50)
    for (let round = 0; round < 1_000 && world.lines('STAGE_FAILED').length === 0; round++) {
      killFetcher(world)
      await world.advance(10)
    }
    expect(world.lines('STAGE_FAILED').length).toBeGreaterThan(0)
    await world.advance(5_000)
    expect([...shop.runs.values()]).toEqual(Array.from({ length: 20 }, () => 1))
    await world.close()
  })
})

describe('order', () => {
  it('JOB-12 with one place, jobs begin by priority, then time, then as they came', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ priority: fc.integer({ min: -2, max: 2 }), delayMs: fc.constantFrom(0, 0, 100, 200) }), {
          minLength: 1,
          maxLength: 12,
        }),
        async given => {
          const world = new World()
          const { Work, shop } = workshop(world)
          const client = world.client()
          for (const [n, options] of given.entries()) await world.settled(client.enqueue(Work, { ms: 1, n }, options))
          await world.advance(1_000)
          await world.runner([Work], { default: 1 })
          await world.advance(1_000)
          const expected = given
            .map((options, n) => ({ ...options, n }))
            .sort((a, b) => a.priority - b.priority || a.delayMs - b.delayMs || a.n - b.n)
            .map(({ n }) => n)
          expect(shop.order).toEqual(expected)
          await world.close()
        },
      ),
      { numRuns: 50, seed: 3 },
    )
  })
})

async function counts(world: World) {
  const { completed, waiting, running } = (await world.inner.stats()).queues['default'] ?? {}
  return { completed, waiting, running }
}
