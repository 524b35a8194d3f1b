/**
 * One stream of events parted and joined in all the ways there are:
 *
 *     tills ─► desks ─┬─► packing ─► packers ─┬─► report
 *                     └─► review ─────────────┘
 *
 * - tills → desks: **by key**. All orders of a customer go to one desk, in their order, because the discount depends on it.
 * - desks → packing and review: **to all**. Both see the orders; the review has a selector and takes the doubtful ones.
 * - packing → packers: **by demand**. Any packer will do, so who is quick gets more. The order is lost here, and not needed.
 * - desks, packing, review and report have several sources each: **fan-in** is just several subscriptions.
 *
 * Nothing runs ahead: slow packers ask for less, so do the desks, and the tills make fewer orders.
 */
import { broadcastDispatcher, consumer, partitionDispatcher, producer, producerConsumer, start } from '@genstage/core'
import type { Runtime, Topology } from '@genstage/core'
import { isDoubtful, isHeld, labelOf, pricing, shops } from './orders.ts'
import type { Order, PricedOrder, Shop } from './orders.ts'
import { addResult, emptySummary, totalOf } from './summary.ts'
import type { Result, Summary } from './summary.ts'

const deskCount = 3
/** How long each packer takes for a handful of orders. */
const packerMs = [1, 2, 4]
const handful = 25

/** Makes orders when somebody asks for them. It is asked how many there were, and replies when it has closed. */
const Till = producer((orders: Iterator<Order>) => {
  const waiting: Array<(made: number) => void> = []
  let made = 0
  let closed = false
  const close = () => {
    closed = true
    for (const reply of waiting.splice(0)) reply(made)
  }
  return {
    handleDemand(demand) {
      const events: Order[] = []
      while (!closed && events.length < demand) {
        const next = orders.next()
        if (next.done) close()
        else {
          events.push(next.value)
          made++
        }
      }
      return events
    },
    handleCast(_message: 'close') {
      close()
    },
    handleCall(_request: 'made', reply: (made: number) => void) {
      waiting.push(reply)
      if (closed) close()
    },
  }
})

/** Knows what its customers have bought before, and makes the prices. */
const Desk = producerConsumer(() => {
  const price = pricing()
  return { handleEvents: (orders: readonly Order[]) => orders.map(price) }
})

/** Hands orders on as they come. It is here for its dispatcher: it gives each to one packer, where the desks give each to all. */
const Packing = producerConsumer(() => ({ handleEvents: (orders: readonly PricedOrder[]) => orders }))

/** Packs a handful of orders, and takes its time. */
const Packer = producerConsumer((ms: number, ctx) => ({
  async handleEvents(orders: readonly PricedOrder[]) {
    await new Promise<void>(resolve => ctx.clock.setTimer(ms, resolve))
    return orders.map((order): Result => ({ type: 'parcel', order, label: labelOf(order) }))
  },
}))

const Review = producerConsumer(() => ({
  handleEvents: (orders: readonly PricedOrder[]) =>
    orders.map((order): Result => ({ type: 'verdict', order, isHeld: isHeld(order) })),
}))

/** Adds everything up. It is told how many orders there are, and replies when all that belongs to them is here. */
const Report = consumer(() => {
  const summary = emptySummary()
  let doubtful = 0
  let waiting: { readonly orders: number; readonly reply: (summary: Summary) => void } | undefined
  const replyIfComplete = () => {
    const { parcels, doubtful: verdicts } = totalOf(summary)
    if (waiting && parcels === waiting.orders && verdicts === doubtful) waiting.reply(summary)
  }
  return {
    handleEvents(results: readonly Result[]) {
      for (const result of results) {
        addResult(summary, result)
        if (result.type === 'parcel' && isDoubtful(result.order)) doubtful++
      }
      replyIfComplete()
    },
    handleCall(orders: number, reply: (summary: Summary) => void) {
      waiting = { orders, reply }
      replyIfComplete()
    },
  }
})

export interface Selling {
  /** Resolves when every order that was made has been packed and, if it was doubtful, looked at. Rejects if a stage failed. */
  readonly summary: Promise<Summary>
  /** No more orders; those that have been made are finished. */
  close(): void
}

/** Starts the stages, joins them, and opens the tills. */
export async function startSelling(runtime: Runtime, ordersOf: (shop: Shop) => Iterator<Order>): Promise<Selling> {
  // All are linked to the report: a failure anywhere ends it, and it ends all others.
  const report = start(Report, { name: 'report', runtime })
  const common = { runtime, link: report }
  const tills = shops.map(shop =>
    start(Till, {
      ...common,
      name: shop,
      arg: ordersOf(shop),
      dispatcher: partitionDispatcher({ partitions: deskCount, hash: ({ customer }) => customer % deskCount }),
    }),
  )
  const desks = numbers(deskCount).map(n => start(Desk, { ...common, name: `desk-${n}`, dispatcher: broadcastDispatcher() }))
  const packing = start(Packing, { ...common, name: 'packing' })
  const packers = packerMs.map((ms, n) => start(Packer, { ...common, name: `packer-${n}`, arg: ms }))
  const review = start(Review, { ...common, name: 'review' })

  // From the end to the beginning: whoever makes events has somebody to give them to.
  const subscriptions = [
    ...[...packers, review].map(to => report.subscribe({ to })),
    // Small demands: what a slow packer has asked for waits for it, while the quick ones would have time.
    ...packers.map(packer => packer.subscribe({ to: packing, maxDemand: 2 * handful, minDemand: handful })),
    ...desks.map(to => packing.subscribe({ to, maxDemand: 100 })),
    ...desks.map(to => review.subscribe({ to, maxDemand: 100, selector: isDoubtful })),
    ...desks.flatMap((desk, partition) => tills.map(to => desk.subscribe({ to, partition, maxDemand: 100 }))),
  ]
  await Promise.all(subscriptions.map(subscription => subscription.accepted))

  const made = Promise.all(tills.map(till => till.call('made', { timeout: Infinity })))
  const complete = made.then(counts =>
    report.call(
      counts.reduce((sum, count) => sum + count),
      { timeout: Infinity },
    ),
  )
  return {
    // Who reads `done` watches the stage: its failure arrives here, instead of as an uncaught error.
    summary: Promise.race([complete, report.done.then(() => complete)]),
    close() {
      for (const till of tills) till.cast('close')
    },
  }
}

/** How many parcels have reached the report by now. */
export function parcelsByNow({ stages, edges }: Topology): number {
  const packers = new Set(stages.filter(({ name }) => name?.startsWith('packer')).map(({ id }) => id))
  return edges.reduce((sum, edge) => sum + (packers.has(edge.producer) ? edge.delivered : 0), 0)
}

function numbers(count: number): readonly number[] {
  return Array.from({ length: count }, (_, n) => n)
}
