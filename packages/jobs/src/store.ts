import type { Clock, Logger } from '@genstage/core'

/**
 * The contract of a store: where jobs live. Batch-first, every call is one write or one read, every write is durable when its promise
 * has resolved, and a call either happens whole or not at all. Every call settles in the end: where a connection may hang, the store ends
 * it with an error. Texts (args, results, progress) are JSON that the store carries and never
 * looks into. Times are the store's own clock, milliseconds since 1970; durations are handed over, never dates of the caller's clock.
 *
 * A job's life: `delayed` until its time (once it is due it is read as `waiting` everywhere), `waiting` until it is claimed, `running` while a runner holds it, then one of `completed`,
 * `failed`, `discarded`, `cancelled`, which are terminal. A claim gives the job a **token**, a number that the store never gives
 * twice; whoever settles, reports or begins a job names it, and is refused once the job has been taken away (fencing). The **lease** is
 * the runner's, not the job's: a runner that has not sent a heartbeat for its lease is dead, and all it held is rescued.
 */
export interface Store {
  /** What it is, for messages and figures: `memory`, `sqlite`. */
  readonly name: string

  /** Connects, migrates, checks. Called once, before anything else. Rejects with `STORE_UNAVAILABLE`, `STORE_BUSY`, `SCHEMA_TOO_NEW`, `STORE_CORRUPT`, `BAD_CONFIG`. */
  open(context: StoreContext): Promise<void>
  /** Finishes what was called before and lets go of everything. Safe twice. */
  close(): Promise<void>

  /**
   * Stores jobs, all or none. They are taken in order, so that jobs of one call can be duplicates of one another. A job whose id is
   * there already is answered as `duplicate` when queue, kind, version and args are the same (a retry of a lost reply), and rejects
   * the whole call with `ID_CONFLICT` when they are not (BAD-102).
   */
  insert(jobs: readonly NewJob[]): Promise<readonly Inserted[]>

  /**
   * Takes up to `limit` jobs that are waiting and due in `queue` and whose kind the runner knows, in the order of (priority, run-at,
   * seq), each ascending: they are running from now on. Delayed jobs that have become due count as waiting. A paused queue gives none, nor does a
   * claim of a runner that is not registered (nobody could rescue what it took).
   */
  claim(request: ClaimRequest): Promise<Claimed>

  /**
   * Ends attempts, and claims the next jobs in the same write. A settlement with a stale token changes nothing and is answered
   * `false` (JOB-4). Where a cancellation was requested while the job ran, it wins over `retry`, `snooze` and `release` (the job is
   * cancelled); an attempt that ended otherwise stays as it ended.
   */
  settle(settlements: readonly Settlement[], next?: ClaimRequest): Promise<Settled>

  /** Marks suspects (jobs with crashes) as really started, just before they are; `false` for a stale token. See `rescue`. */
  begin(held: readonly Held[]): Promise<readonly boolean[]>

  /** Keeps progress and log lines of running jobs; `false` for a stale token. Of the log lines of a job the newest 1,000 are kept. */
  report(reports: readonly Report[]): Promise<readonly boolean[]>

  /** Enters a runner, whose lease begins now. One that was there under this id is taken for dead. */
  register(runner: NewRunner, leaseMs: number): Promise<void>
  /** Renews the lease, and answers which of the runner's jobs are to be cancelled. `alive: false`: it was judged dead, all its jobs are gone. */
  heartbeat(runner: string, leaseMs: number, figures?: RunnerFigures): Promise<Heartbeat>
  /** The runner leaves: what it still holds waits again, with the attempt not counted. */
  unregister(runner: string): Promise<void>
  /** Where the store can beat off the event loop (a thread): begins that. Without it, or where it answers undefined, the runner beats by its own clock. */
  startHeart?(options: HeartOptions): Promise<Heart | undefined>

  /**
   * Takes back what dead runners held, and forgets them: at most `limit` jobs a call, `more` tells whether there are others. An attempt
   * that was cut off is not counted as an attempt; it counts as a crash if it may have begun, that is if
   * `begin` was called, or it was the first crash of several that are allowed. A job with `crashLimit` crashes becomes `failed` (`RUNNER_CRASHED`), all others wait again at their old place.
   * A job whose cancellation was requested becomes `cancelled`. A runner that registers again meanwhile keeps none of its old jobs.
   */
  rescue(request: RescueRequest): Promise<Rescued>
  /** What the store believes this runner holds: asked after a claim whose answer never came, to give back what nobody knows of. */
  holdings(runner: string): Promise<readonly Held[]>
  /** The jobs of this runner whose cancellation is requested. */
  cancellations(runner: string): Promise<readonly Cancellation[]>

