import type { Failure } from '../store.ts'

/** Why a job has failed whose runners died under it, each time. */
export function crashFailure(crashes: number): Failure {
  const times = crashes === 1 ? 'once' : `${crashes} times`
  return { code: 'RUNNER_CRASHED', name: 'JobsError', message: `the runner died ${times} while this job ran` }
}
