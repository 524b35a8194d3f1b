import type { Buffer } from '../../../src/buffer.ts'
import { Account } from '../../../src/demand.ts'
import type { Dispatched, Dispatcher, DispatcherFactory, DispatcherWarning, Recipient } from '../../../src/dispatcher.ts'
import type { Reason } from '../../../src/reason.ts'
import type { SubscriptionOptions } from '../../../src/refs.ts'
import type { Discarded } from '../../../src/types.ts'

/** A message of events as a test writes it: who gets it, and what. */
export type Delivered = readonly [to: string, events: readonly unknown[]]

export interface RigOptions {
  /** Keeps what is left over and serves it first, as a stage does. Without it left-overs are only answered to the test. */
  readonly buffer?: Buffer
  readonly random?: () => number
  /** The time; it stands still by default. */
  readonly now?: () => number
}

/**
 * A dispatcher with the account that a stage keeps beside it (GS-X): operations answer how many events go upstream to be asked
 * for, `dispatch` answers what is left over. Everything else that a dispatcher wants done is collected until a test takes it.
 */
export class Rig<Event = unknown> {
  readonly dispatcher: Dispatcher<Event>
  readonly account = new Account()
  readonly buffer: Buffer | undefined
  /** Events the dispatcher could take now, as it said last. */
  allowance = 0
  hold = false
  /** When it wants to be woken, as it said last. */
  wakeAt: number | undefined
  readonly #recipients = new Map<string, Recipient>()
  #delivered: Delivered[] = []
  #infos: unknown[] = []
  #asks: (readonly [to: string, demand: number])[] = []
  #cancels: (readonly [to: string, reason: Reason])[] = []
  #discarded: Discarded[] = []
  #warnings: DispatcherWarning[] = []

  constructor(factory: DispatcherFactory<Event>, options: RigOptions = {}) {
    this.dispatcher = factory({ random: options.random ?? (() => 0), now: options.now ?? (() => 0) })
    this.buffer = options.buffer
  }

  /** Sent upstream and not answered. */
  get requested(): number {
    return this.account.requested
  }

  /** Sent upstream for consumers that have left (GS-D10). */
  get pending(): number {
    return this.account.requested - this.allowance
  }

  subscribe(subscription: string, options: SubscriptionOptions = {}, consumer = subscription): number {
    const recipient: Recipient = { subscriptionId: subscription, consumerId: consumer }
    const outcome = this.dispatcher.subscribe(recipient, options)
    this.#recipients.set(subscription, recipient)
    return this.#settle(outcome)
  }

  ask(subscription: string, demand: number): number {
    return this.#settle(this.dispatcher.ask(this.#recipient(subscription), demand))
  }

  cancel(subscription: string): number {
    const outcome = this.dispatcher.cancel(this.#recipient(subscription))
    this.#recipients.delete(subscription)
    return this.#settle(outcome)
  }

  /** The subscription is over, and these events were not done; answers what is left over, for the front of the buffer. */
  giveBack(subscription: string, undone: readonly Event[]): readonly unknown[] {
    const outcome = this.dispatcher.giveBack?.(undone, this.#recipient(subscription)) ?? { allowance: 0, leftover: undone }
    const leftover = outcome.leftover ?? []
    this.#recipients.delete(subscription)
    this.buffer?.giveBack(leftover, [])
    this.#settle(outcome)
    return leftover
  }

  /** The time has come that was asked for. */
  wake(now: number): number {
    this.wakeAt = undefined
    return this.#settle(this.dispatcher.wake?.(now) ?? { allowance: this.allowance })
  }

  /** The producer emits. */
  dispatch(events: readonly Event[]): readonly unknown[] {
    this.account.answer(events.length)
    const leftover = this.buffer !== undefined && this.buffer.length > 0 ? events : this.#dispatch(events)
    this.buffer?.store(leftover)
    return leftover
  }

  info(message: unknown): void {
    if (this.buffer?.attach(message) === true) return
    if (this.dispatcher.info === undefined) this.#infos.push(message)
    else this.#record(this.dispatcher.info(message))
  }

  /** The message that a stage posts to itself when the hash has discarded events (X3). */
  settle(): number {
    this.#drain()
    return this.#request()
  }

  /** Messages of events since the last look. */
  delivered(): readonly Delivered[] {
    const delivered = this.#delivered
    this.#delivered = []
    return delivered
  }

  /** Infos set free since the last look. */
  infos(): readonly unknown[] {
    const infos = this.#infos
    this.#infos = []
    return infos
  }

  /** Asks that the stage is to post to itself, since the last look. */
  asks(): readonly (readonly [to: string, demand: number])[] {
    const asks = this.#asks
    this.#asks = []
    return asks
  }

  cancels(): readonly (readonly [to: string, reason: Reason])[] {
    const cancels = this.#cancels
    this.#cancels = []
    return cancels
  }

  discarded(): readonly Discarded[] {
    const discarded = this.#discarded
    this.#discarded = []
    return discarded
  }

  warnings(): readonly DispatcherWarning[] {
    const warnings = this.#warnings
    this.#warnings = []
    return warnings
  }

  /** A recipient that is not (or no longer) subscribed is as unknown to the dispatcher as a stranger. */
  #recipient(subscription: string): Recipient {
    return this.#recipients.get(subscription) ?? { subscriptionId: subscription, consumerId: subscription }
  }

  #settle(outcome: Dispatched): number {
    this.#record(outcome)
    return this.settle()
  }

  #drain(): void {
    const { buffer } = this
    while (buffer !== undefined && this.allowance > 0 && buffer.length > 0) {
      const { events, infos } = buffer.take(this.allowance)
      const leftover = this.#dispatch(events as readonly Event[])
      if (leftover.length > 0) return buffer.giveBack(leftover, infos)
      for (const message of infos) this.info(message)
    }
  }

  #request(): number {
    return this.hold ? 0 : this.account.request(this.allowance)
  }

  #dispatch(events: readonly Event[]): readonly unknown[] {
    const outcome = this.dispatcher.dispatch(events)
    const leftover = outcome.leftover ?? []
    this.#record(outcome)
    return leftover
  }

  /** Read at once: a dispatcher may use the same object for its next answer. */
  #record(outcome: Dispatched): void {
    this.allowance = outcome.allowance
    this.hold = outcome.hold === true
    if (outcome.wakeAt !== undefined) this.wakeAt = outcome.wakeAt
    for (const { to, events } of outcome.deliveries ?? []) this.#delivered.push([to.subscriptionId, [...events]])
    for (const message of outcome.infos ?? []) this.#infos.push(message)
    for (const { to, demand } of outcome.asks ?? []) this.#asks.push([to.subscriptionId, demand])
    for (const { to, reason } of outcome.cancels ?? []) this.#cancels.push([to.subscriptionId, reason])
    this.#discarded.push(...(outcome.discarded ?? []))
    this.#warnings.push(...(outcome.warnings ?? []))
  }
}

/** The whole numbers from `first`, `count` of them. */
export function numbers(first: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => first + index)
}
