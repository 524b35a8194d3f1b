import { GenStageError, type Reason } from '@genstage/core'

/** What a Node stream is destroyed with when a stage has failed: the error itself where there is one. */
export function failureOf(reason: Reason): Error {
  if (reason.type === 'error' && isError(reason.error)) return reason.error
  const cause = reason.type === 'error' ? reason.error : undefined
  return new GenStageError('STOPPED', `the stage has ended: ${reason.type}`, { reason, cause })
}

function isError(error: unknown): error is Error {
  return error instanceof Error || Object.prototype.toString.call(error) === '[object Error]'
}
