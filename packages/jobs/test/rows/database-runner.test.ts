import { describe, expect, it } from 'vitest'
import { type JobClient, kind, linear } from '../../src/index.ts'
import type { ClaimRequest } from '../../src/store.ts'
import { World } from '../support/world.ts'

// A runner of jobs on a database, in virtual time (ROW-G).

const Add = kind('math.add', ({ a, b }: { readonly a: number; readonly b: number }) => a + b)

describe('a job and its columns', () => {
  it('ROW-G1 status, payload, attempts, max_attempts (3), times, error', async () => {
    const world = new World()
    const runner = await world.runner([Add])
    const job = await world.settled(runner.enqueue(Add, { a: 1, b: 2 }, { delayMs: 500 }))
    const waiting = await world.settled(job.find())
    expect(waiting).toMatchObject({ state: 'delayed', args: { a: 1, b: 2 }, attempt: 0, maxAttempts: 3 })
    expect(waiting?.runAt).toBe((waiting?.enqueuedAt ?? 0) + 500)
    expect([waiting?.startedAt, waiting?.finishedAt, waiting?.error]).toEqual([undefined, undefined, undefined])
    await world.settled(job.result())
    const done = await world.settled(job.find())
    expect([done?.startedAt, done?.finishedAt]).toEqual([waiting?.runAt, waiting?.runAt])
    await world.close()
  })

  it('ROW-G2 queued, running, completed, failed', async () => {
    const world = new World()
    const Work = kind('work', {
      maxAttempts: 1,
      handler: async (fails: boolean) => {
        await world.delay(10)
        if (fails) throw new Error('x')
      },
    })
    const client = world.client()
    const jobs = await world.settled(client.enqueueMany(Work, [false, true]))
    const states = (): Promise<unknown> => Promise.all(jobs.map(({ id }) => world.state(id)))
    expect(await states()).toEqual(['waiting', 'waiting'])
    await world.runner([Work])
    await world.advance(0)
    expect(await states()).toEqual(['running', 'running'])
    await world.advance(10)
    expect(await states()).toEqual(['completed', 'failed'])
    await world.close()
  })

  it('ROW-G3 ROW-G4 any registered function with its args, with max attempts and a time', async () => {
    const world = new World()
    const runner = await world.runner([Add, kind('text.upper', (text: string) => text.toUpperCase())])
    const at = new Date(world.simulation.clock.wallTime() + 1_000)
    const sum = await world.settled(runner.enqueue('math.add', { a: 40, b: 2 }, { maxAttempts: 5, runAt: at }))
    const upper = await world.settled(runner.enqueue('text.upper', 'loud'))
    expect(await world.settled(upper.result())).toBe('LOUD')
    expect(world.now).toBe(0)
    expect(await world.settled(sum.result())).toBe(42)
    expect([world.now, (await world.settled(sum.find()))?.maxAttempts]).toEqual([1_000, 5])
    await expect(runner.enqueue('math.subtract', 1)).rejects.toThrow(/no kind "math.subtract"/)
    await world.close()
  })
})

