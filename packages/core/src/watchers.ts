import { describeReason, GenStageError, ownError, show } from './errors.ts'
import { settlers } from './links.ts'
import { disposeSymbol } from './platform.ts'
import { isGraceful, noproc, type Reason } from './reason.ts'
import type { Down, Monitor, StageRef } from './refs.ts'
import type { Scheduler } from './scheduler.ts'

/** How a start went; a failed one with the error that `ready` rejects with. */
export type Start = { readonly result: 'started' | 'ignored' } | { readonly error: GenStageError }

/** What is watched: a stage, which also remembers what there is to tell to those who come late. */
interface Watched {
  readonly ref: StageRef
  readonly startedAs: Start | undefined
  readonly endedAs: Reason | undefined
  readonly runtime: { readonly scheduler: Scheduler; raise(error: unknown): void }
}

/**
 * Those who want to know how a stage fares: promises (made when somebody first reads them, so one that nobody reads is never an
 * unhandled rejection) and monitors. It also knows whether anybody watches, for a failure that nobody sees has to be told.
 */
export class Watchers {
  readonly #watched: Watched
  #ready: ReturnType<typeof settlers<'started' | 'ignored'>> | undefined
  #exited: ReturnType<typeof settlers<Reason>> | undefined
  #done: ReturnType<typeof settlers<void>> | undefined
  #monitors: Set<(down: Down) => void> | undefined

  constructor(watched: Watched) {
    this.#watched = watched
  }

  get ready(): Promise<'started' | 'ignored'> {
    if (this.#ready === undefined) {
      this.#ready = settlers()
      this.#settleReady()
    }
    return this.#ready.promise
  }

  get exited(): Promise<Reason> {
    if (this.#exited === undefined) {
      this.#exited = settlers()
      if (this.#watched.endedAs !== undefined) this.#exited.resolve(this.#watched.endedAs)
    }
    return this.#exited.promise
  }

  get done(): Promise<void> {
    if (this.#done === undefined) {
      this.#done = settlers()
      this.#settleDone()
    }
    return this.#done.promise
  }

  /** Whether somebody would notice a failure. Whoever only waits for the start notices one of the start. */
  isWatched(ofStart: boolean): boolean {
    const waits = this.#exited !== undefined || this.#done !== undefined || (ofStart && this.#ready !== undefined)
    return waits || (this.#monitors !== undefined && this.#monitors.size > 0)
  }

  monitor(listener: (down: Down) => void): Monitor {
    const stage = this.#watched.ref
    let active = true
    const tell = (down: Down): void => {
      if (!active) return
      active = false
      try {
        listener(down)
      } catch (error) {
        this.#watched.runtime.raise(error)
      }
    }
    if (this.#watched.endedAs === undefined) {
      this.#monitors ??= new Set()
      this.#monitors.add(tell)
    } else this.#watched.runtime.scheduler.schedule(() => tell({ type: 'down', stage, reason: noproc }))
    const cancel = (): void => {
      active = false
      this.#monitors?.delete(tell)
    }
    return { stage, cancel, [disposeSymbol]: cancel } as Monitor
  }

  /** The start is over, one way or the other. */
  started(): void {
    this.#settleReady()
  }

  /** The stage has ended. */
  ended(reason: Reason): void {
    this.#exited?.resolve(reason)
    this.#settleDone()
    const stage = this.#watched.ref
    // They are kept: whether somebody watched is asked once more when the event loop has come round
    for (const tell of this.#monitors ?? []) tell({ type: 'down', stage, reason })
  }

  #settleReady(): void {
    const start = this.#watched.startedAs
    if (start === undefined) return
    if ('error' in start) this.#ready?.reject(start.error)
    else this.#ready?.resolve(start.result)
  }

  #settleDone(): void {
    const reason = this.#watched.endedAs
    if (reason === undefined) return
    if (isGraceful(reason)) this.#done?.resolve()
    else this.#done?.reject(stageFailed(this.#watched.ref, reason))
  }
}

/** The error with which a supervisor gave up: its end is graceful, and yet nothing that goes unseen (INV-20). */
export function tooManyRestarts(reason: Reason): GenStageError | undefined {
  const error = reason.type === 'shutdown' ? ownError(reason.detail) : undefined
  return error?.code === 'TOO_MANY_RESTARTS' ? error : undefined
}

/** A failure, as `done` and `runtime.onUncaught` tell it. */
export function stageFailed(ref: StageRef, reason: Reason): GenStageError {
  const stage = ref.name ?? ref.id
  const cause = reason.type === 'error' ? reason.error : undefined
  return new GenStageError('STAGE_FAILED', `stage ${show(stage)} failed: ${describeReason(reason)}`, { stage, reason, cause })
}
