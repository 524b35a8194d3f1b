/**
 * Payments are read, get their fee and are booked, by stages that crash at random:
 *
 *     root
 *     ├─ reader
 *     └─ lines
 *        ├─ cashier-0   cashier-1     reader ─► both cashiers, by demand
 *        └─ booker-0    booker-1      both cashiers ─► both bookers
 *
 * Three things together make that the table is complete in the end.
 *
 * - A **supervisor** starts a stage again when it has crashed. The new one knows nothing of the old one's life.
 * - **`resubscribe`**: whoever had subscribed to it by its name subscribes to the new one, instead of ending as well.
 * - **`redeliver`**: what a stage had taken and not finished goes back to the stage above, and to whoever asks next.
 *
 * What is left is the loss that no stage can help: what a stage had in its own hands for others when it crashed. That is why the
 * bank keeps a payment open until it has been booked, and hands it out again when that takes too long.
 */
import { child, consumer, producer, producerConsumer, producerName, supervisor } from '@genstage/core'
import type { Context } from '@genstage/core'
import type { Accidents } from './accidents.ts'
import type { Bank } from './bank.ts'
import { withFee } from './payments.ts'
import type { Payment, Row } from './payments.ts'

/** Names outlive the stages that have them: each new reader is found under the same one. */
const Payments = producerName<Payment>('reader')
const Rows = [producerName<Row>('cashier-0'), producerName<Row>('cashier-1')] as const

/** A payment that is not booked after so long was lost on the way. */
const overdueMs = 100
const readAtOnce = 500

export interface World {
  readonly bank: Bank
  readonly accidents: Accidents
}

/** Reads payments when somebody asks for them; those that are overdue without being asked. */
const Reader = producer(({ bank, accidents }: World, ctx: Context<'look'>) => {
  ctx.every(overdueMs / 2, 'look')
  return {
    handleDemand(demand) {
      const payments = bank.read(demand, ctx.clock.now())
      // They have left the bank and reach nobody.
      accidents.mayHappen()
      return payments
    },
    handleInfo: (_message: 'look') => bank.overdue(readAtOnce, overdueMs, ctx.clock.now()),
  }
})

const Cashier = producerConsumer(({ accidents }: World) => ({
  handleEvents(payments: readonly Payment[]) {
    accidents.mayHappen()
    return payments.map(withFee)
  },
}))

/** Books one row after the other. When it crashes in the middle, some of the batch are booked; the next one books them again. */
const Booker = consumer(({ bank, accidents }: World, ctx) => ({
  async handleEvents(rows: readonly Row[]) {
    for (const row of rows) {
      bank.book(row)
      if (row.number % 10 === 0) accidents.mayHappen()
    }
    await new Promise<void>(resolve => ctx.clock.setTimer(1, resolve))
  },
}))

/** The tree. `redeliver: false` to see what it is worth. */
export function payingIn(world: World, { redeliver }: { readonly redeliver: boolean }) {
  const options = { maxDemand: 50, resubscribe: { minDelayMs: 1, maxDelayMs: 20 }, ...(redeliver && { redeliver }) } as const
  // Far more than a healthy program would want: these accidents are on purpose.
  const intensity = { maxRestarts: 5_000, maxSeconds: 1 }

  const lines = supervisor(
    [
      child(Cashier, { id: 'cashier-0', arg: world, name: Rows[0], subscribeTo: [{ to: Payments, ...options }] }),
      child(Cashier, { id: 'cashier-1', arg: world, name: Rows[1], subscribeTo: [{ to: Payments, ...options }] }),
      child(Booker, { id: 'booker-0', arg: world, subscribeTo: Rows.map(to => ({ to, ...options })) }),
      child(Booker, { id: 'booker-1', arg: world, subscribeTo: Rows.map(to => ({ to, ...options })) }),
    ],
    intensity,
  )
  return supervisor([child(Reader, { id: 'reader', arg: world, name: Payments }), child(lines, { id: 'lines' })], intensity)
}
