import type { AttemptRecord, ClaimedJob, Failure, JobState, LogEntry, NewJob, Report, StoredJob } from '../../store.ts'
import type { Placed } from './heap.ts'

/** How many records of attempts a job keeps, and how many log lines. */
const keptRecords = 25
const keptLogs = 1_000

const noHistory: readonly AttemptRecord[] = []
const noTags: readonly string[] = []
const noLogs: readonly LogEntry[] = []

/** A job as the store holds it. What is read of it is a copy. */
export class MemoryJob implements Placed {
  readonly id: string
  readonly seq: number
  readonly queue: string
  readonly kind: string
  version = 1
  args = ''
  priority = 0
  maxAttempts = 1
  timeoutMs: number | undefined = undefined
  tags: readonly string[] = noTags
  readonly uniqueKey: string | undefined
  readonly enqueuedAt: number
  runAt: number
  /** Changed by the job table alone, which knows where a job of each state is to be. */
  state: JobState = 'delayed'
  attempt = 0
  crashes = 0
  startedAt: number | undefined = undefined
  finishedAt: number | undefined = undefined
  runner: string | undefined = undefined
  result: string | undefined = undefined
  progress: string | undefined = undefined
  failure: Failure | undefined = undefined
  cancelReason: string | undefined = undefined
  history: readonly AttemptRecord[] = noHistory
  /** Oldest first. */
  logs: readonly LogEntry[] = noLogs
  /** Of the last claim; valid while the job is running. */
  token = 0
  /** The handler has really been started: told by `begin`, which only suspects need. */
  begun = false
  /** While it is running: all that its runner holds. */
  heldWith: Set<MemoryJob> | undefined = undefined
  /** In the chain of those that have finished. */
  endedBefore: MemoryJob | undefined = undefined
  endedAfter: MemoryJob | undefined = undefined
  isRemoved = false
  /** In the heap of what waits or of what is delayed. */
  place = 0

  constructor(seq: number, job: NewJob, now: number, runAt: number) {
    this.id = job.id
    this.seq = seq
    this.queue = job.queue
    this.kind = job.kind
    this.uniqueKey = job.unique?.key
    this.enqueuedAt = now
    this.runAt = runAt
    this.takeOver(job)
  }

  /** Becomes the work of another job, with all attempts ahead of it. */
  takeOver(job: NewJob): void {
    this.version = job.version
    this.args = job.args
    this.priority = job.priority
    this.maxAttempts = job.maxAttempts
    this.timeoutMs = job.timeoutMs
    this.tags = job.tags === undefined || job.tags.length === 0 ? noTags : [...job.tags]
    this.attempt = 0
    this.crashes = 0
    this.progress = undefined
  }

  /** Whether this is the job that was to be stored: then the reply to an earlier insert was lost. */
  isSameAs(job: NewJob): boolean {
    return this.queue === job.queue && this.kind === job.kind && this.version === job.version && this.args === job.args
  }

  /** Keeps how the attempt that runs has ended. */
  remember(outcome: AttemptRecord['outcome'], now: number, failure?: Failure): void {
    const record: AttemptRecord = {
      attempt: this.attempt,
      runner: this.runner ?? '',
      startedAt: this.startedAt ?? now,
      endedAt: now,
      outcome,
      ...(failure !== undefined && { failure }),
    }
    this.history = [...this.history.slice(1 - keptRecords), record]
  }

  /** True: it was told of the job as it is held now. */
  begin(): true {
    this.begun = true
    return true
  }

  /** True: it was told of the job as it is held now. */
  report({ progress, logs }: Report): true {
    this.progress = progress ?? this.progress
    if (logs !== undefined) this.logs = [...this.logs, ...logs].slice(-keptLogs)
    return true
  }

  claimed(claimedAt: number): ClaimedJob {
    return {
      seq: this.seq,
      token: this.token,
      id: this.id,
      queue: this.queue,
      kind: this.kind,
      version: this.version,
      args: this.args,
      priority: this.priority,
      attempt: this.attempt,
      maxAttempts: this.maxAttempts,
      crashes: this.crashes,
      timeoutMs: this.timeoutMs,
      progress: this.progress,
      enqueuedAt: this.enqueuedAt,
      runAt: this.runAt,
      claimedAt,
    }
  }

  stored(): StoredJob {
    return {
      id: this.id,
      seq: this.seq,
      queue: this.queue,
      kind: this.kind,
      version: this.version,
      args: this.args,
      state: this.state,
      priority: this.priority,
      attempt: this.attempt,
      maxAttempts: this.maxAttempts,
      crashes: this.crashes,
      timeoutMs: this.timeoutMs,
      tags: this.tags,
      uniqueKey: this.uniqueKey,
      enqueuedAt: this.enqueuedAt,
      runAt: this.runAt,
      startedAt: this.startedAt,
      finishedAt: this.finishedAt,
      runner: this.runner,
      result: this.result,
      progress: this.progress,
      failure: this.failure,
      cancelReason: this.cancelReason,
      history: this.history,
    }
  }
}

/** The order of claims. */
export function isClaimedBefore(a: MemoryJob, b: MemoryJob): boolean {
  if (a.priority !== b.priority) return a.priority < b.priority
  if (a.runAt !== b.runAt) return a.runAt < b.runAt
  return a.seq < b.seq
}

/** The order in which delayed jobs become due. */
export function isDueBefore(a: MemoryJob, b: MemoryJob): boolean {
  return a.runAt === b.runAt ? a.seq < b.seq : a.runAt < b.runAt
}
