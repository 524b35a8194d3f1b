import { describe, expect, it } from 'vitest'
import { JobsError, kind } from '../../src/index.ts'
import { World } from '../support/world.ts'

const Quick = kind('quick', (n: number) => n)

describe('completer', () => {
  it('collects what ends while a call is under way: batches grow as the store gets slower', async () => {
    const world = new World()
    const Work = kind('work', (ms: number) => world.delay(ms))
    const runner = await world.runner([Work], { default: 100 })
    const batches: number[] = []
    world.hooks.settle = async (call, settlements) => {
      batches.push(settlements.length)
      await world.delay(10)
      return call()
    }
    await world.settled(
      runner.enqueueMany(
        Work,
        Array.from({ length: 100 }, (_, n) => 1 + n / 4),
      ),
    )
    await world.advance(200)
    expect((await world.settled(runner.stats())).processed).toBe(100)
    expect(batches).toEqual([1, 40, 40, 19])
    await world.close()
  })

  it('one call is under way at a time', async () => {
    const world = new World()
    let most = 0
    let now = 0
    world.hooks.settle = async call => {
      most = Math.max(most, ++now)
      await world.delay(3)
      now--
      return call()
    }
    const Work = kind('work', (ms: number) => world.delay(ms))
    const runner = await world.runner([Work], { default: 5 })
    await world.settled(
      runner.enqueueMany(
        Work,
        Array.from({ length: 50 }, (_, n) => n % 7),
      ),
    )
    await world.advance(1_000)
    expect([most, (await world.settled(runner.stats())).processed]).toEqual([1, 50])
    await world.close()
  })

  it('a store that fails is tried again, with growing delays; then everything is as it should be', async () => {
    const world = new World()
    const runner = await world.runner([Quick])
    const tries: number[] = []
    let isDown = true
    world.hooks.settle = call => {
      tries.push(world.now)
      return isDown ? Promise.reject(new JobsError('STORE_BUSY', 'down')) : call()
    }
    const job = await world.settled(runner.enqueue(Quick, 7))
    await world.advance(8_000)
    isDown = false
    expect(await world.settled(job.result())).toBe(7)
    const gaps = tries.slice(1, 6).map((at, index) => at - (tries[index] ?? 0))
    for (const [index, gap] of gaps.entries()) {
      expect(gap).toBeGreaterThanOrEqual(50 * 2 ** index)
      expect(gap).toBeLessThanOrEqual(100 * 2 ** index)
    }
    // Beats and sweeps work meanwhile: that shortens nothing
    expect(tries.length).toBeLessThan(10)
    expect(world.told('storeError').length).toBe(tries.length - 1)
    expect(world.told('completed')).toHaveLength(1)
    await world.close()
  })

  it('JOB-5 F5 the answer to a write gets lost: the job is done, is not run again, and nothing is told that is not known', async () => {
    const world = new World()
    let runs = 0
    const Work = kind('work', () => ++runs)
    const runner = await world.runner([Work])
    let isLost = true
    world.hooks.settle = async call => {
      const answer = await call()
      if (!isLost) return answer
      isLost = false
      throw new JobsError('STORE_UNAVAILABLE', 'the answer got lost')
    }
    const job = await world.settled(runner.enqueue(Work))
    expect(await world.settled(job.result())).toBe(1)
    await world.advance(60_000)
    expect([runs, world.told('leaseLost', 'completed').length]).toEqual([1, 0])
    expect(await world.state(job.id)).toBe('completed')
    await world.close()
  })

  it('an end that is refused beside one whose answer got lost is told', async () => {
    const world = new World()
    const Work = kind('work', (ms: number) => world.delay(ms))
    const runner = await world.runner([Work], { default: 2 })
    const [first, second] = await world.settled(runner.enqueueMany(Work, [10, 12]))
    await world.advance(5)
    let isLost = true
    world.hooks.settle = async (call, settlements) => {
      const answer = await call()
      if (isLost) {
        isLost = false
        throw new JobsError('STORE_UNAVAILABLE', 'the answer got lost')
      }
      // The second one has been taken away meanwhile
      return { ...answer, accepted: settlements.map(() => false) }
    }
    await world.advance(1_000)
    expect(world.told('leaseLost').map(({ id }) => id)).toEqual([second?.id])
    expect(first?.id).not.toBe(second?.id)
    delete world.hooks.settle
  })

  it('stop does not wait for ever for a store that takes nothing: others run the jobs again', async () => {
    const world = new World()
    const Work = kind('work', (ms: number) => world.delay(ms))
    const runner = await world.runner([Work], { default: 2 }, { abandonMs: 500 })
    const job = await world.settled(runner.enqueue(Work, 10))
    await world.advance(0)
    const mend = world.fail('settle')
    const { now } = world
    await world.settled(runner.stop())
    expect(world.now - now).toBeLessThanOrEqual(510)
    expect(world.lines('STORE_UNAVAILABLE').some(({ message }) => message.includes('the ends of 1 attempts'))).toBe(true)
    mend()
    const second = await world.runner([Work])
    await world.settled(second.result(job.id))
    await world.close()
  })

  it('a claim that fails is made again', async () => {
    const world = new World()
    const mend = world.fail('claim')
    const runner = await world.runner([Quick])
    const job = await world.settled(runner.enqueue(Quick, 1))
    await world.advance(3_000)
    expect(await world.state(job.id)).toBe('waiting')
    mend()
    expect(await world.settled(job.result())).toBe(1)
    await world.close()
  })
})

describe('store health', () => {
  it('tells a row of failures once at its beginning, and once at its end', async () => {
    const world = new World()
    const runner = await world.runner([Quick])
    for (let row = 0; row < 3; row++) {
      const mend = (['heartbeat', 'rescue', 'claim', 'settle'] as const).map(name => world.fail(name))
      await world.advance(50_000)
      for (const each of mend) each()
      await world.advance(20_000)
    }
    expect(world.lines('STORE_UNAVAILABLE')).toHaveLength(3)
    expect(world.told('storeRecovered')).toHaveLength(3)
    // 50 seconds at 2.5 to 5 seconds between claims, with beats and sweeps beside them
    expect(world.told('storeError').length).toBeGreaterThanOrEqual(3 * 20)
    expect(world.told('storeError').length).toBeLessThanOrEqual(3 * 60)
    await world.settled(runner.stop())
  })
})
