import { Batches } from './batches.ts'
import { type GenStageError, show } from './errors.ts'
import { badReturn, commonOf } from './host.ts'
import type { Unfinished, UpstreamLink } from './links.ts'
import type { StageMessage, Undone } from './protocol.ts'
import { isGraceful, noproc, type Reason } from './reason.ts'
import { Resubscribing } from './resubscribing.ts'
import { isFollowed, refusal } from './subscription-end.ts'
import type { Ended } from './types.ts'

/** A subscription that another one takes the place of, and why. */
type Replaced = NonNullable<UpstreamLink['current']>

/**
 * What a stage does with its producers: it subscribes to them, follows the ends of subscriptions or does not, and works off what
 * arrives (batches.ts).
 */
export class ConsumerSide extends Batches {
  /** Made for the first subscription that waits to be made anew. */
  #resubscribing: Resubscribing | undefined

  // ── subscribing (GS-S1)

  /** Posts the request, tells the callbacks, and asks for the first events; `next` when that is done. */
  subscribe(link: UpstreamLink, next?: () => void): void {
    const { runtime, address, callbacks } = this.host
    if (link.producerName !== undefined) {
      const found = runtime.find(link.producerName)
      if (found === undefined) return this.#nobody(link, next)
      link.producerAddress = found
    }
    const current = link.current === undefined ? undefined : this.#replace(link.current, link)
    link.current = undefined // it may be gone long before this one
    this.links.add(link)
    link.markPosted()
    link.producerAddress.post({
      type: 'subscribe',
      from: address,
      subscription: link.id,
      options: link.options as Readonly<Record<string, unknown>>,
      current: current === undefined ? undefined : { subscription: current.link.id, reason: current.reason },
    })
    const { telemetry } = runtime
    if (telemetry.active)
      telemetry.tell('subscribed', { ...commonOf(this.host), subscription: link.id, producer: link.producerAddress.id })
    this.host.whenDone(callbacks.handleSubscribe?.(link), answer => {
      if (answer !== undefined && answer !== 'automatic' && answer !== 'manual') {
        throw badReturn(this.host, 'handleSubscribe', "'automatic', 'manual' or nothing", answer)
      }
      if (this.host.isStopping) return
      link.manual = answer === 'manual'
      if (!link.manual) link.post(link.demand.max)
      next?.()
    })
  }

  accepted(subscription: string): void {
    this.links.get(subscription)?.markAccepted()
  }

