import { type Context, type DiscardReason, GenStageError, isGraceful, type ProducerCallbacks } from '@genstage/core'
import { show } from '@genstage/core/adapters'
import { isSubscription, type ReactiveSubscriber, type ReactiveSubscription } from './types.ts'

/** Events have arrived, or the publisher has come to its end. */
const arrived: unique symbol = Symbol('arrived')
/** The publisher has completed: the stage ends behind the last event. */
const end: unique symbol = Symbol('end')

/** The publisher has failed: the stage does, behind the last event. */
class Failure {
  readonly error: unknown

  constructor(error: unknown) {
    this.error = error
  }
}

type Message = typeof arrived | typeof end | Failure

/**
 * The subscriber that stands before a producer: it requests what the stage is asked for, and keeps what comes until the stage has its
 * turn. No signal does more than that (RS-2.2), so a publisher is never held up.
 */
export class Intake<T> implements ReactiveSubscriber<T> {
  readonly #where: string
  /** The stage it works for, once that is set up. */
  #ctx: Context | undefined
  #subscription: ReactiveSubscription | undefined
  /** Asked for before there was a subscription. */
  #unrequested = 0
  #waiting: T[] = []
  /** Whether a message that says so is under way. */
  #announced = false
  /** How the publisher has ended, once it has: nothing is taken any more, and nothing is said to it (RS-2.3, 2.4). */
  #ending: typeof end | Failure | undefined
  /** Whether anybody has asked for anything: before that no end is told, or who subscribes next would find nobody. */
  #isAsked = false
  #isEndTold = false
  /** Set when the stage has ended. */
  #isClosed = false

  constructor(where: string) {
    this.#where = where
  }

  // ── the subscriber

  onSubscribe(subscription: ReactiveSubscription): void {
    if (!isSubscription(subscription)) {
      const what = `${this.#where}: onSubscribe takes a subscription with request and cancel, not ${show(subscription)}`
      throw new GenStageError('BAD_SOURCE', what)
    }
    if (this.#subscription !== undefined || this.#isClosed) return subscription.cancel()
    this.#subscription = subscription
    const demand = this.#unrequested
    this.#unrequested = 0
    if (demand > 0) subscription.request(demand)
  }

  onNext(event: T): void {
    if (this.#ending !== undefined || this.#isClosed) return
    this.#waiting.push(event)
    this.#announce()
  }

  onError(error: unknown): void {
    this.#finish(new Failure(error))
  }

  onComplete(): void {
    this.#finish(end)
  }

  // ── the stage

  /** The callbacks of the stage it stands before. */
  callbacks(ctx: Context, onCancel: 'continue' | 'stop'): ProducerCallbacks<T, never, unknown, never, never> {
    this.#attach(ctx)
    let consumers = 0
    return {
      handleDemand: demand => this.#demand(demand),
      handleInfo: (message: Message) => this.#told(message),
      handleSubscribe() {
        consumers++
      },
      handleCancel() {
        consumers--
        if (consumers === 0 && onCancel === 'stop') ctx.stop()
      },
      terminate: reason => this.close(isGraceful(reason) ? 'stopped' : 'producer_crash'),
    } satisfies ProducerCallbacks<T, never, unknown, never, Message>
  }

  #attach(ctx: Context): void {
    this.#ctx = ctx
    const onKill = (): void => {
      try {
        this.close('killed')
      } catch (error) {
        ctx.logger.warn(`${this.#where}: the subscription could not be cancelled`, { error })
      }
    }
    ctx.signal.addEventListener('abort', onKill, { once: true })
    if (this.#announced) ctx.self.send(arrived)
  }

  #demand(demand: number): readonly T[] {
    this.#isAsked = true
    if (this.#ending === undefined && this.#ctx?.stopping.aborted !== true) {
      if (this.#subscription === undefined) this.#unrequested = Math.min(this.#unrequested + demand, Number.MAX_SAFE_INTEGER)
      else this.#subscription.request(demand)
    }
    // What a publisher gives at once goes out at once
    return this.#takeAll()
  }

  #told(message: Message): readonly T[] | void {
    if (message instanceof Failure) throw message.error
    if (message === end) return this.#ctx?.stop()
    this.#announced = false
    return this.#takeAll()
  }

  /** What has come; and behind it, when all has left, the end. */
  #takeAll(): readonly T[] {
    if (this.#ending !== undefined && this.#isAsked && !this.#isEndTold) {
      this.#isEndTold = true
      this.#ctx?.self.asyncInfo(this.#ending)
    }
    return this.#take()
  }

  #take(): readonly T[] {
    const events = this.#waiting
    if (events.length > 0) this.#waiting = []
    return events
  }

  #finish(ending: typeof end | Failure): void {
    if (this.#ending !== undefined || this.#isClosed) return
    this.#ending = ending
    this.#announce()
  }

  #announce(): void {
    if (this.#announced) return
    this.#announced = true
    this.#ctx?.self.send(arrived)
  }

  /** The end of the stage: the subscription is not needed any more, nor is one that is still to come (RS-2.6). */
  close(reason: DiscardReason): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#ctx?.discard(this.#take(), reason)
    const subscription = this.#subscription
    this.#subscription = undefined
    if (this.#ending === undefined) subscription?.cancel()
  }
}
