import { expect, it } from 'vitest'
import { kind } from '../../src/index.ts'
import { World } from '../support/world.ts'

it('JOB-7 F15 a suspect begins when the end of the one before it is written, so that its death cannot be counted against that one', async () => {
  const world = new World()
  const order: string[] = []
  const Work = kind('work', (n: number) => void order.push(`${n} runs`))
  const jobs = await world.settled(world.client().enqueueMany(Work, [1, 2]))
  await world.settled(world.inner.register({ id: 'dead', host: 'x', pid: 1, queues: [] }, 10))
  await world.settled(world.inner.claim({ runner: 'dead', queue: 'default', limit: 2, kinds: ['work'] }))
  await world.advance(20)
  world.hooks.settle = async (call, settlements) => {
    await world.delay(500)
    const answer = await call()
    order.push(`${settlements.length} written`)
    return answer
  }
  const runner = await world.runner([Work], { default: 2 }, { crashLimit: 2 })
  await world.advance(2_000)
  expect(order).toEqual(['1 runs', '1 written', '2 runs', '1 written'])
  for (const { id } of jobs) expect(await world.state(id)).toBe('completed')
  await world.settled(runner.stop())
  await world.close()
})
