import type { Failure, Settlement, TerminalState } from '../../store.ts'
import { crashFailure, isCrash } from '../crash-failure.ts'
import type { JobTable } from './job-table.ts'
import type { MemoryJob } from './memory-job.ts'

/** Ends the attempt of a running job as its runner says. */
export function settleJob(table: JobTable, job: MemoryJob, settlement: Settlement, now: number): void {
  job.startedAt = now - settlement.ranMs
  switch (settlement.to) {
    case 'completed':
      job.result = settlement.result
      return finish(table, job, 'completed', now)
    case 'failed':
    case 'discarded':
      job.failure = settlement.failure
      job.remember(settlement.to, now, settlement.failure)
      return finish(table, job, settlement.to, now)
    case 'cancelled':
      return cancelAttempt(table, job, job.cancelReason ?? settlement.reason, now)
    case 'retry':
      job.failure = settlement.failure
      if (job.cancelReason !== undefined) return cancelAttempt(table, job, job.cancelReason, now, settlement.failure)
      job.remember('retry', now, settlement.failure)
      return table.schedule(job, now + settlement.inMs, now)
    case 'snooze':
      if (job.cancelReason !== undefined) return cancelAttempt(table, job, job.cancelReason, now)
      job.remember('snooze', now)
      job.attempt--
      return table.schedule(job, now + settlement.inMs, now)
    case 'release':
      return releaseJob(table, job, now)
  }
}

/** Ends an attempt that does not count, because it has not begun or was cut off: the job waits again at its old place. */
export function releaseJob(table: JobTable, job: MemoryJob, now: number): void {
  if (job.cancelReason !== undefined) return cancelAttempt(table, job, job.cancelReason, now)
  job.attempt--
  table.move(job, 'waiting')
}

/** Ends an attempt whose runner has died. It counts as a crash if it may have begun; a suspect has begun when its runner has said so. */
export function rescueJob(table: JobTable, job: MemoryJob, crashLimit: number, now: number): void {
  if (isCrash(job, crashLimit)) {
    job.remember('crash', now)
    job.crashes++
  }
  job.attempt--
  if (job.cancelReason !== undefined) return finish(table, job, 'cancelled', now)
  if (job.crashes < crashLimit) return table.move(job, 'waiting')
  job.failure = crashFailure(job.crashes)
  finish(table, job, 'failed', now)
}

/** Cancels a job that does not run. */
export function cancelUnclaimed(table: JobTable, job: MemoryJob, reason: string, now: number): void {
  job.cancelReason = reason
  finish(table, job, 'cancelled', now)
}

function cancelAttempt(table: JobTable, job: MemoryJob, reason: string, now: number, failure?: Failure): void {
  job.cancelReason = reason
  job.remember('cancelled', now, failure)
  finish(table, job, 'cancelled', now)
}

function finish(table: JobTable, job: MemoryJob, state: TerminalState, now: number): void {
  job.finishedAt = now
  // What was asked for in vain is no reason
  if (state !== 'cancelled') job.cancelReason = undefined
  table.move(job, state)
}
