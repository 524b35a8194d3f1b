import type { Failure } from '../store.ts'

/**
 * Whether the death of its runner counts as a crash of a job. It has begun for sure where its runner has said so, as runners do for jobs with
 * a crash behind them, and for all where the first crash is the last. Otherwise the first one counts, for it may have begun.
 */
export function isCrash(job: { readonly crashes: number; readonly begun: boolean }, crashLimit: number): boolean {
  return job.begun || (job.crashes === 0 && crashLimit > 1)
}

/** Why a job has failed whose runners died under it, each time. */
export function crashFailure(crashes: number): Failure {
  const times = crashes === 1 ? 'once' : `${crashes} times`
  return { code: 'RUNNER_CRASHED', name: 'JobsError', message: `the runner died ${times} while this job ran` }
}
