import { addDemand } from '../demand.ts'
import type { Dispatched, Dispatcher, DispatcherContext, DispatcherFactory, Recipient } from '../dispatcher.ts'
import { UnnamedError } from '../errors.ts'
import { badOption, duration, ownOptions, refuseUnknown, wholeNumber } from '../options.ts'
import { Queue } from '../queue.ts'
import type { SubscriptionOptions } from '../refs.ts'
import { Departures } from './departures.ts'
import { gather } from './gather.ts'
import { isLimitedInside } from './limited.ts'
import { Outcome } from './outcome.ts'
import { BucketBudget, type RateBudget, WindowBudget } from './rate-budget.ts'

/** Options of `rateLimit`. */
export interface RateLimitOptions {
  /** How many events may leave within `perMs`. */
  readonly events: number
  /** Milliseconds. */
  readonly perMs: number
  /** How many may leave at once when none have left for a while; then they leave evenly. Without it: `events`, and none beyond them. */
  readonly burst?: number
}

/**
 * Limits how many events another dispatcher hands out in a time. It holds back demand, not events: the producer is asked for no more
 * than may leave, so nothing piles up. What the producer emits all the same waits in the buffer.
 *
 * - Without `burst`: in any stretch of `perMs` milliseconds, wherever it begins, at most `events` leave.
 * - With `burst`: in any stretch of w milliseconds at most `burst + w * events / perMs` leave. `burst: 1` spaces them evenly.
 *
 * An event counts when it leaves for its consumer, a broadcast once for all of them, one that is delivered again once more. Consumers
 * may handle events later than they get them: a small `maxDemand` keeps both near each other.
 *
 * Refuses bad options with `BAD_OPTION`.
 *
 * ```ts
 * const polite = rateLimit(demandDispatcher(), { events: 10, perMs: 1_000 })
 * console.log(typeof polite) // => function
 * ```
 */
export function rateLimit<Event = unknown>(
  dispatcher: DispatcherFactory<Event>,
  options: RateLimitOptions,
): DispatcherFactory<Event>
export function rateLimit(dispatcher: DispatcherFactory, options: RateLimitOptions): DispatcherFactory {
  const where = 'rateLimit'
  if (typeof dispatcher !== 'function')
    throw badOption(where, 'dispatcher', dispatcher, 'what makes a dispatcher, such as demandDispatcher()')
  const own = ownOptions(where, options)
  refuseUnknown(where, own, ['events', 'perMs', 'burst'])
  const events = wholeNumber(where, own, 'events', 0, { min: 1 })
  if (events === 0) throw badOption(where, 'events', own['events'], 'a whole number from 1')
  const perMs = duration(where, 'perMs', own['perMs'], false)
  if (perMs === 0) throw badOption(where, 'perMs', perMs, 'a number of milliseconds above 0')
  const burst = wholeNumber(where, own, 'burst', 0, { min: 1 })
  return context => {
    const budget = burst === 0 ? new WindowBudget(events, perMs) : new BucketBudget(events, perMs, burst)
    const limit = (inner: Dispatcher): Dispatcher => new RateLimit(inner, budget, context)
    const inner = dispatcher(context)
    return isLimitedInside(inner) ? inner.limitedBy(limit) : limit(inner)
  }
}

const nothing: readonly never[] = []

/**
 * What is emitted is cut to the budget. Asks go through as they are, so the dispatcher inside decides as ever; but to one that holds
 * events, which may hand them out on an ask, no more than the budget allows at a time. If it hands out more all the same, as one that
 * collects events might, the rest of those messages waits here.
 */
class RateLimit implements Dispatcher {
  readonly subscriptionOptions: readonly string[]
  readonly giveBack?: (undone: readonly unknown[], from: Recipient) => Dispatched
  readonly held?: () => readonly unknown[]
  readonly #inner: Dispatcher
  readonly #budget: RateBudget
  readonly #now: () => number
  readonly #departures: Departures
  /** Asks that the dispatcher inside has not been told of, for want of budget. */
  readonly #asks = new Queue<{ readonly to: Recipient; demand: number }>()
  /** What the dispatcher inside could take, and whether it wants nothing for now, as it said last. */
  #innerAllowance = 0
  #innerHold = false
  /** When it wants to be woken. */
  #innerWakeAt: number | undefined
  /** When the stage was told to wake this one. */
  #wakeAt: number | undefined
  readonly #outcome = new Outcome()

