import { start } from '@genstage/core'
import { polling } from '@genstage/stages'
import { probeConsumer, Simulation } from '@genstage/testing'
import { describe, expect, test } from 'vitest'
import type { Found } from './numbers.ts'
import { Desk, tableRate } from './pipeline.ts'
import { everyMs, found, idsOf, simulate } from './simulated.ts'

/** Work that does not end. */
const never = () => new Promise<never>(() => {})

/** The most of these times that lie within any stretch of `perMs`. */
function mostWithin(perMs: number, times: readonly number[]): number {
  return Math.max(0, ...times.map(from => times.filter(time => time >= from && time < from + perMs).length))
}

describe('SYS-A2 a polling producer', () => {
  test('asks every two seconds, and takes all that is there', async () => {
    const { simulation, waiting, asked, shown } = simulate({ fetchMs: 0 })
    await simulation.advance(5_000)
    expect(asked.east).toEqual([0, everyMs, 2 * everyMs])
    waiting.east.push(...found('east', 1, 2, 3))
    await simulation.advance(2_000)
    // Three answers with a number, at once, and one without.
    expect(asked.east.slice(3)).toEqual([6_000, 6_000, 6_000, 6_000])
    expect(idsOf(shown)).toEqual(['east-1', 'east-2', 'east-3'])
  })

  test('emits a number when it comes, for a demand of long ago', async () => {
    const { simulation, runtime, waiting, shown } = simulate()
    const asks: number[] = []
    runtime.telemetry.on('asked', ({ name, at, demand }) => name === 'west' && asks.push(at, demand))
    await simulation.advance(60_000)
    expect(asks).toEqual([0, 4])
    waiting.west.push(...found('west', 25))
    await simulation.advance(everyMs)
    expect(shown).toMatchObject([{ id: 'west-1', root: 5 }])
    expect(asks).toEqual([0, 4])
  })

  test('takes what nobody has asked for from nobody: it waits where it is', async () => {
    const { simulation, runtime, waiting, asked } = simulate({ outside: { process: never } })
    waiting.east.push(...found('east', ...Array.from({ length: 100 }, () => 2)))
    await simulation.advance(60_000)
    const [left, calls] = [waiting.east.length, asked.east.length]
    expect(left).toBeGreaterThan(85)
    await simulation.advance(600_000)
    expect([waiting.east.length, asked.east.length]).toEqual([left, calls])
    // What comes without being asked for is kept by its producer.
    const desk = runtime.whereis(Desk)
    desk?.cast(found('desk', 1, 2, 3, 4, 5, 6))
    const kept = desk?.call([])
    await simulation.settle()
    expect(await kept).toBeGreaterThan(0)
  })
})

describe('SYS-A3 demand that cannot be met', () => {
  test('is remembered, that of several consumers together', async () => {
    const simulation = new Simulation()
    const { runtime } = simulation
    const waiting: Found[] = []
    const east = start(
      polling(async () => waiting.shift(), { everyMs }),
      { runtime },
    )
    const consumers = [1, 2].map(() => probeConsumer<Found>({ mode: 'manual' }))
    for (const { definition } of consumers) start(definition, { runtime, subscribeTo: [east] })
    await simulation.settle()
    consumers.forEach(({ subscriptions }, n) => subscriptions[0]?.ask(n + 2))
    await simulation.advance(60_000)
    const counts = () => consumers.map(({ events }) => events.length)
    for (const number of [1, 2, 3, 4, 5, 6, 7]) {
      waiting.push(...found('east', number))
      await simulation.advance(everyMs)
    }
    expect(counts()).toEqual([2, 3])
    expect(waiting).toHaveLength(2)
    expect(simulation.timers).toBe(0)
  })
})

describe('SYS-A4', () => {
  test('the table gives its rows at a limited rate, asked by one query for several', async () => {
    const claims: number[] = []
    const { simulation, runtime, waiting, shown } = simulate({
      outside: {
        async claimRows(limit) {
          const rows = waiting.table.splice(0, limit)
          claims.push(...rows.map(() => simulation.clock.now()))
          return rows
        },
      },
    })
    waiting.table.push(...found('table', ...Array.from({ length: 40 }, (_, n) => n)))
    const left: number[] = []
    runtime.telemetry.on('dispatched', ({ name, at, count }) => {
      if (name === 'table') left.push(...Array.from({ length: count }, () => at))
    })
    await simulation.advance(9_990)
    expect(shown).toHaveLength(40)
    // Rows are not even claimed before their time.
    for (const times of [claims, left]) expect(mostWithin(tableRate.perMs, times)).toBe(tableRate.events)
    expect(new Set(claims).size).toBeLessThan(40)
  })

  test('the table is asked again at once after a full answer, and later after another', async () => {
    const { simulation, waiting, asked } = simulate({ fetchMs: 0 })
    waiting.table.push(...found('table', 1, 2, 3, 4, 5, 6))
    await simulation.advance(3_500)
    // Four rows; two more, as soon as the rate allows; and then nothing for a while.
    expect(asked.table).toEqual([0, tableRate.perMs, tableRate.perMs + everyMs])
  })

  test('the desk keeps a burst until somebody asks for it, and its order', async () => {
    const { simulation, runtime, shown } = simulate()
    await simulation.settle()
    const numbers = found('desk', ...Array.from({ length: 60 }, (_, n) => n))
    runtime.whereis(Desk)?.cast(numbers)
    await simulation.advance(5_000)
    const [even, odd] = [0, 1].map(rest => shown.filter(({ number }) => number % 2 === rest).map(({ number }) => number))
    expect(shown).toHaveLength(60)
    expect(even).toEqual(even?.toSorted((a, b) => a - b))
    expect(odd).toEqual(odd?.toSorted((a, b) => a - b))
  })

  test('the desk tells what finds no room', async () => {
    const { simulation, runtime, shown } = simulate()
    const lost: unknown[] = []
    runtime.telemetry.on('discarded', ({ reason, events }) => lost.push(reason, ...events))
    await simulation.settle()
    const numbers = found('desk', ...Array.from({ length: 110 }, (_, n) => n))
    runtime.whereis(Desk)?.cast(numbers)
    await simulation.advance(5_000)
    // 4 were wanted, 100 found room: the last ones did not.
    expect(lost).toEqual(['source_overflow', ...numbers.slice(104)])
    expect(idsOf(shown)).toEqual(idsOf(numbers.slice(0, 104)))
  })
})
