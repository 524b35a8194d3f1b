import type { Act, KindName } from './plan.ts'
import { backoffTimes } from './planned-job.ts'

/** From when to when a job may come back, in milliseconds after its attempt. */
export interface DelayRange {
  readonly leastMs: number
  readonly mostMs: number
}

/** What the back-offs may say after an attempt, 1 after the first. Reckoned here, not by them (JOB-13). */
const ofKind: Readonly<Record<KindName, (attempt: number) => DelayRange>> = {
  fixed: () => exactly(backoffTimes.fixedMs),
  // Spread over all of it; but nothing comes back at once
  growing: attempt => ({
    leastMs: 1,
    mostMs: Math.min(backoffTimes.mostMs, backoffTimes.firstMs * 2 ** (attempt - 1)),
  }),
  linear: attempt => exactly(backoffTimes.stepMs * attempt),
}

/** An attempt that failed, as it was settled. */
export interface Failed {
  readonly kind: KindName
  readonly attempt: number
  /** What its handler did. */
  readonly act: Act
  readonly isTimeout: boolean
}

/** When its job is to come back: a handler that asks for a time gets it, if it was in time itself. */
export function retryRange({ kind, attempt, act, isTimeout }: Failed): DelayRange {
  return act.do === 'retry' && !isTimeout ? exactly(act.inMs) : ofKind[kind](attempt)
}

export function exactly(ms: number): DelayRange {
  return { leastMs: ms, mostMs: ms }
}
