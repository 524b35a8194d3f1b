/** What a ledger adds up to. */
export interface Tally {
  /** Handlers that were called. */
  attempts: number
  /** Jobs whose enqueue was acknowledged. */
  acknowledged: number
  /** Jobs that are completed in the store, in the end. */
  completed: number
  /** Acknowledged, and then neither ended nor reported. */
  lost: number
  /** In the store although nobody put them there. */
  unexpected: number
  /** Runs after one that was cut off or not acknowledged (JOB-6). */
  allowedDuplicates: number
  /** Runs after one that was acknowledged, or that nothing had happened to. */
  forbiddenDuplicates: number
  /** Jobs that were taken back from dead runners. */
  recovered: number
  /** Ends of attempts that the store has refused, because the job was no longer theirs. */
  staleRefused: number
  /** From the death of a process to the rescue of what it held, in milliseconds. */
  readonly rescueMs: number[]
  /** What went against an invariant, as sentences that begin with its id. */
  readonly violations: string[]
}

export function emptyTally(): Tally {
  return {
    attempts: 0,
    acknowledged: 0,
    completed: 0,
    lost: 0,
    unexpected: 0,
    allowedDuplicates: 0,
    forbiddenDuplicates: 0,
    recovered: 0,
    staleRefused: 0,
    rescueMs: [],
    violations: [],
  }
}

/** Adds one tally to another. */
export function addTally(to: Tally, from: Tally): void {
  to.attempts += from.attempts
  to.acknowledged += from.acknowledged
  to.completed += from.completed
  to.lost += from.lost
  to.unexpected += from.unexpected
  to.allowedDuplicates += from.allowedDuplicates
  to.forbiddenDuplicates += from.forbiddenDuplicates
  to.recovered += from.recovered
  to.staleRefused += from.staleRefused
  for (const ms of from.rescueMs) to.rescueMs.push(ms)
  for (const violation of from.violations) to.violations.push(violation)
}
