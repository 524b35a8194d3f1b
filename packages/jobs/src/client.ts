import { type Clock, GenStageError, type Logger, type Runtime } from '@genstage/core'
import { abortSignal, badOption, duration, ownOptions, refuseUnknown } from '@genstage/core/adapters'
import { type EnqueueOptions, enqueueSettings, refuseTogether, timeOf } from './enqueue-options.ts'
import { type EnqueuedJob, JobHandle } from './enqueued-job.ts'
import { JobsError } from './errors.ts'
import { JobEventBus } from './events.ts'
import { guardedLogger } from './guarded-logger.ts'
import { newId } from './ids.ts'
import { InsertBatcher } from './insert-batcher.ts'
import { type Job, toJob } from './job.ts'
import type { JobClient, RescheduleOptions } from './job-client.ts'
import type { JobSettings } from './job-settings.ts'
import { isKind, kind as makeKind, type Kind, prepareArgs } from './kind.ts'
import type { KindRegistry } from './kind-registry.ts'
import { type JobList, type ListOptions, listQuery } from './list-options.ts'
import { checkJobId, checkQueueName } from './names.ts'
import { closeStore, openStore } from './opened-stores.ts'
import { checkReason } from './outcome.ts'
import { holdProcess } from './process-hold.ts'
import { type RegisteredRunner, toRegisteredRunner } from './registered-runner.ts'
import { type ResultOptions, ResultWaiter } from './result-waiter.ts'
import { type ClientOptions, type ClientSettings, clientSettings } from './runner-options.ts'
import type { Inserted, LogEntry, NewJob, QueueStats, Store, StoreStats } from './store.ts'
import { asyncDisposeSymbol } from './timers.ts'

/**
 * Opens a client of a store. Returns at once; `ready` tells how the opening went. Bad options throw (`BAD_OPTION`).
 *
 * ```ts
 * const Greet = kind<{ name: string }, string>('greet')
 * const client = openClient({ store: memoryStore() })
 * const job = await client.enqueue(Greet, { name: 'Ada' }, { delayMs: 60_000 })
 * console.log((await client.find(job.id))?.state) // => delayed
 * await client.close()
 * ```
 */
export function openClient(options: ClientOptions): JobClient {
  return new Client(clientSettings(options))
}

/** The same, at run time. */
export class Client implements JobClient {
  declare readonly [Symbol.asyncDispose]: () => Promise<void>
  readonly events: JobEventBus
  readonly runtime: Runtime
  readonly clock: Clock
  readonly logger: Logger
  readonly store: Store
  readonly kinds: KindRegistry
  readonly #inserts: InsertBatcher
  readonly #results: ResultWaiter
  readonly #opened: Promise<void>
  /** Calls under way that `close` waits for, other than those that are in `#inserts`, and those of `result`. */
  readonly #calls = new Set<Promise<unknown>>()
  #closing: Promise<void> | undefined

  constructor({ store, kinds, runtime, logger, pollMs }: ClientSettings) {
    this.store = store
    this.kinds = kinds
    this.runtime = runtime
    this.clock = runtime.clock
    this.logger = guardedLogger(logger)
    this.events = new JobEventBus((name, error) => {
      this.logger.error(`a listener of "${name}" failed; nothing else comes of it`, { error })
    })
    this.#opened = openStore(store, { clock: this.clock, logger: this.logger })
    this.#opened.catch(() => {}) // told by `ready`, and by every call
    this.#results = new ResultWaiter({ store, opened: this.#opened, clock: this.clock, logger: this.logger, pollMs })
    this.#inserts = new InsertBatcher(store, this.#opened)
  }

  static {
    Object.defineProperty(Client.prototype, asyncDisposeSymbol, {
      value(this: Client): Promise<void> {
        return this.close()
      },
    })
  }

  get ready(): Promise<void> {
    return this.#opened
  }

  enqueue<Args, Result>(
    kind: Kind<Args, Result>,
    args: NoInfer<Args>,
    options?: EnqueueOptions,
  ): Promise<EnqueuedJob<Args, Result>>
  enqueue<Result>(kind: Kind<void, Result>, args?: undefined, options?: EnqueueOptions): Promise<EnqueuedJob<void, Result>>
  enqueue(kind: string, args?: unknown, options?: EnqueueOptions): Promise<EnqueuedJob>
  async enqueue(given: unknown, args?: unknown, options?: EnqueueOptions): Promise<EnqueuedJob> {
    const kind = this.#kindOf(given)
    const settings = enqueueSettings(kind, options)
    this.#refuseClosed()
    const text = prepareArgs(kind, args)
    const job = (encoded: string): NewJob => ({
      ...settings,
      id: settings.id ?? newId(this.runtime),
      kind: kind.name,
      version: kind.version,
      args: encoded,
    })
    if (typeof text === 'string') return this.#insert(job(text))
    return this.#finished(text.then(encoded => this.#insert(job(encoded))))
  }

