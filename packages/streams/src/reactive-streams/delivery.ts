import { type Context, GenStageError, isGraceful, type Reason, type Subscription } from '@genstage/core'
import { show } from '@genstage/core/adapters'
import type { ReactiveSubscriber, ReactiveSubscription } from './types.ts'

/** The subscriber asked for something that is no number of events: it is told so in the stage's next turn (RS-3.9). */
const refused: unique symbol = Symbol('refused')

/** One producer that events come from. */
interface Inflow {
  readonly max: number
  readonly min: number
  /** Asked for and not yet given to the subscriber. */
  inFlight: number
}

/**
 * The subscription that a subscriber holds, in a consumer: it asks the producers for what the subscriber requests, `maxDemand` at a time,
 * and hands on no event beyond that. With one producer it never asks for more than was requested; with several, each may be asked
 * for all of it, and what comes too early waits.
 */
export class Delivery<T> implements ReactiveSubscription {
  readonly #ctx: Context
  /** Forgotten at the end (RS-3.13). */
  #subscriber: ReactiveSubscriber<T> | undefined
  /** Requested and not yet given, at most 2^53 - 1, which is as good as all (RS-3.17). */
  #requested = 0
  readonly #inflows = new Map<Subscription, Inflow>()
  /** Whether events are being handed on: what is requested meanwhile is asked for afterwards, in one. */
  #isDelivering = false
  /** Hands on what waits. */
  #resume: (() => void) | undefined
  /** What the subscriber is to be told instead of more events. */
  #refusal: GenStageError | undefined

  constructor(ctx: Context, subscriber: ReactiveSubscriber<T>) {
    this.#ctx = ctx
    this.#subscriber = subscriber
    ctx.stopping.addEventListener('abort', () => this.#resume?.(), { once: true })
    ctx.signal.addEventListener('abort', () => this.#killed(), { once: true })
    subscriber.onSubscribe({ request: n => this.request(n), cancel: () => this.cancel() })
  }

  // ── the subscription: neither ever calls the subscriber (RS-3.3, 3.4), and both do nothing after the end (RS-3.6, 3.7)

  request(n: number): void {
    if (this.#subscriber === undefined || this.#refusal !== undefined) return
    if (!isDemand(n)) {
      const text = `request takes a whole number of events from 1, or Infinity, not ${show(n)} (Reactive Streams, rule 3.9)`
      this.#refusal = new GenStageError('BAD_DEMAND', text)
      this.#ctx.self.send(refused)
      this.#resume?.()
      return
    }
    this.#requested = Math.min(this.#requested + n, Number.MAX_SAFE_INTEGER)
    if (!this.#isDelivering) this.#ask()
    this.#resume?.()
  }

  cancel(): void {
    if (this.#subscriber === undefined) return
    this.#subscriber = undefined
    this.#resume?.()
    this.#ctx.stop()
  }

  // ── the stage

  /** A producer to ask from now on. */
  join(link: Subscription): void {
    const { maxDemand: max = 1_000, minDemand: min = Math.floor(max / 2) } = link.options
    this.#inflows.set(link, { max, min, inFlight: 0 })
    this.#ask()
  }

  leave(link: Subscription): void {
    this.#inflows.delete(link)
  }

  /** Gives a batch to the subscriber; a promise if it has to wait for a request. */
  deliver(events: readonly T[], link: Subscription): Promise<void> | void {
    const given = this.#give(events, 0, link)
    if (given < events.length && this.#isOpen) return this.#giveRest(events, given, link)
  }

  /** What comes as an info: only one's own news of a bad request. */
  told(): void {
    if (this.#refusal === undefined) return
    this.fail(this.#refusal)
    this.#ctx.stop()
  }

  /** The last signal, if there was none and the subscriber did not cancel (RS-1.7). */
  finish(reason: Reason): void {
    if (isGraceful(reason)) this.#end()?.onComplete()
    else if (reason.type === 'error') this.fail(reason.error)
    else this.fail(new GenStageError('STOPPED', `the stage that was read has ended (${reason.type})`, { reason }))
  }

  fail(error: unknown): void {
    this.#end()?.onError(error)
  }

  // ── inside

  get #isOpen(): boolean {
    return this.#subscriber !== undefined && this.#refusal === undefined
  }

  /** As many as were requested; answers how many have been given in all. */
  #give(events: readonly T[], from: number, link: Subscription): number {
    const inflow = this.#inflows.get(link)
    this.#isDelivering = true
    let index = from
    try {
      for (; index < events.length && this.#requested > 0 && this.#isOpen; index++) {
        this.#requested--
        if (inflow !== undefined) inflow.inFlight--
        this.#subscriber?.onNext(events[index] as T)
      }
    } catch (error) {
      // It has broken the rules: it is told nothing more (RS-2.13)
      this.#subscriber = undefined
      throw error
    } finally {
      this.#isDelivering = false
    }
    this.#ask()
    return index
  }

  async #giveRest(events: readonly T[], from: number, link: Subscription): Promise<void> {
    for (let given = from; given < events.length && this.#isOpen; given = this.#give(events, given, link)) {
      if (this.#ctx.stopping.aborted) return this.#ctx.discard(events.slice(given), 'stopped')
      await new Promise<void>(resolve => {
        this.#resume = resolve
      })
      this.#resume = undefined
    }
  }

  #ask(): void {
    if (!this.#isOpen) return
    for (const [link, inflow] of this.#inflows) {
      const more = Math.min(this.#requested, inflow.max) - inflow.inFlight
      if (more <= 0 || inflow.inFlight > inflow.min) continue
      inflow.inFlight += more
      link.ask(more)
    }
  }

  #end(): ReactiveSubscriber<T> | undefined {
    const subscriber = this.#subscriber
    this.#subscriber = undefined
    return subscriber
  }

  /** A killed stage has no turn any more, but its subscriber has to know. */
  #killed(): void {
    try {
      this.finish({ type: 'killed' })
    } catch (error) {
      this.#ctx.logger.warn('the subscriber could not be told that its stage was killed', { error })
    }
    this.#resume?.()
  }
}

function isDemand(n: unknown): n is number {
  return typeof n === 'number' && n >= 1 && (Number.isInteger(n) || n === Infinity)
}
