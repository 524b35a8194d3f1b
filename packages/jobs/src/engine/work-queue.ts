import type { Maybe } from '@genstage/core'
import type { QueueSettings } from '../runner-options.ts'
import type { Claimed, ClaimedJob, ClaimRequest, QueueFigures, Settlement } from '../store.ts'
import { clearTimer } from '../timers.ts'
import { Attempt, type AttemptOwner } from './attempt.ts'
import { Completer, type CompleterOwner } from './completer.ts'
import type { EngineContext } from './engine-context.ts'
import { Prefetch } from './prefetch.ts'
import { QueueStages, type StagedQueue } from './queue-stages.ts'
import { tellCancelled, tellEnd } from './tell-end.ts'

/** How long jobs may lie here claimed, before those that nobody is about to begin go back. */
const surplusMs = 1_000

/**
 * One queue of a runner: what must survive its stages (fetcher, executors): which jobs are claimed, which run. A job is in one
 * place at a time: `ahead` (claimed, nobody has it yet), `given` (on its way to the executors), `running` (its attempt has begun), `aside`
 * (a suspect whose turn has not come). So a stage that fails and is started again loses nothing, and starts nothing twice.
 */
export class WorkQueue implements AttemptOwner, CompleterOwner, StagedQueue {
  readonly name: string
  readonly completer: Completer
  readonly #engine: EngineContext
  readonly #stages: QueueStages
  readonly #prefetch: Prefetch
  #concurrency: number
  #ahead: ClaimedJob[] = []
  readonly #given = new Set<ClaimedJob>()
  readonly #running = new Set<Attempt>()
  /** They take no place: others run meanwhile. */
  readonly #aside = new Set<ClaimedJob>()
  /** Suspects whose end is not written yet, by token: who waits for that. */
  readonly #unwritten = new Map<number, () => void>()
  /** Demand that the fetcher could not meet. */
  #demand = 0
  #isPaused: boolean
  #isStopping = false
  /** The last claim brought less than was asked for: wait for a hint or the timer. */
  #isDry = false
  /** A hint came while a claim was under way. */
  #wasHinted = false
  /** The claim under way. */
  #claim: ClaimRequest | undefined
  #timer: Disposable | undefined
  #surplusTimer: Disposable | undefined
  #processed = 0
  #lastJobAt: number | undefined
  #whenDone: (() => void)[] = []

  constructor(name: string, settings: QueueSettings, engine: EngineContext) {
    this.name = name
    this.#engine = engine
    this.#concurrency = settings.concurrency
    this.#isPaused = settings.paused
    this.#prefetch = new Prefetch(engine.clock, settings.prefetchMs, settings.maxPrefetch)
    this.#stages = new QueueStages(engine, this)
    this.completer = new Completer(engine, this)
  }

  get concurrency(): number {
    return this.#concurrency
  }

