import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BucketBudget, type RateBudget, WindowBudget } from '../../../src/dispatchers/rate-budget.ts'

interface Passed {
  readonly at: number
  readonly count: number
}

interface Step {
  readonly wait: number
  readonly want: number
}

const steps = (wait: fc.Arbitrary<number>): fc.Arbitrary<readonly Step[]> =>
  fc.array(fc.record({ wait, want: fc.integer({ min: 1, max: 12 }) }), { maxLength: 60, size: 'max' })

/** Takes as much as is wanted and available, after each wait. */
function play(budget: RateBudget, script: readonly Step[]): readonly Passed[] {
  const passed: Passed[] = []
  let now = 0
  for (const { wait, want } of script) {
    now += wait
    const count = Math.min(want, budget.available(now))
    if (count > 0) budget.spend(count, now)
    passed.push({ at: now, count })
  }
  return passed
}

/** How many passed from the first to the last of them. */
function countOf(passed: readonly Passed[]): number {
  return passed.reduce((sum, { count }) => sum + count, 0)
}

const events = fc.integer({ min: 1, max: 9 })
const perMs = fc.integer({ min: 1, max: 50 })
const wholeWaits = steps(fc.integer({ min: 0, max: 20 }))
const anyWaits = steps(fc.double({ min: 0, max: 20, noNaN: true }))

describe('WindowBudget', () => {
  it('lets at most its events pass in any stretch of its time', () => {
    fc.assert(
      fc.property(events, perMs, fc.oneof(wholeWaits, anyWaits), (most, ms, script) => {
        const passed = play(new WindowBudget(most, ms), script)
        for (const { at } of passed) {
          const stretch = passed.filter(other => other.at >= at && other.at < at + ms)
          expect(countOf(stretch)).toBeLessThanOrEqual(most)
        }
      }),
    )
  })

  it('wastes nothing: all of them may pass at once, and again exactly its time later', () => {
    const budget = new WindowBudget(5, 100)
    budget.spend(5, 10)
    expect(budget.available(109.999)).toBe(0)
    expect(budget.moreAt(3, 50)).toBe(110)
    expect(budget.available(110)).toBe(5)
    expect(budget.moreAt(5, 110)).toBeUndefined()
    expect(budget.moreAt(6, 110)).toBeUndefined()
  })

  it('gives back in the order of passing', () => {
    const budget = new WindowBudget(5, 100)
    budget.spend(2, 0)
    budget.spend(2, 30)
    budget.spend(1, 30)
    expect([budget.available(99), budget.available(100), budget.available(129), budget.available(130)]).toEqual([0, 2, 2, 5])
  })
})

describe('BucketBudget', () => {
  it('lets at most burst + w · events / perMs pass in any stretch of w', () => {
    fc.assert(
      fc.property(events, perMs, events, wholeWaits, (rate, ms, burst, script) => {
        const passed = play(new BucketBudget(rate, ms, burst), script)
        for (let from = 0; from < passed.length; from++) {
          for (let to = from; to < passed.length; to++) {
            const width = (passed[to]?.at ?? 0) - (passed[from]?.at ?? 0)
            const count = countOf(passed.slice(from, to + 1))
            // In whole numbers: no rounding can hide anything
            expect(count * ms).toBeLessThanOrEqual(burst * ms + width * rate)
          }
        }
      }),
    )
  })

  it('wastes nothing: when more is said to come, it is there, and not before', () => {
    const rates = fc.record({ rate: events, ms: fc.double({ min: 0.1, max: 50, noNaN: true }), burst: events })
    fc.assert(
      fc.property(rates, anyWaits, ({ rate, ms, burst }, script) => {
        const budget = new BucketBudget(rate, ms, burst)
        let now = 0
        for (const { wait, want } of script) {
          now += wait
          const available = budget.available(now)
          const at = budget.moreAt(want, now)
          if (available >= Math.min(want, burst)) expect(at).toBeUndefined()
          else {
            expect(at).toBeGreaterThan(now)
            expect(budget.available(at ?? now)).toBeGreaterThanOrEqual(available === 0 ? 1 : Math.min(want, burst))
            expect(budget.available((at ?? now) - 1e-6)).toBeLessThan(available === 0 ? 1 : Math.min(want, burst))
          }
          budget.spend(Math.min(want, available), now)
        }
      }),
    )
  })

  it('spaces events evenly with a burst of 1', () => {
    const budget = new BucketBudget(3, 1_000, 1)
    const times: number[] = []
    for (let now = 0; times.length < 7; now = budget.moreAt(1, now) ?? now) {
      budget.spend(1, now)
      times.push(Math.round(now))
    }
    expect(times).toEqual([0, 333, 667, 1_000, 1_333, 1_667, 2_000])
  })

  it('fills up to the burst and no further', () => {
    const budget = new BucketBudget(1, 10, 3)
    budget.spend(3, 0)
    expect([budget.available(5), budget.available(10), budget.available(29), budget.available(1_000)]).toEqual([0, 1, 2, 3])
    budget.spend(3, 1_005)
    expect(budget.available(1_010)).toBe(0)
    expect(budget.available(1_015)).toBe(1)
  })
})
