import type { ClaimedJob, Settlement } from '../store.ts'
import { decodePayload } from '../payload.ts'
import type { Attempt } from './attempt.ts'
import type { Answer } from './completer.ts'
import type { EngineContext } from './engine-context.ts'

/** Tells how an attempt ended, once the store has it. */
export function tellEnd(engine: EngineContext, attempt: Attempt, settlement: Settlement | undefined, answer: Answer): void {
  const { events, logger, runner, clock } = engine
  const { job, ranMs } = attempt
  const event = {
    id: job.id,
    kind: job.kind,
    queue: job.queue,
    attempt: job.attempt,
    maxAttempts: job.maxAttempts,
    runner,
    durationMs: ranMs,
  }
  if (answer === 'refused' || settlement === undefined) {
    logger.warn(`job ${job.id} (${job.kind}) was taken away while it ran; what it brought is refused`, {
      code: 'LEASE_LOST',
      job: job.id,
      kind: job.kind,
      queue: job.queue,
    })
    if (events.listenerCount('leaseLost') > 0) events.emit('leaseLost', { ...event, at: clock.wallTime() })
    return
  }
  if (answer === 'unknown') return
  if (answer !== 'taken') return tellCancelled(engine, job, answer)
  const at = clock.wallTime()
  switch (settlement.to) {
    case 'completed':
      if (events.listenerCount('completed') > 0)
        events.emit('completed', {
          ...event,
          at,
          result: settlement.result === undefined ? undefined : decodePayload(settlement.result),
        })
      return
    case 'failed':
    case 'retry': {
      const inMs = settlement.to === 'retry' ? settlement.inMs : undefined
      const isOver = inMs === undefined
      const { failure } = settlement
      logger[isOver ? 'error' : 'warn'](
        `job ${job.id} (${job.kind}) failed in attempt ${job.attempt} of ${job.maxAttempts}: ${failure.name}: ${failure.message}`,
        { code: 'JOB_FAILED', job: job.id, kind: job.kind, queue: job.queue, attempt: job.attempt, retryInMs: inMs },
      )
      if (events.listenerCount('failed') > 0) {
        const state = isOver ? 'failed' : inMs === 0 ? 'waiting' : 'delayed'
        events.emit('failed', { ...event, at, failure, state, retryInMs: inMs })
      }
      return
    }
    case 'discarded':
      events.emit('discarded', { ...event, at, failure: settlement.failure })
      return
    case 'cancelled':
      return tellCancelled(engine, job, { cancelled: settlement.reason })
    case 'snooze':
      events.emit('snoozed', { ...event, at, inMs: settlement.inMs })
      return
    case 'release':
      events.emit('released', { ...event, at })
  }
}

/** Tells that a job was cancelled by this runner, if it was. */
export function tellCancelled({ events, clock }: EngineContext, job: ClaimedJob, answer: Answer): void {
  if (typeof answer === 'string') return
  const { id, kind, queue } = job
  events.emit('cancelled', { id, kind, queue, at: clock.wallTime(), reason: answer.cancelled })
}
