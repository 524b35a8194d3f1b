import { type Runtime, start, type Subscription } from '@genstage/core'
import { describe, expect, it } from 'vitest'
import { recordedRuntime } from './support/recorded-runtime.ts'
import { batches, counter, range, type Seen, sink } from './support/stages.ts'
import { settle } from './support/turns.ts'

/** A consumer that asks for nothing by itself. */
function manualSink(seen: Seen, subscriptions: Subscription[]) {
  return sink(seen, () => ({
    handleSubscribe(from) {
      subscriptions.push(from)
      return 'manual'
    },
  }))
}

/** Asks twice, and checks that just that arrives. */
async function askTwice(runtime: Runtime, subscription: Subscription | undefined, seen: Seen): Promise<void> {
  await settle(runtime)
  expect(batches(seen)).toEqual([])
  subscription?.ask(50)
  await settle(runtime)
  expect(batches(seen)).toEqual([range(0, 50)])
  subscription?.ask(50)
  await settle(runtime)
  expect(batches(seen)).toEqual([range(0, 50), range(50, 100)])
}

describe('manual demand', () => {
  it('T56 GS-S7 GS-Q7 brings what is asked for, in one call', async () => {
    const { runtime } = recordedRuntime()
    const seen: Seen = []
    const subscriptions: Subscription[] = []
    const producer = start(counter(), { runtime })
    const subscription = start(manualSink(seen, subscriptions), { runtime }).subscribe({ to: producer })
    await askTwice(runtime, subscription, seen)
    expect(subscriptions).toEqual([subscription])
  })

  it('T57 GS-S7 GS-Q7 does the same when the consumer subscribes at its start', async () => {
    const { runtime } = recordedRuntime()
    const seen: Seen = []
    const subscriptions: Subscription[] = []
    const producer = start(counter(), { runtime })
    start(manualSink(seen, subscriptions), { runtime, subscribeTo: [producer] })
    await settle(runtime)
    await askTwice(runtime, subscriptions[0], seen)
  })

  it('GS-S7 takes asks of 0 for nothing', async () => {
    const { runtime } = recordedRuntime()
    const [above, below]: [Seen, Seen] = [[], []]
    const producer = start(counter(above), { runtime })
    const subscription = start(manualSink(below, []), { runtime }).subscribe({ to: producer })
    subscription.ask(0)
    await settle(runtime)
    expect(batches(below)).toEqual([])
    expect(above.filter(([what]) => what === 'demand')).toEqual([])
  })
})
