import type { Claimed, ClaimedJob, ClaimRequest } from '../../store.ts'
import type { JobTable } from './job-table.ts'
import type { MemoryRunner } from './runners.ts'

/** Gives a runner the next jobs of a queue. One that is not registered gets none: nobody would know when it has died with them. */
export function claimJobs(table: JobTable, runner: MemoryRunner | undefined, request: ClaimRequest, now: number): Claimed {
  const queue = table.findQueue(request.queue)
  if (queue === undefined) return { jobs: [], paused: false }
  table.awaken(queue, now)

  const jobs: ClaimedJob[] = []
  if (runner !== undefined && !queue.paused) {
    // Kinds of which nothing waits now are not asked again for each job
    const kinds = queue.waitingKinds(request.kinds)
    while (jobs.length < request.limit) {
      const job = queue.first(kinds)
      if (job === undefined) break
      job.token = table.nextToken()
      job.attempt++
      job.begun = false
      job.runner = runner.about.id
      job.startedAt = now
      table.move(job, 'running')
      runner.holds.add(job)
      job.heldWith = runner.holds
      jobs.push(job.claimed(now))
    }
  }
  const { soonest } = queue
  return { jobs, paused: queue.paused, ...(soonest !== undefined && { nextInMs: soonest.runAt - now }) }
}
