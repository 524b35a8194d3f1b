import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from '@genstage/core'
import { type Job, type JobClient, openClient, sqliteStore } from '../src/index.ts'
import type { SqliteStore } from '../src/stores/sqlite/sqlite-store.ts'
import type { StoredJob } from '../src/store.ts'
import { Books } from './books.ts'
import { Child, type SpawnOptions } from './child-process.ts'
import type { PlannedJob } from './child/commands.ts'
import type { KindArgs } from './child/kinds.ts'
import type { Opening, PlainRunnerOptions } from './child/opening.ts'
import { LedgerReader, LedgerWriter, type Line } from './ledger.ts'
import { type Context, within } from './scenario.ts'
import type { Tally } from './tally.ts'

/** Times that make a short run of what takes minutes at work. */
export const quick = {
  leaseMs: 3_000,
  sweepMs: 50,
  pollMs: 50,
  retention: false,
  signals: true,
} as const satisfies Partial<PlainRunnerOptions>
/** What JOB-8 allows beyond lease and sweep. */
const slackMs = 1_000
/** A store that does not become empty in that time will not. */
const drainMs = 60_000
const atOnce = 500
/** Who watches waits longer for the lock than those who are watched. */
const busyTimeoutMs = 60_000

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} }

/** What is expected of a field. */
export interface FieldOptions {
  /** Handlers at once in each of its runners. Default 4. */
  readonly concurrency?: number
  /** How many jobs each of its runners may hold beyond those. Default 20. */
  readonly maxPrefetch?: number
  /** How a job may have ended. Default: completed. */
  readonly expected?: (id: string) => readonly (Job['state'] | 'gone')[]
  /** Whether there is always somebody who takes back what the dead held. Default true. */
  readonly isKept?: boolean
}

/** One store, the processes that work on it, and the ledger they all write to. */
export class Field {
  readonly path: string
  readonly client: JobClient
  readonly store: SqliteStore
  readonly books: Books
  readonly #options: FieldOptions
  readonly #context: Context
  readonly #folder: string
  readonly #ledgerPath: string
  readonly #writer: LedgerWriter
  readonly #reader: LedgerReader
  readonly #children = new Set<Child>()
  /** Dead processes whose jobs have not been looked at. */
  readonly #dead = new Set<number>()
  /** Everything that was read, for those who look for something. */
  readonly lines: Line[] = []

  constructor(context: Context, options: FieldOptions = {}) {
    this.#context = context
    this.#options = options
    this.#folder = mkdtempSync(join(context.folder, 'field-'))
    this.path = join(this.#folder, 'jobs.db')
    this.#ledgerPath = join(this.#folder, 'ledger')
    this.#writer = new LedgerWriter(this.#ledgerPath)
    this.#reader = new LedgerReader(this.#ledgerPath)
    this.store = sqliteStore({ path: this.path, busyTimeoutMs })
    this.client = openClient({ store: this.store, logger: silent })
    const { isKept = true } = options
    this.books = new Books({
      heldAtOnce: this.concurrency + this.#maxPrefetch,
      rescueLimitMs: isKept ? quick.leaseMs + quick.sweepMs + slackMs : undefined,
    })
  }

  get concurrency(): number {
    return this.#options.concurrency ?? 4
  }

  get #maxPrefetch(): number {
    return this.#options.maxPrefetch ?? 20
  }

