import { addDemand } from '../demand.ts'
import type { Delivery, Dispatched, Dispatcher, DispatcherFactory, Recipient } from '../dispatcher.ts'
import { show, UnnamedError } from '../errors.ts'
import type { SubscriptionOptions } from '../refs.ts'
import { Heap } from './heap.ts'
import { Outcome } from './outcome.ts'

/**
 * Each event to one consumer: of those that have demand, the one that has been served least (INV-11). Consumers with the same
 * `maxDemand` that always have demand get the same, to within one `maxDemand`, whatever the sizes of the batches.
 *
 * A subscription may have a `weight` (default 1): one of weight 3 counts as served least until it has got three times as much. It
 * must be a positive number (`BAD_OPTION`). There is something to share out only while events are scarcer than demand; else everybody
 * gets what it asks for.
 *
 * Nobody saves up: who comes late begins with the share of the least served, and who comes back from a pause has at most one
 * `maxDemand` to catch up.
 *
 * ```ts
 * const Tickets = producer(() => ({
 *   handleDemand() {},
 *   handleCast: (ticket: string) => [ticket],
 * }))
 * const counts = { senior: 0, junior: 0 }
 * const Desk = consumer((name: 'senior' | 'junior') => ({
 *   handleEvents(tickets: readonly string[]) {
 *     counts[name] += tickets.length
 *   },
 * }))
 * const tickets = start(Tickets, { dispatcher: fairDispatcher() })
 * const senior = start(Desk, { arg: 'senior' })
 * const junior = start(Desk, { arg: 'junior' })
 * await senior.subscribe({ to: tickets, weight: 3 }).accepted
 * await junior.subscribe({ to: tickets }).accepted
 * for (let number = 0; number < 400; number++) tickets.cast(`ticket ${number}`)
 * await tickets.stop('normal', { drain: true })
 * await Promise.all([senior.done, junior.done])
 * console.log(counts) // => { senior: 300, junior: 100 }
 * ```
 */
export function fairDispatcher(): DispatcherFactory {
  return () => new FairDispatcher()
}

/** A recipient, its open demand, and what it has had. */
interface Entry {
  readonly to: Recipient
  readonly weight: number
  demand: number
  /** Events it was sent divided by its weight; where it began, for one that came late or paused. */
  share: number
  /** The most demand it has had open at once: what it may catch up after a pause. */
  mostDemand: number
  /** When it came, or was served last: among equal shares the earliest comes first. */
  turn: number
  /** Its place in the heap, while it has demand. */
  place: number
}

class FairDispatcher implements Dispatcher {
  readonly subscriptionOptions: readonly string[] = ['weight']
  readonly #entries = new Map<Recipient, Entry>()
  /** Those that have demand, least served first. */
  readonly #wanting = new Heap<Entry>(precedes)
  /** The sum of all demands. */
  #total = 0
  /** Whether the sum is larger than what numbers can tell exactly, and stands at that limit. */
  #isSaturated = false
  /** The largest share at which somebody was served: at that time it was the smallest of all that had demand. */
  #level = 0
  #turns = 0
  readonly #outcome = new Outcome()

  subscribe(to: Recipient, options: SubscriptionOptions): Dispatched {
    const { weight = 1 } = options
    if (typeof weight !== 'number' || !(weight > 0 && weight < Infinity)) {
      throw new UnnamedError('BAD_OPTION', `weight must be a positive number, not ${show(weight)}`, { option: 'weight' })
    }
    this.#entries.set(to, { to, weight, demand: 0, share: 0, mostDemand: 0, turn: this.#turns++, place: 0 })
    return this.#answered()
  }

  ask(to: Recipient, demand: number): Dispatched {
    const entry = this.#entries.get(to)
    if (entry === undefined) return this.#answered()
    const isBack = entry.demand === 0
    if (isBack) entry.share = Math.max(entry.share, this.#beginning(entry))
    entry.demand = addDemand(entry.demand, demand)
    entry.mostDemand = Math.max(entry.mostDemand, entry.demand)
    this.#add(demand)
    if (isBack) this.#wanting.push(entry)
    return this.#answered()
  }

  cancel(to: Recipient): Dispatched {
    const entry = this.#entries.get(to)
    if (entry === undefined) return this.#answered()
    this.#entries.delete(to)
    if (entry.demand > 0) this.#wanting.remove(entry)
    this.#subtract(entry.demand)
    return this.#answered()
  }

  dispatch(events: readonly unknown[]): Dispatched {
    const deliveries: Delivery[] = []
    let sent = 0
    for (let entry = this.#wanting.first; entry !== undefined && sent < events.length; entry = this.#wanting.first) {
      const count = Math.min(entry.demand, events.length - sent)
      deliveries.push({ to: entry.to, events: count === events.length ? events : events.slice(sent, sent + count) })
      sent += count
      this.#serve(entry, count)
    }
    const outcome = this.#answered()
    outcome.deliveries = deliveries
    if (sent < events.length) outcome.leftover = events.slice(sent)
    return outcome
  }

  /** To whoever is least served now: nothing waits here that they could be put in front of. */
  giveBack(undone: readonly unknown[], from: Recipient): Dispatched {
    this.cancel(from)
    return this.dispatch(undone)
  }

  inspect(): unknown {
    const entries = [...this.#entries.values()].toSorted((a, b) => (precedes(a, b) ? -1 : 1))
    return {
      type: 'fair',
      consumers: entries.map(({ to, weight, demand, share }) => ({
        consumer: to.consumerId,
        subscription: to.subscriptionId,
        weight,
        demand,
        share,
      })),
    }
  }

  /** The least share that somebody may have who asks for the first time, or again after having had no demand. */
  #beginning({ mostDemand, weight }: Entry): number {
    if (mostDemand === 0) return this.#wanting.first?.share ?? this.#level
    return this.#level - mostDemand / weight
  }

  #serve(entry: Entry, count: number): void {
    this.#level = Math.max(this.#level, entry.share)
    entry.demand -= count
    // Bounded, so that shares can be compared even with the smallest of weights
    entry.share = Math.min(Number.MAX_VALUE, entry.share + count / entry.weight)
    entry.turn = this.#turns++
    if (entry.demand === 0) this.#wanting.remove(entry)
    else this.#wanting.moved(entry)
    this.#subtract(count)
  }

  #answered(): Outcome {
    return this.#outcome.with(this.#total)
  }

  #add(demand: number): void {
    this.#isSaturated ||= this.#total + demand > Number.MAX_SAFE_INTEGER
    this.#total = addDemand(this.#total, demand)
  }

  /** Takes demand away; from a sum that was too large to be exact by adding up what is left (INV-3). */
  #subtract(demand: number): void {
    if (!this.#isSaturated) this.#total -= demand
    else {
      this.#total = 0
      this.#isSaturated = false
      for (const entry of this.#entries.values()) this.#add(entry.demand)
    }
  }
}

function precedes(a: Entry, b: Entry): boolean {
  return a.share < b.share || (a.share === b.share && a.turn < b.turn)
}
