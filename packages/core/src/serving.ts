import { Buffer } from './buffer.ts'
import { Delivering } from './delivering.ts'
import { Account } from './demand.ts'
import type { Dispatched, DispatcherFactory } from './dispatcher.ts'
import { dispatcherFailed } from './dispatcher-faults.ts'
import { badReturn, commonOf, type Host } from './host.ts'
import type { DemandMode } from './types.ts'

/** How a producing stage was started. */
export interface ProducingSettings {
  readonly dispatcher: DispatcherFactory<never>
  readonly bufferSize: number
  readonly bufferKeep: 'first' | 'last'
  readonly demand: DemandMode
}

/** One thing that happened while demand was accumulating (GS-M3, X17). */
type Logged =
  | { readonly type: 'demand'; readonly demand: number }
  | { readonly type: 'events'; readonly events: readonly unknown[] }
  | { readonly type: 'info'; readonly message: unknown }

/**
 * The part of a producer side that serves demand: out of the buffer first, then by asking the callbacks, with an account of what is
 * owed (GS-X). While demand accumulates, what happens is logged, and replayed when it goes forward.
 */
export abstract class Serving extends Delivering {
  mode: DemandMode
  readonly #bufferSize: number
  readonly #bufferKeep: 'first' | 'last'
  readonly #account = new Account()
  /** Made for the first event that nobody wants. */
  #buffer: Buffer | undefined
  /** While accumulating, and while that is being replayed. */
  #log: Logged[] | undefined

  constructor(host: Host, settings: ProducingSettings) {
    super(host, settings.dispatcher)
    this.mode = settings.demand
    this.#bufferSize = settings.bufferSize
    this.#bufferKeep = settings.bufferKeep
  }

  /** Whether consumers are owed events: then a stage in the middle works (GS-PC3). */
  get isOwing(): boolean {
    return this.#account.requested > 0
  }

  /** Events that wait and that nobody has asked for (GS-B11, X17). */
  get buffered(): number {
    return this.mode === 'forward' ? this.#waiting() : this.#waiting() - this.#spokenFor()
  }

  // ── events and infos (GS-P5, I2)

  /** Dispatches what a callback emitted; keeps what nobody wants. */
  emit(events: readonly unknown[]): void {
    if (events.length === 0) return
    if (this.mode === 'accumulate') this.#logged().push({ type: 'events', events })
    else this.#emitNow(events)
  }

  info(message: unknown): void {
    if (this.mode === 'accumulate' && this.#log?.some(entry => entry.type !== 'demand') === true)
      this.#logged().push({ type: 'info', message })
    else if (this.#buffer?.attach(message) !== true) this.passInfo(message)
  }

  #emitNow(events: readonly unknown[]): void {
    this.#account.answer(events.length)
    // In forward mode a buffer that is not empty means that nobody can take anything: newcomers go behind
    const leftover = this.#waiting() > 0 ? events : this.dispatch(events)
    if (this.telemetry.active) this.#tellDispatched(events.length, leftover?.length ?? 0)
    if (leftover !== undefined && leftover.length > 0) this.#keep(leftover)
  }

  #tellDispatched(count: number, leftover: number): void {
    const { stage, name, at } = commonOf(this.host)
    this.telemetry.tell('dispatched', { stage, name, at, count, leftover })
  }

  // ── demand (GS-P1 to P3)

  /** After each subscribe, ask and cancel: the buffer first, then what handleCancel emitted (X23), then what is missing goes upstream. */
  protected settle(outcome: Dispatched, emitted?: readonly unknown[]): void {
    this.apply(outcome)
    if (this.#buffer !== undefined && this.mode === 'forward') this.#drain()
    if (emitted !== undefined) this.emit(emitted)
    this.#request()
  }

  /** Events were discarded by the hash: what they answered is asked for again (X3). */
  settleAgain(): void {
    this.isSettling = false
    if (this.mode === 'forward') this.#drain()
    this.#request()
  }

  /** The time that the dispatcher had asked for has come. */
  wake(): void {
    let outcome: Dispatched | undefined
    try {
      outcome = this.dispatcher.wake?.(this.host.runtime.clock.now())
    } catch (error) {
      throw dispatcherFailed(this.host, 'wake', error)
    }
    if (outcome !== undefined) this.settle(outcome)
  }

  /** Hands out what is buffered, as far as the dispatcher can take it, with the infos in their places. */
  #drain(): void {
    const buffer = this.#buffer
    while (buffer !== undefined && this.allowance > 0 && buffer.length > 0) {
      const { events, infos } = buffer.take(this.allowance)
      const leftover = this.dispatch(events)
      if (leftover !== undefined && leftover.length > 0) return buffer.giveBack(leftover, infos)
      for (const message of infos) this.passInfo(message)
    }
  }

