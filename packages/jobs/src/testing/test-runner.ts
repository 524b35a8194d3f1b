import { badOption, ownOptions, refuseUnknown, wholeNumber } from '@genstage/core/adapters'
import type { Simulation, VirtualClock } from '@genstage/testing'
import { Client } from '../client.ts'
import { answerAt } from '../engine/completer.ts'
import type { EngineContext } from '../engine/engine-context.ts'
import { Attempt } from '../engine/attempt.ts'
import { Reporter } from '../engine/reporter.ts'
import { Health } from '../engine/store-health.ts'
import { Suspects } from '../engine/suspects.ts'
import { tellEnd } from '../engine/tell-end.ts'
import type { EnqueuedJob } from '../enqueued-job.ts'
import type { EnqueueOptions } from '../enqueue-options.ts'
import { JobsError } from '../errors.ts'
import { newId } from '../ids.ts'
import type { Job } from '../job.ts'
import type { JobClient } from '../job-client.ts'
import type { Middleware } from '../job-context.ts'
import type { Kind } from '../kind.ts'
import type { RunnerSettings } from '../runner-options.ts'
import type { ClaimedJob, Failure, Settlement } from '../store.ts'
import { chosenJobs, type EnqueuedFilter, enqueuedText } from './enqueued-jobs.ts'
import { type TestRunnerOptions, type TestRunnerSettings, testRunnerSettings } from './test-runner-options.ts'

/** One attempt that a test runner has made. */
export interface Ran {
  /** The job as it stands after it. */
  readonly job: Job
  /** What became of the job: `retry` and `snooze` let it run again. */
  readonly to: Settlement['to']
  /** What the handler returned, as it is stored. */
  readonly result: unknown
  /** Why the attempt failed, if it did. */
  readonly error: Failure | undefined
}

/** How many attempts ended how. */
export type Drained = Readonly<Record<Settlement['to'], number>>

/** Options of `drain`. */
export interface DrainOptions {
  /** Of this queue only. */
  readonly queue?: string
  /** Also what is due later, retries among it: the clock is moved on to it. Default false. */
  readonly withDelayed?: boolean
  /** Where so many attempts are not enough, the row is taken for an endless one (`TIMEOUT`). From 1; default 1,000. */
  readonly limit?: number
}

/** A client that runs jobs one at a time, when a test says so, in a memory store of its own whose clock stands still. */
export interface TestRunner extends JobClient {
  readonly clock: VirtualClock
  /** Every attempt that was made, oldest first. */
  readonly ran: readonly Ran[]
  /** Runs the job that is next, of one queue or of all; undefined if none is due. */
  runNext(options?: { readonly queue?: string }): Promise<Ran | undefined>
  /**
   * Makes one attempt at this job; if it is due later, the clock is moved on. Rejects with `UNKNOWN_JOB` if it does not wait, or cannot
   * run: its queue is paused, or its kind has no handler.
   */
  run(id: string): Promise<Ran>
  /** Runs what is due until nothing is, and counts how that went. Rejects with `TIMEOUT` when there is no end to it (`limit`). */
  drain(options?: DrainOptions): Promise<Drained>
  /** Moves the clock on; timers fire on the way. Runs no jobs. */
  advance(ms: number): Promise<void>
  /** The jobs that are to run, oldest first: of a kind, and with these args among theirs. */
  enqueued(kind?: Kind | string, args?: unknown, filter?: EnqueuedFilter): Promise<readonly Job[]>
  /** Throws an error that tells what is there, unless such a job is to run. Answers the jobs. */
  assertEnqueued(kind: Kind | string, args?: unknown, filter?: EnqueuedFilter): Promise<readonly Job[]>
  /** Throws an error that tells what is there, if such a job is to run. */
  refuteEnqueued(kind: Kind | string, args?: unknown, filter?: EnqueuedFilter): Promise<void>
  /** Lets go of everything. Rejects if handlers still run. */
  close(): Promise<void>
}

