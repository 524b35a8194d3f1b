/**
 * Ten million events from a producer that is as fast as it is asked, through a consumer that waits for each batch, in a heap that
 * could not hold them. Prints a line per second, and at the end the peak of the heap.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { consumer, producer, start } from '@genstage/core'

interface Reading {
  readonly id: number
  readonly text: string
}

const count = 10_000_000
const bytesPerMb = 1024 * 1024

const Readings = producer((total: number) => {
  let next = 0
  return {
    handleDemand(demand) {
      const length = Math.min(demand, total - next)
      return Array.from({ length }, (): Reading => ({ id: next, text: `reading ${next++}` }))
    },
  }
})

class Account {
  readonly complete: Promise<void>
  seen = 0
  sum = 0
  #end = () => {}

  constructor() {
    this.complete = new Promise(resolve => (this.#end = resolve))
  }

  add(readings: readonly Reading[]): void {
    for (const { id } of readings) this.sum += id
    this.seen += readings.length
    if (this.seen === count) this.#end()
  }
}

const Slow = consumer((account: Account) => ({
  async handleEvents(readings: readonly Reading[]) {
    await sleep(1)
    account.add(readings)
  },
}))

const account = new Account()
const heapMb = () => process.memoryUsage().heapUsed / bytesPerMb
globalThis.gc?.()
const before = heapMb()
let peak = before
const sampling = setInterval(() => (peak = Math.max(peak, heapMb())), 10)
const begun = performance.now()
const seconds = () => ((performance.now() - begun) / 1000).toFixed(0)
const progress = setInterval(() => {
  console.log(
    `${seconds().padStart(3)} s  ${(account.seen / 1e6).toFixed(1).padStart(4)} million events, peak heap ${peak.toFixed(1)} MB`,
  )
}, 1_000)

const readings = start(Readings, { arg: count })
const slow = start(Slow, { arg: account, subscribeTo: [readings] })
await account.complete
await slow.stop()
await readings.stop()
clearInterval(sampling)
clearInterval(progress)

const expected = (count * (count - 1)) / 2
if (account.sum !== expected) throw new Error(`wrong checksum after ${count} events: ${account.sum} instead of ${expected}`)
console.log(`10,000,000 events in ${seconds()} s; heap before ${before.toFixed(1)} MB, at its peak ${peak.toFixed(1)} MB`)
