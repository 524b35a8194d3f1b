import { answerForTheDead } from './absent.ts'
import { addDemand } from './demand.ts'
import type { Dispatched } from './dispatcher.ts'
import { dispatcherFailed, named } from './dispatcher-faults.ts'
import { GenStageError, ownError, show } from './errors.ts'
import { badReturn, checkedEvents, commonOf } from './host.ts'
import { DownstreamLink } from './links.ts'
import { unknownOption } from './options.ts'
import type { AskMessage, SubscribeMessage, Undone } from './protocol.ts'
import { failure, type Reason } from './reason.ts'
import { giveBack, notGivenUp, takesBack } from './redelivering.ts'
import { Redeliveries } from './redelivery.ts'
import { Serving } from './serving.ts'
import { coreSubscriptionOptions } from './subscribe-options.ts'
import type { Ended } from './types.ts'

const nothingUndone: readonly Undone[] = Object.freeze([])

/**
 * What a stage does for its consumers: it takes their subscriptions and their asks, serves what they ask for (serving.ts), and does
 * what its dispatcher decides (delivering.ts).
 */
export class ProducerSide extends Serving {
  /** A request whose old subscription had to be cancelled first: it is next. */
  #resubscribing: SubscribeMessage | undefined
  /** What an ended consumer had not done, while the callbacks are told of its end. */
  #comingBack = nothingUndone

  get hasWorkInHand(): boolean {
    return this.#resubscribing !== undefined || this.isReplaying
  }

  /** One more step of the message in hand. */
  work(): void {
    const message = this.#resubscribing
    if (message === undefined) return this.replayNext()
    this.#resubscribing = undefined
    this.#accept(message)
  }

  // ── subscriptions (GS-S6, S8, K10)

  subscribe(message: SubscribeMessage): void {
    const { from, subscription, current } = message
    if (this.links.get(subscription) !== undefined) {
      const text = `consumer ${show(from.id)} subscribed twice with the id ${show(subscription)}; the second one is refused`
      this.host.log('duplicated_subscription', text, { subscription })
      const error = new GenStageError('DUPLICATED_SUBSCRIPTION', text, { stage: this.host.label })
      from.post({ type: 'cancelled', from: this.host.address, subscription, reason: failure(error) })
      return
    }
    const old = current === undefined ? undefined : this.links.get(current.subscription)
    if (old === undefined || current === undefined) return this.#accept(message)
    this.#resubscribing = message
    this.host.attend()
    this.#remove(old, { kind: 'cancel', reason: current.reason })
  }

