import type { Line } from './ledger.ts'
import { emptyTally, type Tally } from './tally.ts'

/** One run of a handler. */
interface Run {
  readonly token: number
  readonly pid: number
  readonly at: bigint
  hasEnded: boolean
}

/** What the ledger says of a job. */
interface Entry {
  readonly id: string
  /** Of every claim that was answered. */
  readonly claims: Map<number, number>
  readonly runs: Run[]
  /** Attempts that ended with an accepted settlement, by token: how. */
  readonly settled: Map<number, string>
  /** Tokens whose lease was lost. */
  readonly taken: Set<number>
  isBegun: boolean
  isAcknowledged: boolean
  /** It was acknowledged, or seen, to have ended: nothing may start it any more (JOB-5). */
  doneAt: bigint | undefined
}

const terminal: ReadonlySet<string> = new Set(['completed', 'failed', 'discarded', 'cancelled'])

/** What is checked beyond JOB-1 and JOB-4 to 6. */
export interface BooksOptions {
  /** Within that many milliseconds after a death all it held is taken back (JOB-8). Undefined where nobody is there to do it. */
  readonly rescueLimitMs?: number | undefined
  /** How many jobs a process may hold: those that run, and those claimed ahead. So many may run twice because of one death (JOB-6). */
  readonly heldAtOnce: number
}

/** Reads the lines of a ledger, in the order in which they come, and finds what must not be (JOB-4 to 6, 8). */
export class Books {
  readonly tally: Tally = emptyTally()
  readonly #options: BooksOptions
  readonly #jobs = new Map<string, Entry>()
  /** When processes died, or were made to stand still. */
  readonly #struck = new Map<number, bigint>()
  readonly #rescuedFrom = new Set<string>()
  #duplicatedAfterEnd = 0

  constructor(options: BooksOptions) {
    this.#options = options
  }

  /** Ids of jobs that a process has claimed, and whose end is not known. */
  openJobsOf(pid: number): readonly string[] {
    const open: string[] = []
    for (const { id, claims, doneAt } of this.#jobs.values())
      if (doneAt === undefined && [...claims.values()].includes(pid)) open.push(id)
    return open
  }

  get acknowledged(): readonly string[] {
    return [...this.#jobs.values()].filter(({ isAcknowledged }) => isAcknowledged).map(({ id }) => id)
  }

  hasBegun(id: string): boolean {
    return this.#jobs.get(id)?.isBegun ?? false
  }

  /** How often the handler of a job was called. */
  runsOf(id: string): number {
    return this.#jobs.get(id)?.runs.length ?? 0
  }

  /** A process was killed or stopped, so that what it held is taken from it. */
  struck(pid: number, at: bigint): void {
    if (!this.#struck.has(pid)) this.#struck.set(pid, at)
  }

  /** Somebody has seen in the store that the job has ended. */
  seenDone(id: string, at: bigint): void {
    this.#done(this.#entry(id), at)
  }

  violated(invariant: string, what: string): void {
    this.tally.violations.push(`${invariant}: ${what}`)
  }

  read(lines: readonly Line[]): void {
    for (const line of lines) this.#take(line)
  }

  /** When the ledger is complete: what can only be told from all of it. */
  finish(): void {
    for (const entry of this.#jobs.values()) {
      this.#checkRuns(entry)
      this.#checkEnd(entry)
      if (entry.isAcknowledged) this.tally.acknowledged++
    }
    const most = this.#struck.size * this.#options.heldAtOnce
    if (this.#duplicatedAfterEnd > most)
      this.violated('JOB-6', `${this.#duplicatedAfterEnd} handlers ran to their end twice; ${most} jobs at most had been held`)
  }

  #take({ at, event, job, token, pid }: Line): void {
    const [name, detail = ''] = event.split(':')
    if (job === '') return
    const entry = this.#entry(job)
    switch (name) {
      case 'enqueue':
        entry.isBegun = true
        return
      case 'acked':
        entry.isAcknowledged = true
        return
      case 'claimed':
        entry.claims.set(token, pid)
        return
      case 'start':
        return this.#started(entry, { token, pid, at, hasEnded: false })
      case 'end':
        for (const run of entry.runs) if (run.token === token) run.hasEnded = true
        return
      case 'settled':
        return this.#settled(entry, token, detail, at)
      case 'refused':
        this.tally.staleRefused++
        entry.taken.add(token)
        return
      case 'leaseLost':
        entry.taken.add(token)
        return
      case 'rescued':
        return this.#rescued(entry, at)
      default:
    }
  }

  #started(entry: Entry, run: Run): void {
    this.tally.attempts++
    entry.runs.push(run)
    if (entry.doneAt !== undefined && run.at > entry.doneAt) this.violated('JOB-5', `job ${entry.id} was started after its end`)
  }

  #settled(entry: Entry, token: number, to: string, at: bigint): void {
    const before = [...entry.settled.values()].find(each => terminal.has(each))
    if (before !== undefined) this.violated('JOB-4', `job ${entry.id} was ${before}, and then settled as ${to}`)
    entry.settled.set(token, to)
    if (terminal.has(to)) this.#done(entry, at)
  }

  #done(entry: Entry, at: bigint): void {
    if (entry.doneAt !== undefined) return
    entry.doneAt = at
    if (entry.runs.some(run => run.at > at)) this.violated('JOB-5', `job ${entry.id} was started after its end`)
  }

