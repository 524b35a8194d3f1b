import {
  type AnyMessages,
  type AnySubscription,
  type Context,
  type DiscardReason,
  type Ended,
  inFlight,
  type InFlight,
  isGraceful,
  type ProducerConsumerCallbacks,
  type ProducerConsumerRef,
  type Reason,
  type Subscription,
} from '@genstage/core'
import { whenKilled } from '@genstage/core/adapters'
import { DrainHold } from './drain-hold.ts'
import { failureOf } from './failure-of.ts'
import { type ChainEnd, type DoneWhen, OperatorChain, type Operators } from './operator-chain.ts'

/** Results have come out while no callback was running. */
const arrived: unique symbol = Symbol('arrived')

type Message = typeof arrived | ChainEnd

type OperatorContext<In, Out> = Context<unknown, ProducerConsumerRef<In, Out, AnyMessages>>

/** The callbacks of a stage whose events go through operators. */
export class OperatorStage<In, Out> implements ProducerConsumerCallbacks<In, Out, never, unknown, never, Message> {
  readonly #ctx: OperatorContext<In, Out>
  readonly #chain: OperatorChain<In, Out>
  readonly #producers = new Set<AnySubscription>()
  #consumers = 0
  /** Whether a callback runs that takes the results with it. */
  #isHandling = false
  /** Whether a message that says so is under way. */
  #announced = false
  #isEndTold = false
  /** Set when it ends with its producers, and hands on first what there is. */
  #leavingFor: Reason | undefined
  /** Keeps a drain from being over while results are still to come. */
  #hold: DrainHold | undefined
  #isDraining = false

  constructor(ctx: OperatorContext<In, Out>, operators: Operators<In, Out>, doneWhen: DoneWhen) {
    this.#ctx = ctx
    this.#chain = new OperatorChain(operators, doneWhen, end => this.#changed(end))
    ctx.stopping.addEventListener('abort', () => this.#stopping(), { once: true })
    whenKilled(ctx, 'throughOperators: the operators could not be unsubscribed', () => this.#close('killed'))
  }

  handleEvents(events: readonly In[]): readonly Out[] | InFlight<readonly Out[] | void> {
    this.#isHandling = true
    const work = this.#chain.give(events)
    this.#isHandling = false
    if (work === undefined) return this.#take()
    this.#announce()
    // In a plain stop no message is handled any more: the last results leave with the batch
    return inFlight(work.then(() => (this.#ctx.stopping.aborted && !this.#isDraining ? this.#chain.take() : undefined)))
  }

  handleInfo(message: Message): readonly Out[] | void {
    if (message === arrived) {
      this.#announced = false
      return this.#take()
    }
    if (message.type === 'error') throw message.error
    this.#ctx.stop()
  }

  handleSubscribe(from: AnySubscription): 'manual' | void {
    if (from.role === 'consumer') this.#consumers++
    else if (from.producer !== this.#hold?.ref) this.#producers.add(from)
    else {
      this.#isDraining = true
      // Nobody is left whose end could be waited for
      if (this.#producers.size === 0) this.#chain.endInput({ type: 'complete' })
      return 'manual'
    }
  }

  handleCancel(ended: Ended, from: AnySubscription): readonly Out[] | void {
    if (from.role === 'consumer') return this.#consumerGone()
    if (!this.#producers.delete(from)) return
    this.#isHandling = true
    if (this.#ctx.stopping.aborted) {
      if (this.#producers.size === 0) this.#chain.endInput({ type: 'complete' })
    } else if (this.#isFollowed(from, ended)) this.#follow(ended.reason)
    this.#isHandling = false
    return this.#take()
  }

  terminate(reason: Reason): void {
    this.#close(isGraceful(reason) ? 'stopped' : 'producer_crash')
  }

  // ── inside

  /** Whether this stage is about to end because that subscription has. One that another one has taken the place of does not count. */
  #isFollowed({ options, producer }: Subscription, { kind, reason }: Ended): boolean {
    const { cancel = 'permanent', resubscribe } = options
    if (cancel === 'temporary' || (cancel === 'transient' && isGraceful(reason))) return false
    if (resubscribe !== undefined && kind === 'down' && !isGraceful(reason)) return false
    return ![...this.#producers].some(other => other.producer.id === producer.id)
  }

  /**
   * The operators are told of the end. After a good one they may still have results, and consumers still have to take them: so the stage
   * drains, which takes the place of ending at once. A failure is followed at once, as every stage does.
   */
  #follow(reason: Reason): void {
    if (!isGraceful(reason)) return this.#chain.endInput({ type: 'error', error: failureOf(reason) })
    this.#chain.endInput({ type: 'complete' })
    if (this.#consumers === 0) return
    this.#leavingFor = reason
    this.#ctx.stop(reason, { drain: true })
  }

  /** A stage that only hands on what it has ends when nobody is left to take it. */
  #consumerGone(): void {
    this.#consumers--
    if (this.#consumers === 0 && this.#leavingFor !== undefined) this.#ctx.stop(this.#leavingFor)
  }

  /** A stop or a drain begins. */
  #stopping(): void {
    this.#ctx.discard(this.#chain.giveUp(), 'stopped')
    if (this.#chain.end !== undefined) return
    this.#hold = new DrainHold(this.#ctx)
    this.#ctx.self.subscribe({ to: this.#hold.ref, cancel: 'temporary' })
  }

  /** Something has come out of the operators, or they have ended. */
  #changed(end: ChainEnd | undefined): void {
    if (!this.#isHandling) this.#announce()
    if (end?.type === 'complete') this.#hold?.letGo()
    // In a plain stop no message would tell of the failure
    if (end?.type === 'error' && this.#ctx.stopping.aborted && !this.#isDraining) this.#chain.failBatches(end.error)
  }

  #announce(): void {
    if (this.#announced) return
    this.#announced = true
    this.#ctx.self.send(arrived)
  }

  /** The results; and behind them, when all have left, the end. */
  #take(): readonly Out[] {
    const { end } = this.#chain
    // The end of a drain is its own
    if (end !== undefined && !this.#isEndTold && (end.type === 'error' || !this.#ctx.stopping.aborted)) {
      this.#isEndTold = true
      this.#ctx.self.asyncInfo(end)
    }
    return this.#chain.take()
  }

  #close(reason: DiscardReason): void {
    this.#ctx.discard(this.#chain.close(), reason)
    this.#hold?.letGo()
  }
}
