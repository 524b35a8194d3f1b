import { start } from '@genstage/core'
import { Simulation } from '@genstage/testing'
import { describe, expect, test } from 'vitest'
import { Accidents } from './accidents.ts'
import { Bank } from './bank.ts'
import { payingIn } from './pipeline.ts'
import { watch } from './watch.ts'

/** Books payments in virtual time, until all are booked or an hour has passed. */
async function paying(payments: number, crashes: number, seed: number, redeliver = true) {
  const simulation = new Simulation({ seed })
  const { runtime } = simulation
  const bank = new Bank(payments)
  const accidents = new Accidents(crashes, seed)
  const observed = watch(runtime)
  const root = start(payingIn({ bank, accidents }, { redeliver }), { runtime })
  for (let ms = 0; bank.booked < payments && ms < 3_600_000; ms += 10) await simulation.advance(10)
  const took = simulation.clock.now()
  void root.stop()
  await simulation.run()
  return { simulation, bank, accidents, observed, took }
}

describe('paying in', () => {
  test.each([1, 2, 3, 4, 5])('books everything, however often the stages crash: accidents %i', async seed => {
    const { simulation, bank, accidents, observed } = await paying(3_000, 0.05, seed)
    expect(bank.booked).toBe(3_000)
    expect(bank.differences()).toEqual({ missing: 0, wrong: 0 })
    expect(accidents.count).toBeGreaterThan(10)
    expect(observed.redelivered).toBeGreaterThan(0)
    expect(simulation.uncaught).toEqual([])
    expect(simulation.runtime.topology().stages).toEqual([])
  })

  test('starts a stage again for each crash', async () => {
    const { accidents, observed } = await paying(3_000, 0.05, 1)
    const restarts = [...observed.restarts.values()].reduce((sum, count) => sum + count, 0)
    expect(restarts).toBe(accidents.count)
  })

  test('without crashes books everything once', async () => {
    const { bank, observed } = await paying(3_000, 0, 1)
    expect(bank.differences()).toEqual({ missing: 0, wrong: 0 })
    expect({ twice: bank.bookedTwice, repeated: bank.repeated, ...observed }).toEqual({
      twice: 0,
      repeated: 0,
      restarts: new Map(),
      redelivered: 0,
      discarded: 0,
    })
  })

  test('without redelivery the bank has to bring more again', async () => {
    const [given, kept] = [await paying(3_000, 0.05, 1), await paying(3_000, 0.05, 1, false)]
    expect(kept.bank.differences()).toEqual({ missing: 0, wrong: 0 })
    expect(kept.observed.discarded).toBeGreaterThan(given.observed.discarded)
    expect(kept.bank.repeated).toBeGreaterThan(given.bank.repeated)
  })
})
