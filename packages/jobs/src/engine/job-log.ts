import type { Logger } from '@genstage/core'
import type { EventEmitter } from 'eventemitter3'
import type { AttemptEvent, EndedEvent, JobEvents } from '../events.ts'

/** Writes a line for each start and each end of an attempt. Failures have theirs in any case. */
export function logJobs(events: EventEmitter<JobEvents>, logger: Logger): void {
  const line = (event: Omit<AttemptEvent, 'at'>, what: string, more: object = {}): void => {
    const { id, kind, queue, attempt } = event
    logger.info(`job ${id} (${kind}) ${what}`, { job: id, kind, queue, attempt, ...more })
  }
  const ended = (event: EndedEvent, what: string): void =>
    line(event, `${what} after ${Math.round(event.durationMs)} ms`, { durationMs: event.durationMs })
  events.on('started', event => line(event, `begins attempt ${event.attempt} of ${event.maxAttempts}`))
  events.on('completed', event => ended(event, 'is completed'))
  events.on('discarded', event => ended(event, `is discarded: ${event.failure.message},`))
  events.on('snoozed', event => ended(event, `is put off by ${event.inMs} ms`))
  events.on('released', event => line(event, 'is released'))
  events.on('cancelled', ({ id, kind, queue, reason }) =>
    logger.info(`job ${id} (${kind}) is cancelled: ${reason}`, { job: id, kind, queue, reason }),
  )
}
