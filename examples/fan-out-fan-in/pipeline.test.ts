import { createRuntime } from '@genstage/core'
import type { Clock, Logger } from '@genstage/core'
import { afterEach, describe, expect, test } from 'vitest'
import { flows } from '../shared/picture.ts'
import { ordersOf, shops } from './orders.ts'
import type { Shop } from './orders.ts'
import { startSelling } from './pipeline.ts'
import { plainSummary, totalOf } from './summary.ts'

const logger: Logger = { debug() {}, info() {}, warn() {}, error() {} }
let runtime = createRuntime({ logger })

afterEach(async () => {
  await runtime.stop()
  runtime = createRuntime({ logger })
})

const allOrders = (count: number, seed: number) => shops.flatMap(shop => [...ordersOf(shop, count, seed)])
const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0)

/** The events between stages whose names begin so. */
function eventsBetween(from: string, to: string): number[] {
  const between = flows(runtime.topology()).filter(flow => flow.from.startsWith(from) && flow.to.startsWith(to))
  return between.map(flow => flow.events)
}

/** Sells up to `limit` orders in each shop, and counts how many have been made. */
function counted(limit: number): { readonly of: (shop: Shop) => Iterator<(typeof orders)[number]>; made: number } {
  const orders = allOrders(limit, 1)
  const counter = {
    made: 0,
    *of(shop: Shop) {
      for (const order of orders.filter(each => each.shop === shop)) {
        counter.made++
        yield order
      }
    },
  }
  return counter
}

describe('selling', () => {
  test.each([1, 2, 3])('finds what a plain loop finds: orders %#', async seed => {
    const selling = await startSelling(runtime, shop => ordersOf(shop, 1_000, seed))
    expect(await selling.summary).toEqual(plainSummary(allOrders(1_000, seed)))
  })

  test('needs the order of each customer: without it the prices are others', () => {
    const orders = allOrders(1_000, 1)
    expect(totalOf(plainSummary(orders.toReversed())).revenue).not.toBe(totalOf(plainSummary(orders)).revenue)
  })

  test('brings each order by key to one desk, to packing and by selector to the review, by demand to one packer', async () => {
    const selling = await startSelling(runtime, shop => ordersOf(shop, 1_000, 1))
    const { doubtful } = totalOf(await selling.summary)
    expect(doubtful).toBeGreaterThan(0)

    expect(eventsBetween('berlin', 'desk')).toHaveLength(3)
    expect(Math.min(...eventsBetween('berlin', 'desk'))).toBeGreaterThan(200)
    expect(sum(eventsBetween('berlin', 'desk'))).toBe(1_000)
    expect(sum(eventsBetween('desk', 'packing'))).toBe(3_000)
    expect(sum(eventsBetween('desk', 'review'))).toBe(doubtful)
    expect(sum(eventsBetween('packing', 'packer'))).toBe(3_000)
    expect(sum(eventsBetween('packer', 'report'))).toBe(3_000)
    expect(sum(eventsBetween('review', 'report'))).toBe(doubtful)
  })

  test('gives more to the quicker packers', async () => {
    const selling = await startSelling(runtime, shop => ordersOf(shop, 3_000, 1))
    await selling.summary
    const [quick = 0, , slow = 0] = eventsBetween('packing', 'packer')
    expect(quick).toBeGreaterThan(slow)
  })

  test('makes no more orders than the packers can take', async () => {
    const clock: Clock = { now: () => 0, wallTime: () => 0, setTimer: () => ({ [Symbol.dispose]() {} }) }
    const standing = createRuntime({ logger, clock })
    const orders = counted(100_000)
    await startSelling(standing, orders.of)
    await expect.poll(() => orders.made).toBeGreaterThan(500)
    const made = orders.made
    await new Promise(resolve => setTimeout(resolve, 50))
    expect(orders.made).toBe(made)
    expect(made).toBeLessThan(2_500)
  })

  test('may close early: what has been made is finished', async () => {
    const orders = counted(100_000)
    const selling = await startSelling(runtime, orders.of)
    await expect.poll(() => orders.made).toBeGreaterThan(1_000)
    selling.close()
    expect(totalOf(await selling.summary).parcels).toBe(orders.made)
  })

  test('fails if a stage fails, and ends all others', async () => {
    const selling = await startSelling(runtime, function* (shop) {
      yield* ordersOf(shop, 500, 1)
      if (shop === 'paris') throw new Error('the till is jammed')
    })
    await expect(selling.summary).rejects.toMatchObject({ reason: { type: 'error', error: { message: 'the till is jammed' } } })
    await expect.poll(() => runtime.topology().stages).toEqual([])
  })
})
