import { JobsError } from '../../errors.ts'
import type { Store } from '../../store.ts'
import { cancelUnclaimed } from './endings.ts'
import type { JobTable } from './job-table.ts'
import type { MemoryJob } from './memory-job.ts'

/** What a call that takes ids answers for each of them. */
type Answer<Call extends 'remove' | 'cancel' | 'reschedule' | 'retry'> = Awaited<ReturnType<Store[Call]>>[number]

export function removeJob(table: JobTable, id: string): Answer<'remove'> {
  const job = table.get(id)
  if (job === undefined) return 'missing'
  if (job.state === 'running') return 'running'
  table.remove(job)
  return 'removed'
}

export function cancelJob(table: JobTable, id: string, reason: string, now: number): Answer<'cancel'> {
  const job = table.get(id)
  if (job === undefined) return 'missing'
  if (isFinished(job)) return 'finished'
  if (job.state === 'running') {
    job.cancelReason ??= reason
    return 'requested'
  }
  cancelUnclaimed(table, job, reason, now)
  return 'cancelled'
}

export function rescheduleJob(table: JobTable, id: string, inMs: number, now: number): Answer<'reschedule'> {
  const job = table.get(id)
  if (job === undefined) return 'missing'
  if (job.state === 'running') return 'running'
  if (isFinished(job)) return 'finished'
  table.schedule(job, now + inMs, now)
  return 'rescheduled'
}

export function retryJob(table: JobTable, id: string, now: number): Answer<'retry'> {
  const job = table.get(id)
  if (job === undefined) return 'missing'
  if (job.state === 'completed') return 'completed'
  if (!isFinished(job)) return 'active'
  job.attempt = 0
  job.crashes = 0
  job.finishedAt = undefined
  job.cancelReason = undefined
  table.schedule(job, now, now)
  return 'retried'
}

/** Removes what is delayed or waiting in a queue. Answers how many jobs that were. */
export function clearQueue(table: JobTable, name: string): number {
  const jobs = table.findQueue(name)?.unclaimed() ?? []
  for (const job of jobs) table.remove(job)
  return jobs.length
}

/** Throws `QUEUE_NOT_EMPTY` while there is something in the queue that has not finished. */
export function removeQueue(table: JobTable, name: string): void {
  const queue = table.findQueue(name)
  if (queue === undefined) return
  const { delayed, waiting, running } = queue.counts
  if (delayed + waiting + running > 0) {
    const message = `queue "${name}" has ${delayed} delayed, ${waiting} waiting and ${running} running jobs; clear it first, and let those that run end`
    throw new JobsError('QUEUE_NOT_EMPTY', message, { queue: name })
  }
  table.removeQueue(name)
}

function isFinished({ state }: MemoryJob): boolean {
  return state !== 'delayed' && state !== 'waiting' && state !== 'running'
}
