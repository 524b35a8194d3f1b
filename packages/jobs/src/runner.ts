import { Client } from './client.ts'
import { Deadline } from './engine/deadline.ts'
import type { EngineContext } from './engine/engine-context.ts'
import type { JobClient } from './job-client.ts'
import type { Middleware } from './job-context.ts'
import type { JobRunner, RunnerQueue, RunnerStopOptions } from './job-runner.ts'
import { logJobs } from './engine/job-log.ts'
import { Maintenance } from './engine/maintenance.ts'
import { type Member, Membership } from './engine/membership.ts'
import { Holdings } from './engine/holdings.ts'
import { Reporter } from './engine/reporter.ts'
import { stopOnProcessSignals } from './engine/process-signals.ts'
import { codeOf, Health } from './engine/store-health.ts'
import { catchStrayErrors, type StrayJob } from './engine/stray-errors.ts'
import { Suspects } from './engine/suspects.ts'
import { WorkQueue } from './engine/work-queue.ts'
import { JobsError } from './errors.ts'
import { checkQueueName } from './names.ts'
import { holdProcess } from './process-hold.ts'
import {
  checkConcurrency,
  type QueueOptions,
  queueSettings,
  type RunnerOptions,
  type RunnerSettings,
  runnerSettings,
  stopSettings,
} from './runner-options.ts'
import type { Cancellation, Hint, RunnerFigures } from './store.ts'
import { clearTimer } from './timers.ts'

/**
 * Starts a runner: it opens the store, registers, takes back what dead runners held, and works on its queues. Returns at once; `ready`
 * tells how that went. Bad options throw at once (`BAD_OPTION`, `BAD_NAME`).
 *
 * ```ts
 * const Greet = kind('greet', ({ name }: { name: string }) => `Hello, ${name}!`)
 * const runner = startRunner({ store: memoryStore(), kinds: [Greet], queues: { default: 5 } })
 * const job = await runner.enqueue(Greet, { name: 'Ada' })
 * console.log(await job.result()) // => Hello, Ada!
 * await runner.stop()
 * ```
 */
export function startRunner(options: RunnerOptions): JobRunner {
  return new Runner(runnerSettings(options))
}

class Runner extends Client implements JobRunner, EngineContext, Member {
  readonly instance: string
  readonly settings: RunnerSettings
  readonly handled: readonly string[]
  readonly middleware: readonly Middleware[]
  readonly reporter: Reporter
  readonly suspects: Suspects = new Suspects()
  readonly tooNew: Set<string> = new Set()
  readonly storeHealth: Health
  readonly #done: Promise<void>
  /** Somebody has asked for `ready` or `done`, and so is told of a failure. */
  #isWatched = false
  readonly #membership: Membership
  readonly #queues = new Map<string, WorkQueue>()
  /** Queues that are being dropped. */
  readonly #leaving = new Set<WorkQueue>()
  readonly #maintenance: Maintenance
  readonly #holdings: Holdings
  #isLooking = false
  /** Requests to cancel jobs that were not here yet. */
  #early: readonly Cancellation[] = []
  /** The start is over: queues that come now are opened at once, those before by the start. */
  #isWorking = false
  readonly #started: Promise<void>
  #stopping: Promise<void> | undefined
  #unlisten: (() => void) | undefined
  #uncatch: (() => void) | undefined
  #unsignal: (() => void) | undefined
  readonly #release: () => void
  #graceTimer: Disposable | undefined
  #graceEndsAt = Infinity
  /** Why the runner failed, if it did. */
  #failure: Error | undefined
  #endDone: { readonly resolve: () => void; readonly reject: (error: unknown) => void } | undefined