describe('claim, complete, fail', () => {
  it('ROW-G5 a claim takes what is due, as many as are wanted, and no job goes to two runners', async () => {
    const world = new World()
    const runs: string[] = []
    const Work = kind('work', async (_: number, { id, client }) => {
      runs.push(`${id} ${(client as JobClient & { id: string }).id}`)
      await world.delay(5)
    })
    const claims: ClaimRequest[] = []
    world.hooks.claim = (call, request) => {
      claims.push(request)
      return call()
    }
    const runners = [
      await world.runner([Work], { default: 4 }),
      await world.runner([Work], { default: 4 }),
      await world.runner([Work], { default: 4 }),
    ]
    expect(claims.map(({ limit }) => limit)).toEqual([4, 4, 4])
    const jobs = await world.settled(
      world.client().enqueueMany(
        Work,
        Array.from({ length: 200 }, (_, n) => n),
      ),
    )
    await world.advance(1_000)
    expect(new Set(runs.map(run => run.split(' ')[0])).size).toBe(jobs.length)
    expect(runs).toHaveLength(jobs.length)
    expect(new Set(runs.map(run => run.split(' ')[1])).size).toBe(runners.length)
    await world.close()
  })

  it('ROW-G6 ROW-G7 completed with its time; failed attempts come back after a minute times the attempts, then it has failed', async () => {
    const world = new World()
    const starts: number[] = []
    const Work = kind('work', {
      backoff: linear(60_000),
      handler: () => {
        starts.push(world.now)
        throw new Error(`attempt ${starts.length}`)
      },
    })
    const runner = await world.runner([Work])
    const job = await world.settled(runner.enqueue(Work))
    await world.advance(10 * 60_000)
    expect(starts).toEqual([0, 60_000, 180_000])
    const failed = await world.settled(job.find())
    expect(failed).toMatchObject({ state: 'failed', attempt: 3, error: { message: 'attempt 3' } })
    expect(failed?.history.map(({ outcome, failure }) => `${outcome}: ${failure?.message ?? ''}`)).toEqual([
      'retry: attempt 1',
      'retry: attempt 2',
      'failed: attempt 3',
    ])
    await world.close()
  })

  it('ROW-G8 an empty queue is looked at again by and by; an error of the store is logged, and nothing stops', async () => {
    const world = new World()
    world.hooks.silent = true
    let claims = 0
    let isDown = false
    world.hooks.claim = call => {
      claims++
      return isDown ? Promise.reject(new Error('connection refused')) : call()
    }
    const runner = await world.runner([Add], { default: 1 }, { pollMs: 1_000 })
    await world.advance(4_500)
    expect(claims).toBe(5)
    isDown = true
    await world.advance(5_000)
    expect(world.log.some(({ level, fields }) => level === 'error' && fields['operation'] === 'claim')).toBe(true)
    isDown = false
    const job = await world.settled(runner.enqueue(Add, { a: 1, b: 1 }))
    expect(await world.settled(job.result(), 10_000)).toBe(2)
    await world.close()
  })

  it('ROW-G9 demand that could not be met is remembered: jobs that come later begin at once', async () => {
    const world = new World()
    const Work = kind('work', () => world.delay(50))
    const runner = await world.runner([Work], { default: 5 }, { pollMs: 3_600_000 })
    await world.advance(10_000)
    for (const count of [2, 2, 1]) {
      await world.settled(runner.enqueueMany(Work, Array.from({ length: count }, () => undefined))) // prettier-ignore
      await world.advance(1)
    }
    expect(world.told('started').map(({ at }) => at)).toEqual([10_000, 10_000, 10_001, 10_001, 10_002])
    await world.close()
  })

  it('ROW-G10 an exception is isolated, and its stack is kept', async () => {
    const world = new World()
    const Work = kind('work', (n: number) => {
      if (n === 1) throw new TypeError('broken')
      return n
    })
    const runner = await world.runner([Work])
    const jobs = await world.settled(runner.enqueueMany(Work, [0, 1, 2]))
    await world.advance(0)
    const [before, broken, after] = await Promise.all(jobs.map(job => world.settled(job.find())))
    expect([before?.state, after?.state]).toEqual(['completed', 'completed'])
    expect(broken?.error?.stack).toMatch(/TypeError: broken\n\s+at .*database-runner\.test\.ts/)
    await world.close()
  })

  it('ROW-G11 delayed, failing and heavy jobs go through one queue', async () => {
    const world = new World()
    const Heavy = kind('heavy', async (ms: number) => {
      await world.delay(ms)
      return 'heavy'
    })
    const Flaky = kind('flaky', {
      backoff: () => 100,
      handler: (_: void, { attempt }) => {
        if (attempt < 3) throw new Error('not yet')
        return attempt
      },
    })
    const runner = await world.runner([Heavy, Flaky, Add], { default: 2 })
    const jobs = [
      await world.settled(runner.enqueue(Heavy, 5_000)),
      await world.settled(runner.enqueue(Flaky)),
      await world.settled(runner.enqueue(Add, { a: 1, b: 1 }, { delayMs: 300 })),
    ]
    expect(await world.settled(Promise.all(jobs.map(job => job.result())))).toEqual(['heavy', 3, 2])
    expect(world.told('failed')).toHaveLength(2)
    await world.close()
  })
})

