import { producerName, start } from '@genstage/core'
import { describe, expect, it } from 'vitest'
import { recordedRuntime } from './support/recorded-runtime.ts'
import { batches, counter, type Item, type Seen, sink } from './support/stages.ts'
import { settle } from './support/turns.ts'

const Counted = producerName<Item>('counted')

describe('what can be subscribed to', () => {
  it('T119 GS-S11 is a ref', async () => {
    const { runtime } = recordedRuntime()
    const seen: Seen = []
    const producer = start(counter([], 3), { runtime })
    start(sink(seen), { runtime, subscribeTo: [producer] })
    await settle(runtime)
    expect(batches(seen)).toEqual([[0, 1, 2]])
  })

  it('T120 GS-S11 GS-L8 is a typed name, looked up when it is used', async () => {
    const { runtime } = recordedRuntime()
    const seen: Seen = []
    const [early, late] = [start(sink(seen), { runtime }), start(sink(), { runtime })]
    start(counter([], 3), { runtime, name: Counted })
    early.subscribe({ to: Counted })
    await settle(runtime)
    expect(batches(seen)).toEqual([[0, 1, 2]])

    await runtime.whereis(Counted)?.stop('shutdown')
    const again = start(counter([], 3), { runtime, name: Counted })
    const subscription = late.subscribe({ to: Counted })
    await subscription.accepted
    expect(subscription.producer).toBe(again)
  })

  it('T121 GS-S11 GS-J7 is a name of the runtime that the consumer is in, with options', async () => {
    const { runtime } = recordedRuntime()
    const { runtime: other } = recordedRuntime()
    const [seen, elsewhere]: [Seen, Seen] = [[], []]
    start(counter([], 3), { runtime, name: Counted })
    start(counter([], 5), { runtime: other, name: Counted })
    start(sink(seen), { runtime, subscribeTo: [{ to: Counted, maxDemand: 10, minDemand: 0 }] })
    start(sink(elsewhere), { runtime: other, subscribeTo: [{ to: Counted, maxDemand: 10, minDemand: 0 }] })
    await settle(runtime)
    await settle(other)
    expect(batches(seen)).toEqual([[0, 1, 2]])
    expect(batches(elsewhere)).toEqual([[0, 1, 2, 3, 4]])
  })

  it('T122 GS-S11 is a name by its text: tokens that say the same are one name', async () => {
    const { runtime } = recordedRuntime()
    const seen: Seen = []
    start(counter([], 3), { runtime, name: 'counted' })
    start(sink(seen), { runtime, subscribeTo: [{ to: producerName<Item>('counted'), maxDemand: 10, minDemand: 0 }] })
    await settle(runtime)
    expect(batches(seen)).toEqual([[0, 1, 2]])
  })
})
