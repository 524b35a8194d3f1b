/** Payments, and what is done with one: plain functions, without stages. */

export interface Payment {
  readonly number: number
  readonly account: number
  readonly cents: number
}

/** A payment with its fee: a row of the table. */
export interface Row extends Payment {
  readonly fee: number
}

const accounts = 97

/** The payment with this number: always the same. */
export function paymentOf(number: number): Payment {
  return { number, account: (number * 31) % accounts, cents: 100 + ((number * 7_919) % 50_000) }
}

/** Adds the fee. */
export function withFee(payment: Payment): Row {
  return { ...payment, fee: Math.ceil((payment.cents * 15) / 1_000) }
}
