import type { Delivery, Dispatched, Dispatcher, DispatcherFactory, Recipient } from './dispatcher.ts'
import { brokenContract, checkedDispatcher, dispatcherFailed } from './dispatcher-faults.ts'
import { logWarnings, postWishes } from './dispatcher-wishes.ts'
import { type GenStageError, show } from './errors.ts'
import type { Host } from './host.ts'
import { LinkMap } from './link-map.ts'
import type { DownstreamLink } from './links.ts'
import { disposeSymbol } from './platform.ts'
import { deliverCounted } from './redelivering.ts'
import type { Redeliveries } from './redelivery.ts'
import type { TelemetryBus } from './telemetry.ts'

/** The part of a producer side that does what its dispatcher answers: above all, that delivers events to consumers. */
export abstract class Delivering {
  readonly links: LinkMap<DownstreamLink> = new LinkMap()
  protected readonly host: Host
  protected readonly dispatcher: Dispatcher
  protected readonly telemetry: TelemetryBus
  /** What the dispatcher could deliver now, as it said last. */
  protected allowance = 0
  /** Whether the dispatcher wants nothing for now. */
  protected hold = false
  /** Whether a consumer gives back what it has not done (X21). */
  protected redelivers = false
  /** How often events that came back had been delivered; made for the first of them. */
  protected redeliveries: Redeliveries | undefined
  /** A message to settle is under way (X3): one is enough. */
  protected isSettling = false
  #wakeTimer: Disposable | undefined

  constructor(host: Host, dispatcher: DispatcherFactory<never>) {
    this.host = host
    this.telemetry = host.runtime.telemetry
    this.dispatcher = checkedDispatcher(host, dispatcher(host.runtime.dispatcherContext))
  }

  inspectDispatcher(): unknown {
    return this.dispatcher.inspect?.()
  }

  /** Hands events to the dispatcher and does what it answers. Answers what nobody can take now. */
  protected dispatch(events: readonly unknown[]): readonly unknown[] | undefined {
    let outcome: Dispatched
    try {
      outcome = this.dispatcher.dispatch(events)
    } catch (error) {
      this.host.discard('producer_crash', events)
      throw dispatcherFailed(this.host, 'dispatch', error)
    }
    const { leftover } = outcome
    this.apply(outcome)
    return leftover
  }

  /** Passes an info on, which the dispatcher may hold until the events before it have left. */
  protected passInfo(message: unknown): void {
    if (this.dispatcher.info === undefined) return this.host.post({ type: 'info', message })
    let outcome: Dispatched
    try {
      outcome = this.dispatcher.info(message)
    } catch (error) {
      throw dispatcherFailed(this.host, 'info', error)
    }
    this.apply(outcome)
  }

  /** Does what the dispatcher's answer says. */
  protected apply(outcome: Dispatched): void {
    const { allowance, deliveries } = outcome
    if (!Number.isSafeInteger(allowance) || allowance < 0) throw this.#wrongAllowance(allowance)
    this.allowance = allowance
    this.hold = outcome.hold === true
    if (deliveries !== undefined) this.#deliverAll(deliveries)
    // What follows is rare, and kept out of the path of everyday
    if (outcome.infos !== undefined || outcome.asks !== undefined || outcome.cancels !== undefined) postWishes(this.host, outcome)
    if (outcome.discarded !== undefined || outcome.warnings !== undefined) this.#tell(outcome)
    if (outcome.wakeAt !== undefined) this.#wakeAt(outcome.wakeAt)
  }

  /** No dispatcher is woken any more. */
  protected stopWaking(): void {
    this.#wakeTimer?.[disposeSymbol]()
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
    if (this.redelivers && this.#isSpecial(link)) return deliverCounted(this.host, link, events, this.redeliveries)
    link.consumerAddress.post({ type: 'events', from: this.host.address, subscription: link.id, events })
  }

  /** Whether some events have come back, or the consumer has ended and will give back what it is sent. */
  #isSpecial(link: DownstreamLink): boolean {
    return link.peer?.hasEnded === true || this.redeliveries?.isEmpty === false
  }

  #tell({ discarded = [], warnings = [] }: Dispatched): void {
    for (const { reason, events } of discarded) {
      this.host.discard(reason, events)
      this.redeliveries?.take(events)
      if (reason === 'no_partition') this.#settleSoon()
    }
    logWarnings(this.host, warnings)
  }

  #settleSoon(): void {
    if (this.isSettling) return
    this.isSettling = true
    this.host.post({ type: 'settle' })
  }

  #wakeAt(time: number): void {
    const { clock } = this.host.runtime
    this.#wakeTimer?.[disposeSymbol]()
    this.#wakeTimer = clock.setTimer(Math.max(0, time - clock.now()), () => this.host.post({ type: 'wake' }))
  }

  #wrongAllowance(allowance: unknown): GenStageError {
    return brokenContract(this.host, `an allowance must be a whole number from 0, not ${show(allowance)}`)
  }

  #wrongDelivery(to: Recipient, count: number, link: DownstreamLink | undefined): GenStageError {
    if (link !== to) return brokenContract(this.host, 'a delivery must go to a recipient that has a subscription')
    return brokenContract(this.host, `${count} events for ${show(to.consumerId)}, which asked for ${link.outstanding}`)
  }
}
