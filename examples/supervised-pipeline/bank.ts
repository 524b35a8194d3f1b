import { paymentOf, withFee } from './payments.ts'
import type { Payment, Row } from './payments.ts'

/** What differs between the table and what a plain loop would have written. */
export interface Differences {
  readonly missing: number
  readonly wrong: number
}

/**
 * What a bank has on its disks: payments that come in, and the table of those that are booked. It outlives every stage. A real
 * one would be a database, or a queue that wants each message to be acknowledged.
 */
export class Bank {
  readonly payments: number
  /** Resolves when all payments are booked. */
  readonly complete: Promise<void>
  readonly #table = new Map<number, Row>()
  /** Payments that were handed out and are not booked, and when that was. */
  readonly #open = new Map<number, number>()
  #resolve = () => {}
  #next = 0
  #repeated = 0
  #bookedTwice = 0

  constructor(payments: number) {
    this.payments = payments
    this.complete = new Promise(resolve => (this.#resolve = resolve))
    if (payments === 0) this.#resolve()
  }

  get booked(): number {
    return this.#table.size
  }

  /** How many payments were handed out once more because nobody had booked them in time. */
  get repeated(): number {
    return this.#repeated
  }

  /** How many were booked again. It makes no difference: the number of a payment is its place in the table. */
  get bookedTwice(): number {
    return this.#bookedTwice
  }

  /** The next payments, at most `count`. */
  read(count: number, now: number): Payment[] {
    const numbers = Array.from({ length: Math.min(count, this.payments - this.#next) }, () => this.#next++)
    return this.#handOut(numbers, now)
  }

  /** At most `count` payments that were handed out `ms` ago and are still not booked. */
  overdue(count: number, ms: number, now: number): Payment[] {
    const numbers: number[] = []
    // In the order in which they were handed out: the first that is not overdue is the last to look at.
    for (const [number, at] of this.#open) {
      if (at > now - ms || numbers.length === count) break
      numbers.push(number)
    }
    this.#repeated += numbers.length
    return this.#handOut(numbers, now)
  }

  /** Puts a row into the table. */
  book(row: Row): void {
    if (this.#table.has(row.number)) this.#bookedTwice++
    this.#table.set(row.number, row)
    this.#open.delete(row.number)
    if (this.#table.size === this.payments) this.#resolve()
  }

  /** Compares the table with what a plain loop would have written, up to the last payment that was handed out. */
  differences(): Differences {
    let missing = 0
    let wrong = 0
    for (let number = 0; number < this.#next; number++) {
      const { account, cents, fee } = withFee(paymentOf(number))
      const row = this.#table.get(number)
      if (!row) missing++
      else if (row.account !== account || row.cents !== cents || row.fee !== fee) wrong++
    }
    return { missing, wrong }
  }

  #handOut(numbers: readonly number[], now: number): Payment[] {
    for (const number of numbers) {
      this.#open.delete(number)
      this.#open.set(number, now)
    }
    return numbers.map(paymentOf)
  }
}
