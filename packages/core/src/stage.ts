import { absentAddress } from './absent.ts'
import { ConsumerSide } from './consumer-side.ts'
import { ConsumerDemand } from './demand.ts'
import { GenStageError } from './errors.ts'
import { checkedEvents } from './host.ts'
import { Life } from './life.ts'
import { checkedReason, type DownstreamLink, type LocalPeer, UpstreamLink } from './links.ts'
import { handleMessage, type Receiver } from './messages.ts'
import { duration, flag, optionsWithout, ownOptions, refuseUnknown, StagePlace, unknownOption } from './options.ts'
import { ProducerSide } from './producer-side.ts'
import type { Reply, StageMessage } from './protocol.ts'
import { noproc, type Reason, type ReasonInput, shutdown } from './reason.ts'
import type { Edge, Inspection, StageRef, Subscription, SubscriptionOptions, TopologyStage } from './refs.ts'
import type { LiveStage } from './runtime.ts'
import type { StagePlan, SubscriptionRequest } from './stage-plan.ts'
import { checkSubscription, coreSubscriptionOptions } from './subscribe-options.ts'
import type { SupervisingHost } from './supervision/roles.ts'
import type { StopOptions } from './types.ts'

/**
 * One running stage: who it is (identity.ts), its mailbox and turns (turns.ts), its life (life.ts); and its one or two sides, to which
 * its messages go, one after the other (GS-A1).
 */
export class Stage extends Life implements Receiver, LiveStage, LocalPeer, SupervisingHost {
  readonly ref: StageRef
  readonly producing: ProducerSide | undefined
  readonly consuming: ConsumerSide | undefined

  constructor(plan: StagePlan, makeRef: (stage: Stage) => StageRef) {
    super(plan)
    const { type, producing, supervising, guardian } = plan
    this.ref = makeRef(this)
    this.producing = producing === undefined ? undefined : new ProducerSide(this, producing)
    this.consuming = type === 'producer' || type === 'supervisor' ? undefined : new ConsumerSide(this, this.producing)
    if (supervising !== undefined) this.rare.supervising = supervising(this)
    if (guardian !== undefined) this.rare.guardian = guardian
  }

  // ── turns

  protected handle(message: StageMessage): void {
    // The two that make up all traffic, in a function small enough to become part of the turn
    switch (message.type) {
      case 'events':
        return this.consuming === undefined ? handleMessage(this, message) : this.consuming.receive(message)
      case 'ask':
        return this.producing === undefined ? handleMessage(this, message) : this.producing.ask(message)
      default:
        return handleMessage(this, message)
    }
  }

  protected get isWorkInHand(): boolean {
    return this.isEndDue || this.producing?.hasWorkInHand === true || this.consuming?.hasWorkInHand === true
  }

  protected get isWatchful(): boolean {
    return this.isDraining
  }

  protected workInHand(): boolean {
    if (this.isEndDue) this.terminate()
    // Demand that a cancel sets free is served before the subscription that takes the place of the cancelled one is made (X23)
    else if (this.consuming?.hasWorkInHand === true) this.consuming.work()
    else if (this.producing?.hasWorkInHand === true) this.producing.work()
    else return this.continueDrain()
    return true
  }

  emit(value: unknown, callback: string): void {
    const events = checkedEvents(this, value, callback)
    if (events === undefined || events.length === 0) return
    if (this.hasEnded) return this.discard('killed', events)
    if (this.producing !== undefined) return this.producing.emit(events)
    this.log('consumer_cannot_emit', `a consumer cannot emit: ${events.length} events returned by ${callback} are dropped`, {
      n: events.length,
    })
    this.discard('consumer_emitted', events)
  }

  // ── subscriptions

  upstream(subscription: string): UpstreamLink | undefined {
    return this.consuming?.links.get(subscription)
  }

  downstream(subscription: string): DownstreamLink | undefined {
    return this.producing?.links.get(subscription)
  }

  /** A subscription to be. Its options are checked here, so that bad ones are thrown at the call; logged as well (GS-S3). */
  newLink({ target, options, current }: SubscriptionRequest): UpstreamLink {
    try {
      return new UpstreamLink(
        this,
        this.runtime.newId('subscription'),
        target,
        checkSubscription(this, options, target.name),
        current,
      )
    } catch (error) {
      if (error instanceof GenStageError) this.log('bad_opts', error.message, { option: error.option })
      throw error
    }
  }

