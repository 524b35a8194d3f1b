import type { Cut } from './demand.ts'
import { GenStageError, show } from './errors.ts'
import { commonOf, type Host } from './host.ts'
import { InFlight } from './in-flight.ts'
import { LinkMap } from './link-map.ts'
import type { Unfinished, UpstreamLink } from './links.ts'
import { OpenBatches } from './open-batches.ts'
import type { ProducerSide } from './producer-side.ts'
import type { EventsMessage } from './protocol.ts'
import { Queue } from './queue.ts'
import { failure } from './reason.ts'
import type { TelemetryBus } from './telemetry.ts'
import type { Ended } from './types.ts'

/** What waits in a stage in the middle until somebody downstream wants events (GS-PC2, PC9). */
type InboxEntry =
  | { readonly type: 'events'; readonly link: UpstreamLink; readonly events: readonly unknown[]; readonly redeliveries: number }
  | { readonly type: 'ended'; readonly link: UpstreamLink; readonly ended: Ended }
  | { readonly type: 'info'; readonly message: unknown }

/**
 * The part of a consumer side that cuts what arrives into batches, hands these to the callbacks, and asks for more (GS-Q). In a stage
 * in the middle all this waits in an inbox until consumers are owed something.
 */
export abstract class Batches {
  readonly links: LinkMap<UpstreamLink> = new LinkMap()
  protected readonly host: Host
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

  constructor(host: Host, producing: ProducerSide | undefined) {
    this.host = host
    this.#telemetry = host.runtime.telemetry
    this.#producing = producing
    this.#inbox = producing === undefined ? undefined : new Queue()
  }

  /** The callbacks are told of the end of a subscription, whose events are all done. */
  protected abstract tellEnd(link: UpstreamLink, ended: Ended): void

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
    } else if (entry.type === 'ended') this.#endAfterWork(entry.link, entry.ended)
    else this.#producing?.info(entry.message)
  }

  /** Whether everything that has arrived has been handled. */
  protected get isEmpty(): boolean {
    return this.#inboxLength() === 0 && this.#events === undefined && this.#underWay?.isEmpty !== false
  }

  // ── what arrives (GS-Q2 to Q8, PC2)

  receive(message: EventsMessage): void {
    const link = this.links.get(message.subscription)
    if (link === undefined) return this.#refuse(message)
    if (this.#inbox !== undefined) {
      this.#inbox.push({ type: 'events', link, events: message.events, redeliveries: message.redeliveries ?? 0 })
      this.host.attend()
      return
    }
    this.#open(link, message.events, message.redeliveries ?? 0)
    if (this.#events !== undefined) this.#handleBatch()
  }

  /** Puts an info behind the events that wait in the inbox; false if there are none (GS-I3). */
  queueInfo(message: unknown): boolean {
    if (this.#inbox === undefined || this.#inbox.length === 0) return false
    this.#inbox.push({ type: 'info', message })
    return true
  }

  /** A subscription has ended: that is told behind all that came before, which may wait in the inbox. */
  protected endInOrder(link: UpstreamLink, ended: Ended): void {
    if (this.#inbox !== undefined && this.#inbox.length > 0) this.#inbox.push({ type: 'ended', link, ended })
    else this.#endAfterWork(link, ended)
  }

  #endAfterWork(link: UpstreamLink, ended: Ended): void {
    if (this.#underWay?.has(link) === true) this.#underWay.hold(link, ended)
    else this.tellEnd(link, ended)
  }

  #refuse(message: EventsMessage): void {
    const text = `stage ${show(this.host.label)} has no subscription ${show(message.subscription)}`
    const error = new GenStageError('UNKNOWN_SUBSCRIPTION', text, { stage: this.host.label })
    this.host.discard('unknown_subscription', message.events)
    message.from.post({ type: 'cancel', from: this.host.address, subscription: message.subscription, reason: failure(error) })
  }

  // A method, because V8 does not optimise private getters, and this is asked for with every message
  #inboxLength(): number {
    return this.#inbox === undefined ? 0 : this.#inbox.length
  }

  // ── the batch in hand

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
      this.host.log('excess', `${n} more events than were asked for came from ${show(link.producerLabel)}`, {
        n,
        subscription: link.id,
      })
    this.#ask = cuts[0]?.ask ?? 0
    if (cuts.length === 1) return
    this.#cuts = cuts
    this.host.attend()
  }

  #handleBatch(): void {
    const { callbacks } = this.host
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
    else this.host.whenDone(value, result => this.#handled(batch.length, result))
  }

  #handleObserved(batch: readonly unknown[], link: UpstreamLink): void {
    const { callbacks, runtime } = this.host
    const began = runtime.clock.now()
    const value = callbacks.handleEvents?.(batch, link)
    if (value instanceof InFlight) return this.#leaveOpen(batch, value, began)
    this.host.whenDone(value, result => {
      this.#tellHandled(batch.length, began)
      this.#handled(batch.length, result)
    })
  }

  #tellHandled(count: number, began: number): void {
    const { stage, name, at } = commonOf(this.host)
    this.#telemetry.tell('handled', { stage, name, at, callback: 'handleEvents', count, durationMs: at - began })
  }

  /** A batch is done: its events go out, then the ask for it (GS-Q4). */
  #handled(size: number, result: unknown): void {
    const link = this.#link
    if (this.#events === undefined || link === undefined) return
    if (link.redelivers && result !== undefined) {
      // What may come back is done only when what became of it has been dispatched
      this.host.emit(result, 'handleEvents')
      if (this.#link !== link) return // killed by whoever was told of that
    }
    link.handled += size
    const ask = this.#closeBatch(size)
    if (result !== undefined && !link.redelivers) this.host.emit(result, 'handleEvents')
    if (ask > 0 && !this.host.isStopping) link.post(ask)
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

  // ── batches under way (`inFlight`)

  /** The work on a batch goes on: the next one may come. */
  #leaveOpen(events: readonly unknown[], work: InFlight<unknown>, began?: number): void {
    const link = this.#link
    if (link === undefined) return
    const ask = this.#closeBatch(events.length)
    this.#underWay ??= new OpenBatches(this.#producing !== undefined, () => {
      this.host.attend()
      this.host.wake()
    })
    this.#underWay.add({ link, events, redeliveries: link.redeliveries, ask, began }, work)
  }

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
      if (result !== undefined) this.host.emit(result, 'handleEvents')
      open.close(batch)
      link.handled += events.length
      if (began !== undefined) this.#tellHandled(events.length, began)
      if (ask > 0 && !this.host.isStopping) link.post(ask)
    }
    const end = open.takeEnd()
    if (end === undefined) return
    if (open.hasNews) this.host.attend()
    this.tellEnd(end.link, end.ended)
  }

  // ── the end

  /** What has arrived and is not done, in order. A batch that the callback had is one that has been delivered. */
  protected takeUnfinished(): readonly Unfinished[] {
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
}
