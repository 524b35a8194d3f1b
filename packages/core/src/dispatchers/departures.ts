import type { Delivery, Recipient } from '../dispatcher.ts'
import { Queue } from '../queue.ts'
import type { RateBudget } from './rate-budget.ts'

/** Something that waits for its turn: a message of events, or an info behind them. */
type Late = Delivery | { readonly info: unknown }

/**
 * Messages on their way out, as far as a budget allows; the others are late and leave first next time. Late ones answer open demand,
 * so they are never more than was asked for.
 */
export class Departures {
  /** What leaves with the answer that is being made. */
  deliveries: Delivery[] = []
  infos: unknown[] = []
  readonly #budget: RateBudget
  readonly #late = new Queue<Late>()

  constructor(budget: RateBudget) {
    this.#budget = budget
  }

  /** How many messages and infos are late. */
  get late(): number {
    return this.#late.length
  }

  /** The events that are late, oldest first. */
  get lateEvents(): readonly unknown[] {
    return this.#all().flatMap(each => ('info' in each ? [] : each.events))
  }

  /** How many events may leave now. */
  room(now: number): number {
    return this.#late.length > 0 ? 0 : this.#budget.available(now)
  }

  /** Another answer begins. */
  begin(): void {
    this.deliveries = []
    this.infos = []
  }

  /** Lets what is late leave, as far as it may by now. */
  release(now: number): void {
    for (const each of this.#late.take(this.#late.length)) {
      if ('info' in each) this.info(each.info)
      else this.send(each, now)
    }
  }

  /** Sends as much of a message as may leave now. */
  send({ to, events }: Delivery, now: number): void {
    const count = Math.min(events.length, this.room(now))
    if (count > 0) {
      this.#budget.spend(count, now)
      this.deliveries.push({ to, events: count === events.length ? events : events.slice(0, count) })
    }
    if (count < events.length) this.#late.push({ to, events: events.slice(count) })
  }

  /** Sends messages that are about no more than `taken` events, for which there is room: one that goes to several counts once. */
  sendOnce(deliveries: readonly Delivery[], taken: number, now: number): void {
    let sent = 0
    for (const { to, events } of deliveries) {
      this.deliveries.push({ to, events })
      sent += events.length
    }
    if (sent > 0) this.#budget.spend(Math.min(taken, sent), now)
  }

  info(message: unknown): void {
    if (this.#late.length > 0) this.#late.push({ info: message })
    else this.infos.push(message)
  }

  /** Takes back what is late for somebody who has left. */
  takeBack(from: Recipient): readonly unknown[] {
    const events: unknown[] = []
    for (const each of this.#late.take(this.#late.length)) {
      if ('info' in each || each.to !== from) this.#late.push(each)
      else events.push(...each.events)
    }
    return events
  }

  #all(): readonly Late[] {
    return Array.from({ length: this.#late.length }, (_, index) => this.#late.at(index)).filter(each => each !== undefined)
  }
}
