import type { Cut } from './demand.ts'
import { GenStageError, ownError, show } from './errors.ts'
import { badReturn, type Host } from './host.ts'
import { LinkMap } from './link-map.ts'
import type { UpstreamLink } from './links.ts'
import type { ProducerSide } from './producer-side.ts'
import type { EventsMessage } from './protocol.ts'
import { Queue } from './queue.ts'
import { failure, isGraceful, noproc, type Reason } from './reason.ts'
import type { TelemetryBus } from './telemetry.ts'
import type { Ended } from './types.ts'

/** What waits in a stage in the middle until somebody downstream wants events (GS-PC2, PC9). */
type InboxEntry =
  | { readonly type: 'events'; readonly link: UpstreamLink; readonly events: readonly unknown[] }
  | { readonly type: 'ended'; readonly link: UpstreamLink; readonly ended: Ended }
  | { readonly type: 'info'; readonly message: unknown }

/**
 * What a stage does with its producers: it keeps the subscriptions, cuts what arrives into batches, hands these to the callbacks,
 * and asks for more. In a stage in the middle all this waits in an inbox until consumers are owed something.
 */
export class ConsumerSide {
  readonly links: LinkMap<UpstreamLink> = new LinkMap()
  readonly #host: Host
  readonly #telemetry: TelemetryBus
  /** The other side of a stage in the middle. */
  readonly #producing: ProducerSide | undefined
  /** Of a stage in the middle. */
  readonly #inbox: Queue<InboxEntry> | undefined
  // The message in hand: its events, how many of them are done, and how they are cut
  #events: readonly unknown[] | undefined
  #link: UpstreamLink | undefined
  #done = 0
  /** The cuts, if there are several; else the whole message is one batch, with one ask. */
  #cuts: readonly Cut[] | undefined
  #nextCut = 0
  #ask = 0
  /** Set while the stage finishes what is on its way: then it follows no end of a subscription. */
  #isDraining = false

  constructor(host: Host, producing: ProducerSide | undefined) {
    this.#host = host
    this.#telemetry = host.runtime.telemetry
    this.#producing = producing
    this.#inbox = producing === undefined ? undefined : new Queue()
  }

  get hasWorkInHand(): boolean {
    return this.#events !== undefined || (this.#producing !== undefined && this.#inboxLength > 0 && this.#producing.isOwing)
  }

