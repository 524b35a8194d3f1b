import { describe, expect, it } from 'vitest'
import { kind } from '../../src/index.ts'
import { Suspects } from '../../src/engine/suspects.ts'
import type { ClaimedJob } from '../../src/store.ts'
import { World } from '../support/world.ts'

describe('suspects', () => {
  it('have their turn one at a time, in their order; one that waits no more is passed over', () => {
    const suspects = new Suspects()
    const turns: string[] = []
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(id => ({ id }) as ClaimedJob)
    if (a === undefined || b === undefined || c === undefined || d === undefined) throw new Error('four jobs')
    const enter = (job: ClaimedJob): boolean => suspects.enter(job, () => turns.push(job.id))
    expect([a, b, c, d].map(enter)).toEqual([true, false, false, false])
    expect([enter(a), enter(b)]).toEqual([true, false])
    suspects.leave(b)
    suspects.leave(a)
    suspects.leave(a)
    expect([turns, enter(c), enter(d)]).toEqual([['c'], true, false])
    suspects.leave(c)
    suspects.leave(d)
    expect([turns, enter(b)]).toEqual([['c', 'd'], true])
  })

  it('JOB-7 JOB-19 that wait for their turn take no place: all other jobs of the runner go on', async () => {
    const world = new World()
    const order: string[] = []
    const Long = kind('long', async (n: number) => {
      order.push(`long ${n}`)
      await world.delay(3_600_000)
    })
    const Short = kind('short', (n: number) => void order.push(`short ${n}`))
    const client = world.client()
    const longs = await world.settled(client.enqueueMany(Long, [1, 2, 3]))
    for (let death = 0; death < 2; death++) await dieWith(world, 'long', 3)
    const runner = await world.runner([Long, Short], { default: 2, other: 2 }, { crashLimit: 3 })
    await world.advance(10)
    await world.settled(client.enqueueMany(Short, [1, 2], { queue: 'other' }))
    await world.settled(client.enqueueMany(Short, [3, 4]))
    await world.advance(1_000)
    expect(order).toEqual(['long 1', 'short 1', 'short 2', 'short 3', 'short 4'])
    expect(runner.queue('default').running).toBe(1)
    await world.settled(client.cancel(longs[1]?.id ?? ''))
    await world.advance(1_000)
    expect(await world.state(longs[1]?.id ?? '')).toBe('cancelled')
    await world.advance(3_600_000)
    expect(order.slice(5)).toEqual(['long 3'])
    await world.settled(runner.stop({ graceMs: 0 }))
    expect(await world.state(longs[2]?.id ?? '')).toBe('waiting')
    await world.close()
  })

  it('JOB-7 F15 with crashLimit 1 every job says that it begins, and none waits for another', async () => {
    const world = new World()
    let most = 0
    let now = 0
    const begun: number[] = []
    world.hooks.begin = (call, held) => {
      begun.push(held.length)
      return call()
    }
    const Work = kind('work', async () => {
      most = Math.max(most, ++now)
      await world.delay(100)
      now--
    })
    const runner = await world.runner([Work], { default: 3 }, { crashLimit: 1 })
    await world.settled(runner.enqueueMany(Work, [undefined, undefined, undefined]))
    await world.advance(1_000)
    expect([most, begun]).toEqual([3, [1, 1, 1]])
    await world.close()
  })

  it('JOB-7 that wait for their turn are given back when their queue is paused, and the line goes on', async () => {
    const world = new World()
    const order: string[] = []
    const Work = kind('work', async (n: number) => {
      order.push(`${n}`)
      await world.delay(1_000)
    })
    const client = world.client()
    await world.settled(client.enqueueMany(Work, [1, 2], { queue: 'a' }))
    await world.settled(client.enqueueMany(Work, [3], { queue: 'b' }))
    for (let death = 0; death < 2; death++) await dieWith(world, 'work', 3, ['a', 'b'])
    const runner = await world.runner([Work], { a: 2 })
    await world.advance(10)
    runner.addQueue('b', 2)
    await world.advance(10)
    runner.queue('a').pause()
    await world.advance(1_000)
    expect(order).toEqual(['1', '3'])
    runner.queue('a').resume()
    await world.advance(3_000)
    expect(order).toEqual(['1', '3', '2'])
    await world.settled(runner.stop())
    await world.close()
  })
})

