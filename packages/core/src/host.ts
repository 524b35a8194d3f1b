import type { CheckedCallbacks } from './callbacks.ts'
import { GenStageError, show } from './errors.ts'
import type { LinkOwner } from './links.ts'
import type { LogCode } from './logger.ts'
import type { Reason } from './reason.ts'
import type { RuntimeCore } from './runtime.ts'
import type { TelemetryEvent } from './telemetry.ts'
import type { DiscardReason, StageType } from './types.ts'

/** A stage, as its two sides see it: they know what is to be done, the stage calls, waits, posts and ends. */
export interface Host extends LinkOwner {
  readonly type: StageType
  /** Name or id, for the log and for messages. */
  readonly label: string
  readonly runtime: RuntimeCore
  readonly callbacks: CheckedCallbacks
  /** Whether it has ended or is about to: nothing new is begun. */
  readonly isStopping: boolean
  /** Says that one of the sides has something in hand, to be done before the next message. */
  attend(): void
  /** Asks for a turn, for what has come up outside of one. */
  wake(): void
  /** Goes on with what a callback returned: at once, or when its promise has settled. Until then the mailbox waits. */
  whenDone(value: unknown, next: (value: unknown) => void): void
  /** Dispatches the events that a callback returned (GS-P5); a consumer's are refused (GS-P6). */
  emit(value: unknown, callback: string): void
  /**
   * Ends as a consequence of something else: a subscription that ended, a name that nobody has. `isOrigin` if no other stage has
   * failed and told of it.
   */
  follow(reason: Reason, isOrigin: boolean): void
  /** Whether it finishes what is on its way, and asks for nothing more. */
  readonly isDraining: boolean
  log(code: LogCode, text: string, fields?: Readonly<Record<string, unknown>>): void
  /** Reports events that are given up. */
  discard(reason: DiscardReason, events: readonly unknown[]): void
}

/**
 * What every telemetry event begins with. To be written out where it is often needed: `{ ...commonOf(host), … }` takes twenty times as
 * long, because of the fraction in `at`.
 */
export function commonOf({ address, runtime }: Host): TelemetryEvent {
  return { stage: address.id, name: address.ref.name, at: runtime.clock.now() }
}

/** The events that a callback returned; refuses what is no list (GS-C3, BAD-53). */
export function checkedEvents(host: Host, value: unknown, callback: string): readonly unknown[] | undefined {
  if (value === undefined || Array.isArray(value)) return value as readonly unknown[] | undefined
  throw badReturn(host, callback, 'an array of events, or nothing', value)
}

/** A callback answered something that it may not; `detail` goes on after the value. */
export function badReturn(host: Host, callback: string, allowed: string, value: unknown, detail = ''): GenStageError {
  const text = `stage ${show(host.label)}: ${callback} must return ${allowed}, not ${show(value)}${detail}`
  return new GenStageError('BAD_RETURN', text, { stage: host.label, option: callback })
}
