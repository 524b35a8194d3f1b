/** A producer and workers that take from it, for tests of what a worker leaves undone (X21). */
import { consumer, type Context, type Maybe, producer, type ProducerOptions, type Runtime, start } from '@genstage/core'
import type { ConsumerRef, DiscardReason, Messages, ProducerRef, Subscription, SubscriptionOptions } from '@genstage/core'
import { expect, onTestFinished } from 'vitest'
import { watchedRuntime } from './watched-runtime.ts'

/** One batch that a worker got: who, what, and how often it had been delivered before. */
export type Got = readonly [worker: string, events: readonly unknown[], redeliveries: number]

/** What a worker does with a batch, besides writing down that it got it. */
export type Work = (events: readonly unknown[], from: Subscription, ctx: Context) => Maybe<void>

export interface Shop extends ReturnType<typeof watchedRuntime> {
  /** Emits what it is cast, and nothing on demand. */
  readonly orders: ProducerRef<number, Messages<readonly number[], string, readonly number[], unknown>>
  /** All batches, in the order in which workers got them. */
  readonly got: Got[]
  /** What telemetry reported as given up. */
  readonly lost: [reason: DiscardReason, events: readonly unknown[]][]
  /** How many events were delivered once more, message by message. */
  readonly again: number[]
  /** Starts a worker that does not follow the producer, and that gives back what it has not done. */
  worker(name: string, options?: SubscriptionOptions<number>, work?: Work): ConsumerRef<number>
  /** Starts one that takes all there is, and tells the batches that it gets in one go. */
  rest(): Promise<readonly (readonly [events: readonly unknown[], redeliveries: number])[]>
  /** Emits batches to those who are there, and lets them arrive. */
  send(...batches: readonly (readonly number[])[]): Promise<void>
}

type OrdersOptions = Pick<ProducerOptions<number>, 'dispatcher' | 'bufferSize' | 'bufferKeep'>

export const boom = new Error('boom')

/** A worker's crash. */
export function fail(): never {
  throw boom
}

/** Work that the test ends. */
export function held(): { readonly work: Work; finish(): void; fail(): void } {
  let resolve!: () => void
  let reject!: (error: unknown) => void
  const done = new Promise<void>((onDone, onError) => {
    resolve = onDone
    reject = onError
  })
  return { work: () => done, finish: () => resolve(), fail: () => reject(boom) }
}

/** Nothing must be left at the end, and no failure but those of workers. */
export function openShop(options: OrdersOptions = {}, handleCast: (events: readonly number[]) => readonly number[] = same): Shop {
  const world = watchedRuntime()
  const { runtime, settle } = world
  const got: Got[] = []
  const { lost, again } = lossesOf(runtime)
  const Orders = producer.of<number>()(() => ({
    handleDemand() {},
    handleCall: (events: readonly number[]) => ({ reply: 'ok', events }),
    handleCast,
    handleInfo(_message: unknown) {},
  }))
  const orders = start(Orders, { ...options, name: 'orders', runtime })
  const worker: Shop['worker'] = (name, subscription = {}, work = () => {}) => {
    const Worker = consumer.of<number>()((_: void, ctx) => ({
      handleEvents(events, from) {
        got.push([name, events, from.redeliveries])
        return work(events, from, ctx)
      },
    }))
    const ref = start(Worker, { runtime, name })
    ref.subscribe({ to: orders, cancel: 'temporary', redeliver: true, ...subscription })
    return ref
  }
  onTestFinished(async () => {
    const stopped = runtime.stop({ timeout: 0 })
    await world.pass(0)
    await stopped
    await settle()
    expect(world.raised).toEqual([])
    expect(world.timers()).toBe(0)
    expect(runtime.topology().stages).toEqual([])
    for (const error of world.uncaught) expect(error.cause).toBe(boom)
  })
  return {
    ...world,
    orders,
    got,
    lost,
    again,
    worker,
    async rest() {
      await settle()
      const before = got.length
      worker(`rest ${before}`, { maxDemand: 10_000, minDemand: 0 })
      await settle()
      return got.slice(before).map(([, events, redeliveries]) => [events, redeliveries] as const)
    },
    async send(...batches) {
      await settle()
      for (const batch of batches) orders.cast(batch)
      await settle()
    },
  }
}

function same(events: readonly number[]): readonly number[] {
  return events
}

function lossesOf(runtime: Runtime): Pick<Shop, 'lost' | 'again'> {
  const lost: Shop['lost'] = []
  const again: number[] = []
  runtime.telemetry.on('discarded', ({ reason, events }) => lost.push([reason, events]))
  runtime.telemetry.on('redelivered', ({ count }) => again.push(count))
  return { lost, again }
}
