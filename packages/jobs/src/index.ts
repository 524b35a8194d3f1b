/**
 * `@genstage/jobs`: durable jobs. A **client** puts jobs of some **kind** into a **store**; a **runner** claims them, calls their handlers and
 * writes how that ended.
 *
 * To read the sources, follow a job. The words first: store.ts (the contract of stores, and all that is stored), kind.ts, payload.ts (what
 * can be stored), outcome.ts, backoff.ts. A client (client.ts) makes one write of what is enqueued in one turn (insert-batcher.ts). A
 * runner (runner.ts) has, for each queue, a work-queue.ts: its fetcher (engine/fetcher.ts) is a producer whose demand becomes a claim, its
 * executors are a consumer supervisor that begins an attempt for each job (engine/attempt.ts), its completer (engine/completer.ts) writes
 * the ends in batches, and claims the next jobs in the same call. Around them: engine/lease.ts (heartbeats) and engine/maintenance.ts (taking
 * back what dead runners held, pruning). The stores come last: stores/memory, stores/sqlite.
 */

// kinds and what their handlers return
export { kind } from './kind.ts'
export type { DeclaredKind, Handler, Kind, KindOptions, ResultOf } from './kind.ts'
export type { JobContext, Middleware } from './job-context.ts'
export { cancel, discard, retry, snooze } from './outcome.ts'
export type { CancelOutcome, DiscardOutcome, Outcome, RetryOptions, RetryOutcome, SnoozeOutcome } from './outcome.ts'
export { byError, exponential, fixed, jittered, linear } from './backoff.ts'
export type { Backoff, ErrorMatch, ExponentialOptions, FailedAttempt, Jitter } from './backoff.ts'
export type { StandardSchema } from './standard-schema.ts'

// clients
export { openClient } from './client.ts'
export type { JobClient, RescheduleOptions } from './job-client.ts'
export type { ClientOptions } from './client-options.ts'
export type { CancelAnswer, EnqueuedJob } from './enqueued-job.ts'
export type { EnqueueOptions } from './enqueue-options.ts'
export type { DebounceOptions, ThrottleOptions, UniqueOptions } from './unique-options.ts'
export type { ResultOptions } from './result-waiter.ts'
export type { Job } from './job.ts'
export type { JobList, ListOptions } from './list-options.ts'
export type { RegisteredRunner } from './registered-runner.ts'

// runners
export { startRunner } from './runner.ts'
export type { JobRunner, RunnerQueue, RunnerStopOptions } from './job-runner.ts'
export type { RunnerOptions } from './runner-options.ts'
export type { QueueOptions } from './queue-options.ts'
export type { RetentionOptions } from './retention-options.ts'
export type { AttemptEvent, EndedEvent, JobEvent, JobEvents } from './events.ts'

// stores
export { memoryStore } from './stores/memory/memory-store.ts'
export { sqliteStore } from './stores/sqlite/sqlite-store.ts'
export type { SqliteStore } from './stores/sqlite/sqlite-store.ts'
export type { SqliteStoreOptions } from './stores/sqlite/sqlite-options.ts'
export type {
  SqliteConnection,
  SqliteDriver,
  SqliteDriverName,
  SqliteStatement,
  SqlRow,
  SqlValue,
} from './stores/sqlite/driver.ts'
export type {
  AttemptRecord,
  Failure,
  JobState,
  LogEntry,
  QueueFigures,
  QueueStats,
  Store,
  StoreStats,
  TerminalState,
} from './store.ts'

// errors
export { JobsError } from './errors.ts'
export type { JobsErrorCode, JobsErrorDetails } from './errors.ts'