/**
 * A runner for tests: no timers, no processes, no waiting. Handlers are called as a real runner calls them, with their schemas, outcomes,
 * retries, timeouts, progress and middleware. Refuses bad options with `BAD_OPTION`.
 *
 * ```ts
 * import { kind } from '@genstage/jobs'
 * import { testRunner } from '@genstage/jobs/testing'
 *
 * const Greet = kind('greet', ({ name }: { name: string }) => `Hello, ${name}!`)
 * const runner = testRunner({ kinds: [Greet] })
 * await runner.enqueue(Greet, { name: 'Ada' }, { delayMs: 60_000 })
 * await runner.assertEnqueued(Greet, { name: 'Ada' }, { delayMs: 60_000 })
 * console.log(await runner.runNext()) // => undefined
 * await runner.advance(60_000)
 * console.log((await runner.runNext())?.result) // => Hello, Ada!
 * await runner.close()
 * ```
 */
export function testRunner(options: TestRunnerOptions): TestRunner {
  return new ManualRunner(testRunnerSettings(options))
}

/** It never dies, so its lease never ends. */
const leaseMs = Number.MAX_SAFE_INTEGER / 2
/** Attempts at one job, or in one drain, beyond which there seems to be no end. */
const mostAttempts = 1_000

class ManualRunner extends Client implements TestRunner, EngineContext {
  override readonly clock: VirtualClock
  readonly ran: Ran[] = []
  readonly settings: RunnerSettings
  readonly handled: readonly string[]
  readonly middleware: readonly Middleware[]
  readonly storeHealth: Health
  readonly reporter: Reporter
  readonly tooNew: Set<string> = new Set()
  readonly suspects: Suspects = new Suspects()
  readonly isLeaseInDoubt = false as const
  readonly instance: string
  readonly runner: string
  readonly #mode: 'manual' | 'inline'
  readonly #simulation: Simulation
  readonly #started: Promise<void>
  readonly #running = new Set<Attempt>()
  /** Settles when the last of those who look for a job has found it. */
  #chosen: Promise<unknown> = Promise.resolve()

  constructor({ mode, simulation, engine }: TestRunnerSettings) {
    super(engine)
    this.#mode = mode
    this.#simulation = simulation
    this.clock = simulation.clock
    this.settings = engine
    this.handled = engine.kinds.handled
    this.middleware = engine.middleware
    this.storeHealth = new Health(this.clock, this.runtime.random, this.logger, this.events)
    this.reporter = new Reporter(this.store, this.clock, this.storeHealth)
    this.runner = newId(this.runtime)
    this.instance = this.runner
    this.#started = this.#start()
    this.#started.catch(() => {}) // told by `ready`
  }

  override get ready(): Promise<void> {
    return this.#started
  }

  get client(): JobClient {
    return this
  }

  doubtHoldings(): void {}
  jobsCame(): void {}

  override enqueue<Args, Result>(
    kind: Kind<Args, Result>,
    args: Args,
    options?: EnqueueOptions,
  ): Promise<EnqueuedJob<Args, Result>>
  override enqueue<Result>(
    kind: Kind<void, Result>,
    args?: undefined,
    options?: EnqueueOptions,
  ): Promise<EnqueuedJob<void, Result>>
  override enqueue(kind: string, args?: unknown, options?: EnqueueOptions): Promise<EnqueuedJob>
  override enqueue(kind: unknown, args?: unknown, options?: EnqueueOptions): Promise<EnqueuedJob> {
    return this.#ranInline(super.enqueue(kind as string, args, options))
  }

