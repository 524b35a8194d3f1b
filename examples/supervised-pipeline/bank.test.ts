import { describe, expect, test } from 'vitest'
import { Bank } from './bank.ts'
import { withFee } from './payments.ts'

describe('the bank', () => {
  test('hands out each payment once, and again when it is overdue', () => {
    const bank = new Bank(5)
    expect(bank.read(3, 0).map(({ number }) => number)).toEqual([0, 1, 2])
    expect(bank.read(9, 50).map(({ number }) => number)).toEqual([3, 4])
    expect(bank.read(9, 50)).toEqual([])
    expect(bank.overdue(9, 100, 99)).toEqual([])
    expect(bank.overdue(2, 100, 100).map(({ number }) => number)).toEqual([0, 1])
    expect(bank.overdue(9, 100, 150).map(({ number }) => number)).toEqual([2, 3, 4])
    expect(bank.repeated).toBe(5)
  })

  test('does not hand out again what is booked', async () => {
    const bank = new Bank(2)
    const [first, second] = bank.read(2, 0).map(withFee)
    if (first) bank.book(first)
    expect(bank.overdue(9, 100, 1_000).map(({ number }) => number)).toEqual([1])
    expect(bank.differences()).toEqual({ missing: 1, wrong: 0 })
    for (const row of [first, second]) if (row) bank.book(row)
    await bank.complete
    expect({ booked: bank.booked, twice: bank.bookedTwice, ...bank.differences() }).toEqual({
      booked: 2,
      twice: 1,
      missing: 0,
      wrong: 0,
    })
  })

  test('notices a wrong row', () => {
    const bank = new Bank(1)
    for (const payment of bank.read(1, 0)) bank.book({ ...withFee(payment), fee: 0 })
    expect(bank.differences()).toEqual({ missing: 0, wrong: 1 })
  })

  test('without payments is complete', () => new Bank(0).complete)
})
