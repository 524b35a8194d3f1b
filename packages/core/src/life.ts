import type { CheckedCallbacks } from './callbacks.ts'
import type { ConsumerSide } from './consumer-side.ts'
import { isAbortError, type StageContext } from './context.ts'
import { type Drain, Draining, type DrainingStage } from './draining.ts'
import { answerLate, closeSides, type EndedStage, type Ending, endLinked, type Loss, lossKind } from './ending.ts'
import { describeReason, type GenStageError } from './errors.ts'
import { Extras, type Linked } from './extras.ts'
import { Identity } from './identity.ts'
import type { UpstreamLink } from './links.ts'
import { Opening, startError, type StartingStage } from './opening.ts'
import type { ProducerSide } from './producer-side.ts'
import type { StageMessage } from './protocol.ts'
import { failure, isGraceful, killed, noproc, normal, type Reason } from './reason.ts'
import type { StagePlan } from './stage-plan.ts'
import type { Guardian } from './supervision/roles.ts'
import { isThenable } from './thenable.ts'
import { type Start, stageFailed, tooManyRestarts, Watchers } from './watchers.ts'

/** How long a stage that ends may take for that, unless somebody said otherwise. */
const defaultStopTimeout = 5_000

const noCallbacks: CheckedCallbacks = Object.freeze({})
const startedWell: Start = Object.freeze({ result: 'started' })

/** Where a stage is in its life. */
type Phase = 'starting' | 'running' | 'terminating' | 'ended'

/** The part of a stage that has a life: it starts, is told to stop, fails, and ends, which is told to all who have to know. */
export abstract class Life extends Identity implements Linked, StartingStage, DrainingStage, EndedStage {
  abstract readonly producing: ProducerSide | undefined
  abstract readonly consuming: ConsumerSide | undefined
  callbacks: CheckedCallbacks = noCallbacks
  /** Why `ctx.stopping` and `ctx.signal` are aborted, once they are. */
  stoppingFor: Reason | undefined
  signalFor: Reason | undefined
  /** Whether it has ended or is about to: set with `#ending`, and read with every message. */
  isStopping = false
  #phase: Phase = 'starting'
  /** Until the start is over. */
  #opening: Opening | undefined
  /** How the start went; set when it is over. */
  #startedAs: Start | undefined
  /** Why it is about to end. */
  #ending: Ending | undefined
  /** The reason of the end; set at exit. */
  #endedAs: Reason | undefined
  /** What became of events that it had not handled; set at exit. */
  #loss: Loss = 'stopped'
  #extras: Extras | undefined
  #watchers: Watchers | undefined

  constructor(plan: StagePlan) {
    super(plan.type, plan.name, plan.runtime)
    this.#opening = new Opening(this, plan)
  }