/** A process claims jobs, says that it has begun them, and dies under them. */
async function dieWith(world: World, name: string, limit: number, queues: readonly string[] = ['default']): Promise<void> {
  const { inner } = world
  const runner = `dead ${world.now}`
  await world.settled(inner.register({ id: runner, host: 'x', pid: 1, queues: [] }, 10))
  for (const queue of queues) {
    const { jobs } = await world.settled(inner.claim({ runner, queue, limit, kinds: [name] }))
    await world.settled(inner.begin(jobs))
  }
  await world.advance(20)
  await world.settled(inner.register({ id: 'rescuer', host: 'x', pid: 1, queues: [] }, 10_000))
  await world.settled(inner.rescue({ runner: 'rescuer', crashLimit: 9, limit: 100 }))
  await world.settled(inner.unregister('rescuer'))
}

/** Cuts off all that a runner with that name says to the store, as its death would. */
function die(world: World, runner: { readonly id: string }): void {
  const { id } = runner
  for (const name of ['heartbeat', 'unregister', 'rescue'] as const) {
    const before = world.hooks[name]
    Object.assign(world.hooks, {
      [name]: (call: () => Promise<unknown>, who: string | { readonly runner: string }, ...rest: unknown[]) => {
        if ((typeof who === 'string' ? who : who.runner) === id) return new Promise(() => {})
        return typeof before === 'function' ? Reflect.apply(before, undefined, [call, who, ...rest]) : call()
      },
    })
  }
}

describe('a job under which processes die', () => {
  it('JOB-7 F15 fails after crashLimit deaths; its innocent neighbours are all completed, and none is counted twice', async () => {
    const world = new World()
    const finished = new Set<number>()
    let deaths = 0
    /** Ends the process, which here means that nobody hears of it any more. */
    let kill = (): void => {}
    const Work = kind('work', async (n: number, { signal }) => {
      await world.delay(10)
      if (n === 3) {
        deaths++
        kill()
        await new Promise(() => {})
      }
      if (!signal.aborted) finished.add(n)
    })
    const client = world.client()
    const jobs = await world.settled(client.enqueueMany(Work, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]))
    const poison = jobs[3]?.id ?? ''
    for (let round = 0; round < 6; round++) {
      let isDead = false
      const runner = await world.runner([Work], { default: 4 }, { leaseMs: 1_000, sweepMs: 200 })
      kill = () => {
        isDead = true
        die(world, runner)
        const { id } = runner
        for (const name of ['claim', 'settle', 'begin', 'report'] as const)
          Object.assign(world.hooks, { [name]: deaf(world, name, id) })
        runner.queue('default').pause()
      }
      await world.advance(3_000)
      if (!isDead) break
    }
    const job = await world.settled(client.find(poison))
    expect(job).toMatchObject({ state: 'failed', crashes: 3, attempt: 0, error: { code: 'RUNNER_CRASHED' } })
    expect(job?.history.map(({ outcome }) => outcome)).toEqual(['crash', 'crash', 'crash'])
    expect(job?.args).toBe(3)
    expect(deaths).toBe(3)
    for (const { id } of jobs) {
      if (id === poison) continue
      const other = await world.settled(client.find(id))
      expect(other?.state).toBe('completed')
      expect(other?.crashes).toBeLessThanOrEqual(2)
    }
  })

  it('begins one at a time in a runner when one more crash is its end, and says so first', async () => {
    const world = new World()
    const calls: string[] = []
    let running = 0
    let most = 0
    const Work = kind('work', async (n: number, { crashes }) => {
      calls.push(`${n} runs`)
      if (crashes > 0) most = Math.max(most, ++running)
      await world.delay(100)
      if (crashes > 0) running--
    })
    const dead = await world.runner([Work], { default: 3 }, { leaseMs: 1_000 })
    await world.settled(dead.enqueueMany(Work, [1, 2, 3]))
    await world.settled(world.inner.cancel([], 'none'))
    await world.advance(0)
    die(world, dead)
    const settle = deaf(world, 'settle', dead.id)
    Object.assign(world.hooks, { settle })
    await world.advance(2_000)
    delete world.hooks.settle
    calls.length = 0
    world.hooks.begin = (call, held) => {
      calls.push(`begin ${held.length}`)
      return call()
    }
    await world.runner([Work], { default: 3 }, { leaseMs: 1_000, crashLimit: 2 })
    await world.advance(2_000)
    expect(most).toBe(1)
    expect(calls).toEqual(['begin 1', '1 runs', 'begin 1', '2 runs', 'begin 1', '3 runs'])
  })
})

