import { describeReason, GenStageError, show } from './errors.ts'
import { type LogCode, logLevels } from './logger.ts'
import type { Address } from './protocol.ts'
import type { Reason } from './reason.ts'
import type { StageRef } from './refs.ts'
import type { RuntimeCore } from './runtime.ts'
import type { TelemetryEvent } from './telemetry.ts'
import { Turns } from './turns.ts'
import type { DiscardReason, StageType } from './types.ts'

/** The part of a stage that says who it is: in the log, in telemetry, in errors. */
export abstract class Identity extends Turns {
  readonly type: StageType
  readonly name: string | undefined
  abstract readonly ref: StageRef
  /** Number of the stage in its runtime: its id is made of it when somebody wants to know. */
  readonly #number: number
  #id: string | undefined

  constructor(type: StageType, name: string | undefined, runtime: RuntimeCore) {
    super(runtime)
    this.#number = runtime.nextNumber()
    this.type = type
    this.name = name
  }

  get id(): string {
    return (this.#id ??= `${this.type}-${this.#number}`)
  }

  /** Name or id. */
  get label(): string {
    return this.name ?? this.id
  }

  get address(): Address {
    return this
  }

  /** For messages: `stage "mailer"`. */
  override toString(): string {
    return `stage ${show(this.label)}`
  }

  log(code: LogCode, text: string, fields: Readonly<Record<string, unknown>> = {}): void {
    const { logger } = this.runtime
    const prefix = `stage ${show(this.label)}`
    logger[logLevels[code]](text.startsWith(prefix) ? text : `${prefix}: ${text}`, { ...fields, code, stage: this.label })
  }

  /** Reports events that are given up. */
  discard(reason: DiscardReason, events: readonly unknown[]): void {
    const { telemetry } = this.runtime
    if (events.length > 0 && telemetry.active)
      telemetry.tell('discarded', { ...this.common(), count: events.length, reason, events })
  }

  /** The error for those who wait for the stage when it has ended. */
  stopped(reason: Reason): GenStageError {
    return new GenStageError('STOPPED', `stage ${show(this.label)} has ended: ${describeReason(reason)}`, {
      stage: this.label,
      reason,
    })
  }

  /** What every telemetry event of the stage begins with. */
  protected common(): TelemetryEvent {
    return { stage: this.id, name: this.name, at: this.runtime.clock.now() }
  }
}
