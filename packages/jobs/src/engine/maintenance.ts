import { clearTimer } from '../timers.ts'
import type { EngineContext } from './engine-context.ts'
import type { Lease } from './lease.ts'

/** Jobs of one call. */
const rescuedPerCall = 500
const prunedPerCall = 1_000
/** Between two looks for what is old enough to be pruned. */
const pruneEveryMs = 60_000

/** The duties that keep a store in order: every runner takes back what dead ones held; one, the leader, prunes. */
export class Maintenance {
  readonly #engine: EngineContext
  readonly #lease: () => Lease
  readonly #checkHoldings: () => Promise<void>
  #timer: Disposable | undefined
  /** The last one, which may be under way. */
  #round: Promise<void> | undefined
  #dueAt = 0
  #prunedAt = -Infinity
  #isEnded = false

  constructor(engine: EngineContext, lease: () => Lease, checkHoldings: () => Promise<void>) {
    this.#engine = engine
    this.#lease = lease
    this.#checkHoldings = checkHoldings
  }

  begin(): void {
    this.#schedule()
  }

  /** Resolves when the round under way is over. */
  async end(): Promise<void> {
    this.#isEnded = true
    clearTimer(this.#timer)
    await this.#round
  }

  /** Takes back what dead runners held. Never rejects. */
  takeBack(): Promise<void> {
    return this.#guarded(() => this.#rescue())
  }

  /** One round of all duties. Never rejects. */
  sweep(): Promise<void> {
    return this.#guarded(async () => {
      await this.#checkHoldings()
      await this.#rescue()
      await this.#prune()
    })
  }

  async #guarded(duty: () => Promise<void>): Promise<void> {
    const { storeHealth } = this.#engine
    try {
      await duty()
      storeHealth.worked('maintenance')
    } catch (error) {
      storeHealth.failed('maintenance', error)
    }
  }

  #schedule(): void {
    if (this.#isEnded) return
    const { clock, settings } = this.#engine
    this.#dueAt = clock.now() + settings.sweepMs
    this.#timer = clock.setTimer(settings.sweepMs, () => {
      this.#round = this.#doRound()
    })
  }

  async #doRound(): Promise<void> {
    const { clock, settings } = this.#engine
    // A sweep that comes late itself says nothing about others: their beats may wait behind it in the same blocked event loop
    const isLate = clock.now() - this.#dueAt > settings.leaseMs / 2
    if (isLate || this.#lease().silentMs > settings.heartbeatMs * 1.5) await this.#lease().beat()
    if (!isLate && !this.#isEnded) await this.sweep()
    this.#schedule()
  }

  async #rescue(): Promise<void> {
    const { store, settings, events, logger, clock } = this.#engine
    for (let more = true; more && !this.#isEnded;) {
      const rescued = await store.rescue({ runner: this.#engine.runner, crashLimit: settings.crashLimit, limit: rescuedPerCall })
      more = rescued.more
      for (const runner of rescued.runners)
        logger.warn(`runner ${runner} is dead; what it held is taken back`, { code: 'RUNNER_CRASHED', runner })
      for (const job of rescued.jobs) {
        if (job.state === 'failed')
          logger.error(`job ${job.id} (${job.kind}) failed: its runner died ${settings.crashLimit} times under it`, {
            code: 'RUNNER_CRASHED',
            job: job.id,
          })
        events.emit('rescued', { ...job, at: clock.wallTime() })
      }
    }
  }

  async #prune(): Promise<void> {
    const { store, settings, events, clock, runner } = this.#engine
    if (settings.retention === undefined || clock.now() - this.#prunedAt < pruneEveryMs || this.#isEnded) return
    this.#prunedAt = clock.now()
    if (!(await store.lead(runner))) return
    const { olderThanMs, keep } = settings.retention
    let total = 0
    for (let count = prunedPerCall; count === prunedPerCall && !this.#isEnded; total += count)
      count = await store.prune({ olderThanMs, keep, limit: prunedPerCall })
    if (total > 0) events.emit('pruned', { count: total, at: clock.wallTime() })
  }
}
