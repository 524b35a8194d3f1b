import { absentAddress, answerForTheDead } from './absent.ts'
import type { CheckedCallbacks } from './callbacks.ts'
import { ConsumerSide } from './consumer-side.ts'
import type { StageContext } from './context.ts'
import { ConsumerDemand } from './demand.ts'
import { type Drain, Draining, type DrainingStage } from './draining.ts'
import { describeReason, GenStageError, show } from './errors.ts'
import { checkedEvents } from './host.ts'
import { checkedReason, type DownstreamLink, type LocalPeer, UpstreamLink } from './links.ts'
import { type LogCode, logLevels } from './logger.ts'
import type { Mailbox } from './mailbox.ts'
import { handleMessage, type Receiver } from './messages.ts'
import { Opening, startError, type StartingStage } from './opening.ts'
import { duration, flag, optionsWithout, ownOptions, refuseUnknown, StagePlace, unknownOption } from './options.ts'
import { disposeSymbol } from './platform.ts'
import { ProducerSide } from './producer-side.ts'
import type { Address, Reply, StageMessage } from './protocol.ts'
import { failure, isGraceful, killed, noproc, normal, type Reason, type ReasonInput, shutdown } from './reason.ts'
import type { Edge, Inspection, StageRef, Subscription, SubscriptionOptions, TopologyStage } from './refs.ts'
import type { LiveStage } from './runtime.ts'
import {
  type Ending,
  Extras,
  isAbortError,
  type Linked,
  type Loss,
  lossKind,
  type Phase,
  type StagePlan,
  type SubscriptionRequest,
} from './stage-state.ts'
import { checkSubscription, coreSubscriptionOptions } from './subscribe-options.ts'
import type { SupervisingHost } from './supervision/roles.ts'
import { isThenable } from './thenable.ts'
import { Turns } from './turns.ts'
import type { DiscardReason, StageType, StopOptions } from './types.ts'
import { type Start, stageFailed, tooManyRestarts, Watchers } from './watchers.ts'

/** How long a stage that ends may take for that, unless somebody said otherwise. */
const defaultStopTimeout = 5_000

const noCallbacks: CheckedCallbacks = Object.freeze({})
const startedWell: Start = Object.freeze({ result: 'started' })

