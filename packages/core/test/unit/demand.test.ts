import { describe, expect, it } from 'vitest'
import { Account, addDemand, ConsumerDemand } from '../../src/demand.ts'

function demandOf(max: number, min: number, pending: number): ConsumerDemand {
  const demand = new ConsumerDemand(max, min)
  demand.pending = pending
  return demand
}

const cuts = (...sizesAndAsks: readonly (readonly [size: number, ask: number])[]): object[] =>
  sizesAndAsks.map(([size, ask]) => ({ size, ask }))

const times = <T>(count: number, item: T): T[] => Array.from({ length: count }, () => item)

describe('ConsumerDemand', () => {
  it('GS-Q1 begins with everything asked for', () => {
    expect(new ConsumerDemand(1_000, 500).pending).toBe(1_000)
    expect(new ConsumerDemand(1_000, 500).chunk).toBe(500)
  })

  // The table of the worked vectors: events in the message, min, max, demand before, demand after, batches as size and ask
  it.each([
    { count: 1_000, min: 500, max: 1_000, before: 1_000, after: 1_000, expected: cuts([500, 500], [500, 500]) },
    { count: 100, min: 750, max: 1_000, before: 1_000, after: 900, expected: cuts([100, 0]) },
    { count: 100, min: 750, max: 1_000, before: 900, after: 800, expected: cuts([100, 0]) },
    { count: 100, min: 750, max: 1_000, before: 800, after: 1_000, expected: cuts([100, 300]) },
    { count: 100, min: 80, max: 100, before: 100, after: 100, expected: cuts(...times(5, [20, 20] as const)) },
    { count: 100, min: 20, max: 100, before: 100, after: 80, expected: cuts([80, 80], [20, 0]) },
    { count: 1, min: 0, max: 1, before: 1, after: 1, expected: cuts([1, 1]) },
    { count: 3, min: 0, max: 3, before: 3, after: 3, expected: cuts([3, 3]) },
    { count: 10, min: 0, max: 10, before: 10, after: 10, expected: cuts([10, 10]) },
    { count: 10, min: 5, max: 10, before: 10, after: 10, expected: cuts([5, 5], [5, 5]) },
    { count: 10, min: 9, max: 10, before: 10, after: 10, expected: cuts(...times(10, [1, 1] as const)) },
    { count: 7, min: 2, max: 10, before: 10, after: 3, expected: cuts([7, 0]) },
    { count: 0, min: 5, max: 10, before: 10, after: 10, expected: [] },
  ])('GS-Q2 cuts $count events with min $min, max $max and $before asked for, which leaves $after', vector => {
    const demand = demandOf(vector.max, vector.min, vector.before)
    expect(demand.cut(vector.count)).toEqual({ cuts: vector.expected, excess: [] })
    expect(demand.pending).toBe(vector.after)
  })

  it('GS-Q2 GS-Q6 delivers 9 events where 4 were asked for, tells of 2, 2 and 1 too many, and does not count them', () => {
    const demand = demandOf(4, 2, 4)
    expect(demand.cut(9)).toEqual({ cuts: cuts([2, 2], [2, 2], [2, 0], [2, 0], [1, 0]), excess: [2, 2, 1] })
    expect(demand.pending).toBe(4)
  })

  it('GS-Q6 counts the part of a batch that was asked for', () => {
    const demand = demandOf(10, 5, 6)
    expect(demand.cut(10)).toEqual({ cuts: cuts([5, 9], [5, 0]), excess: [4] })
    expect(demand.pending).toBe(9)
  })

  it('GS-Q5 does not align batches to the moment when demand reaches min: 800 asked for, 100 events are one batch and one ask of 300', () => {
    const demand = demandOf(1_000, 750, 800)
    expect(demand.cut(100).cuts).toEqual(cuts([100, 300]))
  })

  it('GS-Q3 has counted the whole message when the first batch is handled', () => {
    const demand = demandOf(100, 20, 100)
    expect(demand.cut(100).cuts).toHaveLength(2)
    expect(demand.pending).toBe(80)
  })

  it('GS-Q7 makes no batch of an empty message', () => {
    expect(demandOf(10, 5, 10).cut(0)).toEqual({ cuts: [], excess: [] })
  })

  it('GS-Q10 counts one batch at a time the same way', () => {
    const demand = new ConsumerDemand(100, 20)
    expect([demand.count(80), demand.pending]).toEqual([80, 100])
    expect([demand.count(20), demand.pending]).toEqual([0, 80])
    expect([demand.count(59), demand.pending]).toEqual([0, 21])
    expect([demand.count(1), demand.pending]).toEqual([80, 100])
  })

  it('INV-3 counts the largest demand without losing a unit', () => {
    const max = Number.MAX_SAFE_INTEGER
    const demand = new ConsumerDemand(max, 0)
    expect(demand.cut(3)).toEqual({ cuts: cuts([3, 0]), excess: [] })
    expect(demand.pending).toBe(max - 3)
  })
})

describe('Account', () => {
  it('X1 asks upstream for what the dispatcher could take and nobody was asked for', () => {
    const account = new Account()
    expect(account.request(10)).toBe(10)
    expect(account.request(10)).toBe(0)
    expect(account.request(15)).toBe(5)
    expect(account.requested).toBe(15)
  })

  it('X1 asks for nothing while more is requested than could be taken', () => {
    const account = new Account()
    account.request(10)
    expect(account.request(3)).toBe(0)
    expect(account.requested).toBe(10)
  })

  it('X1 X2 answers one unit with every event, whatever becomes of it', () => {
    const account = new Account()
    account.request(10)
    account.answer(4)
    expect(account.requested).toBe(6)
    expect(account.request(10)).toBe(4)
  })

  it('X1 never owes less than nothing: events nobody asked for answer no later request', () => {
    const account = new Account()
    account.request(2)
    account.answer(5)
    expect(account.requested).toBe(0)
    expect(account.request(3)).toBe(3)
  })

  it('GS-D10 keeps units that were sent upstream for a consumer that left, and sets later asks off against them', () => {
    const account = new Account()
    account.request(10) // a asks 10
    expect(account.request(0)).toBe(0) // a leaves
    expect(account.request(3)).toBe(0) // b asks 3
    expect(account.request(12)).toBe(2) // b asks 9
  })

  it.each([
    { requested: 10, demand: 4, allowance: 0, after: 6 },
    { requested: 10, demand: 4, allowance: 8, after: 8 },
    { requested: 10, demand: 4, allowance: 10, after: 10 },
    { requested: 3, demand: 4, allowance: 8, after: 3 },
    { requested: 3, demand: 4, allowance: 0, after: 0 },
  ])('X17 drops a held demand of $demand from $requested requested, but not below an allowance of $allowance: $after', vector => {
    const account = new Account()
    account.request(vector.requested)
    account.drop(vector.demand, vector.allowance)
    expect(account.requested).toBe(vector.after)
  })
})

describe('addDemand', () => {
  it('INV-3 adds, and stays at the largest exact whole number', () => {
    expect(addDemand(2, 3)).toBe(5)
    expect(addDemand(Number.MAX_SAFE_INTEGER, 1)).toBe(Number.MAX_SAFE_INTEGER)
    expect(addDemand(Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)).toBe(Number.MAX_SAFE_INTEGER)
  })
})
