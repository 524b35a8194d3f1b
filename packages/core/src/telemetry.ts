import { EventEmitter } from 'eventemitter3'
import type { Reason } from './reason.ts'
import type { Discarded, Ended, StageType } from './types.ts'

/** The common part of all telemetry. `stage` is an id, `at` monotonic milliseconds. */
export interface TelemetryEvent {
  readonly stage: string
  readonly name: string | undefined
  readonly at: number
}

/** What `runtime.telemetry` emits, once per message and never per event. Without a listener nothing is made. */
export interface TelemetryEvents {
  started: [event: TelemetryEvent & { readonly type: StageType }]
  exited: [event: TelemetryEvent & { readonly reason: Reason }]
  subscribed: [event: TelemetryEvent & { readonly subscription: string; readonly producer: string }]
  cancelled: [event: TelemetryEvent & Ended & { readonly subscription: string }]
  asked: [event: TelemetryEvent & { readonly subscription: string; readonly demand: number }]
  dispatched: [event: TelemetryEvent & { readonly count: number; readonly leftover: number }]
  buffered: [event: TelemetryEvent & { readonly count: number; readonly size: number }]
  discarded: [event: TelemetryEvent & Discarded]
  handled: [event: TelemetryEvent & { readonly callback: string; readonly count: number; readonly durationMs: number }]
  failed: [event: TelemetryEvent & { readonly error: unknown }]
}

/**
 * The bus. It knows whether anybody listens at all, which is the one thing that the paths of events look at; and a listener
 * that throws changes nothing for the stage whose news it heard.
 */
export class TelemetryBus extends EventEmitter<TelemetryEvents> {
  /** Whether there is any listener. */
  active = false
  readonly #raise: (error: unknown) => void

  constructor(raise: (error: unknown) => void) {
    super()
    this.#raise = raise
  }

  /** Emits, for the stage: what a listener throws is raised elsewhere. */
  tell<Name extends keyof TelemetryEvents>(name: Name, event: TelemetryEvents[Name][0]): void {
    try {
      const bus = this as unknown as EventEmitter
      bus.emit(name, event)
    } catch (error) {
      this.#raise(error)
    }
  }

  override on(...args: Parameters<EventEmitter<TelemetryEvents>['on']>): this {
    super.on(...args)
    return this.#recount()
  }

  override addListener(...args: Parameters<EventEmitter<TelemetryEvents>['on']>): this {
    return this.on(...args)
  }

  override once(...args: Parameters<EventEmitter<TelemetryEvents>['once']>): this {
    super.once(...args)
    return this.#recount()
  }

  override removeListener(...args: Parameters<EventEmitter<TelemetryEvents>['removeListener']>): this {
    super.removeListener(...args)
    return this.#recount()
  }

  override off(...args: Parameters<EventEmitter<TelemetryEvents>['off']>): this {
    return this.removeListener(...args)
  }

  override removeAllListeners(...args: Parameters<EventEmitter<TelemetryEvents>['removeAllListeners']>): this {
    super.removeAllListeners(...args)
    return this.#recount()
  }

  #recount(): this {
    this.active = this.eventNames().length > 0
    return this
  }
}
