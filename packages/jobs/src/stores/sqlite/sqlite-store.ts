import { type Clock, defaultRuntime } from '@genstage/core'
import { JobsError } from '../../errors.ts'
import type {
  Cancellation,
  Claimed,
  ClaimRequest,
  Heart,
  Heartbeat,
  HeartOptions,
  Held,
  Hint,
  Inserted,
  JobPage,
  ListQuery,
  LogEntry,
  NewJob,
  NewRunner,
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
import { backupTarget, writeBackup } from './backup.ts'
import { inMemory } from './check-path.ts'
import { claimJobs } from './claiming.ts'
import { cancelJob, removeJob, rescheduleJob, retryJob } from './commands.ts'
import { driverNames } from './driver.ts'
import { startHeart } from './heart.ts'
import { insertJobs } from './inserting.ts'
import { LeaseWatch } from './lease-watch.ts'
import { closeAll, openAll, type Opened } from './opened.ts'
import { ownIdentity } from './own-process.ts'
import { pruneJobs } from './pruning.ts'
import { clearQueue, removeQueue, setPaused, statsOf } from './queues.ts'
import { findJobs, listJobs } from './reading.ts'
import { beginJobs, logsOf, reportJobs } from './reporting.ts'
import { rescueJobs } from './rescuing.ts'
import {
  beat,
  buryDead,
  cancellationsOf,
  holdingsOf,
  leadBy,
  registerRunner,
  storedRunners,
  unregisterRunner,
  watchBeats,
} from './runners.ts'
import { schemaVersion } from './schema.ts'
import type { Session } from './session.ts'
import { settleJobs } from './settling.ts'
import { type SqliteSettings, sqliteSettings, type SqliteStoreOptions } from './sqlite-options.ts'

/** What the SQLite store can beyond the contract. */
export interface SqliteStore extends Store {
  /** Version of the schema that this release reads and writes. */
  readonly schemaVersion: number
  /**
   * Writes a copy of the file, as it is at one moment, with all that was called before. The file at `path` is there when the copy is whole
   * and on the disk, not before. It blocks the event loop meanwhile; other processes go on. Rejects with `STORE_UNAVAILABLE` if there is a file at `path` already,
   * `BAD_OPTION` if that is not the path of a file, `STORE_FULL`, `STORE_READ_ONLY`: nothing is left of it then, and it can be tried again.
   */
  backup(path: string): Promise<void>
  /** Reads the whole file, and answers what is wrong with it: nothing, if it is whole. It blocks the event loop meanwhile. */
  integrityCheck(): Promise<readonly string[]>
}

/**
 * A durable store in one file, with nothing to install or to start. Several processes of one machine may share the file: runners, web
 * servers, scripts. What was acknowledged is on the disk; calls made in the same turn share one write.
 *
 * Throws `BAD_OPTION` at once; `open` rejects with `STORE_UNAVAILABLE`, `STORE_BUSY`, `STORE_READ_ONLY`, `STORE_CORRUPT`, `SCHEMA_TOO_NEW`, `BAD_CONFIG`.
 *
 * ```ts
 * import { sqliteStore } from '@genstage/jobs'
 *
 * const store = sqliteStore(':memory:')
 * console.log(store.name, store.schemaVersion)
 * // => sqlite 1
 * ```
 */
export function sqliteStore(options: string | SqliteStoreOptions): SqliteStore {
  return new FileStore(sqliteSettings(options))
}

class FileStore implements SqliteStore {
  readonly name = 'sqlite'
  readonly schemaVersion = schemaVersion
  readonly #settings: SqliteSettings
  readonly #identity = ownIdentity()
  readonly #watch = new LeaseWatch(this.#identity)
  readonly #listeners = new Set<(hint: Hint) => void>()
  #opened: Opened | undefined
  #opening: Promise<void> | undefined
  #closing: Promise<void> | undefined

  constructor(settings: SqliteSettings) {
    this.#settings = settings
  }

  async open(context: StoreContext): Promise<void> {
    this.#opening = openAll(this.#settings, context, this.#watch, this.#listeners).then(opened => {
      this.#opened = opened
    })
    await this.#opening
  }

  async close(): Promise<void> {
    // A close during the opening comes after it
    await this.#opening?.catch(() => {})
    const opened = this.#opened
    this.#opened = undefined
    if (opened !== undefined) this.#closing = closeAll(opened)
    await this.#closing
  }

  insert(jobs: readonly NewJob[]): Promise<readonly Inserted[]> {
    const inserted = this.#write(jobs.length, session => insertJobs(session, jobs))
    // Told before the commit, so that a claim made now joins it
    for (const queue of new Set(jobs.map(job => job.queue))) this.#opened?.hints.tell([{ type: 'waiting', queue }])
    return inserted
  }

  claim(request: ClaimRequest): Promise<Claimed> {
    return this.#write(request.limit, session => claimJobs(session, request))
  }

  settle(settlements: readonly Settlement[], next?: ClaimRequest): Promise<Settled> {
    return this.#write(settlements.length + (next?.limit ?? 0), session => {
      const settled = settleJobs(session, settlements)
      return next === undefined ? settled : { ...settled, claimed: claimJobs(session, next) }
    })
  }

  begin(held: readonly Held[]): Promise<readonly boolean[]> {
    return this.#write(held.length, session => beginJobs(session, held))
  }

  report(reports: readonly Report[]): Promise<readonly boolean[]> {
    return this.#write(reports.length, session => reportJobs(session, reports))
  }

  async register(runner: NewRunner, leaseMs: number): Promise<void> {
    // Of a runner in another process we do not know where that is
    const identity = runner.pid === process.pid ? this.#identity : {}
    const { number, time } = await this.#write(1, session => ({
      number: registerRunner(session, runner, leaseMs, identity),
      time: session.time,
    }))
    // Not before it is durable: the number of one that is not may become that of another
    this.#watch.begin(number, time)
  }

  heartbeat(id: string, leaseMs: number, figures?: RunnerFigures): Promise<Heartbeat> {
    return this.#write(1, session => {
      const { pulse, ...answer } = beat(session, id, leaseMs, figures)
      if (pulse !== undefined) this.#watch.see(pulse, session.time)
      watchBeats(session, this.#watch, session.time)
      return answer
    })
  }

  unregister(id: string): Promise<void> {
    return this.#write(1, session => unregisterRunner(session, id))
  }

  async startHeart(options: HeartOptions): Promise<Heart | undefined> {
    const { file, context } = this.#open()
    const driver = driverNames.find(name => name === file.driver.name)
    // A thread lives in real time, and opens the file anew
    if (!isRealTime(context.clock) || file.path === inMemory || driver === undefined || typeof this.#settings.driver === 'object')
      return undefined
    return startHeart({ path: file.path, driver, ...context }, options)
  }

  async rescue({ runner, crashLimit, limit }: RescueRequest): Promise<Rescued> {
    const { dead, ...rescued } = await this.#write(limit, session => ({
      dead: buryDead(session, this.#watch, runner),
      ...rescueJobs(session, crashLimit, limit),
    }))
    for (const { number } of dead) this.#watch.forget(number)
    return { runners: dead.map(({ id }) => id), ...rescued }
  }

  holdings(runner: string): Promise<readonly Held[]> {
    return this.#read(session => holdingsOf(session, runner))
  }

  cancellations(runner: string): Promise<readonly Cancellation[]> {
    return this.#read(session => cancellationsOf(session, runner))
  }

  find(ids: readonly string[]): Promise<readonly (StoredJob | undefined)[]> {
    return this.#read(session => findJobs(session, ids))
  }

  list(query: ListQuery): Promise<JobPage> {
    return this.#read(session => listJobs(session, query))
  }

  logs(id: string): Promise<readonly LogEntry[]> {
    return this.#read(session => logsOf(session, id))
  }

  remove(ids: readonly string[]): ReturnType<Store['remove']> {
    return this.#write(ids.length, session => ids.map(id => removeJob(session, id)))
  }

  cancel(ids: readonly string[], reason: string): ReturnType<Store['cancel']> {
    return this.#write(ids.length, session => ids.map(id => cancelJob(session, id, reason)))
  }

  reschedule(ids: readonly string[], inMs: number): ReturnType<Store['reschedule']> {
    return this.#write(ids.length, session => ids.map(id => rescheduleJob(session, id, inMs)))
  }

  retry(ids: readonly string[]): ReturnType<Store['retry']> {
    return this.#write(ids.length, session => ids.map(id => retryJob(session, id)))
  }

  stats(): Promise<StoreStats> {
    return this.#read(statsOf)
  }

  pauseQueue(queue: string): Promise<void> {
    return this.#write(1, session => setPaused(session, queue, true))
  }

  resumeQueue(queue: string): Promise<void> {
    return this.#write(1, session => setPaused(session, queue, false))
  }

  clearQueue(queue: string): Promise<number> {
    return this.#write(1, session => clearQueue(session, queue))
  }

  removeQueue(queue: string): Promise<void> {
    return this.#write(1, session => removeQueue(session, queue))
  }

  runners(): Promise<readonly StoredRunner[]> {
    return this.#read(session => storedRunners(session, this.#watch))
  }

  lead(runner: string): Promise<boolean> {
    return this.#write(1, session => leadBy(session, this.#watch, runner))
  }

  prune(request: PruneRequest): Promise<number> {
    return this.#write(request.limit, session => pruneJobs(session, request))
  }

  listen(listener: (hint: Hint) => void): () => void {
    // A function of its own, so that one that listens twice is told twice and ends once
    const own = (hint: Hint): void => listener(hint)
    this.#listeners.add(own)
    this.#opened?.hints.watch()
    return () => void this.#listeners.delete(own)
  }

  async backup(path: string): Promise<void> {
    const { commit, file } = this.#open()
    const target = backupTarget(path)
    await commit.alone(session => writeBackup(session, file.driver, target))
  }

  integrityCheck(): Promise<readonly string[]> {
    return this.#read(session => {
      const lines = session.rows('PRAGMA integrity_check').map(([line]) => String(line))
      return lines[0] === 'ok' ? [] : lines
    })
  }

  #open(): Opened {
    if (this.#opened !== undefined) return this.#opened
    throw new JobsError('STORE_UNAVAILABLE', 'the SQLite store is not open; call open first, and nothing after close')
  }

  async #write<Value>(weight: number, work: (session: Session) => Value): Promise<Value> {
    return this.#open().commit.write(weight, work)
  }

  async #read<Value>(work: (session: Session) => Value): Promise<Value> {
    return this.#open().commit.read(work)
  }
}

/** Whether it is the clock of the machine. */
function isRealTime(clock: Clock): boolean {
  return clock === defaultRuntime.clock
}