  /** What only few stages have: made now. */
  protected get rare(): Extras {
    return (this.#extras ??= new Extras())
  }

  get watchers(): Watchers {
    return (this.#watchers ??= new Watchers(this))
  }

  get startedAs(): Start | undefined {
    return this.#startedAs
  }

  get endedAs(): Reason | undefined {
    return this.#endedAs
  }

  get hasEnded(): boolean {
    return this.#phase === 'ended'
  }

  /** Whether it has been told to end, by itself or from outside. */
  get isToEnd(): boolean {
    return this.#ending !== undefined
  }

  get isDraining(): boolean {
    return this.#extras?.draining !== undefined
  }

  get isLeaving(): boolean {
    return this.isStopping || this.isDraining
  }

  /** The supervisor that started it, if one did. */
  get guardian(): Guardian | undefined {
    return this.#extras?.guardian
  }

  /** How long a stop may take, unless somebody said otherwise: a stage with children gives them the time that each of them has. */
  protected get stopTimeout(): number {
    return this.#extras?.supervising === undefined ? defaultStopTimeout : Infinity
  }

  get restartCount(): number {
    return this.guardian?.restartCount ?? 0
  }

  adopt(context: StageContext): void {
    this.rare.context = context
  }

  // ── starting

  abstract subscribeFirst(link: UpstreamLink, next: () => void): void

  begin(subscriptions: readonly UpstreamLink[]): void {
    this.#opening?.begin(subscriptions)
  }

  setUp(): void {
    const supervising = this.#extras?.supervising
    if (supervising?.setUp === undefined) this.#opening?.setUp()
    else supervising.setUp()
  }

  setUpDone(): void {
    if (!this.isStopping) this.#opening?.subscribeNext(0)
  }

  opened(): void {
    this.#opening = undefined
    this.#phase = 'running'
    this.#startOver(startedWell)
    this.#extras?.guardian?.childStarted()
    const { telemetry } = this.runtime
    if (telemetry.active) telemetry.tell('started', { ...this.common(), type: this.type })
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

  // ── being told to end

  /** Asked for by the stage itself, from a callback. */
  stopByOwn(reason: Reason): void {
    if (this.isStopping) return
    this.#endWith({ reason, cause: 'own' })
    this.#abortStopping(reason)
    this.wake()
  }

  /** The same, when everything that is on its way has been finished. */
  drainByOwn(reason: Reason): void {
    if (this.isLeaving) return
    this.#abortStopping(reason)
    this.#startDrain(reason, 'alone')
    this.wake()
  }

  follow(reason: Reason, isOrigin: boolean): void {
    if (this.isStopping) return
    this.#endWith({ reason, cause: isOrigin ? 'orphaned' : 'followed' })
    this.#abortStopping(reason)
    this.wake()
  }

  failWith(reason: Reason): void {
    this.#armDeadline(this.stopTimeout)
    this.follow(reason, false)
  }

  unlink(other: Linked): void {
    this.#extras?.linked?.delete(other)
    if (this.#extras?.linked?.size === 0) this.#extras.linked = undefined
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

  kill(): void {
    if (this.#phase === 'ended') return
    this.#abortAll(killed)
    this.#exit({ reason: killed, cause: 'asked' })
  }

  #startDrain(reason: Reason, drain: Drain): void {
    const supervising = this.#extras?.supervising
    if (this.isDraining) return supervising?.drain()
    const draining = new Draining(this, supervising, reason)
    this.rare.draining = draining
    draining.begin(drain)
  }

  /** One more step of a drain; false if there is none to do now. */
  protected continueDrain(): boolean {
    return this.#extras?.draining?.continue() === true
  }

  allHasLeft(): void {
    this.stopByOwn(this.#extras?.draining?.reason ?? normal)
  }

  endDrained(reason: Reason): void {
    this.#endWith({ reason, cause: 'own' })
  }

  #armDeadline(timeout: number): void {
    this.rare.armDeadline(this.runtime.clock, timeout, () => this.kill())
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

  // ── failing and ending

  protected fail(error: unknown): void {
    if (this.#phase === 'ended') return
    if (isAbortError(error) && this.stoppingFor !== undefined) {
      // What was told to give up gave up: a graceful end, for the reason of the stop
      const ending = this.#ending ?? { reason: this.#extras?.draining?.reason ?? normal, cause: 'asked' }
      return this.#phase === 'terminating' ? this.#exit(ending) : this.#endWith(ending)
    }
    const ending: Ending = { reason: failure(error), cause: 'crash' }
    const { telemetry } = this.runtime
    if (telemetry.active) telemetry.tell('failed', { ...this.common(), error })
    // For a child its supervisor writes the line, with the reason of the end; so a first failure, that this one replaces, is told here
    if (this.guardian === undefined) this.#logFailure(error)
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

  /** Whether to end is the next thing to do. */
  protected get isEndDue(): boolean {
    return this.#ending !== undefined && this.#phase !== 'terminating'
  }

  /** Does that: the children first, then `terminate` of the callbacks. */
  protected terminate(): void {
    const ending = this.#ending
    if (ending === undefined) return
    // What is still under way is in hand: it is finished first, unless something has failed
    const underWay = ending.cause === 'crash' ? undefined : this.consuming?.underWay
    if (underWay !== undefined) return this.whenDone(underWay, () => this.consuming?.release())
    // A start that failed has no terminate (GS-L2); one that was only told to stop meanwhile may have opened something
    const supervising = this.#extras?.supervising
    if (this.#phase === 'starting' && ending.cause !== 'asked' && supervising === undefined) {
      this.#abortAll(ending.reason) // for whoever has opened something all the same
      return this.#exit(ending)
    }
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

  /** The end, at once. */
  #exit(ending: Ending): void {
    const { reason } = ending
    const extras = this.#extras
    const opening = this.#opening
    const startFailed = this.#startedAs === undefined
    this.#phase = 'ended'
    this.#endedAs = reason
    this.isOver = true
    this.isStopping = true
    this.forgetPromise()
    this.callbacks = noCallbacks
    this.#extras = undefined
    this.#opening = undefined
    const guardian = extras?.guardian
    // A setup that settles later may still ask how often it was restarted
    if (guardian !== undefined) this.rare.guardian = guardian
    extras?.callOff()
    opening?.stopTimers()
    this.runtime.unregister(this, this.name)
    const isTold = ending.cause === 'own' || (ending.cause === 'asked' && reason !== killed)
    if (!isGraceful(reason) && isTold && guardian === undefined) {
      this.log('stage_failed', `ended: ${describeReason(reason)}`, { reason })
    }
    this.#loss = lossKind(ending)
    closeSides(this, reason, this.#loss, extras, opening)
    const { telemetry } = this.runtime
    if (telemetry.active) telemetry.tell('exited', { ...this.common(), reason })
    endLinked(this, extras?.linked, reason)
    if (startFailed) this.#startOver({ error: startError(this.label, reason) })
    this.#watchers?.ended(reason)
    guardian?.childEnded(reason)
    for (const tell of extras?.atEnd ?? []) tell()
    if (ending.cause === 'asked' || ending.cause === 'followed' || guardian !== undefined) return
    const error = isGraceful(reason) ? tooManyRestarts(reason) : stageFailed(this.ref, reason)
    if (error !== undefined) this.#raiseIfUnwatched(error, startFailed, extras?.linked !== undefined)
  }

  protected handleLate(message: StageMessage): void {
    answerLate(this, message, noproc, this.#loss)
  }

  /** A crash is never silent: a failure that nobody watches is raised, once the event loop has come round. */
  #raiseIfUnwatched(error: GenStageError, ofStart: boolean, isLinked: boolean): void {
    if (isLinked || this.#watchers?.isWatched(ofStart) === true) return
    this.runtime.scheduler.yieldTo(() => {
      if (this.#watchers?.isWatched(ofStart) !== true) this.runtime.uncaught(error)
    })
  }

  /** Calls back at the end, without counting as one who watches; at once if it has ended. Answers how to call that off. */
  whenEnded(tell: () => void): () => void {
    if (this.hasEnded) tell()
    else (this.rare.atEnd ??= new Set()).add(tell)
    return () => this.#extras?.atEnd?.delete(tell)
  }
}
