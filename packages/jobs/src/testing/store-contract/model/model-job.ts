import type { AttemptRecord, Failure, JobState, NewJob, StoredJob } from '../../../store.ts'

/** A job of the model: what one reads of it, and the claim that holds it. */
export interface ModelJob {
  readonly id: string
  /** Jobs are numbered in the order in which they were stored. */
  readonly order: number
  readonly queue: string
  readonly kind: string
  readonly uniqueKey: string | undefined
  readonly enqueuedAt: number
  version: number
  args: string
  priority: number
  maxAttempts: number
  state: JobState
  attempt: number
  crashes: number
  runAt: number
  startedAt: number | undefined
  finishedAt: number | undefined
  runner: string | undefined
  result: string | undefined
  progress: string | undefined
  failure: Failure | undefined
  cancelReason: string | undefined
  history: AttemptRecord[]
  logged: string[]
  /** Number of the claim by which it runs. */
  claim: number | undefined
  begun: boolean
}

export function modelJob(job: NewJob, order: number, now: number, runAt: number): ModelJob {
  return {
    id: job.id,
    order,
    queue: job.queue,
    kind: job.kind,
    uniqueKey: job.unique?.key,
    enqueuedAt: now,
    version: job.version,
    args: job.args,
    priority: job.priority,
    maxAttempts: job.maxAttempts,
    state: runAt <= now ? 'waiting' : 'delayed',
    attempt: 0,
    crashes: 0,
    runAt,
    startedAt: undefined,
    finishedAt: undefined,
    runner: undefined,
    result: undefined,
    progress: undefined,
    failure: undefined,
    cancelReason: undefined,
    history: [],
    logged: [],
    claim: undefined,
    begun: false,
  }
}

export function isOpen({ state }: ModelJob): boolean {
  return state === 'delayed' || state === 'waiting'
}

export function isEnded(job: ModelJob): boolean {
  return !isOpen(job) && job.state !== 'running'
}

export function record(job: ModelJob, outcome: AttemptRecord['outcome'], now: number, failure?: Failure): void {
  const { attempt, runner = '', startedAt = now } = job
  job.history.push({ attempt, runner, startedAt, endedAt: now, outcome, failure })
  if (job.history.length > 25) job.history.shift()
}

/** What can be compared of a job of the model. */
export function pictureOfModel(job: ModelJob | undefined): unknown {
  if (job === undefined) return undefined
  const { order: _, logged: __, claim: ___, begun: ____, failure, ...read } = job
  return { ...read, failure: failure && (failure.code ?? failure.name) }
}

/** The same of a job of the store. */
export function pictureOfStored(job: StoredJob | undefined): unknown {
  if (job === undefined) return undefined
  const { seq: _, tags: __, timeoutMs: ___, failure, ...read } = job
  return { ...read, failure: failure && (failure.code ?? failure.name) }
}
