import { GenStageError, show } from '../errors.ts'
import type { Unfinished, UpstreamLink } from '../links.ts'
import { disposeSymbol } from '../platform.ts'
import type { Reply, StageMessage } from '../protocol.ts'
import { isGraceful, shutdown } from '../reason.ts'
import type { DiscardReason, Ended } from '../types.ts'
import type { ChildInfo } from './child-info.ts'
import { ChildNews } from './child-news.ts'
import type { Shutdown } from './end-child.ts'
import type { ChildOwner, EventChild, Failure } from './event-child.ts'
import { EventSource } from './event-source.ts'
import { LiveChildren } from './live-children.ts'
import { Backoff, type RestartSettings, RestartWindow } from './restart-window.ts'
import type { Supervising, SupervisingHost } from './roles.ts'

/** How long children that are to finish what they do may take, if their `shutdown` does not say so. */
const drainTimeout = 5_000

/** How the children of a consumer supervisor are kept. */
export interface EventChildrenSettings {
  readonly restart: 'transient' | 'temporary'
  readonly shutdown: Shutdown
  readonly restarts: RestartSettings
}

/** Makes a child, not begun yet. */
export type NewEventChild = (number: number, event: unknown, source: EventSource | undefined) => EventChild

/**
 * The children of a consumer supervisor: it begins one for each event, asks for more as they end (X15), restarts those that failed
 * and are to be restarted, and ends them all (GS-V5 to V16). Everything here happens in turns of the stage: a child that ends
 * outside of one puts itself in a queue, and one message brings all that are in it.
 */
export class EventChildren implements Supervising, ChildOwner {
  readonly #stage: SupervisingHost
  readonly #settings: EventChildrenSettings
  readonly #newChild: NewEventChild
  readonly #news: ChildNews
  readonly #window: RestartWindow
  readonly #sources = new Map<string, EventSource>()
  /** The one whose events came last: most supervisors have no other. */
  #lastSource: EventSource | undefined
  readonly #live = new LiveChildren()
  #number = 0
  /** The first and the last child whose try is over, and which no turn has looked at yet. */
  #firstEnd: EventChild | undefined
  #lastEnd: EventChild | undefined
  #endCount = 0
  readonly #postEnds: () => void
  /** The last child that was there before the batch in hand: that batch is the stage's to report, should it be killed now. */
  #lastBeforeBatch = Infinity
  /** To be called when no child is left; set while the stage ends. */
  #allGone: (() => void) | undefined
  /** Runs while all children have so much time left. */
  #deadline: Disposable | undefined
  /** Events that go back to their producers when the stage has ended: of children by their number, then those that never had one. */
  readonly #undone: (Unfinished & { readonly number?: number })[] = []
  /** Set while the stage begins to end of itself: then its children have all the time they want. */
  #isFollowing = false