  constructor(settings: RunnerSettings) {
    super(settings)
    this.settings = settings
    this.#membership = new Membership(this, this)
    this.instance = this.#membership.id
    this.handled = settings.kinds.handled
    this.middleware = settings.middleware
    this.storeHealth = new Health(this.clock, this.runtime.random, this.logger, this.events)
    this.reporter = new Reporter(this.store, this.clock, this.storeHealth)
    this.#maintenance = new Maintenance(
      this,
      () => this.#membership.lease,
      () => this.#holdings.look(),
    )
    this.#holdings = new Holdings(
      this,
      () => this.#known(),
      () => this.#all().flatMap(({ claim }) => claim ?? []),
    )
    this.#done = new Promise((resolve, reject) => (this.#endDone = { resolve, reject }))
    this.#done.catch(() => {}) // who asked for it is told, and where nobody has it is raised
    for (const [name, queue] of settings.queues) this.#queues.set(name, new WorkQueue(name, queue, this))
    if (settings.logJobs) logJobs(this.events, this.logger)
    this.#release = holdProcess(this.runtime)
    this.#started = this.#start()
    this.#started.catch((error: unknown) => this.#failed(error))
  }

  get id(): string {
    return this.#membership.id
  }

  get runner(): string {
    return this.#membership.id
  }

  get client(): JobClient {
    return this
  }

  override get ready(): Promise<void> {
    this.#isWatched = true
    return this.#started
  }

  get done(): Promise<void> {
    this.#isWatched = true
    return this.#done
  }

  get isStopping(): boolean {
    return this.#stopping !== undefined
  }

  get queues(): readonly RunnerQueue[] {
    return [...this.#queues.values()].map(queue => this.#view(queue))
  }

  get figures(): RunnerFigures {
    return { queues: [...this.#queues.values()].map(({ figures }) => figures) }
  }

  queue(name: string): RunnerQueue {
    return this.#view(this.#queueNamed(name))
  }

  addQueue(name: string, options: number | QueueOptions): RunnerQueue {
    const checked = checkQueueName(name)
    const settings = queueSettings(`queue "${checked}"`, options)
    if (this.#stopping !== undefined) throw new JobsError('STOPPED', 'the runner is stopping', { queue: checked })
    if (this.#queues.has(checked))
      throw new JobsError('BAD_NAME', `the runner works on queue "${checked}" already`, { queue: checked })
    const queue = new WorkQueue(checked, settings, this)
    this.#queues.set(checked, queue)
    if (this.#isWorking) {
      this.#openQueue(queue)
      void this.#membership.lease.beat() // the list of runners shows it
    }
    return this.#view(queue)
  }

  async dropQueue(name: string, options?: RunnerStopOptions): Promise<void> {
    const graceMs = stopSettings('dropQueue', options, this.settings.graceMs)
    const queue = this.#queueNamed(name)
    this.#queues.delete(name)
    this.#leaving.add(queue)
    const timer = this.clock.setTimer(graceMs, () => queue.stopNow())
    await queue.stop()
    clearTimer(timer)
    await queue.completer.idle()
    queue.completer.close()
    await queue.close()
    this.#leaving.delete(queue)
    void this.#membership.lease.beat()
    this.events.emit('queueRemoved', { queue: name, at: this.clock.wallTime() })
  }

  stop(options?: RunnerStopOptions): Promise<void> {
    const graceMs = stopSettings('stop', options, this.settings.graceMs)
    this.#endGraceIn(graceMs)
    for (const queue of this.#queues.values()) queue.hold()
    if (this.#stopping === undefined) {
      this.#stopping = this.#stop()
      this.events.emit('stopping', { at: this.clock.wallTime() })
    }
    return this.#stopping
  }

  override close(): Promise<void> {
    return this.stop()
  }

  // ── for the engine

  doubtHoldings(): void {
    this.#holdings.doubt()
  }

  get isLeaseInDoubt(): boolean {
    return this.#membership.lease.isInDoubt
  }

  leaseConfirmed(): void {
    for (const queue of this.#all()) queue.leaseConfirmed()
  }

  cancelAll(cancellations: readonly Cancellation[]): void {
    const queues = this.#all()
    const unknown = cancellations.filter(({ seq, token, reason }) => !queues.some(queue => queue.cancel(seq, token, reason)))
    // Their jobs may be on their way here, with the answer to a claim
    this.#early = queues.some(({ claim }) => claim !== undefined) ? unknown : []
  }

  jobsCame(): void {
    if (this.#early.length > 0) this.cancelAll(this.#early)
  }

  /** The runner was taken for dead: what it held belongs to others. It goes on as a new one. */
  lost(): void {
    if (this.#stopping !== undefined) return
    const { id } = this
    this.logger.error(`runner ${id} was taken for dead; it goes on under a new id`, { code: 'LEASE_LOST', runner: id })
    for (const queue of this.#all()) queue.leaseLost()
    this.#membership.rejoin()
  }

  rejoined(): void {
    for (const queue of this.#queues.values()) queue.wake()
  }

  async #start(): Promise<void> {
    await super.ready
    if (this.#stopping !== undefined) return
    const { settings, store } = this
    if (settings.strayErrors === 'exit') this.#uncatch = catchStrayErrors((error, job) => this.#strayed(error, job))
    if (settings.signals) this.#unsignal = stopOnProcessSignals(this)
    await this.#membership.join()
    await this.#maintenance.takeBack()
    if (this.#stopping !== undefined) return
    this.#unlisten = store.listen(hint => this.#hinted(hint))
    this.#maintenance.begin()
    this.#isWorking = true
    for (const queue of this.#queues.values()) this.#openQueue(queue)
  }

  #openQueue(queue: WorkQueue): void {
    if (this.#stopping !== undefined) return
    queue.open()
    this.events.emit('queueAdded', { queue: queue.name, at: this.clock.wallTime() })
  }

  #hinted(hint: Hint): void {
    switch (hint.type) {
      case 'waiting':
      case 'queue':
        this.#queues.get(hint.queue)?.wake()
        return
      case 'cancelled':
        return this.#lookForCancellations()
      case 'changed':
        for (const queue of this.#queues.values()) queue.wake()
        return this.#lookForCancellations()
      case 'finished':
    }
  }

  /** Hints of one turn make one look; without anything that runs there is nothing to cancel. */
  #lookForCancellations(): void {
    if (this.#isLooking || !this.#all().some(({ isHolding, claim }) => isHolding || claim !== undefined)) return
    this.#isLooking = true
    queueMicrotask(() => {
      this.#isLooking = false
      this.store.cancellations(this.id).then(
        cancellations => this.cancelAll(cancellations),
        (error: unknown) => this.storeHealth.failed('cancellations', error),
      )
    })
  }

  async #stop(): Promise<void> {
    const maintained = this.#maintenance.end()
    await this.#inTime(deadline => deadline.wait(this.#started.catch(() => {})))
    this.#membership.close()
    this.#unlisten?.()
    await Promise.all(this.#all().map(queue => queue.stop()))
    try {
      await this.#inTime(deadline => this.#leave(deadline, maintained))
    } catch (error) {
      this.logger.error('the runner could not leave its store in order; what it held is taken back by others', { error })
    }
    this.#uncatch?.()
    clearTimer(this.#graceTimer)
    this.#graceEndsAt = -Infinity // nothing runs any more: a stop that comes later has nothing to end
    try {
      await this.#inTime(deadline => deadline.wait(super.close()))
    } catch (error) {
      this.logger.error('the store could not be closed in order', { error })
    }
    // Only now: another signal would end the process while it closes its store
    this.#unsignal?.()
    this.#release()
    if (this.#failure === undefined) this.#endDone?.resolve()
    else this.#endDone?.reject(this.#failure)
  }

  /** Writes what is to be written, ends everything that works for the runner, and takes it off the list. */
  async #leave(deadline: Deadline, maintained: Promise<void>): Promise<boolean> {
    const queues = this.#all()
    await deadline.wait(Promise.all(queues.map(({ completer }) => completer.idle())))
    const lost = queues.reduce((sum, { completer }) => sum + completer.close(), 0)
    if (lost > 0)
      this.logger.error(`the store took the ends of ${lost} attempts no more; these jobs are run again`, {
        code: 'STORE_UNAVAILABLE',
        count: lost,
      })
    await deadline.wait(Promise.all([maintained, this.reporter.flush()]))
    await deadline.wait(Promise.all(queues.map(queue => queue.close())))
    return this.#membership.leave(deadline)
  }

  /** A part of the stop, for which the store has `abandonMs`. */
  async #inTime(part: (deadline: Deadline) => Promise<boolean>): Promise<void> {
    const { abandonMs } = this.settings
    const deadline = new Deadline(this.clock, abandonMs)
    try {
      if (await part(deadline)) return
    } finally {
      deadline.clear()
    }
    this.logger.error(`the store has not answered for ${abandonMs} ms; the runner stops without it`, {
      code: 'STORE_UNAVAILABLE',
    })
  }

  /** Aborts handlers that still run, in so many milliseconds; an earlier time stays. */
  #endGraceIn(ms: number): void {
    const at = this.clock.now() + ms
    if (at >= this.#graceEndsAt) return
    this.#graceEndsAt = at
    clearTimer(this.#graceTimer)
    this.#graceTimer = this.clock.setTimer(ms, () => {
      for (const queue of this.#all()) queue.stopNow()
    })
  }

  /** A handler has left something behind that failed: what runs may finish, and the process ends. */
  #strayed(error: unknown, { id, kind, queue }: StrayJob): Promise<void> {
    if (this.#failure !== undefined) return this.stop()
    this.#failure = new JobsError(
      'STRAY_ERROR',
      `the handler of job ${id} (${kind}) left something behind that failed outside of its promise; the runner stops`,
      { job: id, kind, queue, cause: error },
    )
    this.logger.error(this.#failure.message, { code: 'STRAY_ERROR', job: id, kind, queue, error })
    return this.stop()
  }

  /** The start failed: everything is let go, and whoever asked for `ready` or `done` is told. A failure that nobody watches is raised. */
  #failed(error: unknown): void {
    const failure =
      error instanceof Error ? error : new JobsError('STORE_UNAVAILABLE', 'the runner could not start', { cause: error })
    this.#failure ??= failure
    this.logger.error(`the runner could not start: ${failure.message}`, { code: codeOf(error), error })
    void this.stop().then(() => {
      if (!this.#isWatched) void Promise.reject(failure)
    })
  }

  /** Tokens of the claims whose jobs are here, or have ended and are not yet written. */
  #known(): ReadonlySet<number> {
    return new Set(this.#all().flatMap(queue => [...queue.held()]))
  }

  #queueNamed(name: string): WorkQueue {
    const queue = this.#queues.get(checkQueueName(name))
    if (queue !== undefined) return queue
    const known = [...this.#queues.keys()].join(', ') || 'none'
    throw new JobsError('UNKNOWN_QUEUE', `the runner does not work on queue "${name}"; it works on ${known}`, { queue: name })
  }

  #all(): readonly WorkQueue[] {
    return [...this.#queues.values(), ...this.#leaving]
  }

  #view(queue: WorkQueue): RunnerQueue {
    return {
      name: queue.name,
      get concurrency() {
        return queue.concurrency
      },
      get running() {
        return queue.running
      },
      get processed() {
        return queue.figures.processed
      },
      get isPaused() {
        return queue.isPaused
      },
      resize: concurrency => queue.resize(checkConcurrency(`queue "${queue.name}"`, concurrency)),
      pause: () => queue.pause(),
      resume: () => queue.resume(),
    }
  }
}