describe('order and distribution', () => {
  it('ROW-G12 with several at once: first come, first served, the order of the ends is theirs; with one the order is kept', async () => {
    const world = new World()
    const ends: number[] = []
    const Work = kind('work', async (ms: number) => {
      await world.delay(ms)
      ends.push(ms)
    })
    const times = [50, 10, 30, 20, 40]
    const several = await world.runner([Work], { default: 5 })
    await world.settled(several.enqueueMany(Work, times))
    await world.advance(100)
    expect(ends).toEqual([10, 20, 30, 40, 50])
    await world.settled(several.stop())
    ends.length = 0
    const one = await world.runner([Work], { default: 1 })
    await world.settled(one.enqueueMany(Work, times))
    await world.advance(200)
    expect(ends).toEqual(times)
    await world.close()
  })

  it('ROW-G14 how much is claimed ahead is an option of the queue', async () => {
    for (const [options, most] of [
      [{ concurrency: 2, prefetchMs: 0 }, 2],
      [{ concurrency: 2, prefetchMs: 1_000, maxPrefetch: 20 }, 22],
      [{ concurrency: 2, prefetchMs: 1_000, maxPrefetch: 5 }, 7],
    ] as const) {
      const world = new World()
      const Work = kind('work', () => world.delay(2))
      let held = 0
      const runner = await world.runner([Work], { default: options })
      world.hooks.settle = async call => {
        const answer = await call()
        held = Math.max(held, (await world.inner.stats()).queues['default']?.running ?? 0)
        return answer
      }
      await world.settled(runner.enqueueMany(Work, Array.from({ length: 300 }, () => undefined))) // prettier-ignore
      await world.advance(2_000)
      expect([options, held]).toEqual([options, most])
      expect((await world.settled(runner.stats())).processed).toBe(300)
      await world.close()
    }
  })

  it('ROW-G17 dedicated queues, each with its own concurrency, under one runner: email 5, analytics 3, ml 1', async () => {
    const world = new World()
    const running: Record<string, number> = {}
    const most: Record<string, number> = {}
    const Work = kind('work', async (_: number, { queue }) => {
      const now = (running[queue] = (running[queue] ?? 0) + 1)
      most[queue] = Math.max(most[queue] ?? 0, now)
      await world.delay(10)
      running[queue] = now === 0 ? 0 : (running[queue] ?? 1) - 1
    })
    const queues = { email: 5, analytics: { concurrency: 3, maxPrefetch: 100 }, ml: 1 }
    const runner = await world.runner([Work], queues)
    for (const queue of Object.keys(queues))
      await world.settled(runner.enqueueMany(Work, Array.from({ length: 20 }, (_, n) => n), { queue })) // prettier-ignore
    await world.advance(300)
    expect(most).toEqual({ email: 5, analytics: 3, ml: 1 })
    expect(runner.queues.map(({ name, concurrency, processed }) => [name, concurrency, processed])).toEqual([
      ['email', 5, 20],
      ['analytics', 3, 20],
      ['ml', 1, 20],
    ])
    await world.close()
  })

  it('ROW-G18 what goes wrong in one queue harms no other', async () => {
    const world = new World()
    const Bad = kind('bad', {
      queue: 'bad',
      backoff: () => 1,
      maxAttempts: 1_000,
      handler: () => {
        throw new Error('again')
      },
    })
    const Stuck = kind('stuck', { queue: 'stuck', handler: () => new Promise(() => {}) })
    const runner = await world.runner([Bad, Stuck, Add], { bad: 2, stuck: 2, good: 1 }, { abandonMs: 10 })
    await world.settled(runner.enqueueMany(Bad, [undefined, undefined]))
    await world.settled(runner.enqueueMany(Stuck, [undefined, undefined, undefined]))
    const jobs = await world.settled(runner.enqueueMany(Add, [{ a: 1, b: 2 }, { a: 3, b: 4 }], { queue: 'good' })) // prettier-ignore
    expect(await world.settled(Promise.all(jobs.map(job => job.result())), 5)).toEqual([3, 7])
    await world.settled(runner.stop({ graceMs: 0 }))
    await world.close()
  })

  it('ROW-G28 the depth of one queue, and of all', async () => {
    const world = new World()
    const client = world.client()
    await world.settled(client.enqueueMany(Add, [{ a: 1, b: 1 }, { a: 2, b: 2 }], { queue: 'email' })) // prettier-ignore
    await world.settled(client.enqueue(Add, { a: 1, b: 1 }, { queue: 'ml', delayMs: 1_000 }))
    expect(await world.settled(client.queueDepth('email'))).toBe(2)
    expect(await world.settled(client.queueDepth('nobody'))).toBe(0)
    expect(await world.settled(client.queueDepths())).toEqual({ email: 2, ml: 1 })
    await world.close()
  })
})
