/** Orders, and what is done with one: plain functions, without stages. */
import { createHash } from 'node:crypto'
import { randomFrom } from '../shared/random.ts'

export const shops = ['berlin', 'madrid', 'paris'] as const
export type Shop = (typeof shops)[number]

/** What a customer has put into the basket. */
export interface Order {
  readonly shop: Shop
  /** Counted in each shop. */
  readonly number: number
  /** Of all shops; a customer buys in one of them only. */
  readonly customer: number
  readonly cents: number
}

/** An order with the price after the discount. */
export interface PricedOrder extends Order {
  readonly price: number
}

const customersOfShop = 200

/** The orders of one shop: the same for the same seed. */
export function* ordersOf(shop: Shop, count: number, seed: number): Generator<Order> {
  const place = shops.indexOf(shop)
  const random = randomFrom(seed + place)
  for (let number = 1; number <= count; number++) {
    // Some buy more often than others.
    const customer = place * customersOfShop + Math.floor(random() ** 2 * customersOfShop)
    yield { shop, number, customer, cents: 500 + Math.floor(random() ** 4 * 150_000) }
  }
}

/** The discount grows with all that the customer has bought before: the same orders in another order have other prices. */
export function pricing(): (order: Order) => PricedOrder {
  const bought = new Map<number, number>()
  return order => {
    const before = bought.get(order.customer) ?? 0
    const percent = before >= 500_000 ? 10 : before >= 100_000 ? 5 : 0
    const price = order.cents - Math.floor((order.cents * percent) / 100)
    bought.set(order.customer, before + price)
    return { ...order, price }
  }
}

/** Dear orders are looked at by somebody. */
export function isDoubtful({ price }: PricedOrder): boolean {
  return price > 100_000
}

/** Whether a doubtful order is held back. */
export function isHeld({ customer, number }: PricedOrder): boolean {
  return (customer + number) % 5 === 0
}

/** The number on the parcel of an order: some work for a processor. */
export function labelOf({ shop, number, price }: PricedOrder): number {
  return createHash('sha256').update(`${shop} ${number} ${price}`).digest().readUInt32BE()
}
