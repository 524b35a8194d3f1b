import type { Cancellation, Heart, RunnerFigures } from '../store.ts'
import { clearTimer } from '../timers.ts'
import type { EngineContext } from './engine-context.ts'

/** The runner as its lease sees it. */
export interface LeaseOwner {
  readonly figures: RunnerFigures
  cancelAll(cancellations: readonly Cancellation[]): void
  /** A beat got through after the lease had been in doubt. */
  leaseConfirmed(): void
  /** The runner was taken for dead. */
  lost(): void
}

/**
 * Keeps the runner alive in its store: a heartbeat every `heartbeatMs`. Where the store can, a thread beats as well, so that handlers that
 * block the event loop do not make the runner look dead (F10). Beats carry what the runner does, and bring what is to be cancelled.
 */
export class Lease {
  readonly #engine: EngineContext
  readonly #owner: LeaseOwner
  #heart: Promise<Heart | undefined> | undefined
  #timer: Disposable | undefined
  /** It beats only between `begin` and `end`. */
  #isEnded = true
  /** Before `begin` nobody knows of this lease. */
  #beatAt = -Infinity

  constructor(engine: EngineContext, owner: LeaseOwner) {
    this.#engine = engine
    this.#owner = owner
  }

  /** For how long no beat has got through. */
  get silentMs(): number {
    return this.#engine.clock.now() - this.#beatAt
  }

  /** No beat has got through for a whole lease: the runner may have been taken for dead, as after a freeze of its process (F8). */
  get isInDoubt(): boolean {
    return this.silentMs >= this.#engine.settings.leaseMs
  }

  /** The runner was registered, by a call that was made at `askedAt`: the lease may have begun then. */
  begin(askedAt: number): void {
    this.#isEnded = false
    clearTimer(this.#timer)
    this.#beatAt = askedAt
    this.#schedule()
    this.#heart = this.#startHeart()
  }

  async end(): Promise<void> {
    this.#isEnded = true
    clearTimer(this.#timer)
    this.#timer = undefined
    const heart = await this.#heart
    this.#heart = undefined
    await heart?.stop()
  }

  /** A heartbeat. Never rejects. */
  async beat(): Promise<void> {
    if (this.#isEnded) return
    const { store, settings, runner, storeHealth, clock } = this.#engine
    // An answer that was long on its way says nothing of the time since the store has given it
    const askedAt = clock.now()
    try {
      const { alive, cancellations } = await store.heartbeat(runner, settings.leaseMs, this.#owner.figures)
      if (this.#isEnded) return
      storeHealth.worked('heartbeat')
      if (!alive) return this.#lost()
      const wasInDoubt = this.isInDoubt
      this.#beatAt = Math.max(this.#beatAt, askedAt)
      this.#owner.cancelAll(cancellations)
      if (wasInDoubt && !this.isInDoubt) this.#owner.leaseConfirmed()
    } catch (error) {
      storeHealth.failed('heartbeat', error)
    }
  }

  /** Nobody waits for it: until the thread runs, and if it cannot, the beats of the event loop do. */
  async #startHeart(): Promise<Heart | undefined> {
    const { store, settings, runner, events, logger, clock } = this.#engine
    try {
      return await store.startHeart?.({
        runner,
        leaseMs: settings.leaseMs,
        everyMs: settings.heartbeatMs,
        giveUpAfterMs: settings.blockedLimitMs,
        onLost: () => this.#lost(),
        onBlocked: ms => {
          logger.warn(`the event loop was blocked for ${Math.round(ms)} ms`, { code: 'EVENT_LOOP_BLOCKED', ms })
          events.emit('blocked', { ms, at: clock.wallTime() })
        },
      })
    } catch (error) {
      logger.warn('there is no heartbeat off the event loop: a handler that blocks it for a lease makes the runner look dead', {
        error,
      })
      return undefined
    }
  }

  #lost(): void {
    if (this.#isEnded) return
    this.#isEnded = true
    clearTimer(this.#timer)
    this.#owner.lost()
  }

  #schedule(): void {
    const { clock, settings } = this.#engine
    this.#timer = clock.setTimer(settings.heartbeatMs, () => {
      void this.beat().then(() => {
        if (!this.#isEnded) this.#schedule()
      })
    })
  }
}
