import type { NewJob } from '../../../store.ts'
import { type Ending, failure } from '../store-bench.ts'
import type { DrawnEnding, DrawnJob } from './operations.ts'

/** The job that was drawn, as the number of those that were sent so far has it. */
export function newJobOf({ queue, kind, priority, delayMs, runIn, unique }: DrawnJob, number: number, now: number): NewJob {
  const id = `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`
  const runAt = runIn === undefined ? undefined : now + runIn
  return { id, queue, kind, version: 1, args: `${number}`, priority, delayMs, runAt, maxAttempts: 3, unique }
}

export function endingOf(to: DrawnEnding['to'], inMs: number): Ending {
  switch (to) {
    case 'completed':
      return { to, result: `${inMs}` }
    case 'failed':
    case 'discarded':
      return { to, failure }
    case 'cancelled':
      return { to, reason: 'by its handler' }
    case 'retry':
      return { to, inMs, failure }
    case 'snooze':
      return { to, inMs }
    case 'release':
      return { to }
  }
}
