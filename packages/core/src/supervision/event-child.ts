import type { GenStageError } from '../errors.ts'
import type { Reply } from '../protocol.ts'
import type { Reason } from '../reason.ts'
import type { StageRef } from '../refs.ts'
import type { ChildInfo } from './child-info.ts'
import type { EventSource } from './event-source.ts'
import type { Backoff } from './restart-window.ts'

/** How a try failed. */
export interface Failure {
  readonly reason: Reason
  /** Set if a stage did not even start (GS-V6). */
  readonly start: GenStageError | undefined
  /** Whether telemetry knows of it already. */
  readonly isTold: boolean
  /** Whether a child that was told to stop gave up with it: then it is no failure. */
  readonly isGivingUp: boolean
}

/** Whom a child tells. Both may come at any time: what follows is for a turn of the supervisor. */
export interface ChildOwner {
  /** A try has begun well, some time after `begin`. */
  started(child: EventChild): void
  /** A try is over: well, or with `child.failure`. `isReaction`: this is told by a promise, with nothing else on the stack. */
  ended(child: EventChild, isReaction: boolean): void
}

/** What most children never need. */
export interface Rare {
  /** Who started it by hand, and waits to hear how that went. */
  starter?: Reply
  /** Doubles the wait with each restart. */
  backoff?: Backoff
  /** Set while it waits for its restart. */
  restartTimer?: Disposable | undefined
  /** Set while it has so much time left to end. */
  deadline?: Disposable
  /** Whether it was told to stop: it is not started again. */
  isStopping?: boolean
  /** To be called when it is gone. */
  whenGone?: (() => void)[]
  /** How often its event had been delivered before, if it had. */
  redeliveries?: number
}

/** One event, and what handles it: a task or a stage, in one try or in several. */
export abstract class EventChild {
  readonly number: number
  readonly event: unknown
  /** Where the event came from; undefined for a child that somebody started by hand (GS-V9). */
  readonly source: EventSource | undefined
  /** Its place among those that live. */
  place = 0
  /** Whether it counts no longer: ended for good, or given up. */
  isGone = false
  /** Whether its try is over, and no turn has looked at that yet. */
  isOver = false
  /** How often it was started again. */
  restarts = 0
  /** How the last try failed. */
  failure: Failure | undefined
  /** The child whose try was over next, while neither of them has been looked at. */
  nextEnd: EventChild | undefined
  rare: Rare | undefined

  constructor(number: number, event: unknown, source: EventSource | undefined) {
    this.number = number
    this.event = event
    this.source = source
  }

  /** Unique among the children of one supervisor, and the same in every try. */
  get id(): string {
    return `child-${this.number}`
  }

  get info(): ChildInfo {
    return { id: this.id, ref: this.ref, state: this.#state(), restarts: this.restarts }
  }

  /** The stage that handles it; undefined for a task, and for a stage that is down. */
  abstract get ref(): StageRef | undefined
  /** Whether the try under way has not begun well yet. */
  abstract get isStarting(): boolean
  /** Begins a try. True if it is over already, and went well; else the owner is told when it ends. */
  abstract begin(): boolean
  /** Asks it to finish what it does. */
  abstract drain(): void
  /** Asks it to end by itself. */
  abstract stop(reason: Reason): void
  /** Ends it at once: whatever it brings is of no interest any more. */
  abstract abandon(): void

  #state(): ChildInfo['state'] {
    if (this.isGone) return 'stopped'
    if (this.rare?.restartTimer !== undefined) return 'restarting'
    if (!this.isStarting) return 'running'
    return this.restarts === 0 ? 'starting' : 'restarting'
  }
}
