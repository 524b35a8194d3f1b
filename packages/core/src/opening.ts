import type { CheckedCallbacks } from './callbacks.ts'
import { checkedCallbacks } from './check-callbacks.ts'
import { type ContextHost, StageContext } from './context.ts'
import { describeReason, GenStageError, ownError, show } from './errors.ts'
import type { UpstreamLink } from './links.ts'
import { disposeSymbol } from './platform.ts'
import type { StageMessage } from './protocol.ts'
import type { Reason } from './reason.ts'
import type { StagePlan } from './stage-plan.ts'
import { isThenable } from './thenable.ts'
import { ignore, type StageType } from './types.ts'

/** A setup that takes longer is worth a line in the log. */
const slowSetupMs = 5_000

const noSubscriptions: readonly UpstreamLink[] = Object.freeze([])

/** A stage, as its start sees it. */
export interface StartingStage extends ContextHost {
  readonly type: StageType
  /** What setup returned. */
  callbacks: CheckedCallbacks
  /** Whether the stage has been told to end, by itself or from outside. */
  readonly isToEnd: boolean
  post(message: StageMessage): void
  whenDone(value: unknown, next: (value: unknown) => void): void
  /** Subscribes to a producer of `subscribeTo`; `next` when the request has been posted and the callbacks have been told. */
  subscribeFirst(link: UpstreamLink, next: () => void): void
  readonly hasEnded: boolean
  /** The start went well. */
  opened(): void
  /** Setup answered `ignore`: the stage was not wanted, and ends. */
  ignored(): void
  /** Time is up. */
  startTimedOut(error: GenStageError): void
}

/** The start of a stage: its setup, then the subscriptions of `subscribeTo` one after the other (GS-L1). It is gone when that is over. */
export class Opening {
  readonly #stage: StartingStage
  readonly #plan: StagePlan
  /** To the producers of `subscribeTo`. */
  #subscriptions = noSubscriptions
  #startTimer: Disposable | undefined
  #slowTimer: Disposable | undefined

  constructor(stage: StartingStage, plan: StagePlan) {
    this.#stage = stage
    this.#plan = plan
  }

  /** Posts the setup, which is the first message of every life. */
  begin(subscriptions: readonly UpstreamLink[]): void {
    this.#subscriptions = subscriptions
    const { startTimeout } = this.#plan
    if (startTimeout !== undefined && startTimeout !== Infinity) {
      this.#startTimer = this.#stage.runtime.clock.setTimer(startTimeout, () => this.#timedOut(startTimeout))
    }
    this.#stage.post({ type: 'setup' })
  }

  setUp(): void {
    const stage = this.#stage
    const { setup, arg } = this.#plan
    const answer = setup(arg, new StageContext(stage))
    if (isThenable(answer)) {
      this.#slowTimer = stage.runtime.clock.setTimer(slowSetupMs, () =>
        stage.log('slow_setup', `its setup has been running for ${slowSetupMs} ms`, { n: slowSetupMs }),
      )
    }
    stage.whenDone(answer, callbacks => {
      this.#slowTimer?.[disposeSymbol]()
      if (stage.hasEnded) return // killed by its own setup
      if (callbacks === ignore && !stage.isToEnd) return stage.ignored()
      if (callbacks !== ignore) stage.callbacks = checkedCallbacks(stage, stage.type, callbacks)
      // Told to stop meanwhile, by itself or from outside: the start has failed
      if (!stage.isToEnd) this.subscribeNext(0)
    })
  }

  /** Subscribes to one producer after the other: the start is done when all requests have been posted. */
  subscribeNext(index: number): void {
    const link = this.#subscriptions[index]
    if (link !== undefined) return this.#stage.subscribeFirst(link, () => this.subscribeNext(index + 1))
    this.#startTimer?.[disposeSymbol]()
    this.#stage.opened()
  }

  /** The stage has ended, maybe before its start was over. */
  stopTimers(): void {
    this.#startTimer?.[disposeSymbol]()
    this.#slowTimer?.[disposeSymbol]()
  }

  /** The stage has ended: subscriptions that were to come will not. */
  refuseSubscriptions(reason: Reason, refusal: () => GenStageError): void {
    for (const link of this.#subscriptions) link.finish({ kind: 'down', reason }, refusal)
    this.#subscriptions = noSubscriptions
  }

  #timedOut(ms: number): void {
    const { label } = this.#stage
    const text = `stage ${show(label)}: its setup took longer than startTimeout (${ms} ms)`
    this.#stage.startTimedOut(new GenStageError('TIMEOUT', text, { stage: label, option: 'startTimeout' }))
  }
}

/** What `ready` rejects with when the stage has ended before it was ready. */
export function startError(label: string, reason: Reason): GenStageError {
  const own = reason.type === 'error' ? ownError(reason.error) : undefined
  if (own !== undefined) return own
  const cause = reason.type === 'error' ? reason.error : undefined
  return new GenStageError('SETUP_FAILED', `stage ${show(label)} could not start: ${describeReason(reason)}`, {
    stage: label,
    reason,
    cause,
  })
}
