import { GenStageError, type Reason } from '@genstage/core'

/** What an observer is told of a stage that did not end well: the very error, or `STOPPED` where there is none. */
export function failureOf(reason: Reason): unknown {
  if (reason.type === 'error') return reason.error
  return new GenStageError('STOPPED', `the stage that the events came from has ended (${reason.type})`, { reason })
}
