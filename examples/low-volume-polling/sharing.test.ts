import { broadcastDispatcher, partitionDispatcher, start } from '@genstage/core'
import type { DispatcherFactory, Partition } from '@genstage/core'
import { forEach, polling } from '@genstage/stages'
import { Simulation } from '@genstage/testing'
import { describe, expect, test } from 'vitest'
import type { Found } from './numbers.ts'
import { expectedIds, found, idsOf, simulate } from './simulated.ts'

const numbers = found('east', ...Array.from({ length: 60 }, (_, n) => n))

/** Shares what one polling producer finds among consumers that take so many milliseconds for each number. */
async function share(paces: readonly number[], dispatcher?: DispatcherFactory<Found>, partitions: readonly Partition[] = []) {
  const simulation = new Simulation()
  const { runtime } = simulation
  const waiting = [...numbers]
  const east = start(
    polling(async () => waiting.shift(), { everyMs: 100 }),
    { runtime, ...(dispatcher && { dispatcher }) },
  )
  const taken = paces.map(() => [] as number[])
  paces.forEach((ms, n) => {
    const take = async ({ number }: Found) => {
      await simulation.delay(ms)
      taken[n]?.push(number)
    }
    const partition = partitions[n]
    const subscription = { to: east, maxDemand: 2, ...(partition !== undefined && { partition }) }
    start(forEach(take), { runtime, subscribeTo: [subscription] })
  })
  await simulation.advance(10_000)
  return taken
}

const all = numbers.map(({ number }) => number)
const ascending = (list: readonly number[] = []) => list.toSorted((a, b) => a - b)

describe('SYS-A5 numbers of one producer', () => {
  test('come to one consumer in their order', async () => {
    expect(await share([10])).toEqual([all])
  })

  test('are shared by several by demand: the faster one gets more, each number goes to one', async () => {
    const [fast = [], slow = []] = await share([10, 40])
    expect(ascending([...fast, ...slow])).toEqual(all)
    expect(fast.length).toBeGreaterThan(2 * slow.length)
    expect(slow.length).toBeGreaterThan(5)
  })

  test('come to everyone in a broadcast', async () => {
    expect(await share([10, 20, 30], broadcastDispatcher())).toEqual([all, all, all])
  })

  test('are parted by a key: each key to one consumer, in order', async () => {
    const byRest = partitionDispatcher<Found>({ partitions: 3, hash: ({ number }) => number % 3 })
    const parts = [0, 1, 2].map(rest => all.filter(number => number % 3 === rest))
    expect(await share([10, 20, 30], byRest, [0, 1, 2])).toEqual(parts)
  })
})

describe('SYS-A5 in the pipeline', () => {
  test('a number always goes to the same worker, which keeps the order of its numbers', async () => {
    const { simulation, waiting, shown } = simulate()
    const again = [...numbers, ...numbers].map(({ number }, n) => ({ id: `east-${n}`, number: number % 10 }))
    waiting.east.push(...again)
    await simulation.advance(10_000)
    expect(shown).toHaveLength(120)
    for (const { number, worker } of shown) expect(worker).toBe(`worker-${number % 2}`)
    expect(shown.filter(({ isRemembered }) => !isRemembered)).toHaveLength(10)
    for (const rest of [0, 1]) {
      const ids = (list: readonly Found[]) => list.filter(({ number }) => number % 2 === rest).map(({ id }) => id)
      expect(ids(shown)).toEqual(ids(again))
    }
  })

  test('the file, the API and the screen get each root, the posters share them', async () => {
    const { simulation, runtime, waiting, shown, written, posted, drain } = simulate({ postMs: 50 })
    waiting.east.push(...numbers)
    waiting.west.push(...found('west', 4, -4, 9))
    await simulation.advance(20_000)
    const names = new Map(runtime.topology().stages.map(({ id, name }) => [id, name]))
    const shares = runtime.topology().edges.filter(({ producer }) => names.get(producer) === 'posts')
    expect(shares.map(({ delivered }) => delivered > 2)).toEqual([true, true])
    await drain()
    const ids = expectedIds(numbers, found('west', 4, -4, 9))
    for (const roots of [shown, written.flat(), posted.flat()]) expect(idsOf(roots)).toEqual(ids)
  })
})
