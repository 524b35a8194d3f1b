/** What a handler does in one attempt. A job whose list of them is used up returns at once. */
export type Act =
  | { readonly do: 'return' | 'throw' | 'progress' | 'discard' | 'cancel'; readonly ms: number }
  /** Gives up when its signal is aborted. */
  | { readonly do: 'obey'; readonly ms: number }
  /** Never settles; only for jobs with a timeout. */
  | { readonly do: 'never' }
  | { readonly do: 'retry' | 'snooze'; readonly ms: number; readonly inMs: number }
  /** Enqueues another job, then returns. */
  | { readonly do: 'more'; readonly ms: number }
  /** Takes its process down with it. */
  | { readonly do: 'crash' }

export const kindNames = ['fixed', 'growing', 'linear'] as const
export type KindName = (typeof kindNames)[number]

export const queueNames = ['red', 'blue'] as const
export type QueueName = (typeof queueNames)[number]

/** One job, as it is enqueued. */
export interface JobPlan {
  readonly kind: KindName
  readonly queue: QueueName
  readonly priority: number
  readonly delayMs: number
  readonly maxAttempts: number
  readonly timeoutMs: number | undefined
  readonly unique:
    | { readonly key: string; readonly until: 'finished' | 'started'; readonly conflict: 'keep' | 'replace' }
    | { readonly key: string; readonly windowMs: number; readonly next: boolean }
    | undefined
  readonly acts: readonly Act[]
}

/** One runner, in a process of its own. */
export interface RunnerPlan {
  readonly kinds: readonly KindName[]
  /** Concurrency by queue. */
  readonly queues: Readonly<Partial<Record<QueueName, number>>>
  readonly prefetchMs: number
  /** What becomes of the hints of the store. */
  readonly hints: 'kept' | 'dropped' | 'twice' | 'late'
  /** Its listeners throw (JOB-18). */
  readonly noisy: boolean
  /** Finished jobs are pruned soon (JOB-14). */
  readonly prunes: boolean
}

/** Something that happens. Numbers choose among what is there. */
export type Action =
  | { readonly type: 'enqueue'; readonly by: number; readonly jobs: readonly JobPlan[] }
  | { readonly type: 'advance'; readonly ms: number }
  | { readonly type: 'steps'; readonly count: number }
  | { readonly type: 'start'; readonly runner: number }
  | { readonly type: 'kill'; readonly runner: number }
  | { readonly type: 'freeze'; readonly runner: number; readonly ms: number }
  | { readonly type: 'stop'; readonly runner: number; readonly graceMs: number }
  | { readonly type: 'pauseHere' | 'resumeHere' | 'dropQueue'; readonly runner: number; readonly queue: QueueName }
  | {
      readonly type: 'resize' | 'addQueue'
      readonly runner: number
      readonly queue: QueueName
      readonly concurrency: number
    }
  | { readonly type: 'cancel' | 'remove' | 'retry'; readonly job: number }
  | { readonly type: 'reschedule'; readonly job: number; readonly inMs: number }
  | { readonly type: 'pauseQueue' | 'resumeQueue' | 'clearQueue'; readonly queue: QueueName }
  /** The date jumps: that of the store, or that of a process. */
  | { readonly type: 'jump'; readonly ms: number; readonly where: 'store' | 'process'; readonly runner: number }

/** How unreliable the store is for the runners. */
export interface FaultRates {
  /** How many of its calls fail before they are carried out. */
  readonly before: number
  /** How many are carried out, and the answer is lost. */
  readonly after: number
  /** How long a call takes, at most. 0: none does. */
  readonly latencyMs: number
}

/** A whole run. */
export interface JobsPlan {
  readonly runners: readonly RunnerPlan[]
  readonly faults: FaultRates
  readonly actions: readonly Action[]
}
