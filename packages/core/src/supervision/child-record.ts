import type { GenStageError } from '../errors.ts'
import { disposeSymbol } from '../platform.ts'
import type { Reason } from '../reason.ts'
import type { StageRef } from '../refs.ts'
import type { Stage } from '../stage.ts'
import type { ChildInfo } from './child-info.ts'
import type { CheckedChild } from './child.ts'
import { Backoff, type RestartSettings } from './restart-window.ts'

/** Somebody who waits for an answer of a supervisor. */
export interface Waiter<T> {
  resolve(value: T): void
  reject(error: GenStageError): void
}

/** One child of a supervisor: how to start it, and what has become of it. */
export class ChildRecord {
  readonly spec: CheckedChild
  readonly backoff: Backoff
  /** The stage of its present life: from the start until the supervisor has dealt with its end. */
  stage: Stage | undefined
  /** Whether the start of this life is over. */
  isReady = false
  /** Whether any start of it went well. */
  hasStarted = false
  /** Whether it was added with `startChild`, and that is not over: if it fails, it is forgotten. */
  isNew = false
  /** Whether it is to be up: if it is down, it waits to be started. */
  isWanted = false
  /** Whether it was stopped with `terminateChild`: then it stays so until somebody restarts it. */
  isStoppedByHand = false
  /** Whether it ends because a sibling is restarted, when its turn comes. */
  isDoomed = false
  /** Whether it has been told to end. */
  isTold = false
  /** Whether its start threw, and that has still to be dealt with. */
  isFailing = false
  /** How often it was started. */
  lives = 0
  /** Why its last life ended. */
  endedAs: Reason | undefined
  /** Runs while it waits before a restart. */
  delay: Disposable | undefined
  /** Those who wait for its start. */
  starters: Waiter<StageRef>[] = []
  /** Those who wait for its end. */
  enders: Waiter<void>[] = []

  constructor(spec: CheckedChild, restarts: RestartSettings) {
    this.spec = spec
    this.backoff = new Backoff(restarts)
  }

  /** Whether it can be started now, as far as it depends on itself. */
  get isDue(): boolean {
    return this.isWanted && this.stage === undefined && this.delay === undefined && !this.isFailing
  }

  get isStopped(): boolean {
    return !this.isWanted && this.stage === undefined
  }

  get ref(): StageRef | undefined {
    return this.stage?.hasEnded === false ? this.stage.ref : undefined
  }

  get info(): ChildInfo {
    const { ref } = this
    return { id: this.spec.id, ref, state: this.#state(ref !== undefined), restarts: Math.max(0, this.lives - 1) }
  }

  #state(isUp: boolean): ChildInfo['state'] {
    if (isUp) return this.isReady ? 'running' : 'starting'
    if (!this.isWanted) return 'stopped'
    return this.lives === 0 ? 'starting' : 'restarting'
  }

  /** It waits no longer. */
  callOffDelay(): void {
    this.delay?.[disposeSymbol]()
    this.delay = undefined
  }

  /** Answers those who wait for its start. */
  settleStart(answer: (waiter: Waiter<StageRef>) => void): void {
    const waiters = this.starters
    this.starters = []
    for (const each of waiters) answer(each)
  }

  /** It is down: answers those who wait for that. */
  settleEnd(): void {
    const waiters = this.enders
    this.enders = []
    for (const each of waiters) each.resolve()
  }
}
