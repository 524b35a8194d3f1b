import type { Context, Timer } from './callbacks.ts'
import type { Clock } from './clock.ts'
import { duration, flag, ownOptions, refuseUnknown, StagePlace } from './options.ts'
import { describeReason, GenStageError, show } from './errors.ts'
import { checkedReason } from './links.ts'
import type { LogCode, Logger } from './logger.ts'
import { disposeSymbol } from './platform.ts'
import type { StageMessage, Tick } from './protocol.ts'
import { type Reason, type ReasonInput } from './reason.ts'
import type { AnyMessages, Down, Monitor, StageRef } from './refs.ts'
import type { RuntimeCore } from './runtime.ts'
import { isRef } from './ref-base.ts'
import type { DiscardReason, StopOptions } from './types.ts'

/** What a context needs of its stage. */
export interface ContextHost {
  readonly ref: StageRef
  readonly label: string
  readonly runtime: RuntimeCore
  readonly hasEnded: boolean
  readonly restartCount: number
  /** Why the signals are aborted, once they are. */
  readonly stoppingFor: Reason | undefined
  readonly signalFor: Reason | undefined
  /** From now on the context has something to be undone at the end: most never do, and are not kept. */
  adopt(context: StageContext): void
  post(message: StageMessage): void
  discard(reason: DiscardReason, events: readonly unknown[]): void
  log(code: LogCode, text: string, fields?: Readonly<Record<string, unknown>>): void
  stopByOwn(reason: Reason): void
  drainByOwn(reason: Reason): void
}

/** What callbacks get of their stage, and what has to be undone when it ends: timers, watches, signals. */
export class StageContext implements Context {
  readonly #host: ContextHost
  #stopping: AbortController | undefined
  #signal: AbortController | undefined
  /** Timers and watches that are still to be called off. */
  #open: Set<{ cancel(): void }> | undefined

  constructor(host: ContextHost) {
    this.#host = host
  }

  get self(): StageRef<AnyMessages> {
    return this.#host.ref as StageRef<AnyMessages>
  }

  get name(): string | undefined {
    return this.#host.ref.name
  }

  get restartCount(): number {
    return this.#host.restartCount
  }

  get clock(): Clock {
    return this.#host.runtime.clock
  }

  get logger(): Logger {
    return this.#host.runtime.logger
  }

  get runtime(): RuntimeCore {
    return this.#host.runtime
  }

  get stopping(): AbortSignal {
    this.#stopping ??= this.#controller(this.#host.stoppingFor)
    return this.#stopping.signal
  }

  get signal(): AbortSignal {
    this.#signal ??= this.#controller(this.#host.signalFor)
    return this.#signal.signal
  }

  stop(reason?: ReasonInput, options?: Pick<StopOptions, 'drain'>): void {
    const host = this.#host
    const checked = checkedReason(host.ref, reason)
    const where = new StagePlace(host.label, 'ctx.stop')
    const own = ownOptions(where, options)
    refuseUnknown(where, own, ['drain'])
    if (flag(where, own, 'drain')) host.drainByOwn(checked)
    else host.stopByOwn(checked)
  }

  after(ms: number, message: unknown): Timer {
    return this.#startTimer('after', ms, message, false)
  }

  every(ms: number, message: unknown): Timer {
    return this.#startTimer('every', ms, message, true)
  }

  monitor(stage: StageRef): Monitor {
    const host = this.#host
    if (!isRef(stage))
      throw new GenStageError('NOT_A_STAGE', `stage ${show(host.label)}: monitor takes a ref, not ${show(stage)}`, {
        stage: host.label,
      })
    let watching = true
    const take = (down: Down) => (): { message: unknown } | undefined => (watching ? { message: down } : undefined)
    const watch = stage.monitor(down => {
      this.#open?.delete(monitor)
      host.post({ type: 'tick', tick: { take: take(down) } })
    })
    const cancel = (): void => {
      watching = false
      this.#open?.delete(monitor)
      watch.cancel()
    }
    const monitor = { stage, cancel, [disposeSymbol]: cancel } as Monitor
    this.#keep(monitor)
    return monitor
  }

  discard(events: readonly unknown[], reason: DiscardReason = 'source_overflow'): void {
    if (events.length === 0) return
    this.#host.discard(reason, events)
    const n = events.length
    this.#host.log('discarded', `${n} events discarded by the stage itself (${reason})`, { n, reason })
  }

  /** A stop was requested. */
  abortStopping(reason: Reason): void {
    this.#stopping?.abort(abortError(reason))
  }

  /** Time is up. */
  abortSignal(reason: Reason): void {
    this.#signal?.abort(abortError(reason))
  }

  /** Calls off everything that is still open. */
  close(): void {
    for (const each of this.#open ?? []) each.cancel()
    this.#open = undefined
  }

  #keep(each: { cancel(): void }): void {
    if (this.#host.hasEnded) return each.cancel()
    this.#open ??= new Set()
    this.#open.add(each)
    this.#host.adopt(this)
  }

  /** A controller, made when somebody first reads its signal; aborted already if that comes too late. */
  #controller(reason: Reason | undefined): AbortController {
    const made = new AbortController()
    if (reason === undefined) this.#host.adopt(this)
    else made.abort(abortError(reason))
    return made
  }

  #startTimer(kind: string, ms: number, message: unknown, repeat: boolean): Timer {
    const every = duration(new StagePlace(this.#host.label, kind), 'ms', ms, false)
    const { clock } = this.#host.runtime
    let active = true
    /** Whether a tick waits in the mailbox: a second one would only pile up. */
    let queued = false
    let due = clock.now() + every
    let timer: Disposable
    const tick: Tick = {
      take: () => {
        queued = false
        return active ? { message } : undefined
      },
    }
    const fire = (): void => {
      if (!queued) {
        queued = true
        this.#host.post({ type: 'tick', tick })
      }
      if (!repeat) {
        this.#open?.delete(handle)
        return
      }
      const now = clock.now()
      due = Math.max(due + every, now)
      timer = clock.setTimer(due - now, fire)
    }
    const cancel = (): void => {
      active = false
      timer[disposeSymbol]()
      this.#open?.delete(handle)
    }
    const handle = { cancel, [disposeSymbol]: cancel } as Timer
    timer = clock.setTimer(every, fire)
    this.#keep(handle)
    return handle
  }
}

/** What the signals are aborted with: platform functions that take a signal reject with it. */
export function abortError(reason: Reason): DOMException {
  return new DOMException(`the stage is ending: ${describeReason(reason)}`, 'AbortError')
}

/** Whether it is what platform functions reject with when their signal is aborted. */
export function isAbortError(error: unknown): boolean {
  try {
    return typeof error === 'object' && error !== null && 'name' in error && error.name === 'AbortError'
  } catch {
    return false // something that throws when it is looked at
  }
}
