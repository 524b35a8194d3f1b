import {
  consumer,
  type ConsumerDefinition,
  type Ended,
  type Messages,
  producer,
  type ProducerDefinition,
  type Reason,
  type Subscriber,
  type Subscription,
} from '@genstage/core'

/** A producer that makes events only when the test says so, and keeps what it was told. */
export interface ProbeProducer<Event> {
  /** What to start. One probe belongs to one stage. */
  readonly definition: ProducerDefinition<Event, void, Messages<readonly Event[], number, readonly Event[], unknown>>
  /** What `handleDemand` was called with. */
  readonly demands: readonly number[]
  readonly subscribers: readonly Subscriber[]
  readonly cancels: readonly Ended[]
}

/**
 * Makes a producer for a test: `ref.call(events)` or `ref.cast(events)` emits them.
 *
 * ```ts
 * const probe = probeProducer<string>()
 * const ref = start(probe.definition)
 * console.log(await ref.call(['a', 'b']), await ref.estimateBufferedCount()) // => 2 2
 * ```
 */
export function probeProducer<Event>(): ProbeProducer<Event> {
  const demands: number[] = []
  const subscribers: Subscriber[] = []
  const cancels: Ended[] = []
  const definition = producer.of<Event>()(() => ({
    handleDemand(demand) {
      demands.push(demand)
    },
    handleCall: (events: readonly Event[]) => ({ reply: events.length, events }),
    handleCast: (events: readonly Event[]) => events,
    handleInfo(_message: unknown) {},
    handleSubscribe(from) {
      subscribers.push(from)
    },
    handleCancel(ended) {
      cancels.push(ended)
    },
  }))
  return { definition, demands, subscribers, cancels }
}

/** A consumer that keeps what it gets. */
export interface ProbeConsumer<Event> {
  /** What to start. One probe belongs to one stage. */
  readonly definition: ConsumerDefinition<Event>
  /** Batch by batch, as `handleEvents` got them. */
  readonly batches: readonly (readonly Event[])[]
  /** All events so far, in order. */
  readonly events: readonly Event[]
  readonly subscriptions: readonly Subscription[]
  readonly cancels: readonly Ended[]
  readonly terminatedWith: Reason | undefined
  /** Resolves when `count` events have come in all. */
  received(count: number): Promise<readonly Event[]>
}

/**
 * Makes a consumer for a test. `mode: 'manual'` asks nothing by itself: ask with `probe.subscriptions[0].ask(n)`.
 *
 * ```ts
 * const probe = probeConsumer<number>()
 * start(probe.definition, { subscribeTo: [{ to: start(fromIterable([1, 2, 3])), maxDemand: 2 }] })
 * console.log(await probe.received(3)) // => [ 1, 2, 3 ]
 * ```
 */
export function probeConsumer<Event>(options: { readonly mode?: 'automatic' | 'manual' } = {}): ProbeConsumer<Event> {
  const batches: (readonly Event[])[] = []
  const events: Event[] = []
  const subscriptions: Subscription[] = []
  const cancels: Ended[] = []
  let waiting: { readonly count: number; readonly resolve: (events: readonly Event[]) => void }[] = []
  let terminatedWith: Reason | undefined
  const definition = consumer.of<Event>()(() => ({
    handleEvents(batch) {
      batches.push(batch)
      events.push(...batch)
      for (const { count, resolve } of waiting) if (events.length >= count) resolve(events)
      waiting = waiting.filter(({ count }) => events.length < count)
    },
    handleSubscribe(from) {
      subscriptions.push(from)
      return options.mode ?? 'automatic'
    },
    handleCancel(ended) {
      cancels.push(ended)
    },
    terminate(reason) {
      terminatedWith = reason
    },
  }))
  return {
    definition,
    batches,
    events,
    subscriptions,
    cancels,
    get terminatedWith() {
      return terminatedWith
    },
    received: count =>
      events.length >= count ? Promise.resolve(events) : new Promise(resolve => waiting.push({ count, resolve })),
  }
}
