import type { Dispatched, Dispatcher, DispatcherFactory, Recipient } from '@genstage/core'
import { claim, ContractError } from '../contract.ts'
import { seededRandom } from '../seeded-random.ts'
import type { Subject } from './capabilities.ts'
import { EventBook } from './event-book.ts'
import type { Operation } from './script.ts'

/** What a dispatcher may break. A run watches one of them, so that what it reports is what its case is about. */
export type Aspect =
  | 'presence'
  | 'demand'
  | 'once'
  | 'conservation'
  | 'order'
  | 'broadcast'
  | 'allowance'
  | 'liveness'
  | 'infos'
  | 'arrays'
  | 'giveBack'
  | 'time'
  | 'trace'

/** A subscription that is there. */
interface Guest {
  readonly to: Recipient
  readonly seat: number
  /** Asked for and not delivered. */
  outstanding: number
  /** Numbers of the events it was sent, in order. */
  readonly got: number[]
}

/** More wakes than this without time moving on mean that there is no end to them. */
const mostWakes = 100

/**
 * A dispatcher with what a stage keeps beside it: the buffer, the account of what was asked for, a clock. It does what the dispatcher
 * answers, and checks every answer.
 */
export class Bench {
  /** What happened, for comparing two runs. */
  readonly trace: string[] = []
  readonly #dispatcher: Dispatcher<never>
  readonly #subject: Subject
  readonly #watched: Aspect
  readonly #guests = new Map<number, Guest>()
  readonly #book: EventBook
  /** Events that were left over, oldest first, with the infos behind them. */
  readonly #buffer: { readonly number: number; readonly infos: number[] }[] = []
  /** What the stage has to do next: messages that it posts to itself. */
  readonly #own: (() => void)[] = []
  readonly #arrays: { readonly events: readonly unknown[]; readonly copy: readonly unknown[] }[] = []
  /** How many events had been emitted when each info was sent, and how many infos have come out. */
  readonly #infos: number[] = []
  #infosOut = 0
  #allowance = 0
  #hold = false
  #requested = 0
  #asked = 0
  #subscriptions = 0
  #now = 0
  #wakeAt: number | undefined
  /** It has wanted to be woken without end, and is not any more. */
  #isWakeless = false

  constructor(factory: DispatcherFactory<never>, subject: Subject, watched: Aspect) {
    this.#subject = subject
    this.#watched = watched
    this.#book = new EventBook(subject)
    this.#dispatcher = made(factory({ random: seededRandom(1), now: () => this.#now }))
  }

  get allowance(): number {
    return this.#allowance
  }

