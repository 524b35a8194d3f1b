/** What needs a real event loop, and a heap that can be measured. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { consumer, producer, producerConsumer, start } from '@genstage/core'
import { describe, expect, it } from 'vitest'
import { recordedRuntime } from './support/recorded-runtime.ts'
import { gate } from './support/turns.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const Collector = consumer((collect: (message: number) => void) => ({
  handleEvents(_events: readonly number[]) {},
  handleCast: collect,
}))

describe('a busy runtime', () => {
  it('U27 GS-J1 lets timers, promises and other stages have their turn while 100,000 messages wait', async () => {
    const { runtime } = recordedRuntime()
    const { opened: finished, open: finish } = gate()
    const messages = 100_000
    let handled = 0
    /** How many messages had been handled when something else had its turn. */
    const turns: Record<string, number> = {}
    const note = (what: string) => {
      turns[what] ??= handled
    }
    const busy = start(Collector, {
      runtime,
      arg() {
        handled++
        for (let spin = 0; spin < 100; spin++) Math.sqrt(spin) // a handler that does something
        if (handled === messages) finish()
      },
    })
    const other = start(Collector, { runtime, arg: () => note('stage') })
    await Promise.all([busy.ready, other.ready])
    for (let message = 0; message < messages; message++) busy.cast(message)
    other.cast(0)
    setTimeout(() => note('timer'), 1)
    void Promise.resolve().then(() => note('promise'))
    await finished
    expect(Object.keys(turns).toSorted()).toEqual(['promise', 'stage', 'timer'])
    for (const [what, count] of Object.entries(turns)) expect(count, what).toBeLessThan(messages / 4)
  })

  it('U28 keeps its memory flat while a million events go through three stages', async () => {
    const { runtime } = recordedRuntime()
    const total = 1_000_000
    const { opened: finished, open: finish } = gate()
    const heap: number[] = []
    let sum = 0
    let received = 0
    const Numbers = producer(() => {
      let next = 0
      return { handleDemand: (demand: number) => Array.from({ length: Math.min(demand, total - next) }, () => next++) }
    })
    const Objects = producerConsumer(() => ({ handleEvents: (events: readonly number[]) => events.map(value => ({ value })) }))
    const Sum = consumer(() => ({
      handleEvents(events: readonly { readonly value: number }[]) {
        for (const { value } of events) sum += value
        received += events.length
        if (received % 100_000 === 0) {
          collectGarbage()
          heap.push(process.memoryUsage().heapUsed)
        }
        if (received === total) finish()
      },
    }))
    const objects = start(Objects, { runtime, subscribeTo: [start(Numbers, { runtime })] })
    start(Sum, { runtime, subscribeTo: [objects] })
    await finished
    expect(sum).toBe((total * (total - 1)) / 2)
    expect(heap).toHaveLength(10)
    // Two batches of 500 in flight per subscription are about 100 KB
    const growth = Math.max(...heap.slice(1)) - (heap[0] ?? 0)
    expect(growth).toBeLessThan(1_000_000)
  })
})
