// As a user of TypeScript writes it; scripts/check-packages.ts type-checks it beside the packed packages, as .mts and as .cts.
import { consumer, GenStageError, partitionDispatcher, producer, producerConsumer, start, type StageRef } from '@genstage/core'

interface Order {
  readonly region: 'north' | 'south'
  readonly amount: number
}

const Orders = producer((amount: number) => ({
  handleDemand: (demand): Order[] => Array.from({ length: demand }, () => ({ region: 'north', amount })),
}))

const Amounts = producerConsumer(() => ({
  handleEvents: (orders: readonly Order[]) => orders.map(order => order.amount),
}))

const Printer = consumer((print: (sum: number) => void) => ({
  handleEvents: (amounts: readonly number[]) => print(amounts.reduce((sum, amount) => sum + amount, 0)),
}))

export async function run(): Promise<StageRef | GenStageError> {
  const dispatcher = partitionDispatcher({ partitions: ['north', 'south'], hash: (order: Order) => order.region })
  const orders = start(Orders, { arg: 5, dispatcher })
  const amounts = start(Amounts, { subscribeTo: [{ to: orders, partition: 'north', maxDemand: 10 }] })
  const printer = start(Printer, { arg: console.log, subscribeTo: [amounts] })
  // @ts-expect-error the printer takes numbers, not orders
  printer.subscribe({ to: orders })
  const reason = await printer.stop()
  return reason.type === 'error' && reason.error instanceof GenStageError ? reason.error : printer
}
