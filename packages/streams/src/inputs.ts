import { type Ended, isGraceful, type Subscription } from '@genstage/core'

/** The `maxDemand` of a subscription that does not say. */
const defaultMaxDemand = 1_000

/** Events to be written, of one subscription. */
export interface Batch<In> {
  readonly events: readonly In[]
  readonly from: Subscription
}

/** What flows into a stage that writes by hand: its subscriptions, and the batches that wait to be written. A batch is asked for again when it has been. */
export class Inputs<In> {
  readonly #subscriptions = new Map<string, Subscription>()
  readonly #waiting: Batch<In>[] = []

  /** Whether nobody is left who could send anything. */
  get isEmpty(): boolean {
    return this.#subscriptions.size === 0
  }

  /** The batch to be written next. */
  get next(): Batch<In> | undefined {
    return this.#waiting[0]
  }

  add(from: Subscription): void {
    this.#subscriptions.set(from.id, from)
    from.ask(from.options.maxDemand ?? defaultMaxDemand)
  }

  /** Cuts what has arrived as automatic demand would (GS-Q2). */
  take(events: readonly In[], from: Subscription): void {
    const { maxDemand = defaultMaxDemand, minDemand = Math.floor(maxDemand / 2) } = from.options
    const size = maxDemand - minDemand
    for (let first = 0; first < events.length; first += size) {
      this.#waiting.push({ events: events.slice(first, first + size), from })
    }
  }

  /** The next batch has been written. */
  written({ events, from }: Batch<In>): void {
    this.#waiting.shift()
    from.ask(events.length)
  }

  /** A subscription has ended. Answers whether it ended well and was the last one, as its cancel mode has it. */
  remove({ kind, reason }: Ended, from: Subscription): boolean {
    this.#subscriptions.delete(from.id)
    const { cancel = 'permanent' } = from.options
    if (!isGraceful(reason) || cancel === 'temporary') return false
    if (cancel === 'transient') return this.isEmpty
    // Another one to the same producer may have taken its place
    return kind === 'down' || ![...this.#subscriptions.values()].some(({ producer }) => producer.id === from.producer.id)
  }

  /** Takes out all events that were not written. */
  giveUp(): readonly In[] {
    return this.#waiting.splice(0).flatMap(({ events }) => events)
  }
}
