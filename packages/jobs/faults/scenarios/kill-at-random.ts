import { setTimeout as sleep } from 'node:timers/promises'
import { between, type Scenario } from '../scenario.ts'
import { hardy, underLoad } from '../under-load.ts'

/** F1: whatever a process is doing, `kill -9` ends it; others finish what it had. */
export const killAtRandom: Scenario = {
  id: 'F1',
  fault: 'kill -9 of a runner at a random time',
  rounds: 1_000,
  leastRounds: 5,
  async run(context) {
    const { random } = context
    const tally = await underLoad(context, {}, async field => {
      const child = field.runner(hardy)
      // One in ten dies while it starts
      if (random() < 0.1) await sleep(between(random, 0, 100))
      else {
        await child.ready
        await sleep(between(random, 0, 120))
      }
      await child.kill()
    })
    return { tally, seen: 'others finished what it had' }
  },
}