  /** In the order of `ids`, undefined for one that is not there. */
  find(ids: readonly string[]): Promise<readonly (StoredJob | undefined)[]>
  /** A page of jobs, newest first. */
  list(query: ListQuery): Promise<JobPage>
  /** The log lines of a job, oldest first. */
  logs(id: string): Promise<readonly LogEntry[]>
  /** Removes jobs that are not running. */
  remove(ids: readonly string[]): Promise<readonly ('removed' | 'running' | 'missing')[]>
  /** Cancels: at once where the job does not run, else by a request to its runner. A second reason changes nothing. */
  cancel(ids: readonly string[], reason: string): Promise<readonly ('cancelled' | 'requested' | 'finished' | 'missing')[]>
  /** Gives jobs that are delayed or waiting a new time: so many milliseconds from now, 0 for at once. */
  reschedule(ids: readonly string[], inMs: number): Promise<readonly ('rescheduled' | 'running' | 'finished' | 'missing')[]>
  /** Puts failed, discarded and cancelled jobs back into their queue, with all attempts and crashes ahead of them; the history stays. They do not take their unique keys again. */
  retry(ids: readonly string[]): Promise<readonly ('retried' | 'active' | 'completed' | 'missing')[]>

  /** Counts by queue and state, and what was ever processed and failed. Takes the same time whatever is stored. */
  stats(): Promise<StoreStats>
  /** For all runners, from their next claim on. The queue need not have jobs. */
  pauseQueue(queue: string): Promise<void>
  resumeQueue(queue: string): Promise<void>
  /** Removes what is delayed or waiting in a queue. Answers how many jobs that were. */
  clearQueue(queue: string): Promise<number>
  /** Forgets a queue that has no delayed, waiting or running jobs; rejects with `QUEUE_NOT_EMPTY` otherwise. Its finished jobs go with it. */
  removeQueue(queue: string): Promise<void>
  /** The runners that live: registered, and heard of within their lease, also where no other runner is there to declare them dead. */
  runners(): Promise<readonly StoredRunner[]>
  /** Whether this runner is the leader: the one that prunes. The leader stays it as long as it is registered and alive. */
  lead(runner: string): Promise<boolean>
  /** Removes finished jobs by age and number, at most `limit` a call. Never touches others (JOB-14). Answers how many it removed. */
  prune(request: PruneRequest): Promise<number>

  /** Calls `listener` with hints of what changed, also by others where the store can tell. Hints may come late, twice or never. Returns how to end it. */
  listen(listener: (hint: Hint) => void): () => void
}

/** What a store gets of the outside. */
export interface StoreContext {
  readonly clock: Clock
  readonly logger: Logger
}

export type JobState = 'delayed' | 'waiting' | 'running' | TerminalState
export type TerminalState = 'completed' | 'failed' | 'discarded' | 'cancelled'

/** A job as it is stored. Everything is checked before. */
export interface NewJob {
  /** A UUID, made by the client, so that a retry of a lost reply inserts nothing twice (F6). */
  readonly id: string
  readonly queue: string
  readonly kind: string
  /** Version of the args. */
  readonly version: number
  /** JSON. */
  readonly args: string
  /** Lower goes first. A 32-bit integer. */
  readonly priority: number
  /** Not before that many milliseconds from now; 0: at once. */
  readonly delayMs: number
  /** Or not before that time, milliseconds since 1970 (it goes before `delayMs`). */
  readonly runAt?: number | undefined
  readonly maxAttempts: number
  readonly timeoutMs?: number | undefined
  readonly tags?: readonly string[] | undefined
  readonly unique?: Unique | undefined
}

/**
 * At most one job per key. The key is held by the job that was stored with it: until it has `finished`, until it has `started`
 * (both also end when the job is removed), or for a window of so many milliseconds from the insert, whatever becomes of the job.
 * While it is held, another job with the key is a conflict:
 * - `keep`: it is not stored, the answer names the holder (`duplicate`).
 * - `replace`: a holder of the same queue and kind that is delayed or waiting becomes the new one in all but its id and its history: args,
 *   version, priority, attempts, timeout, tags and time are the new ones, no attempt and no crash is counted (`replaced`); any other is kept (`duplicate`). With `started` this is a debounce.
 * - `next` (windows only): it is stored for the end of the window, which is the beginning of the next one; one such job at a time,
 *   further ones are duplicates of it, until it has started.
 */