  #rescued(entry: Entry, at: bigint): void {
    this.tally.recovered++
    const token = Math.max(0, ...entry.claims.keys())
    // A claim whose answer never came stands in no ledger
    if (entry.settled.has(token)) return
    const holder = entry.claims.get(token)
    const since = holder === undefined ? undefined : this.#struck.get(holder)
    if (since === undefined || this.#rescuedFrom.has(`${entry.id} ${token}`)) return
    this.#rescuedFrom.add(`${entry.id} ${token}`)
    const ms = Math.max(0, Number(at - since) / 1e6)
    this.tally.rescueMs.push(ms)
    const { rescueLimitMs = Infinity } = this.#options
    if (ms > rescueLimitMs)
      this.violated('JOB-8', `job ${entry.id} was taken back ${Math.round(ms)} ms after a death, ${rescueLimitMs} are allowed`)
  }

  /** JOB-6: whoever ran before has died, given the job back, or lost it. */
  #checkRuns({ id, runs, settled, taken }: Entry): void {
    const inOrder = runs.toSorted((a, b) => a.token - b.token)
    for (const [index, run] of inOrder.entries()) {
      if (index === inOrder.length - 1) return
      const how = settled.get(run.token)
      const wasGivenBack = how !== undefined && !terminal.has(how)
      const wasStruck = this.#struck.has(run.pid) || taken.has(run.token)
      if (wasGivenBack) continue
      if (wasStruck && how === undefined) {
        this.tally.allowedDuplicates++
        if (run.hasEnded && this.#struck.has(run.pid)) this.#duplicatedAfterEnd++
      } else {
        this.tally.forbiddenDuplicates++
        this.violated('JOB-6', `job ${id} ran again although nothing had happened to the run before (${how ?? 'not settled'})`)
      }
    }
  }

  /** JOB-4: the end came from whoever held the job last. */
  #checkEnd({ id, settled, claims }: Entry): void {
    for (const [token, to] of settled)
      if (terminal.has(to) && token < Math.max(...claims.keys()))
        this.violated('JOB-4', `job ${id} was ${to} by a token that was stale`)
  }

  #entry(id: string): Entry {
    let entry = this.#jobs.get(id)
    if (entry === undefined) {
      entry = {
        id,
        claims: new Map(),
        runs: [],
        settled: new Map(),
        taken: new Set(),
        isBegun: false,
        isAcknowledged: false,
        doneAt: undefined,
      }
      this.#jobs.set(id, entry)
    }
    return entry
  }
}
