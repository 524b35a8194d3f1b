import { GenStageError, show } from './errors.ts'
import { settlers } from './links.ts'
import { disposeSymbol } from './platform.ts'
import { describeReason, isGraceful, noproc, type Reason } from './reason.ts'
import type { Down, Monitor, StageRef } from './refs.ts'

/** How a start went: `failed` with the error that `ready` rejects with. */
type Start = { readonly result: 'started' | 'ignored' } | { readonly error: GenStageError }

/**
 * Those who want to know how a stage fares: promises (made when somebody first reads them, so one that nobody reads is never an
 * unhandled rejection) and monitors. It also knows whether anybody watches, for a failure that nobody sees has to be told.
 */
export class Watchers {
  readonly #ref: () => StageRef
  readonly #raise: (error: unknown) => void
  #start: Start | undefined
  #end: Reason | undefined
  #ready: ReturnType<typeof settlers<'started' | 'ignored'>> | undefined
  #exited: ReturnType<typeof settlers<Reason>> | undefined
  #done: ReturnType<typeof settlers<void>> | undefined
  #monitors: Set<(down: Down) => void> | undefined

  constructor(ref: () => StageRef, raise: (error: unknown) => void) {
    this.#ref = ref
    this.#raise = raise
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
      if (this.#end !== undefined) this.#exited.resolve(this.#end)
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
    const stage = this.#ref()
    let active = true
    const tell = (down: Down): void => {
      if (!active) return
      active = false
      try {
        listener(down)
      } catch (error) {
        this.#raise(error)
      }
    }
    if (this.#end === undefined) {
      this.#monitors ??= new Set()
      this.#monitors.add(tell)
    } else queueMicrotask(() => tell({ type: 'down', stage, reason: noproc }))
    const cancel = (): void => {
      active = false
      this.#monitors?.delete(tell)
    }
    return { stage, cancel, [disposeSymbol]: cancel } as Monitor
  }

  started(start: Start): void {
    if (this.#start !== undefined) return
    this.#start = start
    this.#settleReady()
  }

  ended(reason: Reason): void {
    this.#end = reason
    this.#exited?.resolve(reason)
    this.#settleDone()
    const monitors = this.#monitors
    const stage = this.#ref()
    for (const tell of monitors ?? []) tell({ type: 'down', stage, reason })
    // Kept as they are: whether somebody watched is asked once more when the event loop has come round
  }

  #settleReady(): void {
    if (this.#start === undefined) return
    if ('error' in this.#start) this.#ready?.reject(this.#start.error)
    else this.#ready?.resolve(this.#start.result)
  }

  #settleDone(): void {
    if (this.#end === undefined) return
    if (isGraceful(this.#end)) this.#done?.resolve()
    else this.#done?.reject(stageFailed(this.#ref(), this.#end))
  }
}

/** A failure, as `done` and `runtime.onUncaught` tell it. */
export function stageFailed(ref: StageRef, reason: Reason): GenStageError {
  const stage = ref.name ?? ref.id
  const cause = reason.type === 'error' ? reason.error : undefined
  return new GenStageError('STAGE_FAILED', `stage ${show(stage)} failed: ${describeReason(reason)}`, { stage, reason, cause })
}
