import type { PruneRequest, TerminalState } from '../../store.ts'
import type { JobTable } from './job-table.ts'
import type { MemoryJob } from './memory-job.ts'

const terminalStates: readonly TerminalState[] = ['completed', 'failed', 'discarded', 'cancelled']

/** Removes finished jobs that are too old or too many, the oldest first. Answers how many. */
export function pruneJobs(table: JobTable, { olderThanMs, keep = {}, limit }: PruneRequest, now: number): number {
  const pruned: MemoryJob[] = []
  for (const state of terminalStates) {
    const jobs = table.finished(state)
    const age = olderThanMs[state] ?? Infinity
    let tooMany = jobs.size - (keep[state] ?? Infinity)
    for (const job of jobs) {
      if (pruned.length === limit) break
      // They are in the order in which they ended: all others are younger
      if (tooMany-- <= 0 && now - (job.finishedAt ?? now) <= age) break
      pruned.push(job)
    }
  }
  for (const job of pruned) table.remove(job)
  return pruned.length
}
