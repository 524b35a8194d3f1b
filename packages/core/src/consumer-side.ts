import type { Cut } from './demand.ts'
import { describeReason, GenStageError, ownError, show } from './errors.ts'
import { badReturn, type Host } from './host.ts'
import { InFlight } from './in-flight.ts'
import { LinkMap } from './link-map.ts'
import type { Unfinished, UpstreamLink } from './links.ts'
import { OpenBatches } from './open-batches.ts'
import type { ProducerSide } from './producer-side.ts'
import { disposeSymbol } from './platform.ts'
import type { EventsMessage, StageMessage, Undone } from './protocol.ts'
import { Queue } from './queue.ts'
import { failure, isGraceful, noproc, type Reason } from './reason.ts'
import type { TelemetryBus } from './telemetry.ts'
import type { Ended } from './types.ts'

/** A subscription that another one takes the place of, and why. */
type Replaced = NonNullable<UpstreamLink['current']>

/** What waits in a stage in the middle until somebody downstream wants events (GS-PC2, PC9). */
type InboxEntry =
  | { readonly type: 'events'; readonly link: UpstreamLink; readonly events: readonly unknown[]; readonly redeliveries: number }
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
  /** Whether the callback has the next batch of it. */
  #isHandling = false
  /** Batches whose work goes on while others come; undefined until there is one. */
  #underWay: OpenBatches | undefined
  /** Subscriptions that wait to be made anew, each with its timer (X22). */
  #waiting: Map<UpstreamLink, Disposable> | undefined

  constructor(host: Host, producing: ProducerSide | undefined) {
    this.#host = host
    this.#telemetry = host.runtime.telemetry
    this.#producing = producing
    this.#inbox = producing === undefined ? undefined : new Queue()
  }

  get hasWorkInHand(): boolean {
    return (
      this.#events !== undefined ||
      (this.#producing !== undefined && this.#inboxLength() > 0 && this.#producing.isOwing) ||
      this.#underWay?.hasNews === true
    )
  }

  /** One more step of what is in hand: a batch, or the next entry of the inbox. */
  work(): void {
    if (this.#underWay?.hasNews === true) return this.release()
    if (this.#events !== undefined) return this.#handleBatch()
    const entry = this.#inbox?.shift()
    if (entry === undefined) return
    if (entry.type === 'events') {
      this.#open(entry.link, entry.events, entry.redeliveries)
      if (this.#events !== undefined) this.#handleBatch()
    } else if (entry.type === 'ended') this.#ended(entry.link, entry.ended)
    else this.#producing?.info(entry.message)
  }

  // ── batches under way (`inFlight`)

  /** Resolves when nothing is under way any more; undefined if nothing is. */
  get underWay(): Promise<void> | undefined {
    return this.#underWay?.settled
  }

  /** What has settled is done: its events go out, then the ask for it. Ends that waited for that are told. */
  release(): void {
    const open = this.#underWay
    if (open === undefined) return
    for (let done = open.done(); done !== undefined; done = open.done()) {
      const { batch, result } = done
      const { link, events, ask, began } = batch
      // What may come back is done only when what became of it has been dispatched
      if (!link.redelivers) open.close(batch)
      if (result !== undefined) this.#host.emit(result, 'handleEvents')
      open.close(batch)
      link.handled += events.length
      if (began !== undefined) this.#tellHandled(events.length, began)
      if (ask > 0 && !this.#host.isStopping) link.post(ask)
    }
    const end = open.takeEnd()
    if (end === undefined) return
    if (open.hasNews) this.#host.attend()
    this.#ended(end.link, end.ended)
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
      this.#inbox.push({ type: 'events', link, events: message.events, redeliveries: message.redeliveries ?? 0 })
      this.#host.attend()
      return
    }
    this.#open(link, message.events, message.redeliveries ?? 0)
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

  /**
   * The first step of a drain: no end of a subscription is followed any more. They are cancelled; `together` with their producers,
   * only those to producers that stay.
   */
  drain(reason: Reason, together: boolean): void {
    for (const link of this.links.all()) if (!together || !link.isProducerLeaving) link.cancel(reason)
    for (const link of this.#waiting?.keys() ?? []) this.#stopWaiting(link, { kind: 'cancel', reason })
  }

  /** Whether everything that was on its way has arrived and been handled. */
  get isDrained(): boolean {
    return this.links.size === 0 && this.#inboxLength() === 0 && this.#events === undefined && this.#underWay?.isEmpty !== false
  }

  /** Tells all producers that the stage has ended. Answers the events that it had not done and that do not go back to one. */
  close(
    reason: Reason,
    refused: (link: UpstreamLink) => GenStageError,
    unread: readonly StageMessage[],
    ofChildren: readonly Unfinished[],
  ): readonly unknown[] {
    for (const [link, timer] of this.#waiting ?? []) {
      timer[disposeSymbol]()
      link.finish({ kind: 'down', reason }, () => refused(link))
    }
    this.#waiting = undefined
    const unfinished = [...ofChildren, ...this.#unfinished()]
    for (const link of this.links.all()) {
      link.finish({ kind: 'down', reason }, () => refused(link))
      const { id: subscription } = link
      const undone = link.redelivers ? undoneOf(link, unfinished, unread) : undefined
      link.producerAddress.post({ type: 'consumerDown', from: this.#host.address, subscription, reason, undone })
    }
    return unfinished.filter(({ link }) => !this.goesBack(link.id)).flatMap(({ events }) => events)
  }

  /** Whether events of a subscription that are not done at the end go back to its producer (X21). */
  goesBack(subscription: string): boolean {
    return this.links.get(subscription)?.redelivers === true
  }

  // ── inside

  /** Another subscription takes the place of this one, or of the one that has been made anew for it since; answers which. */
  #replace({ link, reason }: Replaced, by: UpstreamLink): Replaced {
    const { resubscription } = link
    const latest = resubscription?.current ?? link
    const isOfSame =
      latest.producerAddress.id === by.producerAddress.id ||
      (resubscription !== undefined && latest.producerName === by.producerName)
    if (this.#stopWaiting(latest, { kind: 'cancel', reason })) {
      // It may have waited to take the place of another one itself
      return latest.current === undefined ? { link: latest, reason } : this.#replace(latest.current, by)
    }
    if (!isOfSame || this.links.get(latest.id) !== latest) return { link: latest, reason }
    // The cancel that the producer of both will confirm is of one's own making (X13)
    latest.replaced = true
    if (resubscription !== undefined) resubscription.isOver = true
    return { link: latest, reason }
  }

  // A method, because V8 does not optimise private getters, and this is asked for with every message
  #inboxLength(): number {
    return this.#inbox === undefined ? 0 : this.#inbox.length
  }

  /** What has arrived and is not done, in order. A batch that the callback had is one that has been delivered. */
  #unfinished(): readonly Unfinished[] {
    const unfinished: Unfinished[] = [...(this.#underWay?.takeAll() ?? [])]
    const [events, link] = [this.#events, this.#link]
    if (events !== undefined && link !== undefined) {
      const size = this.#cuts?.[this.#nextCut]?.size ?? events.length
      const tried = this.#isHandling ? this.#done + size : this.#done
      const { redeliveries } = link
      unfinished.push({ link, events: events.slice(this.#done, tried), redeliveries: redeliveries + 1 })
      unfinished.push({ link, events: events.slice(tried), redeliveries })
    }
    this.#events = undefined
    this.#link = undefined
    for (let entry = this.#inbox?.shift(); entry !== undefined; entry = this.#inbox?.shift()) {
      if (entry.type === 'events') unfinished.push(entry)
    }
    return unfinished.filter(each => each.events.length > 0)
  }

  /** Takes a message in hand: counts it, and cuts it into batches. */
  #open(link: UpstreamLink, events: readonly unknown[], redeliveries: number): void {
    const count = events.length
    this.#cuts = undefined
    this.#ask = 0
    // By hand, or of a subscription that has ended meanwhile: one batch, and nothing is asked (GS-Q7, PC10)
    if (!link.manual && link.isOpen) {
      if (count === 0) return
      const { demand } = link
      if (count <= demand.chunk && count <= demand.pending) this.#ask = demand.count(count)
      else this.#cut(link, count)
    }
    link.redeliveries = redeliveries
    this.#events = events
    this.#link = link
    this.#done = 0
    this.#nextCut = 0
  }

  #cut(link: UpstreamLink, count: number): void {
    const { cuts, excess } = link.demand.cut(count)
    for (const n of excess)
      this.#host.log('excess', `${n} more events than were asked for came from ${show(labelOf(link))}`, {
        n,
        subscription: link.id,
      })
    this.#ask = cuts[0]?.ask ?? 0
    if (cuts.length === 1) return
    this.#cuts = cuts
    this.#host.attend()
  }

  #handleBatch(): void {
    const { callbacks } = this.#host
    const events = this.#events
    const link = this.#link
    if (events === undefined || link === undefined || callbacks.handleEvents === undefined) return
    const size = this.#cuts?.[this.#nextCut]?.size ?? events.length
    const batch = size === events.length ? events : events.slice(this.#done, this.#done + size)
    this.#isHandling = true
    if (this.#telemetry.active) return this.#handleObserved(batch, link)
    const value = callbacks.handleEvents(batch, link)
    if (value === undefined || Array.isArray(value)) this.#handled(size, value)
    else this.#handledLater(batch, value)
  }

  // Apart from the path of everyday, which a closure in the same function would slow down
  #handledLater(batch: readonly unknown[], value: unknown): void {
    if (value instanceof InFlight) this.#leaveOpen(batch, value)
    else this.#host.whenDone(value, result => this.#handled(batch.length, result))
  }

  /** The work on a batch goes on: the next one may come. */
  #leaveOpen(events: readonly unknown[], work: InFlight<unknown>, began?: number): void {
    const link = this.#link
    if (link === undefined) return
    const ask = this.#closeBatch(events.length)
    this.#underWay ??= new OpenBatches(this.#producing !== undefined, () => {
      this.#host.attend()
      this.#host.wake()
    })
    this.#underWay.add({ link, events, redeliveries: link.redeliveries, ask, began }, work)
  }

  #handleObserved(batch: readonly unknown[], link: UpstreamLink): void {
    const { callbacks, runtime } = this.#host
    const began = runtime.clock.now()
    const value = callbacks.handleEvents?.(batch, link)
    if (value instanceof InFlight) return this.#leaveOpen(batch, value, began)
    this.#host.whenDone(value, result => {
      this.#tellHandled(batch.length, began)
      this.#handled(batch.length, result)
    })
  }

  #tellHandled(count: number, began: number): void {
    const { runtime, address } = this.#host
    const at = runtime.clock.now()
    const { id: stage, ref } = address
    const durationMs = at - began
    runtime.telemetry.tell('handled', { stage, name: ref.name, at, callback: 'handleEvents', count, durationMs })
  }

  /** A batch is done: its events go out, then the ask for it (GS-Q4). */
  #handled(size: number, result: unknown): void {
    const link = this.#link
    if (this.#events === undefined || link === undefined) return
    if (link.redelivers && result !== undefined) {
      // What may come back is done only when what became of it has been dispatched
      this.#host.emit(result, 'handleEvents')
      if (this.#link !== link) return // killed by whoever was told of that
    }
    link.handled += size
    const ask = this.#closeBatch(size)
    if (result !== undefined && !link.redelivers) this.#host.emit(result, 'handleEvents')
    if (ask > 0 && !this.#host.isStopping) link.post(ask)
  }

  /** The callback has answered for the batch in hand: the next one is in hand, if there is one. Answers the ask that is due for it. */
  #closeBatch(size: number): number {
    const ask = this.#cuts?.[this.#nextCut]?.ask ?? this.#ask
    this.#isHandling = false
    this.#done += size
    this.#nextCut++
    if (this.#events !== undefined && this.#done >= this.#events.length) {
      this.#events = undefined
      this.#link = undefined
    }
    return ask
  }

  #refuse(message: EventsMessage): void {
    const text = `stage ${show(this.#host.label)} has no subscription ${show(message.subscription)}`
    const error = new GenStageError('UNKNOWN_SUBSCRIPTION', text, { stage: this.#host.label })
    this.#host.discard('unknown_subscription', message.events)
    message.from.post({ type: 'cancel', from: this.#host.address, subscription: message.subscription, reason: failure(error) })
  }

  /** The callbacks are told, then the stage follows or not (GS-K3 to K8). */
  #ended(link: UpstreamLink, ended: Ended): void {
    if (this.#underWay?.has(link) === true) return this.#underWay.hold(link, ended)
    const { callbacks } = this.#host
    this.#host.whenDone(callbacks.handleCancel?.(ended, link), value => {
      this.#host.emit(value, 'handleCancel')
      // A stage that finishes what is on its way follows no end of a subscription
      if (this.#host.isStopping || this.#host.isDraining) return
      if (ended.kind === 'down' && !isGraceful(ended.reason) && this.#tryAgain(link, ended.reason)) return
      if (!isFollowed(link, ended)) return
      this.#follow(link, ended)
    })
  }

  #follow(link: UpstreamLink, ended: Ended): void {
    this.#host.log('stopping_on_cancel', `stops because its ${link.mode} subscription to ${show(labelOf(link))} ended`, {
      reason: ended.reason,
    })
    // A producer that failed has told of it itself; one that refused, or is not there, has not
    this.#host.follow(ended.reason, ended.kind === 'cancel' || ended.reason.type === 'noproc')
  }

  /** Makes the subscription anew after a while, if it is one that is made anew and has tries left (X22). */
  #tryAgain(link: UpstreamLink, reason: Reason): boolean {
    const next = link.resubscription?.next()
    if (next === undefined) return false
    const { attempt, delayMs } = next
    const name = show(link.producerName)
    this.#host.log('resubscribing', `subscribes to ${name} again in ${delayMs} ms (try ${attempt}): ${describeReason(reason)}`, {
      producer: link.producerName,
      n: attempt,
      delayMs,
      reason,
    })
    const work = (): void => this.#subscribeAgain(link)
    const timer = this.#host.runtime.clock.setTimer(delayMs, () => this.#host.post({ type: 'later', work }))
    this.#waiting = (this.#waiting ?? new Map()).set(link, timer)
    return true
  }

  #subscribeAgain(link: UpstreamLink): void {
    if (this.#host.isStopping || this.#waiting?.delete(link) !== true) return
    this.subscribe(link.endedAs === undefined ? link : this.#host.renew(link))
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
    if (!this.#stopWaiting(latest, ended)) {
      if (latest !== link) latest.postCancel(reason) // it has been made anew since
    } else if (isFollowed(latest, ended)) this.#follow(latest, ended)
  }

  #stopWaiting(link: UpstreamLink, ended: Ended): boolean {
    const timer = this.#waiting?.get(link)
    if (timer === undefined) return false
    timer[disposeSymbol]()
    this.#waiting?.delete(link)
    link.finish(ended, () => refusal(link, ended))
    return true
  }

  /** The name was looked up, and nobody has it (GS-S4). */
  #nobody(link: UpstreamLink, next?: () => void): void {
    if (this.#tryAgain(link, noproc)) return next?.()
    link.finish({ kind: 'down', reason: noproc }, () => refusal(link, { kind: 'down', reason: noproc }))
    if (link.mode === 'temporary') return next?.()
    this.#host.log('noproc', `there is no stage named ${show(link.producerName)} to subscribe to`, {
      producer: link.producerName,
    })
    this.#host.follow(noproc, true)
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

function isFollowed(link: UpstreamLink, { kind, reason }: Ended): boolean {
  // A failure of the producer counts for the one in its place as well, which may be one that is made anew
  if (link.replaced && (kind === 'cancel' || link.resubscription !== undefined)) return false
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