  constructor(stage: SupervisingHost, settings: EventChildrenSettings, newChild: (owner: ChildOwner) => NewEventChild) {
    this.#stage = stage
    this.#settings = settings
    this.#newChild = newChild(this)
    this.#news = new ChildNews(stage)
    this.#window = new RestartWindow(settings.restarts)
    const ends: StageMessage = { type: 'childNews', from: stage.address, work: () => this.#takeEnds() }
    this.#postEnds = () => {
      if (this.#firstEnd !== undefined) stage.post(ends)
    }
  }

  get isEmpty(): boolean {
    return this.#live.isEmpty
  }

  infos(): readonly ChildInfo[] {
    return this.#live.infos()
  }

  // ── subscriptions

  /** GS-V5: the first ask is for as many as may run. */
  subscribed(link: UpstreamLink): 'manual' {
    const source = new EventSource(link)
    this.#sources.set(link.id, source)
    this.#ask(source)
    return 'manual'
  }

  /** GS-V16: the children of a producer that has gone live on. */
  cancelled(ended: Ended, link: UpstreamLink): void {
    const source = this.#sources.get(link.id)
    if (source !== undefined) source.isOpen = false
    this.#sources.delete(link.id)
    // That a source has come to its end is no reason to cut short what it sent: the stage follows when its children have ended
    const isFollowed = link.mode === 'permanent' && !(link.replaced && ended.kind === 'cancel') && isGraceful(ended.reason)
    if (!isFollowed || this.isEmpty || this.#isLeaving) return
    const { name, id } = link.producer
    const text = `stops when its children have ended, because its permanent subscription to ${show(name ?? id)} ended`
    this.#stage.log('stopping_on_cancel', text, { reason: ended.reason })
    this.#isFollowing = true
    this.#stage.requestStop(ended.reason, Infinity, 'alone')
    this.#isFollowing = false
  }

  /** Begins a child for each event (GS-V5). A stop in the middle leaves the rest unbegun, and reported. */
  take(events: readonly unknown[], link: UpstreamLink): void {
    const source = this.#lastSource?.link === link ? this.#lastSource : this.#sources.get(link.id)
    if (source === undefined) return
    this.#lastSource = source
    const excess = source.demand.arrive(events.length)
    if (excess > 0) this.#logExcess(excess, link)
    this.#lastBeforeBatch = this.#number
    for (let index = 0; index < events.length; index++) {
      if (this.#stage.isStopping) {
        if (!this.#stage.hasEnded) this.#neverBegun(events.slice(index), source)
        break
      }
      const child = this.#newChild(++this.#number, events[index], source)
      if (link.redeliveries > 0) child.rare = { redeliveries: link.redeliveries }
      this.#begin(child)
    }
    this.#lastBeforeBatch = Infinity
    this.#ask(source)
  }

  #neverBegun(events: readonly unknown[], source: EventSource): void {
    const { link } = source
    if (goesBack(source)) this.#undone.push({ link, events, redeliveries: link.redeliveries })
    else this.#stage.discard('stopped', events)
  }

  /** GS-V18. */
  #logExcess(n: number, { id, producer }: UpstreamLink): void {
    const text = `${n} more events than were asked for came from ${show(producer.name ?? producer.id)}`
    this.#stage.log('excess', text, { n, subscription: id })
  }

  #ask(source: EventSource | undefined): void {
    if (!this.#stage.isStopping) source?.ask()
  }

  // ── tries

  #begin(child: EventChild): void {
    if (child.begin()) {
      child.isGone = true
      return
    }
    if (this.#stage.hasEnded) return this.#tooLate(child)
    this.#live.add(child)
    child.source?.began()
  }

  /** The stage was killed by the very function that it called. */
  #tooLate(child: EventChild): void {
    child.isGone = true
    child.abandon()
    // The batch in hand is the stage's to report
    if (child.source === undefined) this.#stage.discard('killed', [child.event])
  }

  started(child: EventChild): void {
    child.rare?.starter?.resolve(child.info)
  }

  ended(child: EventChild, isReaction: boolean): void {
    if (child.isGone || child.isOver) return
    child.isOver = true
    const last = this.#lastEnd
    this.#lastEnd = child
    if (last !== undefined) last.nextEnd = child
    else this.#firstEnd = child
    this.#endCount++
    const { loop } = this.#stage.runtime
    if (isReaction && this.#endCount >= this.#live.count) loop.react(this.#postEnds)
    else if (last === undefined) {
      // Others may end in the same round of the event loop: their places are asked for together (WL-8b)
      if (isReaction) loop.reactTogether(this.#postEnds)
      else this.#postEnds()
    }
  }

  #takeEnds(): void {
    let child = this.#firstEnd
    this.#firstEnd = undefined
    this.#lastEnd = undefined
    this.#endCount = 0
    while (child !== undefined) {
      const next: EventChild | undefined = child.nextEnd
      child.nextEnd = undefined
      child.isOver = false
      if (!child.isGone) this.#tryIsOver(child)
      // Places that fall free together are asked for together
      if (next?.source !== child.source) this.#ask(child.source)
      child = next
    }
    this.#finishIfEmpty()
  }

  #tryIsOver(child: EventChild): void {
    const { failure } = child
    if (failure === undefined) this.#remove(child)
    else if (this.#isToldToStop(child)) this.#stopped(child, failure)
    else if (failure.start !== undefined && child.restarts === 0) this.#didNotStart(child, failure, failure.start)
    else if (this.#settings.restart === 'transient') this.#restartOrGiveUp(child, failure)
    else this.#failed(child, failure)
  }

  /** It failed when it had to end anyhow: giving up is no failure then, but its event was not handled either. */
  #stopped(child: EventChild, failure: Failure): void {
    if (!failure.isGivingUp) this.#failed(child, failure)
    else this.#lose(child, failure.reason.type === 'killed' ? 'killed' : 'stopped')
  }

  /** GS-V6: no child. Whoever started it by hand is told: that is enough. */
  #didNotStart(child: EventChild, failure: Failure, error: GenStageError): void {
    const starter = child.rare?.starter
    if (starter === undefined) {
      this.#news.failed(child, failure)
      return this.#lose(child, 'child_start_failed')
    }
    starter.reject(error)
    this.#remove(child)
  }

