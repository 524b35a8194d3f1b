import {
  cancel,
  discard,
  type EnqueueOptions,
  exponential,
  fixed,
  type JobContext,
  type Kind,
  kind,
  linear,
  retry,
  snooze,
} from '../src/index.ts'
import type { Act, JobPlan, KindName } from './plan.ts'

/** What a planned job is enqueued with. */
export interface PlannedArgs {
  readonly number: number
  readonly acts: readonly Act[]
  /** Something that has to arrive as it was sent (JOB-17). */
  readonly payload: unknown
}

/** Where a handler runs. */
export interface Surroundings {
  /** The handler begins. Answers what it is to do. */
  begin(args: PlannedArgs, job: JobContext): Act
  delay(ms: number): Promise<void>
  /** Another job is to be enqueued. */
  enqueueMore(job: JobContext): Promise<void>
  /** The process ends now. */
  crash(): void
  /** The handler is over. */
  end(job: JobContext): void
}

/** The times of the back-offs. */
export const backoffTimes = { fixedMs: 200, firstMs: 100, mostMs: 1_500, stepMs: 300 } as const

const backoffs = {
  fixed: fixed(backoffTimes.fixedMs),
  growing: exponential({ firstMs: backoffTimes.firstMs, maxMs: backoffTimes.mostMs }),
  linear: linear(backoffTimes.stepMs),
}

/** The kinds, with handlers that do what their args say. */
export function plannedKinds(names: readonly KindName[], surroundings: Surroundings): readonly Kind[] {
  return names.map(name =>
    kind(name, { backoff: backoffs[name], handler: (args: PlannedArgs, job) => perform(args, job, surroundings) }),
  )
}

async function perform(args: PlannedArgs, job: JobContext, surroundings: Surroundings): Promise<unknown> {
  const act = surroundings.begin(args, job)
  try {
    if ('ms' in act && act.ms > 0) await (act.do === 'obey' ? obedient(act.ms, job, surroundings) : surroundings.delay(act.ms))
    return await outcomeOf(act, args, job, surroundings)
  } finally {
    surroundings.end(job)
  }
}

async function outcomeOf(act: Act, { number }: PlannedArgs, job: JobContext, surroundings: Surroundings): Promise<unknown> {
  switch (act.do) {
    case 'throw':
      throw new Error('as planned')
    case 'retry':
      return retry({ inMs: act.inMs, error: 'as planned' })
    case 'snooze':
      return snooze(act.inMs)
    case 'discard':
      return discard('as planned')
    case 'cancel':
      return cancel('as planned')
    case 'crash':
      surroundings.crash()
      return new Promise(() => {})
    case 'never':
      return new Promise(() => {})
    case 'more':
      await surroundings.enqueueMore(job)
      return number
    case 'progress':
      job.progress({ number })
      job.log('as planned')
      return number
    default:
      return number
  }
}

/** Waits, and gives up when it is told to. */
function obedient(ms: number, { signal }: JobContext, { delay }: Surroundings): Promise<void> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(signal.reason as Error)
    if (signal.aborted) return giveUp()
    signal.addEventListener('abort', giveUp, { once: true })
    void delay(ms).then(resolve)
  })
}

/** The options of enqueue that a plan means. */
export function enqueueOptions({ queue, priority, delayMs, maxAttempts, timeoutMs, unique }: JobPlan): EnqueueOptions {
  return {
    queue,
    priority,
    maxAttempts,
    ...(delayMs === 0 || (unique !== undefined && 'next' in unique && unique.next) ? {} : { delayMs }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...keyOptions(unique),
  }
}

function keyOptions(unique: JobPlan['unique']): EnqueueOptions {
  if (unique === undefined) return {}
  if ('until' in unique) return { unique }
  return { throttle: { key: unique.key, ms: unique.windowMs, next: unique.next } }
}
