import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import type { DispatcherFactory, Recipient } from '../../src/dispatcher.ts'
import { broadcastDispatcher } from '../../src/dispatchers/broadcast.ts'
import { demandDispatcher } from '../../src/dispatchers/demand.ts'
import { fairDispatcher } from '../../src/dispatchers/fair.ts'
import { partitionDispatcher } from '../../src/dispatchers/partition.ts'
import { priorityDispatcher } from '../../src/dispatchers/priority.ts'
import { rateLimit } from '../../src/dispatchers/rate-limit.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Whether everything is collected, given some turns of the event loop. */
async function areForgotten(refs: readonly WeakRef<object>[]): Promise<boolean> {
  for (let turn = 0; turn < 20; turn++) {
    await new Promise(resolve => setImmediate(resolve))
    collectGarbage()
    if (refs.every(ref => ref.deref() === undefined)) return true
  }
  return false
}

describe.each<[name: string, factory: DispatcherFactory<object>]>([
  ['demandDispatcher', demandDispatcher()],
  ['broadcastDispatcher', broadcastDispatcher()],
  ['partitionDispatcher', partitionDispatcher({ partitions: 1, hash: () => 0 })],
  ['fairDispatcher', fairDispatcher()],
  ['priorityDispatcher', priorityDispatcher({ priority: () => 0 })],
  ['rateLimit', rateLimit(demandDispatcher(), { events: 10, perMs: 1 })],
  ['rateLimit of partitions', rateLimit(partitionDispatcher({ partitions: 1, hash: () => 0 }), { events: 10, perMs: 1 })],
])('%s', (_name, factory) => {
  it('INV-22 forgets a recipient that has gone, and the events it was given', async () => {
    const dispatcher = factory({ random: () => 0, now: () => 0 })
    function comeAndGo(): readonly WeakRef<object>[] {
      const to: Recipient = { subscriptionId: 's', consumerId: 'c' }
      const event = {}
      dispatcher.subscribe(to, { partition: 0 })
      dispatcher.ask(to, 3)
      expect(dispatcher.dispatch([event]).deliveries).toHaveLength(1)
      dispatcher.cancel(to)
      return [new WeakRef(to), new WeakRef(event)]
    }
    expect(await areForgotten(comeAndGo())).toBe(true)
    // It is still there itself
    expect(dispatcher.inspect?.()).toBeDefined()
  })
})