  override async enqueueMany<Args, Result>(
    kind: Kind<Args, Result>,
    args: readonly Args[],
    options?: Omit<EnqueueOptions, 'id' | 'unique' | 'debounce' | 'throttle'>,
  ): Promise<readonly EnqueuedJob<Args, Result>[]> {
    const jobs = await super.enqueueMany(kind, args, options)
    if (this.#mode === 'inline') for (const { id } of jobs) await this.#runToItsEnd(id)
    return jobs
  }

  override async retry(id: string): Promise<'retried' | 'active' | 'completed' | 'missing'> {
    const answer = await super.retry(id)
    if (this.#mode === 'inline' && answer === 'retried') await this.#runToItsEnd(id)
    return answer
  }

  async runNext(options?: { readonly queue?: string }): Promise<Ran | undefined> {
    const own = ownOptions('runNext', options)
    refuseUnknown('runNext', own, ['queue'])
    await this.#started
    const next = await this.#alone(() => this.#takeNext(options?.queue))
    return next && this.#attempt(next)
  }

  async run(id: string): Promise<Ran> {
    await this.#started
    const { job, claimed } = await this.#alone(() => this.#take(id))
    if (claimed !== undefined) return this.#attempt(claimed)
    if (!isToRun(job))
      throw new JobsError('UNKNOWN_JOB', `job ${id} does not wait to run: ${job?.state ?? 'there is none'}`, { job: id })
    const why = this.handled.includes(job.kind) ? `queue "${job.queue}" is paused` : `kind "${job.kind}" has no handler here`
    throw new JobsError('UNKNOWN_JOB', `job ${id} cannot run: ${why}`, { job: id, kind: job.kind, queue: job.queue })
  }

  async drain(options?: DrainOptions): Promise<Drained> {
    const own = ownOptions('drain', options)
    refuseUnknown('drain', own, ['queue', 'withDelayed', 'limit'])
    const limit = wholeNumber('drain', own, 'limit', mostAttempts, { min: 1 })
    const { queue, withDelayed = false } = options ?? {}
    const counts = { completed: 0, failed: 0, discarded: 0, cancelled: 0, retry: 0, snooze: 0, release: 0 }
    for (let attempts = 0; attempts <= limit;) {
      const ran = await this.runNext(queue === undefined ? {} : { queue })
      if (ran !== undefined) {
        counts[ran.to]++
        attempts++
      } else if (!withDelayed || !(await this.#moveToNext(queue))) return counts
    }
    throw new JobsError('TIMEOUT', `drain: there is no end to it: after ${limit} attempts (limit) another one was due`)
  }

  async advance(ms: number): Promise<void> {
    if (!(ms >= 0)) throw badOption('advance', 'ms', ms, 'a number of milliseconds from 0')
    await this.#simulation.advance(ms)
  }

  async enqueued(kind?: Kind | string, args?: unknown, filter?: EnqueuedFilter): Promise<readonly Job[]> {
    return chosenJobs(await this.#waiting(), kind, args, filter, this.clock.wallTime())
  }

  async assertEnqueued(kind: Kind | string, args?: unknown, filter?: EnqueuedFilter): Promise<readonly Job[]> {
    const found = await this.enqueued(kind, args, filter)
    const { count } = filter ?? {}
    if (count === undefined ? found.length > 0 : found.length === count) return found
    const text = enqueuedText(await this.#waiting(), kind, args, filter, this.clock.wallTime())
    throw new Error(`${count === undefined ? 'no job' : `${found.length} jobs, not ${count},`} of ${text}`)
  }

  async refuteEnqueued(kind: Kind | string, args?: unknown, filter?: EnqueuedFilter): Promise<void> {
    const found = await this.enqueued(kind, args, filter)
    if (found.length === 0) return
    const text = enqueuedText(await this.#waiting(), kind, args, filter, this.clock.wallTime())
    throw new Error(`${found.length === 1 ? 'a job' : `${found.length} jobs`} of ${text}`)
  }

  override async close(): Promise<void> {
    const left = [...this.#running]
    for (const attempt of left) attempt.abandon()
    await this.#simulation.flush()
    await this.reporter.flush()
    await super.close()
    if (left.length > 0) throw new Error(`handlers still ran at the end: ${left.map(({ job }) => job.kind).join(', ')}`)
  }

  async #start(): Promise<void> {
    await super.ready
    await this.store.register({ id: this.runner, host: 'test', pid: 0, queues: [] }, leaseMs)
    this.store.listen(hint => {
      if (hint.type === 'cancelled') void this.#cancelRunning()
    })
  }

  async #cancelRunning(): Promise<void> {
    for (const { seq, token, reason } of await this.store.cancellations(this.runner))
      for (const attempt of this.#running) if (attempt.job.seq === seq && attempt.job.token === token) attempt.cancel(reason)
  }

  /** One after the other: who looks for a job claims others too, and gives them back. */
  #alone<T>(choose: () => Promise<T>): Promise<T> {
    const chosen = this.#chosen.then(choose)
    this.#chosen = chosen.catch(() => {}) // told by `chosen`
    return chosen
  }

  async #takeNext(queue: string | undefined): Promise<ClaimedJob | undefined> {
    const queues = queue === undefined ? Object.keys((await this.stats()).queues) : [queue]
    const claimed: ClaimedJob[] = []
    for (const each of queues) claimed.push(...(await this.#claim(each, 1)))
    const next = claimed.toSorted(compareClaims)[0]
    await this.#release(claimed.filter(job => job !== next))
    return next
  }

  /** Claims a job that waits, if it can run here; the clock is moved on to its time. */
  async #take(id: string): Promise<{ readonly job: Job | undefined; readonly claimed?: ClaimedJob | undefined }> {
    const job = await this.find(id)
    if (!isToRun(job) || !this.handled.includes(job.kind) || (await this.stats()).queues[job.queue]?.paused === true)
      return { job }
    await this.advance(Math.max(0, job.runAt - this.clock.wallTime()))
    const all = await this.#claim(job.queue, Number.MAX_SAFE_INTEGER)
    const claimed = all.find(each => each.id === id)
    await this.#release(all.filter(each => each !== claimed))
    return { job, claimed }
  }

  async #claim(queue: string, limit: number): Promise<readonly ClaimedJob[]> {
    return (await this.store.claim({ runner: this.runner, queue, limit, kinds: this.handled })).jobs
  }

  /** They were claimed only to see which is next. */
  async #release(jobs: readonly ClaimedJob[]): Promise<void> {
    if (jobs.length > 0) await this.store.settle(jobs.map(({ seq, token }) => ({ seq, token, ranMs: 0, to: 'release' as const })))
  }

  async #attempt(job: ClaimedJob): Promise<Ran> {
    const [attempt, settlement] = await this.#ended(job)
    this.#running.delete(attempt)
    await this.reporter.flush()
    if (settlement === undefined) throw new Error(`job ${job.id} (${job.kind}) was taken away while it ran`)
    const answer = answerAt(await this.store.settle([settlement]), 0)
    tellEnd(this, attempt, settlement, answer)
    const after = await this.find(job.id)
    if (after === undefined) throw new Error(`job ${job.id} (${job.kind}) was removed while it ran`)
    const ran = {
      job: after,
      to: typeof answer === 'string' ? settlement.to : 'cancelled',
      result: after.result,
      error: 'failure' in settlement ? settlement.failure : undefined,
    }
    this.ran.push(ran)
    return ran
  }

  #ended(job: ClaimedJob): Promise<readonly [Attempt, Settlement | undefined]> {
    return new Promise(resolve => {
      const owner = { ended: (ended: Attempt, settlement: Settlement | undefined) => resolve([ended, settlement]) }
      const attempt = new Attempt(job, this.kinds.get(job.kind), this, owner)
      this.#running.add(attempt)
      void attempt.begin()
    })
  }

  async #ranInline(enqueued: Promise<EnqueuedJob>): Promise<EnqueuedJob> {
    const job = await enqueued
    if (this.#mode === 'inline') await this.#runToItsEnd(job.id)
    return job
  }

  /** Or leaves it waiting, if it cannot run: it is stored, which is what was asked for. */
  async #runToItsEnd(id: string): Promise<void> {
    await this.#started
    for (let attempts = 0; attempts < mostAttempts; attempts++) {
      const { claimed } = await this.#alone(() => this.#take(id))
      if (claimed === undefined) return
      await this.#attempt(claimed)
    }
    throw new JobsError('TIMEOUT', `job ${id} has no end: ${mostAttempts} attempts were made`, { job: id })
  }

  /** Moves the clock on to the next job that is due later. False if there is none. */
  async #moveToNext(queue: string | undefined): Promise<boolean> {
    const later = (await this.#waiting()).filter(
      job => job.state === 'delayed' && (queue === undefined || job.queue === queue) && this.handled.includes(job.kind),
    )
    if (later.length === 0) return false
    await this.advance(Math.max(0, Math.min(...later.map(({ runAt }) => runAt)) - this.clock.wallTime()))
    return true
  }

  /** All that is to run, oldest first. */
  async #waiting(): Promise<readonly Job[]> {
    const jobs: Job[] = []
    for (let before: number | undefined; ;) {
      const page = await this.list({ states: ['waiting', 'delayed'], limit: 1_000, ...(before === undefined ? {} : { before }) })
      jobs.push(...page.jobs)
      if (page.next === undefined) return jobs.toReversed()
      before = page.next
    }
  }
}

function isToRun(job: Job | undefined): job is Job & { readonly state: 'waiting' | 'delayed' } {
  return job?.state === 'waiting' || job?.state === 'delayed'
}

function compareClaims(a: ClaimedJob, b: ClaimedJob): number {
  return a.priority - b.priority || a.runAt - b.runAt || a.seq - b.seq
}
