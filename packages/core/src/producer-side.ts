import { answerForTheDead } from './absent.ts'
import { Buffer } from './buffer.ts'
import { Account, addDemand } from './demand.ts'
import type { Delivery, Dispatched, Dispatcher, DispatcherFactory, Recipient } from './dispatcher.ts'
import { coreSubscriptionOptions } from './subscribe-options.ts'
import { describeReason, GenStageError, ownError, show, UnnamedError } from './errors.ts'
import { badReturn, checkedEvents, type Host } from './host.ts'
import { LinkMap } from './link-map.ts'
import { StagePlace, unknownOption } from './options.ts'
import { DownstreamLink, type LocalPeer } from './links.ts'
import { disposeSymbol } from './platform.ts'
import type { AskMessage, SubscribeMessage, Undone } from './protocol.ts'
import { deliveryLimit, Redeliveries } from './redelivery.ts'
import { failure, type Reason } from './reason.ts'
import type { TelemetryBus } from './telemetry.ts'
import type { DemandMode, Ended } from './types.ts'

/** One thing that happened while demand was accumulating (GS-M3, X17). */
type Logged =
  | { readonly type: 'demand'; readonly demand: number }
  | { readonly type: 'events'; readonly events: readonly unknown[] }
  | { readonly type: 'info'; readonly message: unknown }

const nothingUndone: readonly Undone[] = Object.freeze([])

/** How a producing stage was started. */
export interface ProducingSettings {
  readonly dispatcher: DispatcherFactory<never>
  readonly bufferSize: number
  readonly bufferKeep: 'first' | 'last'
  readonly demand: DemandMode
}

/**
 * What a stage does for its consumers: it keeps their subscriptions, the buffer and the account of what is owed (GS-X), and lets
 * its dispatcher decide who gets what.
 */
export class ProducerSide {
  readonly links: LinkMap<DownstreamLink> = new LinkMap()
  mode: DemandMode
  readonly #host: Host
  readonly #dispatcher: Dispatcher
  /** Made for the first event that nobody wants. */
  #buffer: Buffer | undefined
  readonly #settings: ProducingSettings
  readonly #account = new Account()
  readonly #telemetry: TelemetryBus
  /** What the dispatcher could deliver now, as it said last. */
  #allowance = 0
  /** Whether the dispatcher wants nothing for now. */
  #hold = false
  /** While accumulating, and while that is being replayed. */
  #log: Logged[] | undefined
  /** A request whose old subscription had to be cancelled first: it is next. */
  #resubscribing: SubscribeMessage | undefined
  /** A message to settle is under way (X3): one is enough. */
  #settling = false
  #wakeTimer: Disposable | undefined
  /** Whether a consumer gives back what it has not done (X21). */
  #redelivers = false
  /** How often events that came back had been delivered; made for the first of them. */
  #redeliveries: Redeliveries | undefined
  /** What an ended consumer had not done, while the callbacks are told of its end. */
  #comingBack: readonly Undone[] = nothingUndone

  constructor(host: Host, settings: ProducingSettings) {
    this.#host = host
    this.#telemetry = host.runtime.telemetry
    this.mode = settings.demand
    this.#settings = settings
    this.#dispatcher = checkedDispatcher(host, settings.dispatcher(host.runtime.dispatcherContext))
  }

  /** Whether consumers are owed events: then a stage in the middle works (GS-PC3). */
  get isOwing(): boolean {
    return this.#account.requested > 0
  }

  /** Events that wait and that nobody has asked for (GS-B11, X17). */
  get buffered(): number {
    return this.mode === 'forward' ? this.#waiting() : this.#waiting() - this.#spokenFor()
  }

  get hasWorkInHand(): boolean {
    return this.#resubscribing !== undefined || (this.mode === 'forward' && this.#log !== undefined)
  }

