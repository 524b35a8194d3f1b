import { describeReason, GenStageError, show } from '../errors.ts'
import { isGraceful, normal, type Reason } from '../reason.ts'
import type { ChildRecord } from './child-record.ts'
import type { RestartSettings } from './restart-window.ts'
import type { SupervisingHost } from './roles.ts'

/** What a supervisor says about its children: one line of the log for each end that was not as it should be, telemetry, errors. */
export class ChildReports {
  readonly #host: SupervisingHost

  constructor(host: SupervisingHost) {
    this.#host = host
  }

  /** A child has failed, and is not started again for that. */
  failed(record: ChildRecord, reason: Reason, what: string): void {
    this.#host.log('child_failed', `child ${show(record.spec.id)} ${what}: ${describeReason(reason)}`, fieldsOf(record, reason))
  }

  /** A child that was to end has ended: a line only if it failed, or did not end in time. */
  ended(record: ChildRecord, reason: Reason, wasTold: boolean): void {
    const { shutdown: limit } = record.spec
    if (isGraceful(reason) || (reason.type === 'killed' && limit === 'brutal_kill')) return
    const isLate = wasTold && reason.type === 'killed' && typeof limit === 'number'
    this.failed(record, reason, isLate ? `did not end within ${limit} ms` : wasTold ? 'failed while it ended' : 'failed')
  }

  /** A child is to be started again. `what` it did: `failed`. */
  restarting(record: ChildRecord, reason: Reason, what: string, delayMs: number): void {
    const when = delayMs > 0 ? ` in ${delayMs} ms` : ''
    const text = `child ${show(record.spec.id)} ${what}: ${describeReason(reason)}; it is started again${when}`
    this.#host.log('restarting', text, { ...fieldsOf(record, reason), n: record.lives, delayMs })
  }

  /** A child is being started again. */
  restarted(record: ChildRecord, restarts: number): void {
    const { telemetry, clock } = this.#host.runtime
    if (!telemetry.active) return
    const { id: stage, ref } = this.#host
    const reason = record.endedAs ?? normal
    telemetry.tell('restarted', { stage, name: ref.name, at: clock.now(), child: record.spec.id, reason, restarts })
  }

  /** The error of a supervisor whose child could not start. */
  startFailed(record: ChildRecord, reason: Reason): GenStageError {
    return this.#error('SETUP_FAILED', `could not start: child ${show(record.spec.id)}: ${describeReason(reason)}`, reason)
  }

  /** The error of a supervisor that gives up. `what` the last child did: `failed`. */
  tooManyRestarts(record: ChildRecord, reason: Reason, what: string, { maxRestarts, windowMs }: RestartSettings): GenStageError {
    const last = `the last was of child ${show(record.spec.id)}, which ${what}: ${describeReason(reason)}`
    const text = `gives up: more than ${maxRestarts} restarts within ${windowMs / 1_000} s; ${last}`
    return this.#error('TOO_MANY_RESTARTS', text, reason)
  }

  #error(code: 'SETUP_FAILED' | 'TOO_MANY_RESTARTS', text: string, reason: Reason): GenStageError {
    const { label } = this.#host
    const cause = reason.type === 'error' ? reason.error : undefined
    return new GenStageError(code, `stage ${show(label)} ${text}`, { stage: label, reason, cause })
  }
}

function fieldsOf(record: ChildRecord, reason: Reason): Readonly<Record<string, unknown>> {
  return reason.type === 'error' ? { child: record.spec.id, error: reason.error } : { child: record.spec.id, reason }
}