  ask(message: AskMessage): void {
    const link = this.links.get(message.subscription)
    if (link === undefined) return this.#refuseAsk(message)
    const { demand } = message
    link.outstanding = addDemand(link.outstanding, demand)
    if (this.telemetry.active) this.#tellAsked(message)
    this.settle(this.#asked(link, demand))
  }

  /** Demand that the stage posted to itself in a consumer's name (GS-W8). */
  refill(subscription: string, demand: number): void {
    const link = this.links.get(subscription)
    if (link !== undefined) this.settle(this.#asked(link, demand))
  }

  /** The end of a subscription was requested, or its consumer has ended (GS-K10). An unknown one is ignored. */
  cancel(subscription: string, ended: Ended, undone: readonly Undone[] = []): void {
    const link = this.links.get(subscription)
    if (link !== undefined) return this.#remove(link, ended, undone)
    for (const { events } of undone) this.host.discard('unknown_subscription', events)
  }

  /** Tells all consumers that the stage has ended, and reports what it still had. */
  end(reason: Reason, crashed: 'producer_crash' | 'killed' | 'stopped'): void {
    this.stopWaking()
    for (const link of this.links.all()) {
      link.finish({ kind: 'down', reason })
      link.consumerAddress.post({ type: 'producerDown', from: this.host.address, subscription: link.id, reason })
    }
    if (this.#resubscribing !== undefined) answerForTheDead(this.host.address, this.#resubscribing, reason)
    this.#resubscribing = undefined
    const comingBack = this.#comingBack.flatMap(({ events }) => events)
    this.reportLost(comingBack, crashed)
  }

  #accept(message: SubscribeMessage): void {
    const { from, subscription, options } = message
    const link = new DownstreamLink(this.host, from, subscription, options, this.host.runtime.clock.now())
    this.links.add(link)
    this.host.whenDone(this.host.callbacks.handleSubscribe?.(link), answer => {
      if (answer !== undefined)
        throw badReturn(
          this.host,
          'handleSubscribe',
          'nothing for a consumer that subscribes (only a consumer chooses its mode)',
          answer,
        )
      if (this.host.isStopping) return
      let outcome: Dispatched
      try {
        this.#refuseUnknownOptions(options)
        if (takesBack(this.host, this.dispatcher, link)) this.redelivers = true
        outcome = this.dispatcher.subscribe(link, options)
      } catch (error) {
        const refusal = ownError(error)
        if (refusal === undefined) throw dispatcherFailed(this.host, 'subscribe', error)
        return this.#refuse(link, refusal)
      }
      from.post({ type: 'subscribed', from: this.host.address, subscription })
      this.settle(outcome)
    })
  }

  /** A subscription that the dispatcher does not take: the dispatcher never hears of its end (X5, X6). */
  #refuse(link: DownstreamLink, cause: GenStageError): void {
    const error = named(this.host, cause)
    if (error.code === 'ALREADY_SUBSCRIBED') this.host.log('already_subscribed', error.message, { subscription: link.id })
    const ended: Ended = { kind: 'cancel', reason: failure(error) }
    this.#forget(link, ended)
    this.host.whenDone(this.host.callbacks.handleCancel?.(ended, link), value => {
      if (!this.host.isStopping) this.host.emit(value, 'handleCancel')
    })
  }

  #remove(link: DownstreamLink, ended: Ended, undone: readonly Undone[] = []): void {
    this.#forget(link, ended)
    this.#comingBack = notGivenUp(this.host, link, undone)
    this.host.whenDone(this.host.callbacks.handleCancel?.(ended, link), value => {
      if (this.host.isStopping) return
      const events = checkedEvents(this.host, value, 'handleCancel') ?? []
      this.settle(this.#cancelled(link), events)
    })
  }

  #cancelled(link: DownstreamLink): Dispatched {
    if (this.#comingBack.length > 0) return this.#giveBack(link)
    try {
      return this.dispatcher.cancel(link)
    } catch (error) {
      throw dispatcherFailed(this.host, 'cancel', error)
    }
  }

  /** What its consumer had not done goes to others, or to the front of what waits (X21). */
  #giveBack(link: DownstreamLink): Dispatched {
    const redeliveries = (this.redeliveries ??= new Redeliveries())
    const events = this.#comingBack.flatMap(undone => undone.events)
    let outcome: Dispatched
    try {
      outcome = giveBack(this.dispatcher, events, link, this.mode === 'accumulate')
    } catch (error) {
      throw dispatcherFailed(this.host, 'giveBack', error)
    }
    const { leftover = [] } = outcome
    for (const undone of this.#comingBack) redeliveries.add(undone)
    this.#comingBack = nothingUndone
    if (leftover.length > 0) this.putBack(leftover)
    return outcome
  }

  #forget(link: DownstreamLink, ended: Ended): void {
    this.links.delete(link.id)
    link.finish(ended)
    const { telemetry } = this
    if (telemetry.active) telemetry.tell('cancelled', { ...commonOf(this.host), subscription: link.id, ...ended })
    link.consumerAddress.post({ type: 'cancelled', from: this.host.address, subscription: link.id, reason: ended.reason })
  }

  #refuseAsk({ from, subscription }: AskMessage): void {
    const text = `stage ${show(this.host.label)} has no subscription ${show(subscription)}`
    const error = new GenStageError('UNKNOWN_SUBSCRIPTION', text, { stage: this.host.label })
    from.post({ type: 'cancelled', from: this.host.address, subscription, reason: failure(error) })
  }

  #tellAsked({ subscription, demand }: AskMessage): void {
    const { stage, name, at } = commonOf(this.host)
    this.telemetry.tell('asked', { stage, name, at, subscription, demand })
  }

  #asked(link: DownstreamLink, demand: number): Dispatched {
    try {
      return this.dispatcher.ask(link, demand)
    } catch (error) {
      throw dispatcherFailed(this.host, 'ask', error)
    }
  }

  #refuseUnknownOptions(options: object): void {
    const known = [...coreSubscriptionOptions, ...(this.dispatcher.subscriptionOptions ?? [])]
    for (const option of Object.keys(options)) {
      if (!known.includes(option)) throw unknownOption(this.host, 'subscription option', option, known)
    }
  }
}