  /** Does one thing, and what follows from it. What means nothing at this point is left out. */
  perform(operation: Operation): void {
    this.#perform(operation)
    for (let next = this.#own.shift(); next !== undefined; next = this.#own.shift()) next()
    this.#checkInside()
  }

  /** Lets time pass until nothing is waited for, and checks that nothing waits that could have left. */
  finish(): void {
    for (let wakes = 0; this.#wakeAt !== undefined && !this.#isWakeless && wakes < 10_000; wakes++)
      this.perform({ type: 'wait', ms: Math.max(0, this.#wakeAt - this.#now) })
    this.#checkRest()
    for (const { events, copy } of this.#arrays)
      this.#claim('arrays', same(events, copy), () => `it changed an array of events after it had handed it out: ${list(copy)}`)
  }

  /** Asks the dispatcher for its picture of itself. */
  inspect(): void {
    this.#dispatcher.inspect?.()
  }

  /** What happens when it hears of somebody it does not know. */
  meetStranger(): void {
    const to: Recipient = { subscriptionId: 'stranger', consumerId: 'stranger' }
    this.#settle(this.#guard('ask', () => this.#dispatcher.ask(to, 3)))
    this.#settle(this.#guard('cancel', () => this.#dispatcher.cancel(to)))
  }

  #perform(operation: Operation): void {
    switch (operation.type) {
      case 'subscribe':
        return this.#subscribe(operation.seat)
      case 'ask':
        return this.#ask(operation.seat, operation.demand)
      case 'cancel':
        return this.#leave(operation.seat, 0)
      case 'fail':
        return this.#leave(operation.seat, operation.undone)
      case 'emit':
        return this.#emit(operation.count)
      case 'supply':
        return this.#emit(Math.min(operation.most, this.#requested))
      case 'info':
        return this.#sendInfo()
      case 'wait':
        return this.#wait(operation.ms)
    }
  }

  // ── what a stage does

  #subscribe(seat: number): void {
    if (this.#guests.has(seat)) return
    const id = `s${this.#subscriptions++}`
    const to: Recipient = { subscriptionId: id, consumerId: `c${id}` }
    const outcome = this.#guard('subscribe', () => this.#dispatcher.subscribe(to, this.#subject.options(seat)))
    this.#guests.set(seat, { to, seat, outstanding: 0, got: [] })
    this.#settle(outcome)
  }

  #ask(seat: number, demand: number): void {
    const guest = this.#guests.get(seat)
    if (guest === undefined) return
    guest.outstanding += demand
    this.#asked += demand
    this.#settle(this.#guard('ask', () => this.#dispatcher.ask(guest.to, demand)))
  }

  #leave(seat: number, undone: number): void {
    const guest = this.#guests.get(seat)
    if (guest === undefined) return
    this.#guests.delete(seat)
    const { giveBack } = this.#dispatcher
    const numbers = undone === 0 ? [] : guest.got.slice(-undone)
    if (giveBack === undefined || numbers.length === 0)
      return this.#settle(this.#guard('cancel', () => this.#dispatcher.cancel(guest.to)))
    const events = this.#book.eventsOf(numbers)
    this.#book.giveBack(numbers)
    const outcome = this.#guard('giveBack', () => giveBack.call(this.#dispatcher, events as never[], guest.to))
    const leftover = this.#leftover(outcome, numbers)
    this.#claim('giveBack', leftover.length === 0 || !this.#subject.holdsEvents, 'giveBack left events over, though it has held')
    this.#apply(outcome)
    this.#buffer.unshift(...leftover.map(number => ({ number, infos: [] })))
    this.#settleAccount()
  }

  #emit(count: number): void {
    if (count === 0) return
    const numbers = this.#book.emit(count)
    this.#requested = Math.max(0, this.#requested - count)
    const leftover = this.#buffer.length > 0 ? numbers : this.#dispatch(numbers)
    this.#buffer.push(...leftover.map(number => ({ number, infos: [] })))
  }

  #sendInfo(): void {
    const info = this.#infos.push(this.#book.emitted) - 1
    const last = this.#buffer.at(-1)
    if (last === undefined) this.#passInfo(info)
    else last.infos.push(info)
  }

  #wait(ms: number): void {
    const until = this.#now + ms
    let wakes = 0
    while (this.#wakeAt !== undefined && this.#wakeAt <= until) {
      wakes = this.#wakeAt > this.#now ? 0 : wakes + 1
      this.#claim('time', wakes <= mostWakes, () => `it wants to be woken at ${this.#now} again and again`)
      // No other case is to hang on it
      if (wakes > mostWakes) this.#isWakeless = true
      if (this.#isWakeless) break
      this.#now = Math.max(this.#now, this.#wakeAt)
      this.#wakeAt = undefined
      const outcome = this.#guard('wake', () => this.#dispatcher.wake?.(this.#now))
      this.#claim('time', outcome !== undefined, 'it set wakeAt, but has no wake')
      if (outcome !== undefined) this.#settle(outcome)
    }
    this.#now = Math.max(this.#now, until)
  }

  #settle(outcome: Dispatched): void {
    this.#apply(outcome)
    this.#settleAccount()
  }

  #settleAccount(): void {
    while (this.#allowance > 0 && this.#buffer.length > 0) {
      const end = this.#buffer.findIndex(({ infos }) => infos.length > 0)
      const count = Math.min(this.#allowance, end < 0 ? this.#buffer.length : end + 1)
      const taken = this.#buffer.splice(0, count)
      const infos = taken.at(-1)?.infos ?? []
      const leftover = this.#dispatch(taken.map(({ number }) => number))
      this.#buffer.unshift(...leftover.map((number, index) => ({ number, infos: index === leftover.length - 1 ? infos : [] })))
      if (leftover.length > 0) break
      for (const info of infos) this.#passInfo(info)
    }
    if (!this.#hold) this.#requested = Math.max(this.#requested, this.#allowance - Math.min(this.#buffer.length, this.#allowance))
  }

  /** Answers the numbers of what is left over. */
  #dispatch(numbers: readonly number[]): readonly number[] {
    const allowance = this.#allowance
    const events = this.#book.eventsOf(numbers)
    const outcome = this.#guard('dispatch', () => this.#dispatcher.dispatch(events as never[]))
    const leftover = this.#leftover(outcome, numbers)
    this.#claim(
      'allowance',
      leftover.length <= Math.max(0, numbers.length - allowance),
      () => `of ${numbers.length} events it left ${leftover.length} over, though it said that it could take ${allowance}`,
    )
    this.#apply(outcome)
    if (this.#subject.broadcasts) this.#checkBroadcast(outcome)
    return leftover
  }