  constructor(inner: Dispatcher, budget: RateBudget, { now }: DispatcherContext) {
    this.#inner = inner
    this.#budget = budget
    this.#now = now
    this.#departures = new Departures(budget)
    this.subscriptionOptions = inner.subscriptionOptions ?? nothing
    if (inner.giveBack !== undefined) this.giveBack = (undone, from) => this.#leave(from, undone)
    if (inner.held === undefined) return
    if (inner.giveBack === undefined) {
      const text = 'rateLimit needs a dispatcher that has giveBack, if it has held'
      throw new UnnamedError('BAD_OPTION', text, { option: 'dispatcher' })
    }
    this.held = () => [...this.#departures.lateEvents, ...(inner.held?.() ?? nothing)]
  }

  subscribe(to: Recipient, options: SubscriptionOptions): Dispatched {
    return this.#answer(this.#inner.subscribe(to, options))
  }

  ask(to: Recipient, demand: number): Dispatched {
    if (this.#inner.held === undefined) return this.#answer(this.#inner.ask(to, demand))
    this.#asks.push({ to, demand })
    const now = this.#begin()
    this.#release(now)
    return this.#finish(now)
  }

  cancel(to: Recipient): Dispatched {
    return this.#leave(to, nothing)
  }

  /** Hands on as many events as the budget allows. Who has asked before, and waits for it, comes first: on the next wake. */
  dispatch(events: readonly unknown[]): Dispatched {
    const now = this.#begin()
    let rest = events
    for (let room = this.#room(now); rest.length > 0 && room > 0; room = this.#room(now)) {
      const some = rest.length <= room ? rest : rest.slice(0, room)
      const answer = this.#inner.dispatch(some)
      const { leftover = nothing } = answer
      this.#pass(answer, now, some.length)
      rest = leftover.length === 0 ? rest.slice(some.length) : [...leftover, ...rest.slice(some.length)]
      if (leftover.length > 0) break
    }
    return this.#finish(now, rest)
  }

  info(message: unknown): Dispatched {
    return this.#answer(this.#inner.info?.(message) ?? { allowance: this.#innerAllowance, infos: [message] })
  }

  wake(now: number): Dispatched {
    this.#wakeAt = undefined
    const isDue = this.#innerWakeAt !== undefined && this.#innerWakeAt <= now
    if (isDue) this.#innerWakeAt = undefined
    const answer = isDue ? this.#inner.wake?.(now) : undefined
    return this.#answer(answer ?? { allowance: this.#innerAllowance, hold: this.#innerHold })
  }

  inspect(): unknown {
    return {
      type: 'rateLimit',
      available: this.#budget.available(this.#now()),
      late: this.#departures.lateEvents.length,
      limited: this.#inner.inspect?.(),
    }
  }

  /** Somebody has gone. What it had not done goes back, but only as much as may be delivered now, if that is what becomes of it. */
  #leave(from: Recipient, undone: readonly unknown[]): Dispatched {
    for (const ask of this.#asks.take(this.#asks.length)) if (ask.to !== from) this.#asks.push(ask)
    const holds = this.#inner.held !== undefined
    const some = holds ? [...undone, ...this.#departures.takeBack(from)] : undone.slice(0, this.#room(this.#now()))
    const answer = some.length === 0 ? this.#inner.cancel(from) : this.#inner.giveBack?.(some, from)
    const { leftover = nothing } = answer ?? { leftover: some }
    const now = this.#begin()
    if (answer !== undefined) this.#pass(answer, now, some.length)
    this.#release(now)
    return this.#finish(now, [...leftover, ...undone.slice(some.length)])
  }

  /** How many events may be handed on now. */
  #room(now: number): number {
    return this.#asks.length > 0 ? 0 : this.#departures.room(now)
  }

  /** Hands on what the dispatcher inside answered. It was asked first: if that throws, nothing is lost here. */
  #answer(answer: Dispatched): Dispatched {
    const { leftover } = answer
    const now = this.#begin()
    this.#pass(answer, now)
    this.#release(now)
    return this.#finish(now, leftover)
  }

  #begin(): number {
    this.#outcome.with(0)
    this.#departures.begin()
    return this.#now()
  }

  /** Hands on an answer; `taken` is how many events it is about, if it can be about no others. */
  #pass(answer: Dispatched, now: number, taken?: number): void {
    const { deliveries = nothing, infos = nothing } = answer
    if (taken !== undefined && this.#inner.held === undefined) this.#departures.sendOnce(deliveries, taken, now)
    else for (const delivery of deliveries) this.#departures.send(delivery, now)
    for (const message of infos) this.#departures.info(message)
    gather(this.#outcome, answer)
    this.#innerAllowance = answer.allowance
    this.#innerHold = answer.hold === true
    if (answer.wakeAt !== undefined) this.#innerWakeAt = answer.wakeAt
  }

  /** What may leave by now of what is late, and of what was asked for. */
  #release(now: number): void {
    this.#departures.release(now)
    for (let ask = this.#asks.at(0); ask !== undefined; ask = this.#asks.at(0)) {
      const room = Math.min(ask.demand, this.#departures.room(now))
      if (room === 0) return
      const before = this.#departures.room(now)
      this.#pass(this.#inner.ask(ask.to, room), now)
      ask.demand -= room
      // It did not use up the budget, so nothing waits for this one: it may be told of the whole ask
      if (ask.demand > 0 && before - this.#departures.room(now) < room) {
        this.#pass(this.#inner.ask(ask.to, ask.demand), now)
        ask.demand = 0
      }
      if (ask.demand === 0) this.#asks.shift()
    }
  }

  /** How much could leave now, and when there will be more for what is wanted. */
  #finish(now: number, leftover: readonly unknown[] = nothing): Dispatched {
    const outcome = this.#outcome
    const { deliveries, infos, late } = this.#departures
    outcome.deliveries = deliveries
    outcome.infos = infos.length > 0 ? infos : undefined
    outcome.leftover = leftover.length > 0 ? leftover : undefined
    outcome.hold = this.#innerHold
    outcome.allowance = Math.min(this.#innerAllowance, this.#room(now))
    const wanted = addDemand(this.#innerAllowance, late + this.#asks.length)
    outcome.wakeAt = this.#wish(Math.min(this.#budget.moreAt(wanted, now) ?? Infinity, this.#innerWakeAt ?? Infinity))
    return outcome
  }

  /** One that comes too soon finds out when the next is due: that is cheaper than to set it anew each time. */
  #wish(wakeAt: number): number | undefined {
    if (wakeAt >= (this.#wakeAt ?? Infinity)) return undefined
    this.#wakeAt = wakeAt
    return wakeAt
  }
}
