import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { Account, ConsumerDemand } from '../../src/demand.ts'

// Thousands of steps take their time on a busy machine
vi.setConfig({ testTimeout: 30_000 })

/** GS-Q2, word by word. */
function cutByTheRule(count: number, min: number, max: number, before: number): object {
  const chunk = max - min
  const cuts: { size: number; ask: number }[] = []
  const excess: number[] = []
  let left = before
  let demand = before
  for (let rest = count; rest > 0; rest -= chunk) {
    const c = Math.min(chunk, rest)
    let counted: number
    if (left - c < 0) {
      excess.push(c - left)
      counted = left
      left = 0
    } else {
      counted = c
      left -= c
    }
    demand -= counted
    let ask = 0
    if (demand <= min) {
      ask = max - demand
      demand = max
    }
    cuts.push({ size: c, ask })
  }
  return { cuts, excess, demand }
}

const limits = fc.integer({ min: 1, max: 60 }).chain(max => fc.record({ max: fc.constant(max), min: fc.nat(max - 1) }))
const messages = fc.array(fc.nat(150), { maxLength: 30, size: 'max' })

describe('ConsumerDemand', () => {
  it('GS-Q2 GS-Q6 cuts every message as the rule says, also when more comes than was asked for', () => {
    fc.assert(
      fc.property(limits, messages, ({ max, min }, counts) => {
        const demand = new ConsumerDemand(max, min)
        for (const count of counts) {
          const expected = cutByTheRule(count, min, max, demand.pending)
          const { cuts, excess } = demand.cut(count)
          expect({ cuts, excess, demand: demand.pending }).toEqual(expected)
        }
      }),
      { numRuns: 1_000 },
    )
  })

  it('U7 GS-Q10 has min < demand <= max after each message, loses no event, and makes no batch above max - min', () => {
    fc.assert(
      fc.property(limits, messages, ({ max, min }, counts) => {
        const demand = new ConsumerDemand(max, min)
        for (const count of counts) {
          const { cuts } = demand.cut(count)
          expect(cuts.reduce((sum, cut) => sum + cut.size, 0)).toBe(count)
          expect(cuts.every(cut => cut.size > 0 && cut.size <= max - min)).toBe(true)
          expect(demand.pending).toBeGreaterThan(min)
          expect(demand.pending).toBeLessThanOrEqual(max)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('GS-Q10 U1 keeps asked minus received equal to demand with a producer that sends no more than was asked, who is never in excess', () => {
    fc.assert(
      fc.property(limits, messages, ({ max, min }, wishes) => {
        const demand = new ConsumerDemand(max, min)
        let asked = max
        let sent = 0
        for (const wish of wishes) {
          const count = Math.min(wish, asked - sent)
          sent += count
          const { cuts, excess } = demand.cut(count)
          expect(excess).toEqual([])
          for (const cut of cuts) asked += cut.ask
          expect(asked - sent).toBe(demand.pending)
        }
      }),
      { numRuns: 500 },
    )
  })
})

describe('Account', () => {
  it('U5 X1 never asks twice for one unit: what was requested is what was asked minus what was answered', () => {
    const steps = fc.array(fc.record({ allowance: fc.nat(30), answered: fc.nat(12) }), { maxLength: 40, size: 'max' })
    fc.assert(
      fc.property(steps, script => {
        const account = new Account()
        let requested = 0
        for (const { allowance, answered } of script) {
          const up = account.request(allowance)
          expect(up).toBe(Math.max(0, allowance - requested))
          requested += up
          expect(account.requested).toBe(requested)
          account.answer(answered)
          requested = Math.max(0, requested - answered)
          expect(account.requested).toBe(requested)
        }
      }),
      { numRuns: 300 },
    )
  })
})