  /** Another subscription takes the place of this one, or of the one that has been made anew for it since; answers which. */
  #replace({ link, reason }: Replaced, by: UpstreamLink): Replaced {
    const { resubscription } = link
    const latest = resubscription?.current ?? link
    const isOfSame =
      latest.producerAddress.id === by.producerAddress.id ||
      (resubscription !== undefined && latest.producerName === by.producerName)
    if (this.#resubscribing?.stop(latest, { kind: 'cancel', reason }) === true) {
      // It may have waited to take the place of another one itself
      return latest.current === undefined ? { link: latest, reason } : this.#replace(latest.current, by)
    }
    if (!isOfSame || this.links.get(latest.id) !== latest) return { link: latest, reason }
    // The cancel that the producer of both will confirm is of one's own making (X13)
    latest.replaced = true
    if (resubscription !== undefined) resubscription.isOver = true
    return { link: latest, reason }
  }

  /** The name was looked up, and nobody has it (GS-S4). */
  #nobody(link: UpstreamLink, next?: () => void): void {
    if (this.#tryAgain(link, noproc)) return next?.()
    link.finish({ kind: 'down', reason: noproc }, () => refusal(link, { kind: 'down', reason: noproc }))
    if (link.mode === 'temporary') return next?.()
    this.host.log('noproc', `there is no stage named ${show(link.producerName)} to subscribe to`, {
      producer: link.producerName,
    })
    this.host.follow(noproc, true)
  }

  // ── the end of a subscription (GS-K1 to K8)

  end(subscription: string, ended: Ended): void {
    const link = this.links.get(subscription)
    if (link === undefined) return
    this.links.delete(subscription)
    link.finish(ended, () => refusal(link, ended))
    const { telemetry } = this.host.runtime
    if (telemetry.active) telemetry.tell('cancelled', { ...commonOf(this.host), subscription, ...ended })
    this.endInOrder(link, ended)
  }

  /** The callbacks are told, then the stage follows or not (GS-K3 to K8). */
  protected tellEnd(link: UpstreamLink, ended: Ended): void {
    const { callbacks } = this.host
    this.host.whenDone(callbacks.handleCancel?.(ended, link), value => {
      this.host.emit(value, 'handleCancel')
      // A stage that finishes what is on its way follows no end of a subscription
      if (this.host.isStopping || this.host.isDraining) return
      if (ended.kind === 'down' && !isGraceful(ended.reason) && this.#tryAgain(link, ended.reason)) return
      if (!isFollowed(link, ended)) return
      this.#follow(link, ended)
    })
  }

  #follow(link: UpstreamLink, ended: Ended): void {
    this.host.log('stopping_on_cancel', `stops because its ${link.mode} subscription to ${show(link.producerLabel)} ended`, {
      reason: ended.reason,
    })
    // A producer that failed has told of it itself; one that refused, or is not there, has not
    this.host.follow(ended.reason, ended.kind === 'cancel' || ended.reason.type === 'noproc')
  }

  /** Makes the subscription anew after a while, if it is one that is made anew and has tries left (X22). */
  #tryAgain(link: UpstreamLink, reason: Reason): boolean {
    const next = link.resubscription?.next()
    if (next === undefined) return false
    this.#resubscribing ??= new Resubscribing(this.host, waited => this.subscribe(waited))
    this.#resubscribing.add(link, reason, next)
    return true
  }

  /**
   * A subscription that is made anew after failures was cancelled: from now on it is not. If it waits for that, the waiting is over, and
   * its cancel mode applies.
   */
  giveUp(link: UpstreamLink, reason: Reason): void {
    const { resubscription } = link
    if (resubscription === undefined) return
    resubscription.isOver = true
    const latest = resubscription.current ?? link
    const ended: Ended = { kind: 'cancel', reason }
    if (this.#resubscribing?.stop(latest, ended) !== true) {
      if (latest !== link) latest.postCancel(reason) // it has been made anew since
    } else if (isFollowed(latest, ended)) this.#follow(latest, ended)
  }

  // ── the end of the stage

  /**
   * The first step of a drain: no end of a subscription is followed any more. They are cancelled; `together` with their producers,
   * only those to producers that stay.
   */
  drain(reason: Reason, together: boolean): void {
    for (const link of this.links.all()) if (!together || !link.isProducerLeaving) link.cancel(reason)
    this.#resubscribing?.stopAll({ kind: 'cancel', reason })
  }

  /** Whether everything that was on its way has arrived and been handled. */
  get isDrained(): boolean {
    return this.links.size === 0 && this.isEmpty
  }

  /** Tells all producers that the stage has ended. Answers the events that it had not done and that do not go back to one. */
  close(
    reason: Reason,
    refused: () => GenStageError,
    unread: readonly StageMessage[],
    ofChildren: readonly Unfinished[],
  ): readonly unknown[] {
    this.#resubscribing?.close(reason, refused)
    const unfinished = [...ofChildren, ...this.takeUnfinished()]
    for (const link of this.links.all()) {
      link.finish({ kind: 'down', reason }, refused)
      const { id: subscription } = link
      const undone = link.redelivers ? undoneOf(link, unfinished, unread) : undefined
      link.producerAddress.post({ type: 'consumerDown', from: this.host.address, subscription, reason, undone })
    }
    return unfinished.filter(({ link }) => !this.goesBack(link.id)).flatMap(({ events }) => events)
  }

  /** Whether events of a subscription that are not done at the end go back to its producer (X21). */
  goesBack(subscription: string): boolean {
    return this.links.get(subscription)?.redelivers === true
  }
}

/** All that goes back to the producer of `link`: what is unfinished, then what waits in the mailbox. */
function undoneOf(link: UpstreamLink, unfinished: readonly Unfinished[], unread: readonly StageMessage[]): readonly Undone[] {
  const undone: Undone[] = unfinished
    .filter(each => each.link === link)
    .map(({ events, redeliveries }) => ({ events, redeliveries }))
  for (const message of unread) {
    if (message.type !== 'events' || message.subscription !== link.id) continue
    undone.push({ events: message.events, redeliveries: message.redeliveries ?? 0 })
  }
  return undone
}
