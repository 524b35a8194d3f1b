import { broadcastDispatcher, consumer, producer, start } from '@genstage/core'
import { probeConsumer, probeProducer, Simulation } from '@genstage/testing'
import { describe, expect, test } from 'vitest'
import type { Found } from './numbers.ts'
import { found } from './simulated.ts'
import { Worker } from './worker.ts'
import type { Worked } from './worker.ts'

/** A worker with numbers at hand, and how often it took a root. */
function working(readers: number) {
  const simulation = new Simulation()
  const { runtime } = simulation
  const taken: number[] = []
  const process = async (number: number) => {
    taken.push(number)
    await simulation.delay(10)
    return Math.sqrt(number)
  }
  const numbers = probeProducer<Found>()
  const source = start(numbers.definition, { runtime })
  const worker = start(Worker, {
    runtime,
    name: 'worker',
    arg: { process, readers, atOnce: 2 },
    dispatcher: broadcastDispatcher(),
    subscribeTo: [{ to: source, cancel: 'temporary' }],
  })
  const read = () => {
    const probe = probeConsumer<Worked>()
    const ref = start(probe.definition, { runtime, subscribeTo: [{ to: worker, maxDemand: 10 }] })
    return { ref, ids: () => probe.events.map(({ id }) => id) }
  }
  return { simulation, taken, source, demands: numbers.demands, worker, read }
}

describe('a worker', () => {
  test('SYS-A1 is a stage between a producer and a consumer; each has a state of its own', async () => {
    const simulation = new Simulation()
    const { runtime } = simulation
    const Counter = producer((first: number) => {
      let next = first
      return { handleDemand: demand => found('n', ...Array.from({ length: demand }, () => next++ % 5)) }
    })
    const Sum = consumer((limit: number, ctx) => {
      let [sum, count] = [0, 0]
      return {
        handleEvents(roots: readonly Worked[]) {
          for (const { root } of roots) if (count < limit) [sum, count] = [sum + root ** 2, count + 1]
          if (count === limit) ctx.stop({ type: 'shutdown', detail: sum })
        },
      }
    })
    const taken: Record<string, number[]> = { one: [], two: [] }
    const chains = Object.entries(taken).map(([name, own], n) => {
      const process = async (number: number) => Math.sqrt(own[own.push(number) - 1] ?? NaN)
      const counter = start(Counter, { runtime, arg: n })
      const worker = start(Worker, { runtime, name, arg: { process, readers: 1, atOnce: 2 }, subscribeTo: [counter] })
      return start(Sum, { runtime, arg: 10, subscribeTo: [{ to: worker, maxDemand: 4 }] })
    })
    const sums = Promise.all(chains.map(sum => sum.exited))
    await simulation.run()
    // Twice from 0 to 4, in both chains: but each began elsewhere, and took each root itself, once.
    expect(await sums).toMatchObject([{ detail: expect.closeTo(20) }, { detail: expect.closeTo(20) }])
    expect(taken).toEqual({ one: [0, 1, 2, 3, 4], two: [1, 2, 3, 4, 0] })
  })

  test('SYS-A7 asks for few: for two at the beginning, and again for one when one is done', async () => {
    const { simulation, demands, source, read } = working(1)
    read()
    await simulation.settle()
    expect(demands).toEqual([2])
    source.cast(found('n', 1))
    await simulation.run()
    expect(demands).toEqual([2, 1])
    source.cast(found('n', 2, 3))
    await simulation.run()
    expect(demands).toEqual([2, 1, 2])
  })

  test('remembers what it has done, one number after the other', async () => {
    const { simulation, taken, source, read } = working(1)
    read()
    source.cast(found('n', 4, 4, 9, 4))
    await simulation.run()
    expect(taken).toEqual([4, 9])
  })

  test('SYS-A5 asks for nothing until all of its readers are there: each gets everything', async () => {
    const { simulation, taken, source, read } = working(3)
    const readers = [read(), read()]
    source.cast(found('n', 1, 2, 3))
    await simulation.run()
    expect(taken).toEqual([])
    readers.push(read())
    await simulation.run()
    expect(readers.map(reader => reader.ids())).toEqual(Array.from({ length: 3 }, () => ['n-1', 'n-2', 'n-3']))
  })

  test('SYS-A9 waits while a reader is away, and then goes on', async () => {
    const { simulation, taken, source, read } = working(2)
    const [reader, other] = [read(), read()]
    await simulation.settle()
    void other.ref.kill()
    void other.ref.exited
    await simulation.run()
    source.cast(found('n', 1, 2, 3, 4, 5))
    await simulation.run()
    // It had asked for two before.
    expect(taken).toEqual([1, 2])
    const another = read()
    await simulation.run()
    expect(taken).toEqual([1, 2, 3, 4, 5])
    expect(reader.ids()).toEqual(['n-1', 'n-2', 'n-3', 'n-4', 'n-5'])
    expect(another.ids()).toEqual(['n-3', 'n-4', 'n-5'])
  })
})
