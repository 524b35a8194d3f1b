import { EventEmitter } from 'eventemitter3'
import type { Reason } from './reason.ts'
import type { Discarded, Ended, StageType } from './types.ts'

/** The common part of all telemetry. `stage` is an id, `at` monotonic milliseconds. */
export interface TelemetryEvent {
  readonly stage: string
  readonly name: string | undefined
  readonly at: number
}

/**
 * What `runtime.telemetry` emits, once per message and never per event. Each goes to the channel `genstage:<event>` of
 * `node:diagnostics_channel` as well, where there is such a thing. When nobody listens nothing is made.
 */
export interface TelemetryEvents {
  started: [event: TelemetryEvent & { readonly type: StageType }]
  exited: [event: TelemetryEvent & { readonly reason: Reason }]
  restarted: [event: TelemetryEvent & { readonly child: string; readonly reason: Reason; readonly restarts: number }]
  subscribed: [event: TelemetryEvent & { readonly subscription: string; readonly producer: string }]
  cancelled: [event: TelemetryEvent & Ended & { readonly subscription: string }]
  asked: [event: TelemetryEvent & { readonly subscription: string; readonly demand: number }]
  dispatched: [event: TelemetryEvent & { readonly count: number; readonly leftover: number }]
  buffered: [event: TelemetryEvent & { readonly count: number; readonly size: number }]
  discarded: [event: TelemetryEvent & Discarded]
  redelivered: [event: TelemetryEvent & { readonly subscription: string; readonly count: number }]
  handled: [event: TelemetryEvent & { readonly callback: string; readonly count: number; readonly durationMs: number }]
  failed: [event: TelemetryEvent & { readonly error: unknown }]
}

/** Where the news go besides the listeners: out of the runtime. */
export interface Relay {
  /** Whether anybody takes them there now. It changes without notice. */
  readonly isHeard: boolean
  pass<Name extends keyof TelemetryEvents>(name: Name, event: TelemetryEvents[Name][0]): void
}

type Listener = Parameters<EventEmitter<TelemetryEvents>['on']>[1]

/**
 * The bus. It knows whether anybody listens at all, which is the one thing that the paths of events look at; and a listener
 * that throws changes nothing for the stage whose news it heard.
 */
export class TelemetryBus extends EventEmitter<TelemetryEvents> {
  /** Whether there is anybody to tell, as far as it has been looked for. */
  active = false
  #hasListeners = false
  readonly #raise: (error: unknown) => void
  readonly #relay: Relay
  readonly #guards = new WeakMap<Listener, Listener>()

  constructor(raise: (error: unknown) => void, relay: Relay) {
    super()
    this.#raise = raise
    this.#relay = relay
  }

  /** Looks for whom there is to tell. The relay gives no notice, so this is done once a slice, at a start and at an end. */
  look(): void {
    this.active = this.#hasListeners || this.#relay.isHeard
  }

  /** Emits, for the stage. */
  tell<Name extends keyof TelemetryEvents>(name: Name, event: TelemetryEvents[Name][0]): void {
    const bus = this as unknown as EventEmitter
    bus.emit(name, event)
    this.#relay.pass(name, event)
  }

  override on(...[name, listener, context]: Parameters<EventEmitter<TelemetryEvents>['on']>): this {
    super.on(name, this.#guarded(listener), context)
    return this.#recount()
  }

  override addListener(...args: Parameters<EventEmitter<TelemetryEvents>['on']>): this {
    return this.on(...args)
  }

  override once(...[name, listener, context]: Parameters<EventEmitter<TelemetryEvents>['once']>): this {
    super.once(name, this.#guarded(listener), context)
    return this.#recount()
  }

  override removeListener(...[name, listener, context, once]: Parameters<EventEmitter<TelemetryEvents>['removeListener']>): this {
    super.removeListener(name, listener === undefined ? undefined : this.#guarded(listener), context, once)
    return this.#recount()
  }

  override off(...args: Parameters<EventEmitter<TelemetryEvents>['removeListener']>): this {
    return this.removeListener(...args)
  }

  override removeAllListeners(...args: Parameters<EventEmitter<TelemetryEvents>['removeAllListeners']>): this {
    super.removeAllListeners(...args)
    return this.#recount()
  }

  /** The listener, in a guard that raises what it throws elsewhere; the same guard for the same listener, so that it can be removed. */
  #guarded(listener: Listener): Listener {
    const known = this.#guards.get(listener)
    if (known !== undefined) return known
    const raise = this.#raise
    const guard = function (this: unknown, ...events: Parameters<Listener>): void {
      try {
        listener.apply(this, events)
      } catch (error) {
        raise(error)
      }
    }
    this.#guards.set(listener, guard)
    this.#guards.set(guard, guard) // by which the emitter itself removes a listener of once
    return guard
  }

  #recount(): this {
    this.#hasListeners = this.eventNames().length > 0
    this.look()
    return this
  }
}