export interface Unique {
  readonly key: string
  readonly until: 'finished' | 'started' | number
  readonly conflict: 'keep' | 'replace' | 'next'
}

export interface Inserted {
  /** Of the job that is there now: that of the holder if this one is a duplicate. */
  readonly id: string
  readonly outcome: 'inserted' | 'duplicate' | 'replaced'
  /** Where the holder is in another queue than this job was to go to: its queue. */
  readonly queue?: string | undefined
}

export interface ClaimRequest {
  readonly runner: string
  readonly queue: string
  /** At least 1. */
  readonly limit: number
  /** Jobs of other kinds are left for other runners (JOB-19). */
  readonly kinds: readonly string[]
}

export interface Claimed {
  readonly jobs: readonly ClaimedJob[]
  /** Milliseconds until the next delayed job of the queue is due; undefined if there is none. */
  readonly nextInMs?: number | undefined
  /** The queue is paused. */
  readonly paused: boolean
}

/** A job in the hands of a runner. */
export interface Held {
  /** The number of the job in its store: rising, never used twice. */
  readonly seq: number
  readonly token: number
}

export interface ClaimedJob extends Held {
  readonly id: string
  readonly queue: string
  readonly kind: string
  readonly version: number
  readonly args: string
  readonly priority: number
  /** The attempt that begins with this claim; the first is 1. */
  readonly attempt: number
  readonly maxAttempts: number
  /** How many attempts were cut off by the death of their runner. */
  readonly crashes: number
  readonly timeoutMs: number | undefined
  /** What an earlier attempt reported last. */
  readonly progress: string | undefined
  readonly enqueuedAt: number
  readonly runAt: number
  /** The store's time of the claim. */
  readonly claimedAt: number
}

/** How an attempt ended. */
export type Settlement = Held & {
  /** How long the handler ran, by the runner's clock. `startedAt` of the job becomes now minus this. */
  readonly ranMs: number
} & (
    | { readonly to: 'completed'; readonly result?: string | undefined }
    /** Given up: attempts are used up, or the handler said so. */
    | { readonly to: 'failed' | 'discarded'; readonly failure: Failure }
    | { readonly to: 'cancelled'; readonly reason: string }
    /** Another attempt, later. */
    | { readonly to: 'retry'; readonly inMs: number; readonly failure: Failure }
    /** Later again; the attempt does not count. */
    | { readonly to: 'snooze'; readonly inMs: number }
    /** Never begun, or cut off by a stop: waits again at its old place; the attempt does not count. */
    | { readonly to: 'release' }
  )

export interface Settled {
  /** In the order of the settlements. */
  readonly accepted: readonly boolean[]
  /** Accepted settlements over which a request to cancel has won, by their place, with its reason: these jobs are cancelled. */
  readonly overruled?: readonly Overruled[] | undefined
  /** The answer to `next`. */
  readonly claimed?: Claimed | undefined
}

export interface Overruled {
  readonly index: number
  readonly reason: string
}

/** Why an attempt failed, as data. */
export interface Failure {
  /** Of the error, where it has one; ours are `JOB_TIMEOUT`, `STRAY_ERROR`, `RUNNER_CRASHED` … */
  readonly code?: string | undefined
  readonly name: string
  readonly message: string
  readonly stack?: string | undefined
}

/** One attempt that did not complete the job. The newest 25 are kept. */
export interface AttemptRecord {
  readonly attempt: number
  readonly runner: string
  readonly startedAt: number
  readonly endedAt: number
  readonly outcome: 'failed' | 'discarded' | 'cancelled' | 'retry' | 'snooze' | 'crash'
  readonly failure?: Failure | undefined
}

export interface Report extends Held {
  /** JSON; replaces what was there. */
  readonly progress?: string | undefined
  readonly logs?: readonly LogEntry[] | undefined
}

export interface LogEntry {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  /** Milliseconds since 1970, by the clock of the runner. */
  readonly at: number
}

export interface NewRunner {
  readonly id: string
  /** What its user calls it. */
  readonly name?: string | undefined
  readonly host: string
  readonly pid: number
  readonly queues: readonly { readonly name: string; readonly concurrency: number }[]
  /** Whatever the user wants to see beside it: JSON. */
  readonly metadata?: string | undefined
}

/** What changes while a runner works. */
export interface RunnerFigures {
  readonly queues: readonly QueueFigures[]
}

