import { consumer, type Context, GenStageError, isGraceful, normal, start } from '@genstage/core'
import type { Down, Reason, ReasonInput, Runtime, StageRef, StopOptions, Subscription } from '@genstage/core'
import { duration, flag, ownOptions, refuseUnknown } from '@genstage/core/adapters'

/** A chain of stages that live together. Reading `done`, `result` or `exited` keeps the process alive until all have ended. */
export interface Pipeline<out Stages extends readonly StageRef[], out Result> extends AsyncDisposable {
  /** The stages that the pipe has started, from the source down. A source that was running before is not among them. */
  readonly stages: Stages
  /**
   * Resolves when all stages have ended well, and so the last event is through. Rejects with the first failure: the very error that was
   * thrown; `STAGE_FAILED` for one that is none, such as a kill.
   */
  readonly done: Promise<void>
  /** The result of the last stage, if it has one (`collect`, `fold`), when `done` resolves. Rejects as `done` does. */
  readonly result: Promise<Result>
  /** Always resolves, when all stages have ended: with the reason of the first failure, else with that of the last stage. */
  readonly exited: Promise<Reason>
  /**
   * Stops the stages in order, from the source down; resolves with the reason when all have ended. With `drain: true` what is under way
   * is finished first. `timeout` (default 5,000 ms, `Infinity` allowed) is for all of them together: past it they are killed. Safe at any
   * time and twice. Default reason `normal`. A source that was running before goes on. Rejects with `BAD_OPTION`.
   */
  stop(reason?: ReasonInput, options?: StopOptions): Promise<Reason>
}

/** A stage of a pipe, as it was started. */
export interface PipedStage {
  readonly ref: StageRef
  /** Its subscription to the stage above; undefined for the source. */
  readonly subscription: Subscription | undefined
}

/** Where the stages of a pipe live, and what else it was given. */
export interface PipeSettings {
  readonly runtime: Runtime
  readonly signal: AbortSignal | undefined
  /** The result of the last stage, once it has ended. */
  readonly result: () => unknown
}

const defaultStopTimeout = 5_000

const dispose: typeof Symbol.dispose = Symbol.dispose ?? (Symbol.for('Symbol.dispose') as typeof Symbol.dispose)
const asyncDispose: typeof Symbol.asyncDispose =
  Symbol.asyncDispose ?? (Symbol.for('Symbol.asyncDispose') as typeof Symbol.asyncDispose)

/** The stages of a pipe, which live together: what the end of each means for the others. */
export class RunningPipe {
  declare readonly [Symbol.asyncDispose]: () => Promise<void>
  readonly stages: readonly StageRef[]
  readonly #settings: PipeSettings
  /** Resolves with the reason of the whole when all stages have ended. */
  readonly #over: Promise<Reason>
  #finish!: (reason: Reason) => void
  #running: number
  /** The first to end: later on some may find nobody above any more. */
  #first: Down | undefined
  #firstFailure: Down | undefined
  /** Why the last stage of the chain has ended. */
  #lastReason: Reason | undefined
  /** Whether somebody would notice a failure. */
  #isWatched = false
  /** Whether it is being stopped: then the stop decides what is drained. */
  #isStopping = false
  #unfollow: (() => void) | undefined
  /** Keeps the process alive while somebody waits. */
  #alive: Disposable | undefined

