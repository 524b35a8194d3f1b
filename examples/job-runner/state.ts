/** How jobs stand, from the counts of their store. */
import type { QueueStats, StoreStats } from '@genstage/jobs'

const none: QueueStats = {
  delayed: 0,
  waiting: 0,
  running: 0,
  completed: 0,
  failed: 0,
  discarded: 0,
  cancelled: 0,
  paused: false,
}

/** All queues together. */
export function sumOf({ queues }: StoreStats): QueueStats {
  return Object.values(queues).reduce<QueueStats>(
    (sum, queue) => ({
      delayed: sum.delayed + queue.delayed,
      waiting: sum.waiting + queue.waiting,
      running: sum.running + queue.running,
      completed: sum.completed + queue.completed,
      failed: sum.failed + queue.failed,
      discarded: sum.discarded + queue.discarded,
      cancelled: sum.cancelled + queue.cancelled,
      paused: sum.paused || queue.paused,
    }),
    none,
  )
}

/** Still to be done, or being done. */
export function activeIn({ delayed, waiting, running }: QueueStats): number {
  return delayed + waiting + running
}

/** Ended without having been done. */
export function givenUpIn({ failed, discarded, cancelled }: QueueStats): number {
  return failed + discarded + cancelled
}

/** Ended. */
export function doneIn(queue: QueueStats): number {
  return queue.completed + givenUpIn(queue)
}

export function totalIn(queue: QueueStats): number {
  return activeIn(queue) + doneIn(queue)
}