  /** Asks for a subscription, in the order of the mailbox (GS-S1). */
  subscribe(request: SubscriptionRequest): Subscription {
    const link = this.newLink(request)
    this.post({
      type: 'later',
      work: () => this.consuming?.subscribe(link),
      abandon: reason => link.finish({ kind: 'down', reason }, () => this.stopped(this.endedAs ?? reason)),
    })
    return link
  }

  resubscribe(link: UpstreamLink, given: SubscriptionOptions & { readonly reason?: ReasonInput }): Subscription {
    const where = new StagePlace(this.label, 'resubscribe')
    const own = ownOptions(where, given)
    for (const option of ['to', 'replaces']) {
      if (option in own) throw unknownOption(where, 'option', option, coreSubscriptionOptions)
    }
    const checked = this.checkedReason(own['reason'])
    const options = optionsWithout(own, 'reason')
    const { producerName: name } = link
    const target = { address: name === undefined ? link.producerAddress : absentAddress(this.runtime, name), name }
    return this.subscribe({ target, options, current: { link, reason: checked } })
  }

  renew({ options, mode, demand, redelivers, resubscription, producerName: name }: UpstreamLink): UpstreamLink {
    const address = absentAddress(this.runtime, name ?? '')
    const settings = { options, mode, demand: new ConsumerDemand(demand.max, demand.min), redelivers, resubscription }
    return new UpstreamLink(this, this.runtime.newId('subscription'), { address, name }, settings, undefined)
  }

  giveUp(link: UpstreamLink, reason: Reason): void {
    this.consuming?.giveUp(link, reason)
  }

  subscribeFirst(link: UpstreamLink, next: () => void): void {
    this.consuming?.subscribe(link, next)
  }

  // ── what others have to do with its life

  get isSupervised(): boolean {
    return this.guardian !== undefined
  }

  owe(reply: Reply): void {
    this.rare.owe(reply)
  }

  /** A failure of one of the two ends the other (GS-J4). */
  link(other: Stage): void {
    if (other.hasEnded) return this.follow(noproc, true)
    this.rare.linked = (this.rare.linked ?? new Set()).add(other)
    other.rare.linked = (other.rare.linked ?? new Set()).add(this)
  }

  /** Stops when the signal is aborted. */
  stopWith(signal: AbortSignal): void {
    const onAbort = (): void => this.requestStop(shutdown(), this.stopTimeout, undefined)
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort)
    this.rare.unfollow = () => signal.removeEventListener('abort', onAbort)
  }

  /** Stops, as asked for from outside; resolves with the reason when it is truly over. `together`: all others are stopped as well. */
  stop(reason: ReasonInput, options: StopOptions | undefined, together: boolean): Promise<Reason> {
    const where = new StagePlace(this.label, 'stop')
    const checked = this.checkedReason(reason)
    const own = ownOptions(where, options)
    refuseUnknown(where, own, ['timeout', 'drain'])
    const timeout = duration(where, 'timeout', own['timeout'], true, this.stopTimeout)
    const drain = together ? 'together' : 'alone'
    this.requestStop(checked, timeout, flag(where, own, 'drain') ? drain : undefined)
    return endOf(this)
  }

  checkedReason(reason: unknown): Reason {
    return checkedReason(this.ref, reason as ReasonInput)
  }

  // ── a picture of it

  picture(): TopologyStage {
    return {
      id: this.id,
      name: this.name,
      type: this.type,
      mailbox: this.mailbox.length,
      buffered: this.producing?.buffered ?? 0,
      supervisor: this.guardian?.id,
    }
  }

  edges(now: number): readonly Edge[] {
    return this.producing?.links.all().map(link => link.edge(now)) ?? []
  }

  inspect(): Inspection {
    const now = this.runtime.clock.now()
    const producers = this.consuming?.links.all() ?? []
    return {
      ...this.picture(),
      demandMode: this.producing?.mode ?? 'forward',
      dispatcher: this.producing?.inspectDispatcher(),
      producers: producers.map(link => link.edge(now)),
      consumers: this.edges(now),
    }
  }
}

/** Somebody waits for the end, so the process has to live until then. */
async function endOf(stage: Stage): Promise<Reason> {
  if (stage.hasEnded) return stage.watchers.exited
  const release = stage.runtime.holdWhile()
  const reason = await stage.watchers.exited
  release()
  return reason
}
