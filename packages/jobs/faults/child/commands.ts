import type { EnqueueOptions, JobClient } from '../../src/index.ts'
import type { Claimed, ClaimRequest, Inserted, NewJob, NewRunner, Settled, Settlement, Store } from '../../src/store.ts'
import { chooseDriver } from '../../src/stores/sqlite/choose-driver.ts'
import type { SqliteConnection } from '../../src/stores/sqlite/driver.ts'
import type { LedgerWriter } from '../ledger.ts'
import { type BacklogFigures, type BacklogSizes, measureBacklog } from './backlog.ts'
import { type Look, look } from './look.ts'
import { cycles, type Possessions } from './cycles.ts'
import type { KindArgs, KindName } from './kinds.ts'

/** A job as the parent wants it. */
export type PlannedJob = {
  [Name in KindName]: {
    readonly id: string
    readonly kind: Name
    readonly args: KindArgs[Name]
    readonly options?: Omit<EnqueueOptions, 'id' | 'runAt'>
  }
}[KindName]

/** What a child process does when it is asked to. */
export interface Commands {
  /** Enqueues jobs, with lines in the ledger. Answers what became of each: an error as its code. */
  enqueue(jobs: readonly PlannedJob[]): Promise<readonly { readonly id: string; readonly outcome: string }[]>
  insert(jobs: readonly NewJob[]): Promise<readonly Inserted[]>
  register(runner: NewRunner, leaseMs: number): Promise<void>
  claim(request: ClaimRequest): Promise<Claimed>
  settle(settlements: readonly Settlement[]): Promise<Settled>
  /** Prunes everything that has finished. */
  prune(limit: number): Promise<number>
  stop(graceMs?: number): Promise<void>
  /** Sets the wall clock of a process that has one of its own. */
  setWallClock(offsetMs: number): void
  /** Starts and stops runners and clients on a new file, so many times. Answers what the process held before and after. */
  cycles(path: string, count: number): Promise<{ readonly before: Possessions; readonly after: Possessions }>
  /** Opens another file, reads what is in it, and closes it again. */
  look(path: string): Promise<Look>
  /** How fast claims are beside a great many jobs. */
  backlog(path: string, sizes: BacklogSizes): Promise<BacklogFigures>
  /** Takes the write lock of the file on a connection of its own, changes something, and keeps it like that. */
  holdLock(): Promise<void>
  releaseLock(): void
  /** What the pool of threads is at. */
  pool(): PoolFigures
}

/** Jobs that are on threads, and those that wait for one. */
export interface PoolFigures {
  readonly running: number
  readonly waiting: number
}

/** What the commands work on. */
export interface Workplace {
  readonly client: JobClient
  readonly store: Store
  readonly ledger: LedgerWriter
  readonly path: string
  stop(graceMs: number | undefined): Promise<void>
  setWallClock(offsetMs: number): void
  pool(): PoolFigures
}

export function commandsOf({ client, store, ledger, path, stop, setWallClock, pool }: Workplace): Commands {
  let locked: SqliteConnection | undefined

  async function enqueueOne({ id, kind, args, options }: PlannedJob): Promise<{ readonly id: string; readonly outcome: string }> {
    ledger.write('enqueue', { job: id })
    try {
      const job = await client.enqueue(kind, args, { ...options, id })
      ledger.write(`acked:${job.outcome}`, { job: job.id })
      return { id: job.id, outcome: job.outcome }
    } catch (error) {
      return { id, outcome: error instanceof Error && 'code' in error ? String(error.code) : String(error) }
    }
  }

  return {
    enqueue: jobs => Promise.all(jobs.map(enqueueOne)),
    insert: jobs => store.insert(jobs),
    register: (runner, leaseMs) => store.register({ ...runner, pid: process.pid }, leaseMs),
    claim: request => store.claim(request),
    settle: settlements => store.settle(settlements),
    prune: limit => store.prune({ olderThanMs: { completed: 0, failed: 0, discarded: 0, cancelled: 0 }, limit }),
    async stop(graceMs) {
      ledger.write('stopping')
      await stop(graceMs)
    },
    setWallClock,
    cycles,
    look,
    backlog: measureBacklog,
    pool,
    async holdLock() {
      locked = chooseDriver('auto').open(path)
      locked.exec('PRAGMA busy_timeout = 10000')
      locked.exec('BEGIN IMMEDIATE; UPDATE meta SET last_seq = last_seq + 1000; UPDATE jobs SET priority = 7')
    },
    releaseLock() {
      locked?.exec('ROLLBACK')
      locked?.close()
      locked = undefined
    },
  }
}
