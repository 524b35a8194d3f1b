import { describe, expect, it } from 'vitest'
import { kind } from '../../src/index.ts'
import { Suspects } from '../../src/engine/suspects.ts'
import { World } from '../support/world.ts'

describe('suspects', () => {
  it('enter one at a time, in their order; to leave twice is to leave once', async () => {
    const suspects = new Suspects()
    const order: string[] = []
    const one = async (name: string): Promise<void> => {
      const leave = await suspects.enter()
      order.push(`${name} in`)
      await Promise.resolve()
      order.push(`${name} out`)
      leave()
      leave()
    }
    await Promise.all([one('a'), one('b'), one('c')])
    await one('d')
    expect(order).toEqual(['a in', 'a out', 'b in', 'b out', 'c in', 'c out', 'd in', 'd out'])
  })
})

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