  constructor(stages: readonly PipedStage[], settings: PipeSettings) {
    this.stages = stages.map(({ ref }) => ref)
    this.#settings = settings
    this.#running = stages.length
    this.#over = new Promise(resolve => {
      this.#finish = resolve
    })
    stages.forEach(({ ref, subscription }, index) => {
      ref.monitor(down => this.#ended(index, down))
      // The last stage follows the end of the one above by itself; one in the middle may hold something that has to come out
      if (index < stages.length - 1) void subscription?.ended.then(({ reason }) => this.#drain(ref, reason))
    })
    this.#follow(settings.signal)
  }

  get done(): Promise<void> {
    this.#watch()
    return this.#settled()
  }

  get result(): Promise<unknown> {
    return this.done.then(this.#settings.result)
  }

  get exited(): Promise<Reason> {
    this.#watch()
    return this.#over
  }

  async stop(reason: ReasonInput = normal, options?: StopOptions): Promise<Reason> {
    const where = 'stop of a pipe'
    const own = ownOptions(where, options)
    refuseUnknown(where, own, ['timeout', 'drain'])
    const timeout = duration(where, 'timeout', own['timeout'], true, defaultStopTimeout)
    this.#isWatched = true
    await this.#stopInOrder(reason, timeout, flag(where, own, 'drain'))
    return this.#over
  }

  static {
    Object.defineProperty(RunningPipe.prototype, asyncDispose, {
      async value(this: RunningPipe): Promise<void> {
        await this.stop()
      },
    })
  }

  /** Somebody waits for the end: a failure is noticed, and the process has to live until then. */
  #watch(): void {
    this.#isWatched = true
    if (this.#running > 0) this.#alive ??= this.#settings.runtime.keepAlive()
  }

  async #stopInOrder(reason: ReasonInput, timeout: number, drain: boolean): Promise<void> {
    const { clock } = this.#settings.runtime
    const deadline = clock.now() + timeout
    for (const stage of this.stages) {
      const stopped = stage.stop(reason, { drain, timeout: Math.max(0, deadline - clock.now()) })
      this.#isStopping = true // only now: a reason that is none is refused
      await stopped
    }
  }

  async #settled(): Promise<void> {
    const reason = await this.#over
    if (isGraceful(reason)) return
    if (reason.type === 'error') throw reason.error
    throw new GenStageError('STAGE_FAILED', `pipe: a stage failed: ${reason.type}`, { reason })
  }

  /** A stage has ended: nobody needs those above any more. Those below follow by their subscriptions. */
  #ended(index: number, down: Down): void {
    if (!isGraceful(down.reason) && (down.reason.type !== 'noproc' || this.#first === undefined)) this.#firstFailure ??= down
    this.#first ??= down
    for (const above of this.stages.slice(0, index)) void above.stop('shutdown')
    if (index === this.stages.length - 1) this.#lastReason = down.reason
    this.#running--
    if (this.#running === 0) this.#allEnded()
  }

  #allEnded(): void {
    this.#unfollow?.()
    this.#alive?.[dispose]()
    const failure = this.#firstFailure
    if (failure !== undefined && !this.#isWatched) raise(failure, this.#settings.runtime)
    const graceful = [this.#lastReason, this.#first?.reason].find(reason => reason !== undefined && isGraceful(reason))
    this.#finish(failure?.reason ?? graceful ?? normal)
  }

  /** The stage above has ended well: what is on its way comes out first. */
  async #drain(stage: StageRef, reason: Reason): Promise<void> {
    if (!isGraceful(reason)) return
    try {
      // Lets it finish what it has at hand, undisturbed by a signal that it is to stop
      await stage.inspect({ timeout: Infinity })
    } catch {
      return // it has ended by itself
    }
    if (!this.#isStopping) await stage.stop(reason, { drain: true, timeout: Infinity })
  }

  #follow(signal: AbortSignal | undefined): void {
    if (signal === undefined) return
    const stop = (): void => void this.#stopInOrder('shutdown', defaultStopTimeout, false)
    if (signal.aborted) return stop()
    signal.addEventListener('abort', stop)
    this.#unfollow = () => signal.removeEventListener('abort', stop)
  }
}

/** Ends as it is told. */
const Failed = /* @__PURE__ */ consumer((reason: Reason, ctx: Context) => {
  ctx.stop(reason)
  return { handleEvents() {} }
})

/**
 * A failure that nobody watches is never silent. The pipe watches its stages, so it tells in their place, by a stage under the same name
 * that ends in the same way.
 */
function raise({ stage, reason }: Down, runtime: Runtime): void {
  if (reason.type === 'killed') return // by somebody who knows
  const name = stage.name === undefined || runtime.whereis(stage.name) !== undefined ? stage.id : stage.name
  start(Failed, { arg: reason, name, runtime })
}