  /** One more step of what is in hand: a batch, or the next entry of the inbox. */
  work(): void {
    if (this.#events !== undefined) return this.#handleBatch()
    const entry = this.#inbox?.shift()
    if (entry === undefined) return
    if (entry.type === 'events') {
      this.#open(entry.link, entry.events)
      if (this.#events !== undefined) this.#handleBatch()
    } else if (entry.type === 'ended') this.#ended(entry.link, entry.ended)
    else this.#producing?.info(entry.message)
  }

  // ── subscribing (GS-S1)

  /** Posts the request, tells the callbacks, and asks for the first events; `next` when that is done. */
  subscribe(link: UpstreamLink, next?: () => void): void {
    const { runtime, address, callbacks } = this.#host
    if (link.producerName !== undefined) {
      const found = runtime.find(link.producerName)
      if (found === undefined) return this.#nobody(link, next)
      link.producerAddress = found
    }
    const { current } = link
    link.current = undefined // it may be gone long before this one
    // The cancel that the producer of both will confirm is of one's own making (X13)
    if (
      current !== undefined &&
      this.links.get(current.link.id) === current.link &&
      current.link.producerAddress.id === link.producerAddress.id
    ) {
      current.link.replaced = true
    }
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
    if (telemetry.active) {
      const at = runtime.clock.now()
      telemetry.tell('subscribed', {
        stage: address.id,
        name: address.ref.name,
        at,
        subscription: link.id,
        producer: link.producerAddress.id,
      })
    }
    this.#host.whenDone(callbacks.handleSubscribe?.(link), answer => {
      if (answer !== undefined && answer !== 'automatic' && answer !== 'manual') {
        throw badReturn(this.#host, 'handleSubscribe', "'automatic', 'manual' or nothing", answer)
      }
      if (this.#host.isStopping) return
      link.manual = answer === 'manual'
      if (!link.manual) link.post(link.demand.max)
      next?.()
    })
  }

  accepted(subscription: string): void {
    this.links.get(subscription)?.markAccepted()
  }

  // ── events (GS-Q2 to Q8, PC2)

  receive(message: EventsMessage): void {
    const link = this.links.get(message.subscription)
    if (link === undefined) return this.#refuse(message)
    if (this.#inbox !== undefined) {
      this.#inbox.push({ type: 'events', link, events: message.events })
      this.#host.attend()
      return
    }
    this.#open(link, message.events)
    if (this.#events !== undefined) this.#handleBatch()
  }

  // ── infos (GS-I3)

  /** Puts an info behind the events that wait in the inbox; false if there are none. */
  queueInfo(message: unknown): boolean {
    if (this.#inbox === undefined || this.#inbox.length === 0) return false
    this.#inbox.push({ type: 'info', message })
    return true
  }

  // ── the end of a subscription (GS-K1 to K8)

  end(subscription: string, ended: Ended): void {
    const link = this.links.get(subscription)
    if (link === undefined) return
    this.links.delete(subscription)
    link.finish(ended, () => refusal(link, ended))
    const { telemetry, clock } = this.#host.runtime
    if (telemetry.active) {
      const { id, ref } = this.#host.address
      telemetry.tell('cancelled', { stage: id, name: ref.name, at: clock.now(), subscription, ...ended })
    }
    if (this.#inbox !== undefined && this.#inbox.length > 0) this.#inbox.push({ type: 'ended', link, ended })
    else this.#ended(link, ended)
  }

  /** The first step of a drain: no end of a subscription is followed any more; with a reason all are cancelled. */
  drain(reason: Reason | undefined): void {
    this.#isDraining = true
    if (reason !== undefined) for (const link of this.links.all()) link.cancel(reason)
  }

  /** Whether everything that was on its way has arrived and been handled. */
  get isDrained(): boolean {
    return this.links.size === 0 && this.#inboxLength === 0 && this.#events === undefined
  }

  /** Tells all producers that the stage has ended, and gives back what it had not finished. */
  close(reason: Reason, refused: (link: UpstreamLink) => GenStageError): readonly unknown[] {
    for (const link of this.links.all()) {
      link.finish({ kind: 'down', reason }, () => refused(link))
      link.producerAddress.post({ type: 'consumerDown', from: this.#host.address, subscription: link.id, reason })
    }
    const unfinished: (readonly unknown[])[] = [this.#events?.slice(this.#done) ?? []]
    for (let entry = this.#inbox?.shift(); entry !== undefined; entry = this.#inbox?.shift()) {
      if (entry.type === 'events') unfinished.push(entry.events)
    }
    this.#events = undefined
    return unfinished.flat()
  }

  // ── inside

  get #inboxLength(): number {
    return this.#inbox?.length ?? 0
  }

  /** Takes a message in hand: counts it, and cuts it into batches. */
  #open(link: UpstreamLink, events: readonly unknown[]): void {
    const count = events.length
    this.#cuts = undefined
    this.#ask = 0
    // By hand, or of a subscription that has ended meanwhile: one batch, and nothing is asked (GS-Q7, PC10)
    if (!link.manual && link.isOpen) {
      if (count === 0) return
      const { demand } = link
      if (count <= demand.chunk && count <= demand.pending) this.#ask = demand.count(count)
      else {
        const { cuts, excess } = demand.cut(count)
        for (const n of excess)
          this.#host.log('excess', `${n} more events than were asked for came from ${show(labelOf(link))}`, {
            n,
            subscription: link.id,
          })
        this.#ask = cuts[0]?.ask ?? 0
        if (cuts.length > 1) {
          this.#cuts = cuts
          this.#host.attend()
        }
      }
    }
    this.#events = events
    this.#link = link
    this.#done = 0
    this.#nextCut = 0
  }

  #handleBatch(): void {
    const { callbacks } = this.#host
    const events = this.#events
    const link = this.#link
    if (events === undefined || link === undefined || callbacks.handleEvents === undefined) return
    const size = this.#cuts?.[this.#nextCut]?.size ?? events.length
    const batch = size === events.length ? events : events.slice(this.#done, this.#done + size)
    if (this.#telemetry.active) return this.#handleObserved(batch, link)
    const value = callbacks.handleEvents(batch, link)
    if (value === undefined || Array.isArray(value)) this.#handled(size, value)
    else this.#handledLater(size, value)
  }

  // Apart from the path of everyday, which a closure in the same function would slow down
  #handledLater(size: number, value: unknown): void {
    this.#host.whenDone(value, result => this.#handled(size, result))
  }

  #handleObserved(batch: readonly unknown[], link: UpstreamLink): void {
    const { callbacks, runtime, address } = this.#host
    const { telemetry, clock } = runtime
    const began = clock.now()
    this.#host.whenDone(callbacks.handleEvents?.(batch, link), result => {
      const at = clock.now()
      const { id: stage, ref } = address
      telemetry.tell('handled', {
        stage,
        name: ref.name,
        at,
        callback: 'handleEvents',
        count: batch.length,
        durationMs: at - began,
      })
      this.#handled(batch.length, result)
    })
  }

  /** A batch is done: its events go out, then the ask for it (GS-Q4). */
  #handled(size: number, result: unknown): void {
    const link = this.#link
    if (this.#events === undefined || link === undefined) return
    this.#done += size
    link.handled += size
    const ask = this.#cuts?.[this.#nextCut]?.ask ?? this.#ask
    this.#nextCut++
    if (this.#done >= this.#events.length) {
      this.#events = undefined
      this.#link = undefined
    }
    if (result !== undefined) this.#host.emit(result, 'handleEvents')
    if (ask > 0 && !this.#host.isStopping) link.post(ask)
  }

  #refuse(message: EventsMessage): void {
    const text = `stage ${show(this.#host.label)} has no subscription ${show(message.subscription)}`
    const error = new GenStageError('UNKNOWN_SUBSCRIPTION', text, { stage: this.#host.label })
    this.#host.discard('unknown_subscription', message.events)
    message.from.post({ type: 'cancel', from: this.#host.address, subscription: message.subscription, reason: failure(error) })
  }

  /** The callbacks are told, then the stage follows or not (GS-K3 to K8). */
  #ended(link: UpstreamLink, ended: Ended): void {
    const { callbacks } = this.#host
    this.#host.whenDone(callbacks.handleCancel?.(ended, link), value => {
      this.#host.emit(value, 'handleCancel')
      if (this.#host.isStopping || this.#isDraining || !isFollowed(link, ended)) return
      this.#host.log('stopping_on_cancel', `stops because its ${link.mode} subscription to ${show(labelOf(link))} ended`, {
        reason: ended.reason,
      })
      // A producer that failed has told of it itself; one that refused, or is not there, has not
      this.#host.follow(ended.reason, ended.kind === 'cancel' || ended.reason.type === 'noproc')
    })
  }

  /** The name was looked up, and nobody has it (GS-S4). */
  #nobody(link: UpstreamLink, next?: () => void): void {
    link.finish({ kind: 'down', reason: noproc }, () => refusal(link, { kind: 'down', reason: noproc }))
    if (link.mode === 'temporary') return next?.()
    this.#host.log('noproc', `there is no stage named ${show(link.producerName)} to subscribe to`, {
      producer: link.producerName,
    })
    this.#host.follow(noproc, true)
  }
}

function isFollowed(link: UpstreamLink, { kind, reason }: Ended): boolean {
  if (link.replaced && kind === 'cancel') return false
  if (reason.type === 'error' && ownError(reason.error)?.code === 'ALREADY_SUBSCRIBED') return false
  return link.mode === 'permanent' || (link.mode === 'transient' && !isGraceful(reason))
}

/** Why a subscription was never accepted, for those who wait for that. */
function refusal(link: UpstreamLink, { kind, reason }: Ended): GenStageError {
  const refused = kind === 'cancel' && reason.type === 'error' ? ownError(reason.error) : undefined
  if (refused !== undefined) return refused
  const stage = labelOf(link)
  return new GenStageError('STOPPED', `stage ${show(stage)} was gone, or the subscription cancelled, before it was accepted`, {
    stage,
    reason,
  })
}

function labelOf(link: UpstreamLink): string {
  return link.producer.name ?? link.producer.id
}