  /** One more step of the message in hand. */
  work(): void {
    const message = this.#resubscribing
    if (message !== undefined) {
      this.#resubscribing = undefined
      return this.#accept(message)
    }
    const entry = this.#log?.shift()
    if (this.#log?.length === 0) this.#log = undefined
    if (entry !== undefined) this.#replay(entry)
  }

  // ── subscriptions (GS-S6, S8, K10)

  subscribe(message: SubscribeMessage): void {
    const { from, subscription, current } = message
    if (this.links.get(subscription) !== undefined) {
      const text = `consumer ${show(from.id)} subscribed twice with the id ${show(subscription)}; the second one is refused`
      this.#host.log('duplicated_subscription', text, { subscription })
      const error = new GenStageError('DUPLICATED_SUBSCRIPTION', text, { stage: this.#host.label })
      from.post({ type: 'cancelled', from: this.#host.address, subscription, reason: failure(error) })
      return
    }
    const old = current === undefined ? undefined : this.links.get(current.subscription)
    if (old === undefined || current === undefined) return this.#accept(message)
    this.#resubscribing = message
    this.#host.attend()
    this.#remove(old, { kind: 'cancel', reason: current.reason })
  }

  ask(message: AskMessage): void {
    const link = this.links.get(message.subscription)
    if (link === undefined) return this.#refuseAsk(message)
    const { demand } = message
    link.outstanding = addDemand(link.outstanding, demand)
    if (this.#telemetry.active) this.#tellAsked(message)
    this.#settle(this.#asked(link, demand))
  }

  /** Demand that the stage posted to itself in a consumer's name (GS-W8). */
  refill(subscription: string, demand: number): void {
    const link = this.links.get(subscription)
    if (link !== undefined) this.#settle(this.#asked(link, demand))
  }

  /** The end of a subscription was requested, or its consumer has ended (GS-K10). An unknown one is ignored. */
  cancel(subscription: string, ended: Ended, undone: readonly Undone[] = []): void {
    const link = this.links.get(subscription)
    if (link !== undefined) return this.#remove(link, ended, undone)
    for (const { events } of undone) this.#host.discard('unknown_subscription', events)
  }

  // ── events and infos (GS-P5, I2)

  /** Dispatches what a callback emitted; keeps what nobody wants. */
  emit(events: readonly unknown[]): void {
    if (events.length === 0) return
    if (this.mode === 'accumulate') this.#logged.push({ type: 'events', events })
    else this.#emitNow(events)
  }

  info(message: unknown): void {
    if (this.mode === 'accumulate' && this.#log?.some(entry => entry.type !== 'demand') === true)
      this.#logged.push({ type: 'info', message })
    else if (this.#buffer?.attach(message) !== true) this.#passInfo(message)
  }

  /** Events were discarded by the hash: what they answered is asked for again (X3). */
  settleAgain(): void {
    this.#settling = false
    this.#drain()
    this.#request()
  }

  /** The time that the dispatcher had asked for has come. */
  wake(): void {
    let outcome: Dispatched | undefined
    try {
      outcome = this.#dispatcher.wake?.(this.#host.runtime.clock.now())
    } catch (error) {
      throw this.#dispatcherFailed('wake', error)
    }
    if (outcome !== undefined) this.#settle(outcome)
  }

  setMode(mode: DemandMode): void {
    if (mode === this.mode) return
    this.mode = mode
    // The log is replayed as work in hand, one entry after the other (GS-M4)
    if (mode === 'forward') this.#drain()
    this.#host.attend()
  }

  // ── the end

  /** Tells all consumers that the stage has ended, and reports what it still had. */
  end(reason: Reason, crashed: 'producer_crash' | 'killed' | 'stopped'): void {
    this.#wakeTimer?.[disposeSymbol]()
    for (const link of this.links.all()) {
      link.finish({ kind: 'down', reason })
      link.consumerAddress.post({ type: 'producerDown', from: this.#host.address, subscription: link.id, reason })
    }
    if (this.#resubscribing !== undefined) answerForTheDead(this.#host.address, this.#resubscribing, reason)
    this.#resubscribing = undefined
    const log = this.#log ?? []
    this.#log = undefined
    if (!this.#telemetry.active) return
    const lost = [...this.#comingBack.map(({ events }) => events), this.#dispatcher.held?.() ?? []]
    for (const { bounced = [] } of this.links.all()) lost.push(...bounced.map(({ events }) => events))
    while (this.#buffer !== undefined && this.#waiting() > 0) lost.push(this.#buffer.take(this.#waiting()).events)
    this.#host.discard(crashed, lost.flat())
    const logged = log.flatMap(entry => (entry.type === 'events' ? entry.events : []))
    this.#host.discard(this.mode === 'accumulate' ? 'accumulated_at_stop' : crashed, logged)
  }

  inspectDispatcher(): unknown {
    return this.#dispatcher.inspect?.()
  }

  // ── inside

  /** How many events the buffer holds. */
  #waiting(): number {
    return this.#buffer === undefined ? 0 : this.#buffer.length
  }

  get #logged(): Logged[] {
    return (this.#log ??= [])
  }

  #accept(message: SubscribeMessage): void {
    const { from, subscription, options } = message
    const link = new DownstreamLink(this.#host, from, subscription, options, this.#host.runtime.clock.now())
    this.links.add(link)
    this.#host.whenDone(this.#host.callbacks.handleSubscribe?.(link), answer => {
      if (answer !== undefined)
        throw badReturn(
          this.#host,
          'handleSubscribe',
          'nothing for a consumer that subscribes (only a consumer chooses its mode)',
          answer,
        )
      if (this.#host.isStopping) return
      let outcome: Dispatched
      try {
        this.#refuseUnknownOptions(options)
        this.#checkRedelivery(link)
        outcome = this.#dispatcher.subscribe(link, options)
      } catch (error) {
        const refusal = ownError(error)
        if (refusal === undefined) throw this.#dispatcherFailed('subscribe', error)
        return this.#refuse(link, refusal)
      }
      from.post({ type: 'subscribed', from: this.#host.address, subscription })
      this.#settle(outcome)
    })
  }

  /** A subscription that the dispatcher does not take: the dispatcher never hears of its end (X5, X6). */
  #refuse(link: DownstreamLink, cause: GenStageError): void {
    const error = this.#named(cause)
    if (error.code === 'ALREADY_SUBSCRIBED') this.#host.log('already_subscribed', error.message, { subscription: link.id })
    const ended: Ended = { kind: 'cancel', reason: failure(error) }
    this.#forget(link, ended)
    this.#host.whenDone(this.#host.callbacks.handleCancel?.(ended, link), value => {
      if (!this.#host.isStopping) this.#host.emit(value, 'handleCancel')
    })
  }

  #remove(link: DownstreamLink, ended: Ended, undone: readonly Undone[] = []): void {
    this.#forget(link, ended)
    this.#comingBack = this.#notGivenUp(link, undone)
    this.#host.whenDone(this.#host.callbacks.handleCancel?.(ended, link), value => {
      if (this.#host.isStopping) return
      const events = checkedEvents(this.#host, value, 'handleCancel') ?? []
      this.#settle(this.#cancelled(link), events)
    })
  }

  #cancelled(link: DownstreamLink): Dispatched {
    if (this.#comingBack.length > 0) return this.#giveBack(link)
    try {
      return this.#dispatcher.cancel(link)
    } catch (error) {
      throw this.#dispatcherFailed('cancel', error)
    }
  }

  /** What its consumer had not done goes to others, or to the front of what waits (X21). */
  #giveBack(link: DownstreamLink): Dispatched {
    const redeliveries = (this.#redeliveries ??= new Redeliveries())
    const events = this.#comingBack.flatMap(undone => undone.events)
    let outcome: Dispatched
    try {
      outcome = this.#givenBack(events, link)
    } catch (error) {
      throw this.#dispatcherFailed('giveBack', error)
    }
    const { leftover = [] } = outcome
    for (const undone of this.#comingBack) redeliveries.add(undone)
    this.#comingBack = nothingUndone
    if (leftover.length > 0) {
      this.#madeBuffer().putBack(leftover)
      this.#tellBuffered(leftover.length)
    }
    return outcome
  }

  #givenBack(events: readonly unknown[], link: DownstreamLink): Dispatched {
    const dispatcher = this.#dispatcher
    // While accumulating nothing goes out (X17): what the dispatcher cannot hold waits at the front of the buffer
    const staysHere = this.mode === 'accumulate' && dispatcher.held === undefined
    if (dispatcher.giveBack !== undefined && !staysHere) return dispatcher.giveBack(events, link)
    return { ...dispatcher.cancel(link), leftover: events }
  }

  /** What comes back, without the batches that have been delivered too often; and with what was sent after the end. */
  #notGivenUp({ deliveryLimit: limit, bounced = [] }: DownstreamLink, undone: readonly Undone[]): readonly Undone[] {
    if (undone.length === 0 && bounced.length === 0) return nothingUndone
    const all = [...undone, ...bounced]
    const givenUp = all.filter(({ redeliveries }) => redeliveries >= limit).flatMap(({ events }) => events)
    // A peer may give back what nobody had asked it to
    if (givenUp.length > 0 && limit === 0) this.#host.discard('consumer_crash', givenUp)
    else if (givenUp.length > 0) this.#tellLimit(limit, givenUp)
    return all.filter(({ redeliveries }) => redeliveries < limit)
  }

  #tellLimit(limit: number, events: readonly unknown[]): void {
    const n = events.length
    this.#host.discard('redelivery_limit', events)
    this.#host.log('discarded', `${n} events discarded: delivered as often as redeliver allows (limit ${limit})`, { n })
  }

  #forget(link: DownstreamLink, ended: Ended): void {
    this.links.delete(link.id)
    link.finish(ended)
    const telemetry = this.#telemetry
    if (telemetry.active) telemetry.tell('cancelled', { ...this.#common(), subscription: link.id, ...ended })
    link.consumerAddress.post({ type: 'cancelled', from: this.#host.address, subscription: link.id, reason: ended.reason })
  }

  #refuseAsk({ from, subscription }: AskMessage): void {
    const text = `stage ${show(this.#host.label)} has no subscription ${show(subscription)}`
    const error = new GenStageError('UNKNOWN_SUBSCRIPTION', text, { stage: this.#host.label })
    from.post({ type: 'cancelled', from: this.#host.address, subscription, reason: failure(error) })
  }

  #tellAsked({ subscription, demand }: AskMessage): void {
    const { stage, name, at } = this.#common()
    this.#telemetry.tell('asked', { stage, name, at, subscription, demand })
  }

  #asked(link: DownstreamLink, demand: number): Dispatched {
    try {
      return this.#dispatcher.ask(link, demand)
    } catch (error) {
      throw this.#dispatcherFailed('ask', error)
    }
  }

  /** After each subscribe, ask and cancel: the buffer first, then what handleCancel emitted (X23), then what is missing goes upstream. */
  #settle(outcome: Dispatched, emitted?: readonly unknown[]): void {
    this.#apply(outcome)
    if (this.#buffer !== undefined && this.mode === 'forward') this.#drain()
    if (emitted !== undefined) this.emit(emitted)
    this.#request()
  }

  /** Hands out what is buffered, as far as the dispatcher can take it, with the infos in their places. */
  #drain(): void {
    const buffer = this.#buffer
    while (buffer !== undefined && this.#allowance > 0 && buffer.length > 0) {
      const { events, infos } = buffer.take(this.#allowance)
      const leftover = this.#dispatch(events)
      if (leftover !== undefined && leftover.length > 0) return buffer.giveBack(leftover, infos)
      for (const message of infos) this.#passInfo(message)
    }
  }

  /** Asks the callbacks for what the dispatcher could take and nobody has been asked for. */
  #request(): void {
    if (this.#hold || this.#host.isStopping) return
    const demand = this.#account.request(this.#allowance - this.#spokenFor())
    if (demand === 0) return
    if (this.mode === 'accumulate') this.#logged.push({ type: 'demand', demand })
    else this.#demand(demand)
  }

  /** A stage in the middle needs no call: that it is owing is what makes it work (GS-PC7). */
  #demand(demand: number): void {
    const { callbacks } = this.#host
    if (callbacks.handleDemand === undefined) return this.#host.attend()
    if (this.#host.isDraining) return
    if (this.#telemetry.active) return this.#demandObserved(demand)
    const value = callbacks.handleDemand(demand)
    if (Array.isArray(value) && !this.#host.isStopping) this.emit(value)
    else this.#emitWhenDone(value)
  }

  // Apart from the path of everyday, which a closure in the same function would slow down
  #emitWhenDone(value: unknown): void {
    this.#host.whenDone(value, events => this.#host.emit(events, 'handleDemand'))
  }

  #demandObserved(demand: number): void {
    const { callbacks, runtime } = this.#host
    const began = runtime.clock.now()
    this.#host.whenDone(callbacks.handleDemand?.(demand), events => {
      const { stage, name, at } = this.#common()
      this.#telemetry.tell('handled', { stage, name, at, callback: 'handleDemand', count: demand, durationMs: at - began })
      this.#host.emit(events, 'handleDemand')
    })
  }

  #emitNow(events: readonly unknown[]): void {
    this.#account.answer(events.length)
    // In forward mode a buffer that is not empty means that nobody can take anything: newcomers go behind
    const leftover = this.#waiting() > 0 ? events : this.#dispatch(events)
    if (this.#telemetry.active) this.#tellDispatched(events.length, leftover?.length ?? 0)
    if (leftover !== undefined && leftover.length > 0) this.#keep(leftover)
  }

  #tellDispatched(count: number, leftover: number): void {
    const { stage, name, at } = this.#common()
    this.#telemetry.tell('dispatched', { stage, name, at, count, leftover })
  }

  #dispatch(events: readonly unknown[]): readonly unknown[] | undefined {
    let outcome: Dispatched
    try {
      outcome = this.#dispatcher.dispatch(events)
    } catch (error) {
      this.#host.discard('producer_crash', events)
      throw this.#dispatcherFailed('dispatch', error)
    }
    const { leftover } = outcome
    this.#apply(outcome)
    return leftover
  }

  #keep(events: readonly unknown[]): void {
    const { discarded, infos } = this.#madeBuffer().store(events)
    this.#tellBuffered(events.length)
    if (discarded.length > 0) this.#reportOverflow(discarded)
    for (const message of infos) this.#passInfo(message)
  }

  #madeBuffer(): Buffer {
    return (this.#buffer ??= new Buffer(this.#settings.bufferSize, this.#settings.bufferKeep))
  }

  #tellBuffered(count: number): void {
    const telemetry = this.#telemetry
    if (telemetry.active) telemetry.tell('buffered', { ...this.#common(), count, size: this.#waiting() })
  }

  #reportOverflow(events: readonly unknown[]): void {
    this.#host.discard('buffer_overflow', events)
    const count = events.length
    const { callbacks } = this.#host
    const tell =
      callbacks.formatDiscarded === undefined || callbacks.formatDiscarded({ count, reason: 'buffer_overflow', events })
    if (typeof tell !== 'boolean') throw badReturn(this.#host, 'formatDiscarded', 'true or false', tell)
    if (tell)
      this.#host.log('discarded', `${count} events discarded: the buffer is full (bufferSize ${this.#settings.bufferSize})`, {
        n: count,
      })
  }

  #passInfo(message: unknown): void {
    if (this.#dispatcher.info === undefined) return this.#host.post({ type: 'info', message })
    let outcome: Dispatched
    try {
      outcome = this.#dispatcher.info(message)
    } catch (error) {
      throw this.#dispatcherFailed('info', error)
    }
    this.#apply(outcome)
  }

  /** Does what the dispatcher's answer says. */
  #apply(outcome: Dispatched): void {
    const { allowance, deliveries } = outcome
    if (!Number.isSafeInteger(allowance) || allowance < 0) throw this.#wrongAllowance(allowance)
    this.#allowance = allowance
    this.#hold = outcome.hold === true
    if (deliveries !== undefined) this.#deliverAll(deliveries)
    // What follows is rare, and kept out of the path of everyday
    if (outcome.infos !== undefined || outcome.asks !== undefined || outcome.cancels !== undefined) this.#postOwn(outcome)
    if (outcome.discarded !== undefined || outcome.warnings !== undefined) this.#tell(outcome)
    if (outcome.wakeAt !== undefined) this.#wakeAt(outcome.wakeAt)
  }

  #wrongAllowance(allowance: unknown): GenStageError {
    return this.#broken(`an allowance must be a whole number from 0, not ${show(allowance)}`)
  }

  /** Posts to the stage itself what the dispatcher wants done in its turn. */
  #postOwn({ infos = [], asks = [], cancels = [] }: Dispatched): void {
    for (const message of infos) this.#host.post({ type: 'info', message })
    for (const { to, demand } of asks) this.#host.post({ type: 'refill', subscription: to.subscriptionId, demand })
    for (const { to, reason } of cancels) {
      const error = reason.type === 'error' ? ownError(reason.error) : undefined
      const named = error === undefined ? reason : failure(this.#named(error))
      this.#host.post({ type: 'cancelSubscriber', subscription: to.subscriptionId, reason: named })
    }
  }

  #tell({ discarded = [], warnings = [] }: Dispatched): void {
    for (const { reason, events } of discarded) {
      this.#host.discard(reason, events)
      this.#redeliveries?.take(events)
      if (reason === 'no_partition') this.#settleSoon()
    }
    for (const { code, ...fields } of warnings) this.#host.log(code, warningText(code, fields), fields)
  }

  #deliverAll(deliveries: readonly Delivery[]): void {
    for (let index = 0; index < deliveries.length; index++) {
      const delivery = deliveries[index]
      if (delivery !== undefined && delivery.events.length > 0) this.#deliver(delivery.to, delivery.events)
    }
  }

  #deliver(to: Recipient, events: readonly unknown[]): void {
    const link = this.links.get(to.subscriptionId)
    if (link !== to || events.length > link.outstanding) throw this.#wrongDelivery(to, events.length, link)
    link.outstanding -= events.length
    link.delivered += events.length
    if (this.#redelivers && this.#isSpecial(link)) return this.#deliverCounted(link, events)
    link.consumerAddress.post({ type: 'events', from: this.#host.address, subscription: link.id, events })
  }

  /** Whether some events have come back, or the consumer has ended and will give back what it is sent. */
  #isSpecial(link: DownstreamLink): boolean {
    return link.peer?.hasEnded === true || this.#redeliveries?.isEmpty === false
  }

  /** Delivers with the history of the events: those that came back go in messages of their own. */
  #deliverCounted(link: DownstreamLink, events: readonly unknown[]): void {
    const { consumerAddress, id: subscription } = link
    for (const run of this.#redeliveries?.take(events) ?? [{ events, redeliveries: 0 }]) {
      // Looked at each time: whoever is told of a redelivery may end it
      if (link.peer?.hasEnded === true) {
        link.bounced ??= []
        link.bounced.push(run)
        continue
      }
      consumerAddress.post({ type: 'events', from: this.#host.address, subscription, ...run })
      if (run.redeliveries > 0 && this.#telemetry.active)
        this.#telemetry.tell('redelivered', { ...this.#common(), subscription, count: run.events.length })
    }
  }

  #wrongDelivery(to: Recipient, count: number, link: DownstreamLink | undefined): GenStageError {
    if (link !== to) return this.#broken('a delivery must go to a recipient that has a subscription')
    return this.#broken(`${count} events for ${show(to.consumerId)}, which asked for ${link.outstanding}`)
  }

  #settleSoon(): void {
    if (this.#settling) return
    this.#settling = true
    this.#host.post({ type: 'settle' })
  }

  #wakeAt(time: number): void {
    const { clock } = this.#host.runtime
    this.#wakeTimer?.[disposeSymbol]()
    this.#wakeTimer = clock.setTimer(Math.max(0, time - clock.now()), () => this.#host.post({ type: 'wake' }))
  }

  #replay(entry: Logged): void {
    if (entry.type === 'events') return this.#emitNow(entry.events)
    if (entry.type === 'info') return this.info(entry.message)
    // Events that were emitted before have answered this demand if the buffer is not empty now (X17)
    if (this.#waiting() > 0) this.#account.drop(entry.demand, this.#allowance)
    else this.#demand(entry.demand)
  }

  /** Buffered events that the dispatcher could take: while accumulating, and with a dispatcher that spares itself. */
  #spokenFor(): number {
    return this.#buffer === undefined ? 0 : Math.min(this.#buffer.length, this.#allowance)
  }

  #refuseUnknownOptions(options: object): void {
    const known = [...coreSubscriptionOptions, ...(this.#dispatcher.subscriptionOptions ?? [])]
    for (const option of Object.keys(options)) {
      if (!known.includes(option)) throw unknownOption(this.#host, 'subscription option', option, known)
    }
  }

  /** Batches come back only where the dispatcher can take them. */
  #checkRedelivery(link: DownstreamLink): void {
    link.deliveryLimit = deliveryLimit(new StagePlace(this.#host.label), link.options.redeliver)
    if (link.deliveryLimit === 0) return
    if (this.#dispatcher.giveBack !== undefined) {
      this.#redelivers = true
      if ('hasEnded' in link.consumerAddress) link.peer = link.consumerAddress as LocalPeer
      return
    }
    const text = `stage ${show(this.#host.label)}: its dispatcher cannot take back events, so redeliver is refused; leave it out, or use a dispatcher with giveBack`
    throw new GenStageError('REDELIVERY_REFUSED', text, { stage: this.#host.label, option: 'redeliver' })
  }

  #dispatcherFailed(operation: string, cause: unknown): GenStageError {
    const own = ownError(cause)
    if (own !== undefined) return this.#named(own)
    const text = `stage ${show(this.#host.label)}: ${operation} of its dispatcher failed: ${describeReason(failure(cause))}`
    return new GenStageError('DISPATCHER_FAILED', text, { stage: this.#host.label, cause })
  }

  #named(error: GenStageError): GenStageError {
    return error instanceof UnnamedError ? error.named(this.#host.label) : error
  }

  #broken(what: string): GenStageError {
    return new GenStageError(
      'DISPATCHER_FAILED',
      `stage ${show(this.#host.label)}: its dispatcher breaks the contract: ${what}`,
      {
        stage: this.#host.label,
      },
    )
  }

  /** To be written out where it is often needed: `{ ...common, … }` takes twenty times as long, because of the fraction in `at`. */
  #common(): { readonly stage: string; readonly name: string | undefined; readonly at: number } {
    const { address, runtime } = this.#host
    return { stage: address.id, name: address.ref.name, at: runtime.clock.now() }
  }
}

function checkedDispatcher(host: Host, dispatcher: unknown): Dispatcher {
  const methods = ['subscribe', 'ask', 'cancel', 'dispatch']
  const missing = methods.find(
    method => typeof dispatcher !== 'object' || dispatcher === null || typeof Reflect.get(dispatcher, method) !== 'function',
  )
  if (missing === undefined) return dispatcher as Dispatcher
  throw new GenStageError(
    'BAD_OPTION',
    `stage ${show(host.label)}: the dispatcher has no method ${missing}; it needs ${methods.join(', ')}`,
    {
      stage: host.label,
      option: 'dispatcher',
    },
  )
}

function warningText(code: string, fields: Readonly<Record<string, unknown>>): string {
  if (code === 'ask_over_max')
    return `consumer ${show(fields['consumer'])} asked for ${show(fields['n'])} events, above the maximum of ${show(fields['max'])}`
  if (code === 'partition_full') {
    return `partition ${show(fields['partition'])} holds ${show(fields['n'])} events (maxQueued ${show(fields['max'])}): the producer pauses until its consumer asks`
  }
  return `the dispatcher warns: ${code}`
}
