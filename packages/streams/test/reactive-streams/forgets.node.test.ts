import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { fromIterable, start } from '@genstage/core'
import { describe, expect, it } from 'vitest'
import { asPublisher, type ReactiveSubscription } from '../../src/index.ts'
import { ManualSubscriber, recordedRuntime, settle } from './support.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Whether what `make` leaves behind is forgotten. Only the weak reference comes out of `make`. */
async function isForgotten(make: () => Promise<WeakRef<object>>): Promise<boolean> {
  const weak = await make()
  for (let attempt = 0; attempt < 20; attempt++) {
    await settle()
    collectGarbage()
    if (weak.deref() === undefined) return true
  }
  return false
}

function* endless(): Generator<number> {
  for (;;) yield 0
}

describe('asPublisher', () => {
  it('RS-3.13 INV-22 forgets a subscriber that has cancelled, although somebody keeps the subscription', async () => {
    const { runtime } = recordedRuntime()
    const publisher = asPublisher(start(fromIterable(endless), { runtime }))
    let kept: ReactiveSubscription | undefined
    const forgotten = await isForgotten(async () => {
      const subscriber = new ManualSubscriber<number>(3)
      publisher.subscribe(subscriber)
      await settle()
      kept = subscriber.subscription
      kept?.cancel()
      return new WeakRef(subscriber)
    })
    expect(forgotten).toBe(true)
    expect(kept).toBeDefined()
  })
})