  async enqueueMany<Args, Result>(
    given: Kind<Args, Result>,
    args: readonly Args[],
    options?: Omit<EnqueueOptions, 'id' | 'unique' | 'debounce' | 'throttle'>,
  ): Promise<readonly EnqueuedJob<Args, Result>[]>
  async enqueueMany(given: unknown, args: unknown, options?: EnqueueOptions): Promise<readonly EnqueuedJob[]> {
    const kind = this.#kindOf(given)
    const where = `enqueueMany ${kind.name}`
    if (!Array.isArray(args)) throw badOption(where, 'args', args, `an array of at most ${grouped(mostAtOnce)} args`)
    if (args.length > mostAtOnce) throw tooMany(where, args.length)
    if (options !== undefined) refuseTheirOwn(where, options)
    const settings = enqueueSettings(kind, options)
    if (args.length === 0) return []
    this.#refuseClosed()
    // A copy: an asynchronous schema leaves time to empty the array
    return this.#finished(this.#insertMany(kind, [...(args as unknown[])], settings))
  }

  find(id: string): Promise<Job | undefined>
  find<Args, Result>(kind: Kind<Args, Result>, id: string): Promise<Job<Args, Result> | undefined>
  async find(first: unknown, second?: unknown): Promise<Job<never, never> | undefined> {
    const kind = isKind(first) ? first : undefined
    const id = checkJobId('find', kind === undefined ? first : second)
    const [job] = await this.#with(store => store.find([id]))
    if (job === undefined || (kind !== undefined && job.kind !== kind.name)) return undefined
    return toJob(job) as Job<never, never>
  }

  list(options?: ListOptions): Promise<JobList>
  list<Args, Result>(kind: Kind<Args, Result>, options?: Omit<ListOptions, 'kinds'>): Promise<JobList<Args, Result>>
  async list(first?: unknown, second?: unknown): Promise<JobList<never, never>> {
    const query = isKind(first) ? { ...listQuery(second, ['kinds']), kinds: [first.name] } : listQuery(first)
    const page = await this.#with(store => store.list(query))
    return { jobs: page.jobs.map(job => toJob(job) as Job<never, never>), next: page.next }
  }

  logs(id: string): Promise<readonly LogEntry[]> {
    return this.#with(store => store.logs(checkJobId('logs', id)))
  }

  async result(id: string, options?: ResultOptions): Promise<unknown> {
    const where = 'result'
    const checked = checkJobId(where, id)
    const own = ownOptions(where, options)
    refuseUnknown(where, own, ['timeoutMs', 'signal'])
    const timeoutMs = own['timeoutMs'] === undefined ? undefined : duration(where, 'timeoutMs', own['timeoutMs'], false)
    const signal = abortSignal(where, own)
    this.#refuseClosed()
    const release = holdProcess(this.runtime)
    try {
      return await this.#results.wait(checked, { timeoutMs, signal })
    } finally {
      release()
    }
  }

  async remove(id: string): Promise<'removed' | 'running' | 'missing'> {
    const [answer] = await this.#with(store => store.remove([checkJobId('remove', id)]))
    return answer ?? 'missing'
  }

  async cancel(id: string, reason: string = 'cancelled'): Promise<'cancelled' | 'requested' | 'finished' | 'missing'> {
    const checked = checkReason('cancel', reason)
    const [answer = 'missing'] = await this.#with(store => store.cancel([checkJobId('cancel', id)], checked))
    return answer
  }

  async reschedule(id: string, options: RescheduleOptions): Promise<'rescheduled' | 'running' | 'finished' | 'missing'> {
    const where = 'reschedule'
    const own = ownOptions(where, options)
    refuseUnknown(where, own, ['delayMs', 'runAt'])
    refuseTogether(where, own, ['delayMs', 'runAt'])
    if (own['delayMs'] === undefined && own['runAt'] === undefined)
      throw badOption(where, 'delayMs', undefined, 'there, or runAt')
    const { delayMs, runAt } = timeOf(where, own)
    const inMs = runAt === undefined ? delayMs : Math.max(0, runAt - this.clock.wallTime())
    const [answer = 'missing'] = await this.#with(store => store.reschedule([checkJobId(where, id)], inMs))
    return answer
  }

  async runNow(id: string): Promise<'rescheduled' | 'running' | 'finished' | 'missing'> {
    const [answer = 'missing'] = await this.#with(store => store.reschedule([checkJobId('runNow', id)], 0))
    return answer
  }

  async retry(id: string): Promise<'retried' | 'active' | 'completed' | 'missing'> {
    const [answer = 'missing'] = await this.#with(store => store.retry([checkJobId('retry', id)]))
    return answer
  }

  stats(): Promise<StoreStats> {
    return this.#with(store => store.stats())
  }

  async queueDepth(queue: string): Promise<number> {
    const name = checkQueueName(queue)
    const stats = await this.stats()
    const found = Object.hasOwn(stats.queues, name) ? stats.queues[name] : undefined
    return found === undefined ? 0 : depthOf(found)
  }

