import { expect, it } from 'vitest'
import { kind } from '../../src/index.ts'
import { World } from '../support/world.ts'

it('JOB-9 claims nothing after a stop that came while reports were written', async () => {
  const world = new World()
  const Work = kind('work', (_: undefined, job) => job.progress(1))
  const runner = await world.runner([Work], { default: 1 })
  const calls: string[] = []
  world.hooks.report = async call => {
    await world.delay(50)
    return call()
  }
  world.hooks.settle = async (call, settlements, next) => {
    calls.push(`settles ${settlements.length}${next === undefined ? '' : ', claims'}`)
    return call()
  }
  void runner.enqueue(Work, undefined)
  await world.advance(10)
  const stopped = runner.stop({ graceMs: 0 })
  await world.settled(Promise.race([stopped, world.advance(100)]))
  expect(calls).toEqual(['settles 1'])
  await world.close()
})
