import { JobsError } from '../../errors.ts'
import type {
  Cancellation,
  Claimed,
  ClaimRequest,
  Heartbeat,
  Held,
  Hint,
  Inserted,
  JobPage,
  ListQuery,
  LogEntry,
  NewJob,
  NewRunner,
  Overruled,
  PruneRequest,
  Report,
  Rescued,
  RescueRequest,
  RunnerFigures,
  Settled,
  Settlement,
  Store,
  StoreContext,
  StoredJob,
  StoredRunner,
  StoreStats,
} from '../../store.ts'
import { claimJobs } from './claiming.ts'
import { cancelJob, clearQueue, removeJob, removeQueue, rescheduleJob, retryJob } from './commands.ts'
import { isOverruled } from '../overruled.ts'
import { releaseJob, rescueJob, settleJob } from './endings.ts'
import { Hints } from './hints.ts'
import { Insertion } from './insertion.ts'
import { JobTable } from './job-table.ts'
import { pruneJobs } from './pruning.ts'
import { cancellationsOf, Runners } from './runners.ts'
import { Uniques } from './uniques.ts'

/**
 * A store in the memory of the process: for tests, simulations, and jobs that need not survive it. Nothing is durable, and no other
 * process sees it; all else is as with every other store. What it holds lives as long as the store object: when its last client or
 * runner has closed it, the next one finds everything as it was.
 *
 * ```ts
 * const store = memoryStore()
 * const client = openClient({ store })
 * await client.enqueue(kind<{ to: string }>('welcome'), { to: 'Ada' }, { queue: 'mail' })
 * console.log((await client.stats()).queues['mail']?.waiting) // => 1
 * await client.close()
 * ```
 */
export function memoryStore(): Store {
  return new MemoryStore()
}

/** Every call changes everything it has to at once, before it returns: calls never overlap, and take effect in their order. */
class MemoryStore implements Store {
  readonly name = 'memory'
  readonly #hints = new Hints()
  readonly #uniques = new Uniques()
  readonly #table = new JobTable(this.#hints, this.#uniques)
  readonly #runners = new Runners()
  /** Undefined while the store is not open. */
  #context: StoreContext | undefined = undefined

  async open(context: StoreContext): Promise<void> {
    this.#context = context
  }

  async close(): Promise<void> {
    this.#context = undefined
    this.#hints.clear()
  }

  async insert(jobs: readonly NewJob[]): Promise<readonly Inserted[]> {
    return this.#run(now => new Insertion(this.#table, this.#uniques, now).run(jobs))
  }

  async claim(request: ClaimRequest): Promise<Claimed> {
    return this.#run(now => this.#claim(request, now))
  }

  async settle(settlements: readonly Settlement[], next?: ClaimRequest): Promise<Settled> {
    return this.#run(now => {
      const overruled: Overruled[] = []
      const accepted = settlements.map((settlement, index) => {
        const job = this.#table.held(settlement)
        if (job === undefined) return false
        if (isOverruled(settlement, job.cancelReason)) overruled.push({ index, reason: job.cancelReason })
        settleJob(this.#table, job, settlement, now)
        return true
      })
      const settled = { accepted, overruled }
      return next === undefined ? settled : { ...settled, claimed: this.#claim(next, now) }
    })
  }

  async begin(held: readonly Held[]): Promise<readonly boolean[]> {
    return this.#run(() => held.map(one => this.#table.held(one)?.begin() ?? false))
  }

  async report(reports: readonly Report[]): Promise<readonly boolean[]> {
    return this.#run(() => reports.map(report => this.#table.held(report)?.report(report) ?? false))
  }

  async register(runner: NewRunner, leaseMs: number): Promise<void> {
    return this.#run((now, time) => this.#runners.register(runner, time + leaseMs, now))
  }