export interface QueueFigures {
  readonly name: string
  readonly concurrency: number
  readonly running: number
  /** Attempts that this runner has ended, however they ended. */
  readonly processed: number
  /** When it began its last job, by the clock of the runner. */
  readonly lastJobAt?: number | undefined
}

export interface StoredRunner {
  readonly id: string
  readonly name: string | undefined
  readonly host: string
  readonly pid: number
  readonly startedAt: number
  readonly seenAt: number
  readonly queues: readonly QueueFigures[]
  readonly metadata: string | undefined
}

export interface Heartbeat {
  readonly alive: boolean
  readonly cancellations: readonly Cancellation[]
}

export interface Cancellation extends Held {
  readonly reason: string
}

export interface HeartOptions {
  readonly runner: string
  readonly leaseMs: number
  readonly everyMs: number
  /** After the event loop has been blocked for so long the heart stops: the process is taken for dead. */
  readonly giveUpAfterMs: number
  /** The runner was judged dead, or the heart cannot reach the store any more. */
  readonly onLost: () => void
  /** The event loop is free again, after so many milliseconds: told once per block that was longer than half a lease. */
  readonly onBlocked: (ms: number) => void
}

export interface Heart {
  stop(): Promise<void>
}

export interface RescueRequest {
  /** The runner that asks: never judged dead by itself. */
  readonly runner: string
  readonly crashLimit: number
  readonly limit: number
}

export interface Rescued {
  /** Ids of runners that were found dead by this call. */
  readonly runners: readonly string[]
  readonly jobs: readonly { readonly id: string; readonly queue: string; readonly kind: string; readonly state: JobState }[]
  readonly more: boolean
}

/** A job as it is read. */
export interface StoredJob {
  readonly id: string
  readonly seq: number
  readonly queue: string
  readonly kind: string
  readonly version: number
  readonly args: string
  readonly state: JobState
  readonly priority: number
  /** The attempt that runs or ran last; 0 before the first. */
  readonly attempt: number
  readonly maxAttempts: number
  readonly crashes: number
  readonly timeoutMs: number | undefined
  readonly tags: readonly string[]
  readonly uniqueKey: string | undefined
  readonly enqueuedAt: number
  readonly runAt: number
  /** Of the last attempt. */
  readonly startedAt: number | undefined
  readonly finishedAt: number | undefined
  /** Id of the runner that holds it, or held it last. */
  readonly runner: string | undefined
  readonly result: string | undefined
  readonly progress: string | undefined
  /** Of the last attempt that failed. */
  readonly failure: Failure | undefined
  /** Why it was cancelled, or is to be. */
  readonly cancelReason: string | undefined
  readonly history: readonly AttemptRecord[]
}

export interface ListQuery {
  readonly queues?: readonly string[] | undefined
  readonly kinds?: readonly string[] | undefined
  readonly states?: readonly JobState[] | undefined
  readonly tag?: string | undefined
  /** `next` of the page before. */
  readonly before?: number | undefined
  readonly limit: number
}

export interface JobPage {
  readonly jobs: readonly StoredJob[]
  /** Where the next page begins; undefined after the last. */
  readonly next: number | undefined
}

/** How many jobs a queue has in each state now, and whether it is paused. Jobs that a runner has claimed ahead count as `running`. */
export interface QueueStats extends Readonly<Record<JobState, number>> {
  readonly paused: boolean
}

export interface StoreStats {
  /** Every queue that has, or had, jobs or a setting. */
  readonly queues: Readonly<Record<string, QueueStats>>
  /** Jobs that were ever completed; pruning does not lower it. */
  readonly processed: number
  /** Jobs that ever failed for good or were discarded. */
  readonly failed: number
}

export interface PruneRequest {
  /** By state: finished longer ago than this is removed. A state that is not named is kept. */
  readonly olderThanMs: Readonly<Partial<Record<TerminalState, number>>>
  /** By state: only so many of the newest are kept. */
  readonly keep?: Readonly<Partial<Record<TerminalState, number>>> | undefined
  readonly limit: number
}

/** What may have changed. */
export type Hint =
  /** Jobs may wait in this queue, or one that is delayed has become the next. In the process that inserts it may come before the insert has resolved: a claim made then sees the jobs, or comes too early and finds none, in which case the hint comes again. */
  | { readonly type: 'waiting'; readonly queue: string }
  | { readonly type: 'cancelled' }
  | { readonly type: 'finished'; readonly id: string; readonly state: TerminalState }
  /** Paused, resumed. */
  | { readonly type: 'queue'; readonly queue: string }
  /** Another process changed something: look at everything. */
  | { readonly type: 'changed' }
