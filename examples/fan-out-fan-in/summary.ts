import { isDoubtful, isHeld, labelOf, pricing, shops } from './orders.ts'
import type { Order, PricedOrder, Shop } from './orders.ts'

/** What comes out of the pipeline: a parcel for each order, and a verdict for each doubtful one. */
export type Result =
  | { readonly type: 'parcel'; readonly order: PricedOrder; readonly label: number }
  | { readonly type: 'verdict'; readonly order: PricedOrder; readonly isHeld: boolean }

/** The figures of one shop. All are sums: no matter in which order the results come in. */
export interface ShopSummary {
  parcels: number
  /** After discounts, in cents. */
  revenue: number
  doubtful: number
  held: number
  /** The sum of all labels: one wrong label, and it is another. */
  labels: number
}

export type Summary = Readonly<Record<Shop, ShopSummary>>

export function emptySummary(): Summary {
  const empty = (): ShopSummary => ({ parcels: 0, revenue: 0, doubtful: 0, held: 0, labels: 0 })
  return { berlin: empty(), madrid: empty(), paris: empty() }
}

export function addResult(summary: Summary, result: Result): void {
  const shop = summary[result.order.shop]
  if (result.type === 'parcel') {
    shop.parcels++
    shop.revenue += result.order.price
    shop.labels += result.label
  } else {
    shop.doubtful++
    if (result.isHeld) shop.held++
  }
}

/** All shops together. */
export function totalOf(summary: Summary): ShopSummary {
  const total: ShopSummary = { parcels: 0, revenue: 0, doubtful: 0, held: 0, labels: 0 }
  for (const shop of shops) {
    for (const key of ['parcels', 'revenue', 'doubtful', 'held', 'labels'] as const) total[key] += summary[shop][key]
  }
  return total
}

/** The same without any stage, one order after the other: what the pipeline has to find. */
export function plainSummary(orders: Iterable<Order>): Summary {
  const summary = emptySummary()
  const price = pricing()
  for (const each of orders) {
    const order = price(each)
    addResult(summary, { type: 'parcel', order, label: labelOf(order) })
    if (isDoubtful(order)) addResult(summary, { type: 'verdict', order, isHeld: isHeld(order) })
  }
  return summary
}