/** One running stage: a mailbox, a turn at a time, one message after the other (GS-A1); and its life, from setup to exit. */
export class Stage
  extends Turns
  implements Receiver, LiveStage, LocalPeer, Linked, SupervisingHost, StartingStage, DrainingStage
{
  readonly type: StageType
  readonly name: string | undefined
  readonly ref: StageRef
  callbacks: CheckedCallbacks = noCallbacks
  /** Number of the stage in its runtime: its id is made of it when somebody wants to know. */
  readonly #number: number
  #id: string | undefined
  /** What is needed until the start is over. */
  #opening: Opening | undefined
  /** What only few stages ever have. */
  #extras: Extras | undefined
  #watchers: Watchers | undefined
  /** Why `ctx.stopping` and `ctx.signal` are aborted, once they are. */
  stoppingFor: Reason | undefined
  signalFor: Reason | undefined
  readonly producing: ProducerSide | undefined
  readonly consuming: ConsumerSide | undefined
  #phase: Phase = 'starting'
  /** The reason of the end; set at exit. */
  #endedAs: Reason | undefined
  #loss: Loss = 'stopped'
  /** How the start went; set when it is over. */
  #startedAs: Start | undefined
  #ending: Ending | undefined
  /** Whether it has ended or is about to: set with `#ending`, and read with every message. */
  isStopping = false

  constructor(plan: StagePlan, makeRef: (stage: Stage) => StageRef) {
    const { type, runtime, name } = plan
    super(runtime)
    this.#number = runtime.nextNumber()
    this.type = type
    this.name = name
    this.#opening = new Opening(this, plan)
    this.ref = makeRef(this)
    this.producing = plan.producing === undefined ? undefined : new ProducerSide(this, plan.producing)
    this.consuming = type === 'producer' || type === 'supervisor' ? undefined : new ConsumerSide(this, this.producing)
    if (plan.supervising !== undefined) this.#rare.supervising = plan.supervising(this)
    if (plan.guardian !== undefined) this.#rare.guardian = plan.guardian
  }

  get id(): string {
    return (this.#id ??= `${this.type}-${this.#number}`)
  }

  get watchers(): Watchers {
    return (this.#watchers ??= new Watchers(this))
  }

  /** For messages: `stage "mailer"`. */
  override toString(): string {
    return `stage ${show(this.label)}`
  }

  adopt(context: StageContext): void {
    this.#rare.context = context
  }

  owe(reply: Reply): void {
    const unanswered = (this.#rare.unanswered ??= new Set())
    unanswered.add(reply)
    reply.release = () => unanswered.delete(reply)
  }

  get #rare(): Extras {
    return (this.#extras ??= new Extras())
  }

  get address(): Address {
    return this
  }

  get label(): string {
    return this.name ?? this.id
  }

  get hasEnded(): boolean {
    return this.#phase === 'ended'
  }

  get endedAs(): Reason | undefined {
    return this.#endedAs
  }

  get startedAs(): Start | undefined {
    return this.#startedAs
  }

  get isDraining(): boolean {
    return this.#extras?.draining !== undefined
  }

  get isLeaving(): boolean {
    return this.isStopping || this.isDraining
  }

  get isSupervised(): boolean {
    return this.#extras?.guardian !== undefined
  }

  get restartCount(): number {
    return this.#extras?.guardian?.restartCount ?? 0
  }

  /** How long a stop may take, unless somebody said otherwise: a stage with children gives them the time that each of them has. */
  get #stopTimeout(): number {
    return this.#extras?.supervising === undefined ? defaultStopTimeout : Infinity
  }

  // ── turns

  protected handleLate(message: StageMessage): void {
    this.#answerLate(message, noproc, this.#loss)
  }

  protected get isWorkInHand(): boolean {
    const mustEnd = this.#ending !== undefined && this.#phase !== 'terminating'
    return mustEnd || this.producing?.hasWorkInHand === true || this.consuming?.hasWorkInHand === true
  }

  protected get isWatchful(): boolean {
    return this.isDraining
  }

  protected workInHand(): boolean {
    if (this.#ending !== undefined && this.#phase !== 'terminating') this.#terminate(this.#ending)
    // Demand that a cancel sets free is served before the subscription that takes the place of the cancelled one is made (X23)
    else if (this.consuming?.hasWorkInHand === true) this.consuming.work()
    else if (this.producing?.hasWorkInHand === true) this.producing.work()
    else return this.#extras?.draining?.continue() === true
    return true
  }

  // ── messages

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

  emit(value: unknown, callback: string): void {
    const events = checkedEvents(this, value, callback)
    if (events === undefined || events.length === 0) return
    if (this.#phase === 'ended') return this.discard('killed', events)
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
      abandon: reason => link.finish({ kind: 'down', reason }, () => this.stopped(this.#endedAs ?? reason)),
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

  // ── starting

  /** Begins: posts the setup, which is the first message of every life. */
  begin(subscriptions: readonly UpstreamLink[], link: Stage | undefined): void {
    const opening = this.#opening
    if (opening === undefined) return
    opening.begin(subscriptions)
    if (link !== undefined) this.#link(link)
    const { signal } = opening
    if (signal === undefined) return
    const onAbort = (): void => this.requestStop(shutdown(), this.#stopTimeout, undefined)
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort)
    this.#rare.unfollow = () => signal.removeEventListener('abort', onAbort)
  }

  setUp(): void {
    const opening = this.#opening
    if (opening === undefined) return
    const supervising = this.#extras?.supervising
    if (supervising?.setUp === undefined) opening.setUp()
    else supervising.setUp()
  }

  setUpDone(): void {
    if (!this.isStopping) this.#opening?.subscribeNext(0)
  }

  get isToEnd(): boolean {
    return this.#ending !== undefined
  }

  subscribeFirst(link: UpstreamLink, next: () => void): void {
    this.consuming?.subscribe(link, next)
  }

  opened(): void {
    this.#opening = undefined
    this.#phase = 'running'
    this.#startOver(startedWell)
    this.#extras?.guardian?.childStarted()
    const { telemetry } = this.runtime
    if (telemetry.active) telemetry.tell('started', { ...this.#common(), type: this.type })
  }

  ignored(): void {
    this.#startOver({ result: 'ignored' })
    this.#exit({ reason: normal, cause: 'asked' })
  }

  startTimedOut(error: GenStageError): void {
    if (this.#phase !== 'starting') return
    this.#abortAll(failure(error))
    this.#exit({ reason: failure(error), cause: 'crash' })
  }

  #startOver(start: Start): void {
    if (this.#startedAs !== undefined) return
    this.#startedAs = start
    this.#watchers?.started()
  }

  // ── stopping

  /** Asked for by the stage itself, from a callback. */
  stopByOwn(reason: Reason): void {
    if (this.isStopping) return
    this.#endWith({ reason, cause: 'own' })
    this.#abortStopping(reason)
    this.wake()
  }

  follow(reason: Reason, isOrigin: boolean): void {
    if (this.isStopping) return
    this.#endWith({ reason, cause: isOrigin ? 'orphaned' : 'followed' })
    this.#abortStopping(reason)
    this.wake()
  }

  /** Asked for from outside. */
  requestStop(reason: Reason, timeout: number, drain: Drain | undefined): void {
    if (this.#phase === 'ended') return
    this.#abortStopping(reason)
    this.#armDeadline(timeout)
    if (drain !== undefined && !this.isStopping) return this.#startDrain(reason, drain)
    this.#endWith(this.#ending ?? { reason, cause: 'asked' })
    this.wake()
  }

  #startDrain(reason: Reason, drain: Drain): void {
    const supervising = this.#extras?.supervising
    if (this.isDraining) return supervising?.drain()
    const draining = new Draining(this, supervising, reason)
    this.#rare.draining = draining
    draining.begin(drain)
  }

  /** Stops, as asked for from outside; resolves with the reason when it is truly over. `together`: all others are stopped as well. */
  stop(reason: ReasonInput, options: StopOptions | undefined, together: boolean): Promise<Reason> {
    const where = new StagePlace(this.label, 'stop')
    const checked = this.checkedReason(reason)
    const own = ownOptions(where, options)
    refuseUnknown(where, own, ['timeout', 'drain'])
    const timeout = duration(where, 'timeout', own['timeout'], true, this.#stopTimeout)
    const drain = together ? 'together' : 'alone'
    this.requestStop(checked, timeout, flag(where, own, 'drain') ? drain : undefined)
    return this.#untilEnd()
  }

  /** Somebody waits for the end, so the process has to live until then. */
  async #untilEnd(): Promise<Reason> {
    if (this.hasEnded) return this.watchers.exited
    const release = this.runtime.holdWhile()
    const reason = await this.watchers.exited
    release()
    return reason
  }

  kill(): void {
    if (this.#phase === 'ended') return
    this.#abortAll(killed)
    this.#exit({ reason: killed, cause: 'asked' })
  }

  checkedReason(reason: unknown): Reason {
    return checkedReason(this.ref, reason as ReasonInput)
  }

  allHasLeft(): void {
    this.stopByOwn(this.#extras?.draining?.reason ?? normal)
  }

  endDrained(reason: Reason): void {
    this.#endWith({ reason, cause: 'asked' })
  }

  /** Past the earliest deadline that anybody gave, the stage is killed. */
  #armDeadline(timeout: number): void {
    const { clock } = this.runtime
    const extras = this.#rare
    const at = clock.now() + timeout
    if (at >= extras.deadlineAt) return
    extras.deadlineAt = at
    extras.deadline?.[disposeSymbol]()
    extras.deadline = clock.setTimer(timeout, () => this.kill())
  }

  // ── failing and ending

  protected fail(error: unknown): void {
    if (this.#phase === 'ended') return
    if (isAbortError(error) && this.stoppingFor !== undefined) {
      // What was told to give up gave up: a graceful end, for the reason of the stop
      return this.#endWith(this.#ending ?? { reason: this.#extras?.draining?.reason ?? normal, cause: 'asked' })
    }
    const ending: Ending = { reason: failure(error), cause: 'crash' }
    const { telemetry } = this.runtime
    if (telemetry.active) telemetry.tell('failed', { ...this.#common(), error })
    // For a child its supervisor writes the line, with the reason of the end; so a first failure, that this one replaces, is told here
    if (!this.isSupervised) this.#logFailure(error)
    else if (this.#ending?.cause === 'crash' && this.#ending.reason.type === 'error') this.#logFailure(this.#ending.reason.error)
    if (this.#phase === 'terminating') return this.#exit(ending)
    this.#endWith(ending)
    this.#abortStopping(ending.reason)
  }

  #logFailure(error: unknown): void {
    this.log('stage_failed', `failed: ${describeReason(failure(error))}`, { error })
  }

  /** The next thing it does is to end. */
  #endWith(ending: Ending): void {
    this.#ending = ending
    this.isStopping = true
    this.attend()
  }

  #terminate(ending: Ending): void {
    // What is still under way is in hand: it is finished first, unless something has failed
    const underWay = ending.cause === 'crash' ? undefined : this.consuming?.underWay
    if (underWay !== undefined) return this.whenDone(underWay, () => this.consuming?.release())
    // A start that failed has nothing to undo; one that was only told to stop meanwhile may have opened something (GS-L2)
    const supervising = this.#extras?.supervising
    if (this.#phase === 'starting' && ending.cause !== 'asked' && supervising === undefined) return this.#exit(ending)
    this.#phase = 'terminating'
    if (supervising === undefined) this.#callTerminate(ending)
    else supervising.end(() => this.#callTerminate(ending))
  }

  #callTerminate(ending: Ending): void {
    const value = this.callbacks.terminate?.(ending.reason)
    // Whoever asked for the end has said how long it may take
    if (isThenable(value) && ending.cause !== 'asked') this.#armDeadline(defaultStopTimeout)
    this.whenDone(value, () => this.#exit(ending))
  }

  #exit(ending: Ending): void {
    const { reason } = ending
    const startFailed = this.#startedAs === undefined
    this.#phase = 'ended'
    this.#endedAs = reason
    this.isOver = true
    this.isStopping = true
    this.forgetPromise()
    this.callbacks = noCallbacks
    const extras = this.#extras
    const opening = this.#opening
    this.#extras = undefined
    this.#opening = undefined
    const guardian = extras?.guardian
    // A setup that settles later may still ask how often it was restarted
    if (guardian !== undefined) this.#rare.guardian = guardian
    extras?.context?.close()
    extras?.unfollow?.()
    extras?.supervising?.abandon()
    extras?.deadline?.[disposeSymbol]()
    opening?.stopTimers()
    this.runtime.unregister(this, this.name)
    const isTold = ending.cause === 'own' || (ending.cause === 'asked' && reason !== killed)
    if (!isGraceful(reason) && isTold && guardian === undefined) {
      this.log('stage_failed', `ended: ${describeReason(reason)}`, { reason })
    }
    const kind = lossKind(ending)
    this.#loss = kind
    const unread = allIn(this.mailbox)
    const unfinished =
      this.consuming?.close(reason, () => this.stopped(reason), unread, extras?.supervising?.undone?.() ?? []) ?? []
    this.discard(kind === 'crash' ? 'consumer_crash' : kind, unfinished)
    this.producing?.end(reason, kind === 'crash' ? 'producer_crash' : kind)
    opening?.refuseSubscriptions(reason, () => this.stopped(reason))
    for (const message of unread) {
      if (message.type !== 'events' || this.consuming?.goesBack(message.subscription) !== true)
        this.#answerLate(message, reason, kind)
    }
    for (const reply of extras?.unanswered ?? []) reply.reject(this.stopped(reason))
    const { telemetry } = this.runtime
    if (telemetry.active) telemetry.tell('exited', { ...this.#common(), reason })
    this.#endLinked(extras?.linked, reason)
    if (startFailed) this.#startOver({ error: startError(this.label, reason) })
    this.#watchers?.ended(reason)
    guardian?.childEnded(reason)
    for (const tell of extras?.atEnd ?? []) tell()
    if (ending.cause === 'asked' || ending.cause === 'followed' || guardian !== undefined) return
    const error = isGraceful(reason) ? tooManyRestarts(reason) : stageFailed(this.ref, reason)
    if (error !== undefined) this.#raiseIfUnwatched(error, startFailed, extras?.linked !== undefined)
  }

  /** Calls back at the end, without counting as one who watches; at once if it has ended. Answers how to call that off. */
  whenEnded(tell: () => void): () => void {
    if (this.hasEnded) tell()
    else (this.#rare.atEnd ??= new Set()).add(tell)
    return () => this.#extras?.atEnd?.delete(tell)
  }

  /** A crash is never silent: a failure that nobody watches is raised, once the event loop has come round. */
  #raiseIfUnwatched(error: GenStageError, ofStart: boolean, isLinked: boolean): void {
    if (isLinked || this.#watchers?.isWatched(ofStart) === true) return
    this.runtime.scheduler.yieldTo(() => {
      if (this.#watchers?.isWatched(ofStart) !== true) this.runtime.uncaught(error)
    })
  }

  /** Answers a message that came too late: to a stage that has ended, or is ending with it unread. */
  #answerLate(message: StageMessage, reason: Reason, kind: Loss): void {
    if (message.type === 'events') this.discard(kind === 'crash' ? 'consumer_crash' : kind, message.events)
    else if (message.type === 'subscribe') answerForTheDead(this, message, reason)
    else if ('reply' in message) message.reply?.reject(this.stopped(this.#endedAs ?? reason))
    else if (message.type === 'later') message.abandon?.(reason)
    else if (message.type === 'consumerDown')
      this.discard(
        kind === 'crash' ? 'producer_crash' : kind,
        (message.undone ?? []).flatMap(each => each.events),
      )
  }

  stopped(reason: Reason): GenStageError {
    return new GenStageError('STOPPED', `stage ${show(this.label)} has ended: ${describeReason(reason)}`, {
      stage: this.label,
      reason,
    })
  }

  #link(other: Stage): void {
    if (other.hasEnded) return this.follow(noproc, true)
    this.#rare.linked = (this.#rare.linked ?? new Set()).add(other)
    other.#rare.linked = (other.#rare.linked ?? new Set()).add(this)
  }

  #endLinked(linked: ReadonlySet<Linked> | undefined, reason: Reason): void {
    for (const other of linked ?? []) {
      other.unlink(this)
      if (!isGraceful(reason)) other.failWith(reason)
    }
  }

  failWith(reason: Reason): void {
    this.#armDeadline(this.#stopTimeout)
    this.follow(reason, false)
  }

  unlink(other: Linked): void {
    this.#extras?.linked?.delete(other)
    if (this.#extras?.linked?.size === 0) this.#extras.linked = undefined
  }

  /** A stop was requested: `ctx.stopping` is aborted, for whoever has read it. */
  #abortStopping(reason: Reason): void {
    if (this.stoppingFor !== undefined) return
    this.stoppingFor = reason
    this.#extras?.context?.abortStopping(reason)
  }

  /** Time is up. */
  #abortAll(reason: Reason): void {
    this.#abortStopping(reason)
    if (this.signalFor !== undefined) return
    this.signalFor = reason
    this.#extras?.context?.abortSignal(reason)
  }

  // ── telling

  log(code: LogCode, text: string, fields: Readonly<Record<string, unknown>> = {}): void {
    const { logger } = this.runtime
    const prefix = `stage ${show(this.label)}`
    logger[logLevels[code]](text.startsWith(prefix) ? text : `${prefix}: ${text}`, { ...fields, code, stage: this.label })
  }

  discard(reason: DiscardReason, events: readonly unknown[]): void {
    const { telemetry } = this.runtime
    if (events.length > 0 && telemetry.active)
      telemetry.tell('discarded', { ...this.#common(), count: events.length, reason, events })
  }

  picture(): TopologyStage {
    return {
      id: this.id,
      name: this.name,
      type: this.type,
      mailbox: this.mailbox.length,
      buffered: this.producing?.buffered ?? 0,
      supervisor: this.#extras?.guardian?.id,
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

  #common(): { readonly stage: string; readonly name: string | undefined; readonly at: number } {
    return { stage: this.id, name: this.name, at: this.runtime.clock.now() }
  }
}

/** Empties a mailbox. */
function allIn(mailbox: Mailbox): readonly StageMessage[] {
  const messages: StageMessage[] = []
  for (let message = mailbox.shift(); message !== undefined; message = mailbox.shift()) messages.push(message)
  return messages
}