  async heartbeat(id: string, leaseMs: number, figures?: RunnerFigures): Promise<Heartbeat> {
    return this.#run((now, time) => {
      const runner = this.#runners.get(id)
      if (runner === undefined) return { alive: false, cancellations: [] }
      runner.leaseEndsAt = time + leaseMs
      runner.seenAt = now
      runner.queues = figures?.queues ?? runner.queues
      return { alive: true, cancellations: cancellationsOf(runner) }
    })
  }

  async unregister(id: string): Promise<void> {
    return this.#run(now => {
      for (const job of this.#runners.unregister(id)) releaseJob(this.#table, job, now)
    })
  }

  async rescue({ runner, crashLimit, limit }: RescueRequest): Promise<Rescued> {
    return this.#run((now, time) => {
      const runners = this.#runners.findDead(time, runner)
      const { jobs, more } = this.#runners.left(limit)
      for (const job of jobs) rescueJob(this.#table, job, crashLimit, now)
      return { runners, jobs: jobs.map(({ id, queue, kind, state }) => ({ id, queue, kind, state })), more }
    })
  }

  async holdings(id: string): Promise<readonly Held[]> {
    return this.#run(() => [...(this.#runners.get(id)?.holds ?? [])].map(({ seq, token }) => ({ seq, token })))
  }

  async cancellations(id: string): Promise<readonly Cancellation[]> {
    return this.#run(() => cancellationsOf(this.#runners.get(id)))
  }

  async find(ids: readonly string[]): Promise<readonly (StoredJob | undefined)[]> {
    return this.#run(now => ids.map(id => this.#table.find(id, now)?.stored()))
  }

  async list(query: ListQuery): Promise<JobPage> {
    return this.#run(now => this.#table.page(query, now))
  }

  async logs(id: string): Promise<readonly LogEntry[]> {
    return this.#run(() => this.#table.get(id)?.logs ?? [])
  }

  async remove(ids: readonly string[]): ReturnType<Store['remove']> {
    return this.#run(() => ids.map(id => removeJob(this.#table, id)))
  }

  async cancel(ids: readonly string[], reason: string): ReturnType<Store['cancel']> {
    return this.#run(now => {
      const answers = ids.map(id => cancelJob(this.#table, id, reason, now))
      if (answers.includes('requested')) this.#hints.add({ type: 'cancelled' })
      return answers
    })
  }

  async reschedule(ids: readonly string[], inMs: number): ReturnType<Store['reschedule']> {
    return this.#run(now => ids.map(id => rescheduleJob(this.#table, id, inMs, now)))
  }

  async retry(ids: readonly string[]): ReturnType<Store['retry']> {
    return this.#run(now => ids.map(id => retryJob(this.#table, id, now)))
  }

  async stats(): Promise<StoreStats> {
    return this.#run(now => this.#table.stats(now))
  }

  async pauseQueue(queue: string): Promise<void> {
    return this.#run(() => this.#setPaused(queue, true))
  }

  async resumeQueue(queue: string): Promise<void> {
    return this.#run(() => this.#setPaused(queue, false))
  }

  async clearQueue(queue: string): Promise<number> {
    return this.#run(() => clearQueue(this.#table, queue))
  }

  async removeQueue(queue: string): Promise<void> {
    return this.#run(() => removeQueue(this.#table, queue))
  }

  async runners(): Promise<readonly StoredRunner[]> {
    return this.#run((_, time) => this.#runners.stored(time))
  }

  async lead(runner: string): Promise<boolean> {
    return this.#run((_, time) => this.#runners.lead(runner, time))
  }

  async prune(request: PruneRequest): Promise<number> {
    return this.#run(now => pruneJobs(this.#table, request, now))
  }

  listen(listener: (hint: Hint) => void): () => void {
    return this.#hints.listen(listener)
  }

  /** Runs one call, and tells its hints. `now` is the date, `time` the monotonic clock, which leases go by. */
  #run<T>(call: (now: number, time: number) => T): T {
    const context = this.#context
    if (context === undefined)
      throw new JobsError('STORE_UNAVAILABLE', 'the in-memory store is not open; call open first, and nothing after close')
    try {
      const answer = call(context.clock.wallTime(), context.clock.now())
      this.#hints.tell(context.logger)
      return answer
    } catch (error) {
      this.#hints.drop()
      throw error
    }
  }

  #claim(request: ClaimRequest, now: number): Claimed {
    return claimJobs(this.#table, this.#runners.get(request.runner), request, now)
  }

  #setPaused(name: string, paused: boolean): void {
    // A pause is kept for a queue that has no jobs yet; a queue that is not paused need not be known
    const queue = paused ? this.#table.queue(name) : this.#table.findQueue(name)
    if (queue !== undefined) queue.paused = paused
    this.#hints.add({ type: 'queue', queue: name })
  }
}