  /** GS-V10. */
  #failed(child: EventChild, failure: Failure): void {
    this.#news.failed(child, failure)
    this.#lose(child, 'consumer_crash')
  }

  /** GS-V10 to V12. */
  #restartOrGiveUp(child: EventChild, failure: Failure): void {
    const { restarts } = this.#settings
    const now = this.#stage.runtime.clock.now()
    if (!this.#window.allows(now)) {
      const error = this.#news.gaveUp(child, failure, restarts)
      this.#stage.stopByOwn(shutdown(error))
      return this.#lose(child, 'consumer_crash')
    }
    const rare = (child.rare ??= {})
    const delay = (rare.backoff ??= new Backoff(restarts)).next(now)
    this.#news.restarting(child, failure, delay)
    if (delay === 0) this.#restart(child, failure)
    else rare.restartTimer = this.#later(delay, () => this.#restart(child, failure))
  }

  #restart(child: EventChild, { reason }: Failure): void {
    if (child.isGone) return
    if (child.rare !== undefined) child.rare.restartTimer = undefined
    child.failure = undefined
    child.restarts++
    this.#news.restarted(child, reason)
    if (!child.begin() || child.isGone) return
    this.#remove(child)
    this.#ask(child.source)
  }

  // ── by hand

  /** GS-V9. */
  start(event: unknown, reply: Reply): void {
    if (this.#isLeaving) return reply.reject(this.#stage.stopped(shutdown()))
    const child = this.#newChild(++this.#number, event, undefined)
    child.rare = { starter: reply }
    this.#begin(child)
    if (!child.isStarting) reply.resolve(child.info)
  }

  /** GS-V15. */
  terminate(id: string, reply: Reply): void {
    const child = this.#live.find(id)
    if (child === undefined) {
      const { label } = this.#stage
      const text = `stage ${show(label)}: child ${show(id)} is unknown, or not there any more`
      return reply.reject(new GenStageError('UNKNOWN_CHILD', text, { stage: label }))
    }
    const rare = (child.rare ??= {})
    ;(rare.whenGone ??= []).push(() => reply.resolve(undefined))
    if (rare.isStopping === true) return
    this.#end(child)
    this.#ask(child.source)
    const { shutdown: limit } = this.#settings
    if (typeof limit !== 'number' || child.isGone) return
    rare.deadline = this.#later(limit, () => {
      this.#kill(child)
      this.#ask(child.source)
    })
  }

  // ── the end of the stage

  /** All children finish what they do: tasks know how, stages are asked to. It waits as long as for children that end. */
  drain(): void {
    if (this.#isFollowing) return
    for (const child of this.#live.all()) child.drain()
    const { shutdown: limit } = this.#settings
    this.#killAllIn(limit === 'brutal_kill' ? drainTimeout : limit)
  }

  /** GS-V14: all together. */
  end(done: () => void): void {
    this.#allGone = done
    for (const child of this.#live.all()) if (!child.isGone) this.#end(child)
    this.#killAllIn(this.#settings.shutdown)
    this.#finishIfEmpty()
  }

  abandon(): void {
    this.#deadline?.[disposeSymbol]()
    this.#allGone = undefined
    const left = this.#live.clear()
    for (const child of left) child.isGone = true
    for (const child of left) {
      child.abandon()
      this.#tellGone(child)
    }
    const lost = left.filter(child => child.number <= this.#lastBeforeBatch && !isDone(child))
    for (const child of lost) if (goesBack(child.source)) this.#giveBack(child)
    this.#stage.discard(
      'killed',
      lost.filter(child => !goesBack(child.source)).map(child => child.event),
    )
  }

  undone(): readonly Unfinished[] {
    return this.#undone
  }

  /** Tells a child to end, or ends it. */
  #end(child: EventChild): void {
    const rare = (child.rare ??= {})
    rare.isStopping = true
    if (rare.restartTimer !== undefined) this.#lose(child, 'stopped')
    else if (this.#settings.shutdown === 'brutal_kill') this.#kill(child)
    else child.stop(shutdown())
  }

  #killAllIn(limit: Shutdown): void {
    this.#deadline?.[disposeSymbol]()
    if (typeof limit !== 'number' || this.isEmpty) return
    this.#deadline = this.#later(limit, () => {
      for (const child of this.#live.all()) this.#kill(child)
      this.#finishIfEmpty()
    })
  }

  /** One whose try is over goes when a turn looks at that. */
  #kill(child: EventChild): void {
    if (child.isGone || child.isOver) return
    child.abandon()
    this.#lose(child, 'killed')
  }

  #finishIfEmpty(): void {
    const done = this.#allGone
    if (done === undefined || !this.isEmpty) return
    this.#allGone = undefined
    done()
  }

  // ── inside

  /** It will not be handled to its end. */
  #lose(child: EventChild, reason: DiscardReason): void {
    this.#remove(child)
    if (this.#isLeaving && goesBack(child.source)) this.#giveBack(child)
    else this.#stage.discard(reason, [child.event])
  }

  /** With `redeliver`, what has begun and was not handled to the end goes back when the supervisor itself ends (X21). */
  #giveBack({ number, event, source, rare }: EventChild): void {
    if (source === undefined) return
    const undone = { number, link: source.link, events: [event], redeliveries: (rare?.redeliveries ?? 0) + 1 }
    // Children end in any order; their events go back in the one in which they came
    const place = this.#undone.findIndex(other => (other.number ?? Infinity) > number)
    this.#undone.splice(place < 0 ? this.#undone.length : place, 0, undone)
  }

  #remove(child: EventChild): void {
    this.#live.remove(child)
    child.isGone = true
    child.source?.ended()
    if (child.rare !== undefined) this.#tellGone(child)
  }

  #tellGone({ rare, info }: EventChild): void {
    if (rare === undefined) return
    rare.restartTimer?.[disposeSymbol]()
    rare.deadline?.[disposeSymbol]()
    rare.starter?.resolve(info)
    for (const tell of rare.whenGone ?? []) tell()
  }

  /** Does something in a turn, some time from now. */
  #later(ms: number, work: () => void): Disposable {
    return this.#stage.runtime.clock.setTimer(ms, () => this.#stage.post({ type: 'later', work }))
  }

  get #isLeaving(): boolean {
    return this.#stage.isStopping || this.#stage.isDraining
  }

  #isToldToStop({ rare }: EventChild): boolean {
    return this.#stage.isStopping || rare?.isStopping === true
  }
}

/** Whether its events go back to their producer when the supervisor ends (X21). */
function goesBack(source: EventSource | undefined): source is EventSource {
  return source?.isOpen === true && source.link.redelivers
}

/** Whether it was handled, though no turn has looked at that. */
function isDone({ isOver, failure }: EventChild): boolean {
  return isOver && failure === undefined
}
