import { describeReason, GenStageError, show } from '../errors.ts'
import type { Reason } from '../reason.ts'
import type { EventChild, Failure } from './event-child.ts'
import type { RestartSettings } from './restart-window.ts'
import type { SupervisingHost } from './roles.ts'

/** What a consumer supervisor tells of its children, in the log and by telemetry: one line for each failure. */
export class ChildNews {
  readonly #stage: SupervisingHost

  constructor(stage: SupervisingHost) {
    this.#stage = stage
  }

  /** It failed, and is not started again. */
  failed(child: EventChild, failure: Failure): void {
    this.#tellFailure(failure)
    this.#stage.log('child_failed', whatHappened(child, failure), fieldsOf(child, failure.reason))
  }

  /** It failed, and is started again. */
  restarting(child: EventChild, failure: Failure, delayMs: number): void {
    this.#tellFailure(failure)
    const text = `${whatHappened(child, failure)}; it is started again${delayMs > 0 ? ` in ${delayMs} ms` : ''}`
    this.#stage.log('restarting', text, { ...fieldsOf(child, failure.reason), n: child.restarts + 1, delayMs })
  }

  /** It is being started again. */
  restarted({ id: child, restarts }: EventChild, reason: Reason): void {
    const { telemetry } = this.#stage.runtime
    if (telemetry.active) telemetry.tell('restarted', { ...this.#common(), child, reason, restarts })
  }

  /** It failed, and its restart would have been one too many: the error with which the supervisor gives up (GS-V12, INV-20). */
  gaveUp(child: EventChild, failure: Failure, { maxRestarts, windowMs }: RestartSettings): GenStageError {
    this.#tellFailure(failure)
    const { label } = this.#stage
    const last = `the last was of ${whatHappened(child, failure, ', which')}`
    const text = `stage ${show(label)} gives up: more than ${maxRestarts} restarts within ${windowMs / 1_000} s; ${last}`
    const { reason } = failure
    const cause = reason.type === 'error' ? reason.error : undefined
    const error = new GenStageError('TOO_MANY_RESTARTS', text, { stage: label, reason, cause })
    this.#stage.log('stage_failed', text, { error, child: child.id })
    return error
  }

  /** Stages have told of it themselves. */
  #tellFailure({ reason, isTold }: Failure): void {
    const { telemetry } = this.#stage.runtime
    if (reason.type === 'error' && !isTold && telemetry.active)
      telemetry.tell('failed', { ...this.#common(), error: reason.error })
  }

  #common(): { readonly stage: string; readonly name: string | undefined; readonly at: number } {
    const { id: stage, ref, runtime } = this.#stage
    return { stage, name: ref.name, at: runtime.clock.now() }
  }
}

function whatHappened({ id }: EventChild, { reason, start }: Failure, which = ''): string {
  return `child ${show(id)}${which} ${start === undefined ? 'failed' : 'could not start'}: ${describeReason(reason)}`
}

function fieldsOf({ id: child }: EventChild, reason: Reason): Readonly<Record<string, unknown>> {
  return reason.type === 'error' ? { child, error: reason.error } : { child, reason }
}