  /** Starts a process on the store. */
  spawn(opening: Partial<Omit<Opening, 'ledger'>> = {}, more: Omit<SpawnOptions, 'program' | 'opening'> = {}): Child {
    const child = new Child({
      ...more,
      program: this.#context.program,
      opening: { path: this.path, ...opening, ledger: this.#ledgerPath },
    })
    this.#children.add(child)
    void child.exited.then(({ signal }) => {
      this.#children.delete(child)
      // One that ended by itself has given back what it held: nothing of it may run again
      if (signal !== null) this.books.struck(child.pid, child.killedAt ?? process.hrtime.bigint())
      this.#dead.add(child.pid)
    })
    return child
  }

  /** A runner with short times, on the queue `default`. */
  runner(
    options: Partial<PlainRunnerOptions> = {},
    opening: Omit<Opening, 'path' | 'ledger' | 'runner'> = {},
    more: Omit<SpawnOptions, 'program' | 'opening'> = {},
  ): Child {
    const queues = { default: { concurrency: this.concurrency, maxPrefetch: this.#maxPrefetch } }
    return this.spawn({ ...opening, runner: { ...quick, queues, ...options } }, more)
  }

  /** Enqueues jobs, with their lines in the ledger. Answers what became of each. */
  enqueue(jobs: readonly PlannedJob[]): Promise<readonly string[]> {
    return Promise.all(
      jobs.map(async ({ id, kind, args, options }) => {
        this.#writer.write('enqueue', { job: id })
        const { outcome } = await this.client.enqueue(kind, args, { ...options, id })
        this.#writer.write(`acked:${outcome}`, { job: id })
        return outcome
      }),
    )
  }

  /** Takes what has been written to the ledger. */
  read(): readonly Line[] {
    const lines = this.#reader.read()
    for (const line of lines) this.lines.push(line)
    this.books.read(lines)
    return lines
  }

  /** Waits for a line in the ledger; undefined if it does not come. */
  async line(what: (line: Line) => boolean, ms = 15_000): Promise<Line | undefined> {
    await within(ms, () => {
      this.read()
      return this.lines.some(what)
    })
    return this.lines.find(what)
  }

  /** Jobs that somebody inserts into the store without the client. */
  noteInserted(ids: readonly string[]): void {
    for (const job of ids) {
      this.#writer.write('enqueue', { job })
      this.#writer.write('acked:inserted', { job })
    }
  }

  /** After each round: what can be told at any time. Jobs of dead processes that have ended must not begin again. */
  async check(): Promise<void> {
    this.read()
    for (const pid of this.#dead) {
      this.#dead.delete(pid)
      await this.#lookAt(this.books.openJobsOf(pid))
    }
    const acknowledged = this.books.acknowledged.length
    const { queues } = await this.client.stats()
    const stored = Object.values(queues).reduce((sum, queue) => sum + totalOf(queue), 0)
    if (this.#options.expected === undefined && stored < acknowledged)
      this.books.violated('JOB-1', `${acknowledged} jobs were acknowledged, ${stored} are there`)
  }

  /** Resolves when nothing is left to do, with false if that took too long. */
  idle(): Promise<boolean> {
    return within(drainMs, async () => {
      const { queues } = await this.client.stats()
      return Object.values(queues).every(({ delayed, waiting, running }) => delayed + waiting + running === 0)
    })
  }

  /** Waits until nothing is left to do, and checks everything. Answers what it adds up to. */
  async finish(): Promise<Tally> {
    if (!(await this.idle()))
      this.books.violated('JOB-1', `after ${drainMs} ms there is still something to do: ${await this.#leftOver()}`)
    this.read()
    const { tally } = this.books
    const states = await this.#states()
    for (const id of states.keys()) {
      if (this.books.hasBegun(id)) continue
      tally.unexpected++
      this.books.violated('JOB-1', `job ${id} is there, and nobody has enqueued it`)
    }
    const { expected = () => ['completed'] } = this.#options
    for (const id of this.books.acknowledged) {
      const state = states.get(id) ?? 'gone'
      if (state === 'completed') tally.completed++
      if (expected(id).includes(state)) continue
      tally.lost++
      this.books.violated('JOB-1', `job ${id} was acknowledged, and is ${state}; it was to be ${expected(id).join(' or ')}`)
    }
    await this.#compareCounts(states)
    for (const sentence of await this.store.integrityCheck()) this.books.violated('JOB-1', `the file is not whole: ${sentence}`)
    this.books.finish()
    return tally
  }

  /** Ends whatever is left, and removes the files. */
  async close(): Promise<void> {
    await Promise.all([...this.#children].map(child => child.kill()))
    await this.client.close()
    this.#writer.close()
    this.#reader.close()
    await rm(this.#folder, { recursive: true, force: true })
  }

  async #lookAt(ids: readonly string[]): Promise<void> {
    for (let from = 0; from < ids.length; from += atOnce) {
      const jobs = await this.store.find(ids.slice(from, from + atOnce))
      const at = process.hrtime.bigint()
      for (const job of jobs) if (job !== undefined && job.finishedAt !== undefined) this.books.seenDone(job.id, at)
    }
  }

  async #states(): Promise<ReadonlyMap<string, Job['state']>> {
    const states = new Map<string, Job['state']>()
    let before: number | undefined
    do {
      const page = await this.store.list({ limit: 1_000, before })
      for (const job of page.jobs) {
        states.set(job.id, job.state)
        this.#checkAttempts(job)
      }
      before = page.next
    } while (before !== undefined)
    return states
  }

  /** JOB-7: what a death, a stop or a lost lease cut off is no attempt; only failures are. */
  #checkAttempts({ id, kind, state, attempt, args }: StoredJob): void {
    if (state !== 'completed') return
    const { failures = 0 } = JSON.parse(args) as Partial<KindArgs['again']>
    if (attempt !== failures + 1)
      this.books.violated('JOB-7', `${kind} ${id} needed ${attempt} attempts instead of ${failures + 1}`)
  }

  /** The counts that are kept must be those of the rows. */
  async #compareCounts(states: ReadonlyMap<string, Job['state']>): Promise<void> {
    const { queues } = await this.client.stats()
    for (const state of ['delayed', 'waiting', 'running', 'completed', 'failed', 'discarded', 'cancelled'] as const) {
      const kept = Object.values(queues).reduce((sum, queue) => sum + queue[state], 0)
      const found = [...states.values()].filter(each => each === state).length
      if (kept !== found) this.books.violated('JOB-1', `the store counts ${kept} jobs that are ${state}; there are ${found}`)
    }
  }

  async #leftOver(): Promise<string> {
    const { jobs } = await this.store.list({ states: ['delayed', 'waiting', 'running'], limit: 5 })
    return jobs.map(({ id, kind, state, attempt, crashes }) => `${id} ${kind} ${state} ${attempt}/${crashes}`).join(', ')
  }
}

function totalOf(queue: Readonly<Record<Job['state'], number>>): number {
  const { delayed, waiting, running, completed, failed, discarded, cancelled } = queue
  return delayed + waiting + running + completed + failed + discarded + cancelled
}
