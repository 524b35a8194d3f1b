import { addDemand } from '../demand.ts'
import type { Dispatched, Dispatcher, DispatcherContext, DispatcherFactory, Recipient } from '../dispatcher.ts'
import { show, UnnamedError } from '../errors.ts'
import { badOption, duration, ownOptions, refuseUnknown, wholeNumber } from '../options.ts'
import type { SubscriptionOptions } from '../refs.ts'
import { demandDispatcher } from './demand.ts'
import { gather } from './gather.ts'
import type { LimitedInside } from './limited.ts'
import { Outcome } from './outcome.ts'
import { WaitingRoom } from './waiting-room.ts'

/** Options of `priorityDispatcher`. */
export interface PriorityDispatcherOptions<in Event> {
  /** How urgent an event is: the smaller the number, the sooner. Any number but NaN. Called once for each event. */
  readonly priority: (event: Event) => number
  /** The most events waiting here, and so how far ahead of its consumers the producer is asked. Default 1,000. */
  readonly maxQueued?: number
  /** An event becomes more urgent by one for each `ageMs` milliseconds it has waited, so that none waits for ever. Absent: strict. */
  readonly ageMs?: number
}

/**
 * The most urgent event first, to the consumer with the highest demand. To have a choice it keeps events waiting: the producer is
 * asked for up to `maxQueued` more than consumers have asked for. Among equals the order of emission holds.
 *
 * Strict by default: while urgent events come, others wait. With `ageMs` an event of priority p that came at t stands where one of
 * priority 0 stands that came p · ageMs later.
 *
 * Refuses bad options with `BAD_OPTION`. A `priority` that answers no number, or throws, ends the producer (`BAD_RETURN`,
 * `DISPATCHER_FAILED`).
 *
 * ```ts
 * interface Mail {
 *   readonly to: string
 *   readonly urgency: 1 | 2 | 3
 * }
 * const byUrgency = priorityDispatcher({ priority: (mail: Mail) => mail.urgency })
 * console.log(typeof byUrgency) // => function
 * ```
 */
export function priorityDispatcher<Event>(options: PriorityDispatcherOptions<Event>): DispatcherFactory<Event>
export function priorityDispatcher(options: unknown): DispatcherFactory {
  const where = 'priorityDispatcher'
  const own = ownOptions(where, options)
  refuseUnknown(where, own, ['priority', 'maxQueued', 'ageMs'])
  const { priority, ageMs } = own
  if (typeof priority !== 'function') throw badOption(where, 'priority', priority, 'a function from an event to a number')
  const maxQueued = wholeNumber(where, own, 'maxQueued', 1_000, { min: 1 })
  if (ageMs !== undefined && duration(where, 'ageMs', ageMs, false) === 0)
    throw badOption(where, 'ageMs', ageMs, 'a number of milliseconds above 0')
  const priorityOf = checked(priority as (event: unknown) => unknown)
  return context => {
    const room = (): WaitingRoom => new WaitingRoom(priorityOf, ageMs as number | undefined)
    return new PriorityDispatcher(room, maxQueued, demandDispatcher()(context), context)
  }
}

function checked(priority: (event: unknown) => unknown): (event: unknown) => number {
  return event => {
    const answer = priority(event)
    if (typeof answer === 'number' && !Number.isNaN(answer)) return answer
    throw new UnnamedError('BAD_RETURN', `priority must answer a number, not ${show(answer)}`, { option: 'priority' })
  }
}

/**
 * A waiting room in front of another dispatcher, which gets no more than it can hand out at once. So events wait here or there is
 * open demand, never both.
 */
class PriorityDispatcher implements LimitedInside {
  readonly subscriptionOptions: readonly string[]
  readonly #inner: Dispatcher
  readonly #makeRoom: () => WaitingRoom
  readonly #room: WaitingRoom
  readonly #maxQueued: number
  readonly #context: DispatcherContext
  /** Who is here and has asked: while there is nobody, nothing is asked for ahead. */
  readonly #askers = new Set<Recipient>()
  /** What the inner dispatcher could hand out now. */
  #open = 0
  readonly #outcome = new Outcome()

  constructor(makeRoom: () => WaitingRoom, maxQueued: number, inner: Dispatcher, context: DispatcherContext) {
    this.#makeRoom = makeRoom
    this.#room = makeRoom()
    this.#maxQueued = maxQueued
    this.#inner = inner
    this.#context = context
    this.subscriptionOptions = inner.subscriptionOptions ?? []
  }

  limitedBy(limit: (inner: Dispatcher) => Dispatcher): Dispatcher {
    return new PriorityDispatcher(this.#makeRoom, this.#maxQueued, limit(this.#inner), this.#context)
  }

  subscribe(to: Recipient, options: SubscriptionOptions): Dispatched {
    return this.#answer(this.#inner.subscribe(to, options))
  }

  ask(to: Recipient, demand: number): Dispatched {
    this.#askers.add(to)
    return this.#answer(this.#inner.ask(to, demand))
  }

  cancel(to: Recipient): Dispatched {
    this.#askers.delete(to)
    return this.#answer(this.#inner.cancel(to))
  }

  dispatch(events: readonly unknown[]): Dispatched {
    const places = addDemand(this.#open, this.#places())
    const some = events.length <= places ? events : events.slice(0, places)
    if (some.length > 0) this.#room.add(some, this.#context.now())
    const outcome = this.#handOut(this.#outcome.with(this.#open))
    if (some.length < events.length) outcome.leftover = events.slice(some.length)
    return outcome
  }

  /** To whoever can take them now, or to the front of their priorities: here they come before others of the same. */
  giveBack(undone: readonly unknown[], from: Recipient): Dispatched {
    this.#room.giveBack(undone, this.#context.now())
    return this.cancel(from)
  }

  info(message: unknown): Dispatched {
    const outcome = this.#handOut(this.#outcome.with(this.#open))
    if (!this.#room.hold(message)) outcome.infos = [message]
    return outcome
  }

  wake(now: number): Dispatched {
    return this.#answer(this.#inner.wake?.(now) ?? { allowance: this.#open })
  }

  held(): readonly unknown[] {
    return this.#room.all()
  }

  inspect(): unknown {
    return {
      type: 'priority',
      maxQueued: this.#maxQueued,
      waiting: this.#room.counts(),
      handsOutBy: this.#inner.inspect?.(),
    }
  }

  /** How many more events may wait here; those that were given back may be more than there are places. */
  #places(): number {
    return Math.max(0, this.#maxQueued - this.#room.size)
  }

  #answer(answer: Dispatched): Outcome {
    const outcome = this.#outcome.with(0)
    gather(outcome, answer)
    return this.#handOut(outcome)
  }

  /** Hands out as much as can be handed out now, and tells what could be taken then. */
  #handOut(outcome: Outcome): Outcome {
    const count = Math.min(outcome.allowance, this.#room.size)
    if (count > 0) {
      gather(outcome, this.#inner.dispatch(this.#room.take(count)))
      outcome.infos = this.#room.freeInfos()
    }
    this.#open = outcome.allowance
    outcome.allowance = this.#askers.size === 0 ? 0 : addDemand(this.#open, this.#places())
    return outcome
  }
}
