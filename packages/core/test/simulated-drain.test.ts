import { consumerSupervisor, fromIterable, start } from '@genstage/core'
import { Simulation } from '@genstage/testing'
import { describe, expect, it } from 'vitest'

describe('a drain in simulation', () => {
  // Its last step needs no message, so nothing would ever wake the stage for it
  it('INV-21 ends in a stage that has nothing but the drain left to do', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const simulation = new Simulation({ seed })
      const { runtime } = simulation
      const handled: number[] = []
      const source = start(fromIterable([1, 2, 3]), { runtime })
      const Tasks = consumerSupervisor(async (event: number) => {
        await simulation.delay(50)
        handled.push(event)
      })
      const tasks = start(Tasks, { runtime, subscribeTo: [{ to: source, cancel: 'temporary', maxDemand: 3 }] })
      await simulation.run()
      let ended: unknown
      void tasks.stop('normal', { drain: true, timeout: Infinity }).then(reason => (ended = reason))
      await simulation.run()
      expect(ended).toEqual({ type: 'normal' })
      expect(handled.toSorted()).toEqual([1, 2, 3])
    }
  })
})