describe('a suspect', () => {
  /** A runner, and a job that another one died with. */
  async function withSuspect(handler: (crashes: number) => unknown) {
    const world = new World()
    const Work = kind('work', (_: void, { crashes }) => handler(crashes))
    const job = await world.settled(world.client().enqueue(Work))
    await world.settled(world.inner.register({ id: 'dead', host: 'x', pid: 1, queues: [] }, 10))
    await world.settled(world.inner.claim({ runner: 'dead', queue: 'default', limit: 1, kinds: ['work'] }))
    await world.advance(20)
    return { world, Work, job }
  }

  it('JOB-13 whose beginning cannot be written comes back later, not in a hot loop, and no attempt is counted', async () => {
    const { world, Work, job } = await withSuspect(crashes => crashes)
    let calls = 0
    world.hooks.begin = () => {
      calls++
      return Promise.reject(new Error('down'))
    }
    await world.runner([Work])
    await world.advance(10_000)
    expect(calls).toBeGreaterThan(2)
    expect(calls).toBeLessThan(60)
    delete world.hooks.begin
    expect(await world.settled(job.result())).toBe(1)
    expect(await world.settled(job.find())).toMatchObject({ attempt: 1, crashes: 1 })
    await world.close()
  })

  it('that is cancelled, given back or taken away while it waits for its turn never begins', async () => {
    for (const how of ['cancel', 'pause', 'stop', 'lost'] as const) {
      let runs = 0
      const { world, Work, job } = await withSuspect(() => ++runs)
      let answer = (): void => {}
      world.hooks.begin = async call => {
        await new Promise<void>(resolve => (answer = resolve))
        return call()
      }
      const runner = await world.runner([Work])
      await world.advance(0)
      if (how === 'cancel') expect(await world.settled(job.cancel('no'))).toBe('requested')
      if (how === 'pause') runner.queue('default').pause()
      const stopped = how === 'stop' ? runner.stop() : undefined
      if (how === 'lost') {
        await world.settled(world.inner.unregister(runner.id))
        runner.queue('default').pause()
        await world.advance(11_000)
      }
      await world.advance(0)
      answer()
      await world.advance(100)
      await world.settled(Promise.resolve(stopped))
      expect([how, runs, await world.state(job.id)]).toEqual([how, 0, how === 'cancel' ? 'cancelled' : 'waiting'])
      await world.close()
    }
  })
})

/** The store hears this call no more from that runner: by the id where there is one, else from all. */
function deaf(world: World, name: 'claim' | 'settle' | 'begin' | 'report', id: string) {
  const holdsNone = new Set<number>()
  return async (call: () => Promise<unknown>, ...args: readonly unknown[]): Promise<unknown> => {
    const request = (name === 'claim' ? args[0] : args[1]) as { readonly runner: string } | undefined
    if (request !== undefined) return request.runner === id ? new Promise(() => {}) : call()
    const held = await world.inner.holdings(id)
    for (const { token } of held) holdsNone.add(token)
    const tokens = (args[0] as readonly { readonly token: number }[]).map(({ token }) => token)
    return tokens.some(token => holdsNone.has(token)) ? new Promise(() => {}) : call()
  }
}
