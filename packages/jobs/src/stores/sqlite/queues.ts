import { JobsError } from '../../errors.ts'
import type { QueueStats, StoreStats } from '../../store.ts'
import { unfinished } from './book.ts'
import { dueByQueue } from './due-jobs.ts'
import { removeWhere } from './removing.ts'
import { delayed, stateNames, waiting } from './schema.ts'
import type { Session } from './session.ts'

const noJobs: QueueStats = {
  delayed: 0,
  waiting: 0,
  running: 0,
  completed: 0,
  failed: 0,
  discarded: 0,
  cancelled: 0,
  paused: false,
}

/** Sums over lines, however many jobs there are. What has become due and was not claimed since is counted, and is waiting. */
export function statsOf(session: Session): StoreStats {
  const { book } = session
  book.save()
  const sums = stateNames.map(name => `sum(${name})`).join(', ')
  // Without a prototype, so that a queue may have any name
  const queues = Object.create(null) as Record<string, QueueStats>
  for (const [queue, ...counts] of session.rows(`SELECT queue, ${sums} FROM lines GROUP BY queue`)) {
    queues[String(queue)] = { ...noJobs, ...Object.fromEntries(stateNames.map((name, index) => [name, Number(counts[index])])) }
  }
  for (const [queue, due] of dueByQueue(session)) {
    const before = queues[queue] ?? noJobs
    queues[queue] = { ...before, delayed: before.delayed - due, waiting: before.waiting + due }
  }
  for (const [name, paused] of session.rows('SELECT name, paused FROM queues')) {
    queues[String(name)] = { ...(queues[String(name)] ?? noJobs), paused: paused === 1 }
  }
  return { queues: { ...queues }, ...book.totals() }
}

export function setPaused(session: Session, queue: string, paused: boolean): void {
  session.book.setPaused(queue, paused)
  session.hints.push({ type: 'queue', queue })
}

/** Removes what is delayed or waiting in a queue. */
export function clearQueue(session: Session, queue: string): number {
  let removed = 0
  // One state at a time: each has its index
  for (const { id, counts } of session.book.linesOf(queue).values()) {
    if ((counts[delayed] ?? 0) + (counts[waiting] ?? 0) === 0) continue
    removed +=
      removeWhere(session, `line = ? AND state = ${delayed}`, id) + removeWhere(session, `line = ? AND state = ${waiting}`, id)
  }
  return removed
}

/**
 * Forgets a queue, with what has finished in it. Throws `QUEUE_NOT_EMPTY`: then the transaction has to be undone. Where something has
 * finished in it, all jobs of the file are looked at, once: a tenth of a second for a million.
 */
export function removeQueue(session: Session, queue: string): void {
  const lines = [...session.book.linesOf(queue).values()]
  const left = lines.reduce((sum, line) => sum + unfinished(line), 0)
  if (left > 0)
    throw new JobsError(
      'QUEUE_NOT_EMPTY',
      `queue "${queue}" has ${left} jobs that have not finished; clear it first, and let those that run end`,
      {
        queue,
      },
    )
  const filled = lines.filter(({ counts }) => counts.some(count => count > 0)).map(({ id }) => id)
  if (filled.length > 0) removeWhere(session, 'line IN (SELECT value FROM json_each(?))', JSON.stringify(filled))
  session.book.removeQueue(queue)
}
