import { answerForTheDead } from './absent.ts'
import { Buffer } from './buffer.ts'
import { Account, addDemand } from './demand.ts'
import type { Dispatched, Dispatcher, DispatcherFactory } from './dispatcher.ts'
import { coreSubscriptionOptions } from './subscribe-options.ts'
import { GenStageError, show, suggestion } from './errors.ts'
import { badReturn, checkedEvents, type Host } from './host.ts'
import { LinkMap } from './link-map.ts'
import { DownstreamLink } from './links.ts'
import { disposeSymbol } from './platform.ts'
import type { AskMessage, SubscribeMessage } from './protocol.ts'
import { failure, type Reason } from './reason.ts'
import type { DemandMode, Ended } from './types.ts'

/** One thing that happened while demand was accumulating (GS-M3, X17). */
type Logged =
  | { readonly type: 'demand'; readonly demand: number }
  | { readonly type: 'events'; readonly events: readonly unknown[] }
  | { readonly type: 'info'; readonly message: unknown }

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
  readonly #buffer: Buffer
  readonly #account = new Account()
  /** What the dispatcher could deliver now, as it said last. */
  #allowance = 0
  /** Whether the dispatcher wants nothing for now. */
  #hold = false
  /** While accumulating, and while that is being replayed. */
  #log: Logged[] = []
  /** A request whose old subscription had to be cancelled first: it is next. */
  #resubscribing: SubscribeMessage | undefined
  /** A message to settle is under way (X3): one is enough. */
  #settling = false
  #wakeTimer: Disposable | undefined

  constructor(host: Host, settings: ProducingSettings) {
    this.#host = host
    this.mode = settings.demand
    this.#buffer = new Buffer(settings.bufferSize, settings.bufferKeep)
    const { clock, random } = host.runtime
    this.#dispatcher = checkedDispatcher(host, settings.dispatcher({ random, now: () => clock.now() }))
  }

  /** Whether consumers are owed events: then a stage in the middle works (GS-PC3). */
  get isOwing(): boolean {
    return this.#account.requested > 0
  }

  /** Events that wait and that nobody has asked for (GS-B11, X17). */
  get buffered(): number {
    return this.mode === 'forward' ? this.#buffer.length : this.#buffer.length - this.#spokenFor
  }

  get hasWorkInHand(): boolean {
    return this.#resubscribing !== undefined || (this.mode === 'forward' && this.#log.length > 0)
  }

  /** One more step of the message in hand. */
  work(): void {
    const message = this.#resubscribing
    if (message !== undefined) {
      this.#resubscribing = undefined
      return this.#accept(message)
    }
    const entry = this.#log.shift()
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
    this.#remove(old, { kind: 'cancel', reason: current.reason })
  }

  ask({ from, subscription, demand }: AskMessage): void {
    const link = this.links.get(subscription)
    if (link === undefined) {
      const text = `stage ${show(this.#host.label)} has no subscription ${show(subscription)}`
      const error = new GenStageError('UNKNOWN_SUBSCRIPTION', text, { stage: this.#host.label })
      from.post({ type: 'cancelled', from: this.#host.address, subscription, reason: failure(error) })
      return
    }
    link.outstanding = addDemand(link.outstanding, demand)
    const { telemetry } = this.#host.runtime
    if (telemetry.active) telemetry.tell('asked', { ...this.#common(), subscription, demand })
    this.#settle(this.#asked(link, demand))
  }

  /** Demand that the stage posted to itself in a consumer's name (GS-W8). */
  refill(subscription: string, demand: number): void {
    const link = this.links.get(subscription)
    if (link !== undefined) this.#settle(this.#asked(link, demand))
  }

  /** The end of a subscription was requested, or its consumer has ended (GS-K10). An unknown one is ignored. */
  cancel(subscription: string, ended: Ended): void {
    const link = this.links.get(subscription)
    if (link !== undefined) this.#remove(link, ended)
  }

  // ── events and infos (GS-P5, I2)

  /** Dispatches what a callback emitted; keeps what nobody wants. */
  emit(events: readonly unknown[]): void {
    if (events.length === 0) return
    if (this.mode === 'accumulate') this.#log.push({ type: 'events', events })
    else this.#emitNow(events)
  }

  info(message: unknown): void {
    if (this.mode === 'accumulate' && this.#log.some(entry => entry.type !== 'demand')) this.#log.push({ type: 'info', message })
    else if (!this.#buffer.attach(message)) this.#passInfo(message)
  }

  /** Events were discarded by the hash: what they answered is asked for again (X3). */
  settleAgain(): void {
    this.#settling = false
    this.#drain()
    this.#request()
  }

  /** The time that the dispatcher had asked for has come. */
  wake(): void {
    const outcome = this.#dispatcher.wake?.(this.#host.runtime.clock.now())
    if (outcome !== undefined) this.#settle(outcome)
  }

  setMode(mode: DemandMode): void {
    if (mode === this.mode) return
    this.mode = mode
    // The log is replayed as work in hand, one entry after the other (GS-M4)
    if (mode === 'forward') this.#drain()
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
    const log = this.#log
    this.#log = []
    if (!this.#host.runtime.telemetry.active) return
    this.#host.discard(crashed, [...(this.#dispatcher.held?.() ?? []), ...this.#buffer.take(this.#buffer.length).events])
    while (this.#buffer.length > 0) this.#host.discard(crashed, this.#buffer.take(this.#buffer.length).events)
    const logged = log.flatMap(entry => (entry.type === 'events' ? entry.events : []))
    this.#host.discard(this.mode === 'accumulate' ? 'accumulated_at_stop' : crashed, logged)
  }

  inspectDispatcher(): unknown {
    return this.#dispatcher.inspect?.()
  }

  // ── inside

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
        outcome = this.#dispatcher.subscribe(link, options)
      } catch (error) {
        if (!(error instanceof GenStageError)) throw this.#dispatcherFailed('subscribe', error)
        return this.#refuse(link, error)
      }
      from.post({ type: 'subscribed', from: this.#host.address, subscription })
      this.#settle(outcome)
    })
  }

  /** A subscription that the dispatcher does not take: the dispatcher never hears of its end (X5, X6). */
  #refuse(link: DownstreamLink, cause: GenStageError): void {
    const { label } = this.#host
    const { code, option } = cause
    const error = new GenStageError(code, `stage ${show(label)}: ${cause.message}`, { stage: label, option, cause })
    if (code === 'ALREADY_SUBSCRIBED') this.#host.log('already_subscribed', error.message, { subscription: link.id })
    const ended: Ended = { kind: 'cancel', reason: failure(error) }
    this.#forget(link, ended)
    this.#host.whenDone(this.#host.callbacks.handleCancel?.(ended, link), value => {
      if (!this.#host.isStopping) this.#host.emit(value, 'handleCancel')
    })
  }

  #remove(link: DownstreamLink, ended: Ended): void {
    this.#forget(link, ended)
    this.#host.whenDone(this.#host.callbacks.handleCancel?.(ended, link), value => {
      if (this.#host.isStopping) return
      const events = checkedEvents(this.#host, value, 'handleCancel') ?? []
      let outcome: Dispatched
      try {
        outcome = this.#dispatcher.cancel(link)
      } catch (error) {
        throw this.#dispatcherFailed('cancel', error)
      }
      this.#settle(outcome, events)
    })
  }

  #forget(link: DownstreamLink, ended: Ended): void {
    this.links.delete(link.id)
    link.finish(ended)
    const { telemetry } = this.#host.runtime
    if (telemetry.active) telemetry.tell('cancelled', { ...this.#common(), subscription: link.id, ...ended })
    link.consumerAddress.post({ type: 'cancelled', from: this.#host.address, subscription: link.id, reason: ended.reason })
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
    if (this.mode === 'forward') this.#drain()
    if (emitted !== undefined) this.emit(emitted)
    this.#request()
  }

  /** Hands out what is buffered, as far as the dispatcher can take it, with the infos in their places. */
  #drain(): void {
    while (this.#allowance > 0 && this.#buffer.length > 0) {
      const { events, infos } = this.#buffer.take(this.#allowance)
      const leftover = this.#dispatch(events)
      if (leftover !== undefined && leftover.length > 0) return this.#buffer.giveBack(leftover, infos)
      for (const message of infos) this.#passInfo(message)
    }
  }

  /** Asks the callbacks for what the dispatcher could take and nobody has been asked for. */
  #request(): void {
    if (this.#hold || this.#host.isStopping) return
    if (this.mode === 'accumulate') {
      const demand = this.#account.request(Math.max(0, this.#allowance - this.#spokenFor))
      if (demand > 0) this.#log.push({ type: 'demand', demand })
      return
    }
    const demand = this.#account.request(this.#allowance)
    if (demand > 0) this.#demand(demand)
  }

  /** A stage in the middle needs no call: that it is owing is what makes it work (GS-PC7). */
  #demand(demand: number): void {
    const { callbacks, runtime } = this.#host
    if (callbacks.handleDemand === undefined || this.#host.isDraining) return
    const { telemetry, clock } = runtime
    const began = telemetry.active ? clock.now() : 0
    const value = callbacks.handleDemand(demand)
    if (Array.isArray(value) && !telemetry.active) return this.#host.emit(value, 'handleDemand')
    this.#host.whenDone(value, events => {
      if (telemetry.active) {
        const durationMs = clock.now() - began
        telemetry.tell('handled', { ...this.#common(), callback: 'handleDemand', count: demand, durationMs })
      }
      this.#host.emit(events, 'handleDemand')
    })
  }

  #emitNow(events: readonly unknown[]): void {
    this.#account.answer(events.length)
    // In forward mode a buffer that is not empty means that nobody can take anything: newcomers go behind
    const leftover = this.#buffer.length > 0 ? events : this.#dispatch(events)
    const { telemetry } = this.#host.runtime
    if (telemetry.active)
      telemetry.tell('dispatched', { ...this.#common(), count: events.length, leftover: leftover?.length ?? 0 })
    if (leftover !== undefined && leftover.length > 0) this.#keep(leftover)
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
    const { discarded, infos } = this.#buffer.store(events)
    const { telemetry } = this.#host.runtime
    if (telemetry.active) telemetry.tell('buffered', { ...this.#common(), count: events.length, size: this.#buffer.length })
    if (discarded.length > 0) this.#reportOverflow(discarded)
    for (const message of infos) this.#passInfo(message)
  }

  #reportOverflow(events: readonly unknown[]): void {
    this.#host.discard('buffer_overflow', events)
    const count = events.length
    const tell = this.#host.callbacks.formatDiscarded?.({ count, reason: 'buffer_overflow', events })
    if (tell !== false)
      this.#host.log('discarded', `${count} events discarded: the buffer is full (bufferSize ${this.#buffer.size})`, { n: count })
  }

  #passInfo(message: unknown): void {
    if (this.#dispatcher.info === undefined) this.#host.post({ type: 'info', message })
    else this.#apply(this.#dispatcher.info(message))
  }

  /** Does what the dispatcher's answer says. */
  #apply(outcome: Dispatched): void {
    const { allowance, deliveries } = outcome
    if (!Number.isSafeInteger(allowance) || allowance < 0)
      throw this.#broken(`an allowance must be a whole number from 0, not ${show(allowance)}`)
    this.#allowance = allowance
    this.#hold = outcome.hold === true
    if (deliveries !== undefined) for (const { to, events } of deliveries) if (events.length > 0) this.#deliver(to, events)
    if (outcome.infos !== undefined) for (const message of outcome.infos) this.#host.post({ type: 'info', message })
    if (outcome.asks !== undefined) {
      for (const { to, demand } of outcome.asks) this.#host.post({ type: 'refill', subscription: to.subscriptionId, demand })
    }
    if (outcome.cancels !== undefined) {
      for (const { to, reason } of outcome.cancels)
        this.#host.post({ type: 'cancelSubscriber', subscription: to.subscriptionId, reason })
    }
    if (outcome.discarded !== undefined) {
      for (const { reason, events } of outcome.discarded) {
        this.#host.discard(reason, events)
        if (reason === 'no_partition') this.#settleSoon()
      }
    }
    if (outcome.warnings !== undefined) {
      for (const { code, ...fields } of outcome.warnings) this.#host.log(code, warningText(code, fields), fields)
    }
    if (outcome.wakeAt !== undefined) this.#wakeAt(outcome.wakeAt)
  }

  #deliver(to: unknown, events: readonly unknown[]): void {
    if (!(to instanceof DownstreamLink) || to.endedAs !== undefined)
      throw this.#broken('a delivery must go to a recipient that has a subscription')
    if (events.length > to.outstanding)
      throw this.#broken(`${events.length} events for ${show(to.consumerId)}, which asked for ${to.outstanding}`)
    to.outstanding -= events.length
    to.delivered += events.length
    to.consumerAddress.post({ type: 'events', from: this.#host.address, subscription: to.id, events })
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
    if (this.#buffer.length > 0) this.#account.drop(entry.demand, this.#allowance)
    else this.#demand(entry.demand)
  }

  /** While accumulating: buffered events that have been asked for. */
  get #spokenFor(): number {
    return Math.min(this.#buffer.length, this.#allowance)
  }

  #refuseUnknownOptions(options: object): void {
    const known = [...coreSubscriptionOptions, ...(this.#dispatcher.subscriptionOptions ?? [])]
    for (const option of Object.keys(options)) {
      if (!known.includes(option))
        throw new GenStageError('BAD_OPTION', `unknown subscription option ${show(option)}${suggestion(option, known)}`, {
          option,
        })
    }
  }

  #dispatcherFailed(operation: string, cause: unknown): GenStageError {
    if (cause instanceof GenStageError) return cause
    const text = `stage ${show(this.#host.label)}: ${operation} of its dispatcher failed: ${String(cause)}`
    return new GenStageError('DISPATCHER_FAILED', text, { stage: this.#host.label, cause })
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