  get running(): number {
    return this.#running.size
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  get figures(): QueueFigures {
    return {
      name: this.name,
      concurrency: this.#concurrency,
      running: this.#running.size,
      processed: this.#processed,
      ...(this.#lastJobAt === undefined ? {} : { lastJobAt: this.#lastJobAt }),
    }
  }

  /** Whether there are jobs of this queue here that have not ended. */
  get isHolding(): boolean {
    return this.#ahead.length + this.#given.size + this.#running.size + this.#aside.size > 0
  }

  /** The claim under way. */
  get claim(): ClaimRequest | undefined {
    return this.#claim
  }

  /** Tokens of the claims that are here: of jobs that are claimed, or ended and not yet written. */
  *held(): Generator<number> {
    for (const { token } of this.#ahead) yield token
    for (const { token } of this.#given) yield token
    for (const { token } of this.#aside) yield token
    for (const { job } of this.#running) yield job.token
    yield* this.completer.held()
  }

  // ── life

  /** Starts the stages. */
  open(): void {
    this.#stages.open()
  }

  /** Begins no more jobs, and gives back those that have not begun. Calls nothing of the user's. */
  hold(): void {
    this.#isStopping = true
    this.#clearTimer()
    this.#stages.retire()
    clearTimer(this.#surplusTimer)
    this.#giveBack()
  }

  /** The same; resolves when nothing runs any more. What is to be written may not have been by then. */
  async stop(): Promise<void> {
    this.hold()
    for (const attempt of this.#running) attempt.stopSoon()
    this.#tellDone()
    while (this.#running.size > 0) await new Promise<void>(resolve => this.#whenDone.push(resolve))
  }

  /** The time for running jobs is up. */
  stopNow(): void {
    for (const attempt of this.#running) attempt.stopNow()
  }

  /** Ends what is left: handlers that do not end, stages. */
  async close(): Promise<void> {
    for (const attempt of this.#running) attempt.abandon()
    await this.#stages.close()
  }

  /** The runner was taken for dead: nothing it holds is its own any more. */
  leaseLost(): void {
    this.#takeUnbegun()
    for (const attempt of this.#running) {
      tellEnd(this.#engine, attempt, undefined, 'refused')
      attempt.lost()
    }
  }

  /** The runner lives: what waited for that may begin. */
  leaseConfirmed(): void {
    this.#look()
    this.wake()
  }

  // ── from outside

  /** There may be something to claim. */
  wake(): void {
    this.#isDry = false
    if (this.#claim !== undefined) this.#wasHinted = true
    else this.completer.look()
  }

  pause(): void {
    this.#isPaused = true
    this.#giveBack()
  }

  resume(): void {
    this.#isPaused = false
    this.#look()
    this.wake()
  }

  resize(concurrency: number): void {
    this.#concurrency = concurrency
    this.#stages.resize()
    this.#look()
    this.wake()
  }

  /** A cancellation was requested. False if it is not one of ours. */
  cancel(seq: number, token: number, reason: string): boolean {
    for (const attempt of this.#running) {
      if (attempt.job.seq !== seq || attempt.job.token !== token) continue
      attempt.cancel(reason)
      return true
    }
    const isIt = (job: ClaimedJob): boolean => job.seq === seq && job.token === token
    const waiting = this.#ahead.find(isIt) ?? [...this.#given, ...this.#aside].find(isIt)
    if (waiting === undefined) return false
    this.#ahead = this.#ahead.filter(job => job !== waiting)
    this.#given.delete(waiting)
    this.#aside.delete(waiting)
    this.#engine.suspects.leave(waiting)
    this.completer.add({ seq, token, ranMs: 0, to: 'cancelled', reason }, answer =>
      tellCancelled(this.#engine, waiting, answer === 'taken' ? { cancelled: reason } : answer),
    )
    return true
  }

  // ── the stages' side

  attached(): void {
    this.#demand = 0
  }

  renewed(): void {
    // Those that get there all the same are known by then to have begun
    this.#ahead.unshift(...this.#given)
    this.#given.clear()
  }

  take(demand: number): readonly ClaimedJob[] {
    if (this.#isPaused || this.#isStopping || this.#engine.isLeaseInDoubt) return []
    const count = Math.min(demand, this.#free, this.#ahead.length)
    if (count <= 0) return []
    const jobs = this.#ahead.splice(0, count)
    for (const job of jobs) this.#given.add(job)
    return jobs
  }

  wanted(demand: number): void {
    this.#demand = demand
    if (demand > 0) this.completer.look()
  }

  execute(job: ClaimedJob): Maybe<void> {
    // Not given any more: it was given back, or has begun already
    if (!this.#given.delete(job)) return
    // Another runner may have it, or have completed it (JOB-5)
    if (this.#engine.isLeaseInDoubt) return this.#isStopping ? this.#release(job) : void this.#ahead.unshift(job)
    return job.crashes > 0 || this.#isFirstCrashLast ? this.#beginSuspect(job) : this.#begin(job)
  }

  #begin(job: ClaimedJob): Maybe<void> {
    const { kinds, clock } = this.#engine
    const kind = kinds.find(job.kind)
    if (kind === undefined) return this.#release(job) // not one we asked for
    const attempt = new Attempt(job, kind, this.#engine, this)
    this.#running.add(attempt)
    this.#lastJobAt = clock.wallTime()
    return attempt.begin()
  }

  /** When one more crash is its end, it begins alone among its like: until its turn comes it waits aside. */
  #beginSuspect(job: ClaimedJob): Maybe<void> {
    const { settings, suspects } = this.#engine
    const isAlone = job.crashes >= settings.crashLimit - 1 && !this.#isFirstCrashLast
    if (!isAlone || suspects.enter(job, () => this.#isTurnOf(job))) return this.#beginMarked(job)
    this.#aside.add(job)
    this.#look()
  }

  /** It takes the next place that is free. */
  #isTurnOf(job: ClaimedJob): void {
    if (!this.#aside.delete(job)) return
    this.#ahead.unshift(job)
    this.#look()
  }

  /** Known to have begun (`Store.begin`). */
  async #beginMarked(job: ClaimedJob): Promise<void> {
    this.#given.add(job)
    try {
      const [isOurs] = await this.#beginInStore(job)
      if (!this.#given.delete(job) || isOurs !== true) return
      await this.#begin(job)
      // Else the death of the next one would be counted against this one too
      await this.#written(job)
    } finally {
      this.#engine.suspects.leave(job)
      this.#look()
    }
  }

  async #beginInStore(job: ClaimedJob): Promise<readonly boolean[]> {
    try {
      const begun = await this.#engine.store.begin([job])
      this.#engine.storeHealth.worked('begin')
      return begun
    } catch (error) {
      const { storeHealth } = this.#engine
      storeHealth.failed('begin', error)
      if (this.#given.delete(job)) {
        // Not at once: it would be claimed again at once, as long as only this call fails
        const { seq, token } = job
        this.completer.add({ seq, token, ranMs: 0, to: 'snooze', inMs: Math.ceil(storeHealth.delayMs('begin')) }, () => {})
      }
      return [false]
    }
  }

  /** Resolves when the end of a job is written, or given up. */
  async #written({ token }: ClaimedJob): Promise<void> {
    if (![...this.completer.held()].includes(token)) return
    await new Promise<void>(resolve => this.#unwritten.set(token, resolve))
    this.#unwritten.delete(token)
  }

  ended(attempt: Attempt, settlement: Settlement | undefined): void {
    if (!this.#running.delete(attempt)) return
    this.#processed++
    this.#prefetch.ended(1)
    if (settlement !== undefined)
      this.completer.add(settlement, answer => {
        this.#unwritten.get(settlement.token)?.()
        // That it was lost has been told; it may be written all the same, if that was said in error
        if (answer !== 'refused' || !attempt.isLost) tellEnd(this.#engine, attempt, settlement, answer)
        this.#tellIfIdle()
      })
    if (this.#demand > 0) this.#look()
    if (this.#running.size === 0) this.#tellDone()
  }

  // ── the completer's side

  claimRequest(along: boolean): ClaimRequest | undefined {
    // A claim under an id that is still being registered would be taken for one of a runner before it
    if (this.#engine.isLeaseInDoubt) return undefined
    const { runner, handled } = this.#engine
    // Places of attempts that have just ended are asked for soon
    const isReady = along || this.#demand + this.#running.size + this.#given.size > 0
    if (!isReady || this.#isDry || this.#isPaused || this.#isStopping || handled.length === 0) return undefined
    // A place that is free is demand, or will be as soon as the executors have had their turn
    const free = Math.max(0, this.#free)
    const target = this.#prefetch.target
    const missing = free + target - this.#ahead.length
    if (missing <= 0 || (!along && this.#ahead.length >= free + target / 2)) return undefined
    this.#wasHinted = false
    this.#claim = { runner, queue: this.name, limit: missing, kinds: handled }
    return this.#claim
  }

  claimed({ jobs, nextInMs, paused }: Claimed, request: ClaimRequest): void {
    this.#claim = undefined
    if (request.runner !== this.#engine.runner) return // claimed by a runner that was taken for dead since
    this.#ahead.push(...jobs)
    this.#engine.jobsCame()
    if (this.#isStopping || this.#isPaused) return this.#giveBack()
    // Paused for all runners: what was claimed ahead waits with the rest
    if (paused) this.#giveBack()
    this.#watchSurplus()
    if (jobs.length > 0) this.#look()
    if (jobs.length >= request.limit || this.#wasHinted) {
      this.#isDry = false
      this.#clearTimer()
      return
    }
    this.#isDry = true
    this.#lookAgainIn(paused ? this.#engine.settings.pollMs : Math.min(nextInMs ?? Infinity, this.#engine.settings.pollMs))
    this.#tellIfIdle()
  }

  claimFailed(): void {
    this.#claim = undefined
    this.#isDry = false
    this.#engine.doubtHoldings()
  }

  /** Then every job says that it begins, and none is a suspect. */
  get #isFirstCrashLast(): boolean {
    return this.#engine.settings.crashLimit === 1
  }

  get #free(): number {
    return this.#concurrency - this.#running.size - this.#given.size
  }

  /** Lets the fetcher look whether it can give something. */
  #look(): void {
    if (this.#ahead.length > 0) this.#stages.look()
  }

  /** Gives back what has not begun, also what is on its way to the executors: they do not begin it any more. */
  #giveBack(): void {
    for (const job of this.#takeUnbegun()) this.#release(job)
  }

  /** All that is here and has not begun; it is here no more. */
  #takeUnbegun(): readonly ClaimedJob[] {
    const jobs = [...this.#aside, ...this.#given, ...this.#ahead]
    this.#ahead = []
    this.#given.clear()
    this.#aside.clear()
    for (const job of jobs) this.#engine.suspects.leave(job)
    return jobs
  }

  #release(job: ClaimedJob): void {
    this.#engine.suspects.leave(job)
    this.completer.add({ seq: job.seq, token: job.token, ranMs: 0, to: 'release' }, answer =>
      tellCancelled(this.#engine, job, answer),
    )
  }

  /** Handlers may have become slower since jobs were claimed ahead: then others are to have them. */
  #watchSurplus(): void {
    if (this.#ahead.length === 0 || this.#surplusTimer !== undefined) return
    this.#surplusTimer = this.#engine.clock.setTimer(surplusMs, () => {
      this.#surplusTimer = undefined
      const wanted = Math.max(0, this.#free) + this.#prefetch.target
      for (const job of this.#ahead.splice(wanted)) this.#release(job)
      this.#watchSurplus()
    })
  }

  #lookAgainIn(ms: number): void {
    this.#clearTimer()
    this.#timer = this.#engine.clock.setTimer(ms, () => this.wake())
  }

  #clearTimer(): void {
    clearTimer(this.#timer)
    this.#timer = undefined
  }

  #tellIfIdle(): void {
    if (!this.#isDry || this.isHolding) return
    const { events, clock } = this.#engine
    if (events.listenerCount('idle') > 0) events.emit('idle', { queue: this.name, at: clock.wallTime() })
  }

  #tellDone(): void {
    const waiting = this.#whenDone
    this.#whenDone = []
    for (const resolve of waiting) resolve()
  }
}
