import { addDemand } from '../demand.ts'
import type { Delivery, Dispatched, Dispatcher, DispatcherFactory, Recipient } from '../dispatcher.ts'
import { show, UnnamedError } from '../errors.ts'
import { failure, type Reason } from '../reason.ts'
import type { SubscriptionOptions } from '../refs.ts'
import { Outcome } from './outcome.ts'

/** Each event to all consumers, at the pace of the slowest (GS-W1 to GS-W10). Consumers may filter with `selector`. */
export function broadcastDispatcher(): DispatcherFactory {
  return () => new BroadcastDispatcher()
}

type Selector = (event: unknown) => boolean

interface Entry {
  readonly to: Recipient
  readonly selector: Selector | undefined
  /** Demand above what all have asked for, counted from `#level`. */
  height: number
  /** Its selector failed: it is being cancelled and gets nothing any more. */
  failed: boolean
  /** When it came, or asked last. */
  turn: number
}

/**
 * The reference keeps a credit per consumer and lowers all of them whenever everybody has asked. Here the credits stand still and
 * the level they are counted from rises: credit = height - level. The smallest credit is 0 while there is a consumer (GS-W9).
 */
class BroadcastDispatcher implements Dispatcher {
  readonly #entries = new Map<Recipient, Entry>()
  readonly #consumers = new Set<string>()
  #level = 0
  /** How many consumers have credit 0: only when the last of them has asked can the level rise. */
  #lowest = 0
  /** Events that may be sent to all now. */
  #waiting = 0
  #turns = 0
  readonly #outcome = new Outcome()

  subscribe(to: Recipient, options: SubscriptionOptions): Dispatched {
    const { selector } = options
    if (selector !== undefined && typeof selector !== 'function') {
      throw new UnnamedError('BAD_OPTION', `selector must be a function that answers true or false, not ${show(selector)}`, {
        option: 'selector',
      })
    }
    if (this.#consumers.has(to.consumerId)) {
      throw new UnnamedError(
        'ALREADY_SUBSCRIBED',
        `consumer ${show(to.consumerId)} has a subscription here; a broadcast would reach it twice`,
      )
    }
    // A newcomer has asked for nothing: what the others may get now becomes their credit again (GS-W2)
    this.#level -= this.#waiting
    if (this.#waiting > 0) this.#lowest = 0
    this.#waiting = 0
    this.#consumers.add(to.consumerId)
    this.#entries.set(to, {
      to,
      selector: selector as Selector | undefined,
      height: this.#level,
      failed: false,
      turn: this.#turns++,
    })
    this.#lowest++
    return this.#outcome.with(0)
  }

  ask(to: Recipient, demand: number): Dispatched {
    const entry = this.#entries.get(to)
    if (entry === undefined) return this.#outcome.with(this.#waiting)
    if (entry.height === this.#level) this.#lowest--
    entry.height = addDemand(entry.height, demand)
    entry.turn = this.#turns++
    if (this.#lowest === 0) this.#raise()
    return this.#outcome.with(this.#waiting)
  }

  cancel(to: Recipient): Dispatched {
    const entry = this.#entries.get(to)
    if (entry === undefined) return this.#outcome.with(this.#waiting)
    this.#entries.delete(to)
    this.#consumers.delete(to.consumerId)
    if (entry.height === this.#level) this.#lowest--
    if (this.#entries.size === 0) {
      this.#waiting = 0
      this.#level = 0
      this.#lowest = 0
    } else if (this.#lowest === 0) this.#raise()
    return this.#outcome.with(this.#waiting)
  }

  dispatch(events: readonly unknown[]): Dispatched {
    if (this.#waiting === 0) {
      const none = this.#outcome.with(0)
      none.leftover = events
      return none
    }
    const batch = events.length <= this.#waiting ? events : events.slice(0, this.#waiting)
    this.#waiting -= batch.length
    const deliveries: Delivery[] = []
    const asks: { to: Recipient; demand: number; turn: number }[] = []
    const cancels: { to: Recipient; reason: Reason }[] = []
    for (const entry of this.#entries.values()) {
      if (entry.selector === undefined) deliveries.push({ to: entry.to, events: batch })
      else if (!entry.failed) this.#select(entry, entry.selector, batch, deliveries, asks, cancels)
    }
    const outcome = this.#outcome.with(this.#waiting)
    outcome.deliveries = deliveries
    if (batch.length < events.length) outcome.leftover = events.slice(batch.length)
    // In the reference's list whoever came or asked last stands first
    if (asks.length > 0) outcome.asks = asks.toSorted((a, b) => b.turn - a.turn)
    if (cancels.length > 0) outcome.cancels = cancels
    return outcome
  }

  inspect(): unknown {
    return {
      type: 'broadcast',
      waiting: this.#waiting,
      credits: [...this.#entries.values()].toReversed().map(({ to, height }) => ({
        consumer: to.consumerId,
        subscription: to.subscriptionId,
        credit: height - this.#level,
      })),
    }
  }

  /** Sends what the selector picks, and asks again in the consumer's name for what it did not (GS-W8); nothing picked is no message (X8). */
  #select(
    entry: Entry,
    selector: Selector,
    batch: readonly unknown[],
    deliveries: Delivery[],
    asks: { to: Recipient; demand: number; turn: number }[],
    cancels: { to: Recipient; reason: Reason }[],
  ): void {
    const selected: unknown[] = []
    try {
      for (const event of batch) if (answer(selector, event)) selected.push(event)
    } catch (error) {
      entry.failed = true
      cancels.push({ to: entry.to, reason: failure(error) })
      return
    }
    if (selected.length > 0) deliveries.push({ to: entry.to, events: selected })
    if (selected.length < batch.length) asks.push({ to: entry.to, demand: batch.length - selected.length, turn: entry.turn })
  }

  /** Everybody has asked for more: what all have asked for together may be sent. */
  #raise(): void {
    let smallest = Infinity
    this.#lowest = 0
    for (const { height } of this.#entries.values()) {
      if (height > smallest) continue
      this.#lowest = height === smallest ? this.#lowest + 1 : 1
      smallest = height
    }
    this.#waiting += smallest - this.#level
    this.#level = smallest
  }
}

function answer(selector: Selector, event: unknown): boolean {
  const selected: unknown = selector(event)
  if (typeof selected === 'boolean') return selected
  throw new UnnamedError('BAD_RETURN', `a selector must answer true or false, not ${show(selected)}`, { option: 'selector' })
}
