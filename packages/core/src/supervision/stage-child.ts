import type { StageDefinition } from '../definition.ts'
import { GenStageError, ownError } from '../errors.ts'
import { failure, isGraceful, type Reason } from '../reason.ts'
import type { StageRef } from '../refs.ts'
import type { Stage } from '../stage.ts'
import { blueprintOf } from '../start.ts'
import { drainChild, endChild, type Shutdown } from './end-child.ts'
import { type ChildOwner, EventChild } from './event-child.ts'
import type { EventSource } from './event-source.ts'
import type { SupervisingHost } from './roles.ts'

/** What the stages of one supervisor share. */
export interface StageChildPlan {
  readonly owner: ChildOwner
  readonly supervisor: SupervisingHost
  readonly definition: StageDefinition
  readonly shutdown: Shutdown
}

/** A stage that has an event as its argument: one life of it, and one more for each restart. */
export class StageChild extends EventChild {
  readonly #plan: StageChildPlan
  /** Undefined while it is down. */
  #stage: Stage | undefined

  constructor(plan: StageChildPlan, number: number, event: unknown, source: EventSource | undefined) {
    super(number, event, source)
    this.#plan = plan
  }

  get ref(): StageRef | undefined {
    return this.#stage?.ref
  }

  get isStarting(): boolean {
    return this.#stage?.startedAs === undefined
  }

  begin(): boolean {
    const { supervisor, definition, owner } = this.#plan
    try {
      const own = Object.create(null) as Record<string, unknown>
      if (definition.type !== 'supervisor') own['arg'] = this.event
      this.#stage = blueprintOf(definition, own).start(supervisor.runtime, {
        id: supervisor.id,
        restartCount: this.restarts,
        childStarted: () => owner.started(this),
        childEnded: reason => this.#ended(reason),
      })
    } catch (error) {
      this.#didNotStart(failure(error), error)
      owner.ended(this, false)
    }
    return false
  }

  drain(): void {
    if (this.#stage !== undefined) drainChild(this.#stage, this.#plan.shutdown)
  }

  stop(): void {
    if (this.#stage !== undefined) endChild(this.#stage, this.#plan.shutdown)
  }

  abandon(): void {
    this.#stage?.kill()
  }

  #ended(reason: Reason): void {
    const start = this.#stage?.startedAs
    this.#stage = undefined
    if (start === undefined || 'error' in start) this.#didNotStart(reason, start?.error)
    else if (!isGraceful(reason)) {
      this.failure = { reason, start: undefined, isTold: true, isGivingUp: reason.type === 'killed' }
    }
    this.#plan.owner.ended(this, false)
  }

  #didNotStart(reason: Reason, error: unknown): void {
    const start =
      ownError(error) ?? new GenStageError('SETUP_FAILED', `${this.id} could not start`, { stage: this.id, reason, cause: error })
    this.failure = { reason, start, isTold: true, isGivingUp: isGraceful(reason) || reason.type === 'killed' }
  }
}