  /** Asks the callbacks for what the dispatcher could take and nobody has been asked for. */
  #request(): void {
    if (this.hold || this.host.isStopping) return
    const demand = this.#account.request(this.allowance - this.#spokenFor())
    if (demand === 0) return
    if (this.mode === 'accumulate') this.#logged().push({ type: 'demand', demand })
    else this.#demand(demand)
  }

  /** A stage in the middle needs no call: that it is owing is what makes it work (GS-PC7). */
  #demand(demand: number): void {
    const { callbacks } = this.host
    if (callbacks.handleDemand === undefined) return this.host.attend()
    if (this.host.isDraining) return
    if (this.telemetry.active) return this.#demandObserved(demand)
    const value = callbacks.handleDemand(demand)
    if (Array.isArray(value) && !this.host.isStopping) this.emit(value)
    else this.#emitWhenDone(value)
  }

  // Apart from the path of everyday, which a closure in the same function would slow down
  #emitWhenDone(value: unknown): void {
    this.host.whenDone(value, events => this.host.emit(events, 'handleDemand'))
  }

  #demandObserved(demand: number): void {
    const { callbacks, runtime } = this.host
    const began = runtime.clock.now()
    this.host.whenDone(callbacks.handleDemand?.(demand), events => {
      const { stage, name, at } = commonOf(this.host)
      this.telemetry.tell('handled', { stage, name, at, callback: 'handleDemand', count: demand, durationMs: at - began })
      this.host.emit(events, 'handleDemand')
    })
  }

  // ── the buffer (GS-B1, B6)

  /** Puts events that came back in front of all that wait. */
  protected putBack(events: readonly unknown[]): void {
    this.#madeBuffer().putBack(events)
    this.#tellBuffered(events.length)
  }

  #keep(events: readonly unknown[]): void {
    const { discarded, infos } = this.#madeBuffer().store(events)
    this.#tellBuffered(events.length)
    if (discarded.length > 0) this.#reportOverflow(discarded)
    for (const message of infos) this.passInfo(message)
  }

  #madeBuffer(): Buffer {
    return (this.#buffer ??= new Buffer(this.#bufferSize, this.#bufferKeep))
  }

  /** How many events the buffer holds. */
  #waiting(): number {
    return this.#buffer === undefined ? 0 : this.#buffer.length
  }

  /** Buffered events that the dispatcher could take: while accumulating, and with a dispatcher that spares itself. */
  #spokenFor(): number {
    return this.#buffer === undefined ? 0 : Math.min(this.#buffer.length, this.allowance)
  }

  #tellBuffered(count: number): void {
    const { telemetry } = this
    if (telemetry.active) telemetry.tell('buffered', { ...commonOf(this.host), count, size: this.#waiting() })
  }

  #reportOverflow(events: readonly unknown[]): void {
    this.host.discard('buffer_overflow', events)
    const count = events.length
    const { callbacks } = this.host
    const tell =
      callbacks.formatDiscarded === undefined || callbacks.formatDiscarded({ count, reason: 'buffer_overflow', events })
    if (typeof tell !== 'boolean') throw badReturn(this.host, 'formatDiscarded', 'true or false', tell)
    if (tell)
      this.host.log('discarded', `${count} events discarded: the buffer is full (bufferSize ${this.#bufferSize})`, {
        n: count,
      })
  }

  // ── accumulating (GS-M3 to M5)

  setMode(mode: DemandMode): void {
    if (mode === this.mode) return
    this.mode = mode
    // The log is replayed as work in hand, one entry after the other (GS-M4)
    if (mode === 'forward') this.#drain()
    this.host.attend()
  }

  #logged(): Logged[] {
    return (this.#log ??= [])
  }

  /** Whether demand goes forward, and something of what was logged before is left. */
  protected get isReplaying(): boolean {
    return this.mode === 'forward' && this.#log !== undefined
  }

  protected replayNext(): void {
    const entry = this.#log?.shift()
    if (this.#log?.length === 0) this.#log = undefined
    if (entry !== undefined) this.#replay(entry)
  }

  #replay(entry: Logged): void {
    if (entry.type === 'events') return this.#emitNow(entry.events)
    if (entry.type === 'info') return this.info(entry.message)
    // Events that were emitted before have answered this demand if the buffer is not empty now (X17)
    if (this.#waiting() > 0) this.#account.drop(entry.demand, this.allowance)
    else this.#demand(entry.demand)
  }

  // ── the end

  /** The stage has ended: reports everything that it still had, beginning with what was `comingBack`. */
  protected reportLost(comingBack: readonly unknown[], crashed: 'producer_crash' | 'killed' | 'stopped'): void {
    const log = this.#log ?? []
    this.#log = undefined
    if (!this.telemetry.active) return
    const lost = [comingBack, this.dispatcher.held?.() ?? []]
    for (const { bounced = [] } of this.links.all()) lost.push(...bounced.map(({ events }) => events))
    while (this.#buffer !== undefined && this.#waiting() > 0) lost.push(this.#buffer.take(this.#waiting()).events)
    this.host.discard(crashed, lost.flat())
    const logged = log.flatMap(entry => (entry.type === 'events' ? entry.events : []))
    this.host.discard(this.mode === 'accumulate' ? 'accumulated_at_stop' : crashed, logged)
  }
}
