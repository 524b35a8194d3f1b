/** Threads that die in the middle of a batch, again and again: nothing is lost, and nobody is left behind. */
import { child, producer, producerName, start, supervisor } from '@genstage/core'
import { seededRandom } from '@genstage/testing'
import { describe, expect, it } from 'vitest'
import { liveThreads, recordedRuntime, threaded, threadsGone } from './support/threads.ts'

const maxDemand = 20
const kills = 100
const mostEvents = 400_000

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

describe('200 threads that die in the middle of a batch', () => {
  it.each(['from inside', 'from outside'])(
    'INV-6 F61 lose nothing with redeliver, half of them %s',
    { timeout: 120_000 },
    async how => {
      const { runtime, uncaught } = recordedRuntime()
      const memory = new SharedArrayBuffer(4 * (mostEvents + 1))
      const cells = new Int32Array(memory)
      let last = 0
      let isDone = false
      const Numbers = producerName<number>('numbers')
      const Counting = producer(() => ({
        handleDemand: demand => (isDone ? [] : Array.from({ length: demand }, () => ++last)),
      }))
      const Tree = supervisor(
        [
          child(Counting, { id: 'counting', name: Numbers }),
          child(threaded('Mortal', { type: 'consumer' }), {
            id: 'mortal',
            arg: { memory, odds: how === 'from inside' ? 0.002 : 0 },
            subscribeTo: [{ to: Numbers, maxDemand, minDemand: maxDemand / 2, redeliver: true }],
          }),
        ],
        { maxRestarts: kills * 2, maxSeconds: 600 },
      )
      let restarts = 0
      const lost: unknown[] = []
      runtime.telemetry.on('restarted', () => restarts++)
      runtime.telemetry.on('discarded', ({ events }) => lost.push(...events))
      cells[0] = 1
      const tree = start(Tree, { runtime })
      await tree.ready

      const random = seededRandom(7)
      let lastAtKill = maxDemand
      while (restarts < kills) {
        await turn()
        const [worker] = liveThreads
        if (how === 'from inside' || worker === undefined || last <= lastAtKill) continue
        // It has done some events since the last one died, so it is in the middle of others
        for (let turns = Math.floor(random() * 30); turns > 0; turns--) await turn()
        lastAtKill = last
        await worker.terminate()
      }
      cells[0] = 0
      isDone = true
      while (cells.subarray(1, last + 1).includes(0)) await turn()

      const handled = cells.subarray(1).reduce((sum, times) => sum + times, 0)
      expect(last).toBeGreaterThan(kills)
      expect(last).toBeLessThan(mostEvents)
      // What was done does not come again: only what was under way, once for each thread that died
      expect(handled - last).toBeLessThanOrEqual(restarts * maxDemand)
      expect([restarts, lost, uncaught]).toEqual([kills, [], []])
      await tree.stop()
      await threadsGone()
      expect(liveThreads.size).toBe(0)
    },
  )
})
