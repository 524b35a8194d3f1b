import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ChildDemand } from '../../../src/supervision/child-demand.ts'

/** Arrivals and ends as they may come, and what is asked for after each. */
function asks(max: number, min: number, steps: readonly number[]): readonly number[] {
  const demand = new ChildDemand(max, min)
  const asked = [demand.request()]
  for (const step of steps) {
    if (step > 0) {
      demand.arrive(step)
      demand.running += step
    } else demand.running += step
    asked.push(demand.request())
  }
  return asked
}

describe('ChildDemand', () => {
  it('X15 T167 with max 3, min 2 asks for one at each end', () => {
    expect(asks(3, 2, [3, -1, -1, 2, -1])).toEqual([3, 0, 1, 1, 0, 1])
  })

  it('X15 T168 with max 3, min 0 asks when all have ended, for what has not been asked for', () => {
    expect(asks(3, 0, [2, -1, -1, 1, -1, 2])).toEqual([3, 0, 0, 2, 0, 1, 0])
  })

  it('X15 with max 10, min 9 asks for one at each end, where the reference let concurrency fall to one', () => {
    expect(asks(10, 9, [10, -1, 1, -1, 1])).toEqual([10, 0, 1, 0, 1, 0])
  })

  it('X15 with max 10, min 2 asks in groups of eight', () => {
    expect(asks(10, 2, [10, -7, -1, 8, -1])).toEqual([10, 0, 0, 8, 0, 0])
  })

  it('GS-V6 asks again at once for events that left no child', () => {
    const demand = new ChildDemand(4, 3)
    demand.request()
    expect(demand.arrive(4)).toBe(0)
    demand.running += 1
    expect(demand.request()).toBe(3)
  })

  it('GS-V18 counts what nobody asked for, and asks for less by it', () => {
    const demand = new ChildDemand(3, 2)
    demand.request()
    expect(demand.arrive(5)).toBe(2)
    demand.running += 5
    expect([demand.pending, demand.request()]).toEqual([0, 0])
    demand.running -= 3
    expect(demand.request()).toBe(1)
  })

  it('X15 never has more than max running and on their way, and never forgets to ask', () => {
    const limits = fc.integer({ min: 1, max: 20 }).chain(max => fc.record({ max: fc.constant(max), min: fc.nat(max - 1) }))
    const steps = fc.array(fc.record({ arrives: fc.boolean(), share: fc.nat(100) }), { maxLength: 60 })
    fc.assert(
      fc.property(limits, steps, ({ max, min }, plan) => {
        const demand = new ChildDemand(max, min)
        let asked = demand.request()
        let arrived = 0
        expect(asked).toBe(max)
        for (const { arrives, share } of plan) {
          const most = arrives ? demand.pending : demand.running
          const count = Math.ceil((most * share) / 100)
          if (arrives) expect(demand.arrive(count)).toBe(0)
          demand.running += arrives ? count : -count
          arrived += arrives ? count : 0
          asked += demand.request()
          expect(demand.pending).toBe(asked - arrived)
          expect(demand.running + demand.pending).toBeLessThanOrEqual(max)
          if (demand.running <= min) expect(demand.running + demand.pending).toBe(max)
        }
      }),
      { numRuns: 1_000 },
    )
  })
})