  async queueDepths(): Promise<Readonly<Record<string, number>>> {
    const { queues } = await this.stats()
    return Object.fromEntries(Object.entries(queues).map(([name, stats]) => [name, depthOf(stats)]))
  }

  async runners(queue?: string): Promise<readonly RegisteredRunner[]> {
    const name = queue === undefined ? undefined : checkQueueName(queue)
    const all = (await this.#with(store => store.runners())).map(toRegisteredRunner)
    return name === undefined ? all : all.filter(({ queues }) => queues.some(each => each.name === name))
  }

  pauseQueue(queue: string): Promise<void> {
    return this.#with(store => store.pauseQueue(checkQueueName(queue)))
  }

  resumeQueue(queue: string): Promise<void> {
    return this.#with(store => store.resumeQueue(checkQueueName(queue)))
  }

  clearQueue(queue: string): Promise<number> {
    return this.#with(store => store.clearQueue(checkQueueName(queue)))
  }

  removeQueue(queue: string): Promise<void> {
    return this.#with(store => store.removeQueue(checkQueueName(queue)))
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** A call of the store, once it is open. */
  #with<T>(work: (store: Store) => Promise<T>): Promise<T> {
    return this.#finished(this.#call(work))
  }

  /** The same call, which `close` waits for. */
  #finished<T>(call: Promise<T>): Promise<T> {
    const over = (): void => void this.#calls.delete(call)
    this.#calls.add(call)
    call.then(over, over)
    return call
  }

  async #call<T>(work: (store: Store) => Promise<T>): Promise<T> {
    this.#refuseClosed()
    await this.#opened
    return work(this.store)
  }

  #refuseClosed(): void {
    if (this.#closing !== undefined) throw new JobsError('STOPPED', 'the client is closed')
  }

  async #close(): Promise<void> {
    this.#results.close()
    try {
      await this.#opened
    } catch {
      return // there is nothing to close
    }
    await Promise.all([this.#inserts.idle(), Promise.allSettled(this.#calls)])
    await closeStore(this.store)
  }

  async #insert(job: NewJob): Promise<JobHandle> {
    return this.#enqueued(await this.#inserts.insert(job), job.kind, job.queue)
  }

  async #insertMany(kind: Kind, args: readonly unknown[], settings: JobSettings): Promise<readonly JobHandle[]> {
    const jobs: NewJob[] = []
    for (const [index, each] of args.entries()) {
      const text = this.#prepared(kind, each, index)
      const encoded = typeof text === 'string' ? text : await text
      jobs.push({ ...settings, id: newId(this.runtime), kind: kind.name, version: kind.version, args: encoded })
    }
    await this.#opened
    const inserted = await this.store.insert(jobs)
    return inserted.map(each => this.#enqueued(each, kind.name, settings.queue))
  }

  #enqueued(inserted: Inserted, kind: string, asked: string): JobHandle {
    const queue = inserted.queue ?? asked
    if (this.events.listenerCount('enqueued') > 0)
      this.events.emit('enqueued', { id: inserted.id, kind, queue, outcome: inserted.outcome, at: this.clock.wallTime() })
    return new JobHandle(this, inserted, kind, queue)
  }

  #prepared(kind: Kind, args: unknown, index: number): string | Promise<string> {
    const numbered = (error: unknown): never => {
      if (!(error instanceof JobsError)) throw error
      const { code, path, issues } = error
      throw new JobsError(code, `number ${index}: ${error.message}`, { kind: kind.name, index, path, issues, cause: error })
    }
    try {
      const text = prepareArgs(kind, args)
      return typeof text === 'string' ? text : text.catch(numbered)
    } catch (error) {
      return numbered(error)
    }
  }

  #kindOf(given: unknown): Kind {
    if (isKind(given)) return given
    if (typeof given !== 'string') throw badOption('enqueue', 'kind', given, 'a kind, or the name of one')
    return this.kinds.size === 0 ? makeKind(given) : this.kinds.get(given)
  }
}

const mostAtOnce = 1_000_000

function tooMany(where: string, count: number): GenStageError {
  const text = `${where}: args must be an array of at most ${grouped(mostAtOnce)} args, not an array of ${grouped(count)}`
  return new GenStageError('BAD_OPTION', text, { option: 'args' })
}

/** A number as it is read: 1,000,000. */
function grouped(count: number): string {
  return count.toLocaleString('en-US')
}

function refuseTheirOwn(where: string, options: object): void {
  const own = ownOptions(where, options)
  for (const option of ['id', 'unique', 'debounce', 'throttle'])
    if (own[option] !== undefined) throw badOption(where, option, own[option], 'left out: it is for one job')
}

/** Jobs that are still to run. */
function depthOf({ waiting, delayed }: QueueStats): number {
  return waiting + delayed
}