  #leftover({ leftover = [] }: Dispatched, given: readonly number[]): readonly number[] {
    const numbers = leftover
      .map(event => this.#book.numberOf(event))
      .filter(number => number !== undefined && given.includes(number))
    this.#claim('conservation', numbers.length === leftover.length, 'leftover has events that it was not given')
    this.#claim(
      'order',
      isAscending(numbers.map(number => given.indexOf(number ?? 0))),
      () => `leftover is out of order: ${list(numbers)}`,
    )
    return numbers as readonly number[]
  }

  #passInfo(info: number): void {
    if (this.#dispatcher.info === undefined) this.#own.push(() => this.#infoCame(info))
    else this.#apply(this.#guard('info', () => this.#dispatcher.info?.(info) ?? { allowance: this.#allowance }))
  }

  /** Does what an answer says, and checks it. It is read at once: the dispatcher may use the same object for its next answer. */
  #apply(outcome: Dispatched): void {
    const { allowance, wakeAt, deliveries = [], discarded = [], infos = [], asks = [], cancels = [] } = outcome
    this.trace.push(
      JSON.stringify([allowance, deliveries.map(({ to, events }) => [to.subscriptionId, this.#book.numbersOf(events)])]),
    )
    this.#allowance = this.#checkAllowance(allowance)
    this.#hold = outcome.hold === true
    const sent: number[] = []
    for (const { to, events } of deliveries) sent.push(...this.#deliver(to, events))
    for (const { events } of discarded) this.#book.discard(this.#book.numbersOf(events))
    if (discarded.some(({ reason }) => reason === 'no_partition')) this.#own.push(() => this.#settleAccount())
    this.#checkOrder(sent)
    for (const info of infos) this.#infoCame(info)
    for (const { to, demand } of asks) {
      this.#own.push(() => {
        if (this.#guestOf(to) !== undefined) this.#settle(this.#guard('ask', () => this.#dispatcher.ask(to, demand)))
      })
    }
    for (const { to } of cancels) this.#own.push(() => this.#leave(this.#guestOf(to)?.seat ?? -1, 0))
    if (wakeAt === undefined) return
    this.#claim('time', Number.isFinite(wakeAt), () => `wakeAt must be a time, not ${wakeAt}`)
    this.#wakeAt = wakeAt
  }

  #deliver(to: Recipient, events: readonly unknown[]): readonly number[] {
    const guest = this.#guestOf(to)
    const numbers = this.#book.numbersOf(events)
    this.#arrays.push({ events, copy: [...events] })
    this.#claim('conservation', numbers.length === events.length, () => `it sent ${to.subscriptionId} events that nobody emitted`)
    this.#claim('presence', guest !== undefined, () => `it sent ${list(numbers)} to ${to.subscriptionId}, which is not there`)
    if (guest === undefined) return numbers
    this.#claim(
      'demand',
      numbers.length <= guest.outstanding,
      () => `it sent ${numbers.length} events to ${to.subscriptionId}, which had asked for ${guest.outstanding}`,
    )
    guest.outstanding -= numbers.length
    for (const number of numbers) {
      const isNew = this.#subject.broadcasts ? !guest.got.includes(number) : this.#book.isWaiting(number)
      this.#claim('once', isNew, () => `it sent event ${number} twice`)
      const passed = this.#book.passedBy(number)
      this.#claim(
        'giveBack',
        passed === undefined,
        () => `event ${number} went before event ${passed}, which had been given back`,
      )
      this.#book.deliver(number)
      guest.got.push(number)
    }
    return numbers
  }

  #guestOf(to: Recipient): Guest | undefined {
    return [...this.#guests.values()].find(guest => guest.to === to)
  }

  // ── what must hold

  #checkAllowance(allowance: number): number {
    const isCount = Number.isSafeInteger(allowance) && allowance >= 0
    this.#claim('allowance', isCount, () => `the allowance must be a whole number from 0, not ${allowance}`)
    const open = [...this.#guests.values()].map(({ outstanding }) => outstanding)
    const { broadcasts, seatOf, asksAhead } = this.#subject
    // Demand of somebody who has left may go on counting where events are for certain seats (GS-H9)
    const most = broadcasts ? Math.min(...open, Infinity) : seatOf === undefined ? sum(open) + asksAhead : this.#asked + asksAhead
    this.#claim(
      'allowance',
      allowance <= (open.length === 0 && seatOf === undefined ? 0 : most),
      () => `the allowance is ${allowance}, but no more than ${open.length === 0 ? 0 : most} can be taken`,
    )
    return isCount ? allowance : 0
  }

  #checkOrder(sent: readonly number[]): void {
    const { rank } = this.#subject
    const fresh = sent.filter(number => !this.#book.wasGivenBack(number))
    if (rank === undefined) {
      for (const { got, to } of this.#guests.values()) {
        const its = got.filter(number => !this.#book.wasGivenBack(number))
        this.#claim('order', isAscending(its), () => `${to.subscriptionId} got ${list(its)}: that is not their order`)
      }
      return
    }
    const isBefore = (a: number, b: number): boolean => rank(a) < rank(b) || (rank(a) === rank(b) && a < b)
    const inside = this.#heldNumbers().filter(number => !this.#book.wasGivenBack(number))
    for (const [index, number] of fresh.entries()) {
      const overtaken = [...fresh.slice(index + 1), ...inside].find(other => isBefore(other, number))
      this.#claim(
        'order',
        overtaken === undefined,
        () => `event ${number} left before event ${overtaken}, which was to come first`,
      )
    }
  }

  /** Everybody who is there gets the same. */
  #checkBroadcast({ deliveries = [] }: Dispatched): void {
    if (deliveries.length === 0) return
    const all = this.#book.numbersOf(deliveries[0]?.events ?? [])
    for (const { to } of this.#guests.values()) {
      const its = deliveries.filter(delivery => delivery.to === to).flatMap(({ events }) => this.#book.numbersOf(events))
      this.#claim('broadcast', same(its, all), () => `${to.subscriptionId} got ${list(its)} where another one got ${list(all)}`)
    }
  }

  /** What is neither delivered, discarded nor left over must be inside, and nothing else. */
  #checkInside(): void {
    const buffered = this.#buffer.map(({ number }) => number)
    const expected = this.#book.waiting().filter(number => !buffered.includes(number))
    const held = this.#heldNumbers().toSorted((a, b) => a - b)
    this.#claim('conservation', same(held, expected), () => `it must hold ${list(expected)}, but holds ${list(held)}`)
    const isIdle = this.#buffer.length === 0 || this.#allowance === 0
    this.#claim(
      'liveness',
      isIdle,
      () => `${list(buffered)} wait in the buffer, though it says that it could take ${this.#allowance}`,
    )
  }

  #checkRest(): void {
    const waiting = this.#book.waiting()
    const { broadcasts, seatOf } = this.#subject
    const held = this.#heldNumbers()
    for (const { to, seat, outstanding } of this.#guests.values()) {
      const its = seatOf === undefined ? waiting : held.filter(number => seatOf(number) === seat)
      const isServed = broadcasts || outstanding === 0 || its.length === 0
      this.#claim('liveness', isServed, () => `${list(its)} wait, though ${to.subscriptionId} has asked for ${outstanding}`)
    }
    // An info behind the last event that somebody had asked for may wait for the next ask (GS-H10)
    const mayWait = seatOf !== undefined && [...this.#guests.values()].some(({ outstanding }) => outstanding === 0)
    const areOut = mayWait || waiting.length > 0 || this.#infosOut === this.#infos.length
    this.#claim('infos', areOut, () => `no event waits, but only ${this.#infosOut} of ${this.#infos.length} infos have come out`)
  }

  #infoCame(info: unknown): void {
    this.#claim('infos', info === this.#infosOut, () => `info ${String(info)} came out where info ${this.#infosOut} was next`)
    this.#infosOut++
    const emittedBefore = this.#infos[Number(info)] ?? 0
    const overtaken = this.#book.waiting().find(number => number < emittedBefore && !this.#book.wasGivenBack(number))
    this.#claim(
      'infos',
      overtaken === undefined,
      () => `info ${String(info)} came out before event ${overtaken}, emitted earlier`,
    )
  }

  #heldNumbers(): readonly number[] {
    return this.#book.numbersOf(this.#dispatcher.held?.() ?? [])
  }

  #guard<T>(operation: string, call: () => T): T {
    try {
      return call()
    } catch (error) {
      throw new ContractError(`${operation} threw ${String(error)}`, { cause: error })
    }
  }

  #claim(aspect: Aspect, holds: boolean, message: string | (() => string)): void {
    if (!holds && aspect === this.#watched) throw new ContractError(typeof message === 'string' ? message : message())
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

function same(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((each, index) => Object.is(each, b[index]))
}

function isAscending(numbers: readonly number[]): boolean {
  return numbers.every((number, index) => index === 0 || number > (numbers[index - 1] ?? 0))
}

function list(items: readonly unknown[]): string {
  return items.length === 0 ? 'nothing' : items.map(String).join(' ')
}

/** Refuses what is no dispatcher: most often a function that answers the factory was given in place of the factory. */
function made(answer: unknown): Dispatcher<never> {
  claim(
    typeof answer !== 'function',
    'the factory answered a function: give demandDispatcher(), for one, and not () => demandDispatcher()',
  )
  for (const method of ['subscribe', 'ask', 'cancel', 'dispatch']) {
    const has = typeof answer === 'object' && answer !== null && typeof Reflect.get(answer, method) === 'function'
    claim(has, `the factory must answer a dispatcher, and what it answered has no method ${method}`)
  }
  return answer as Dispatcher<never>
}
