import { GenStageError } from '@genstage/core'

/** An error of the plan's own making. */
export class PlannedError extends Error {}

/** What a stage may fail with: an error of the plan, or, below a tree, that of a supervisor that could not start its children. */
export function isPlannedFailure(error: unknown): boolean {
  if (error instanceof PlannedError) return true
  return error instanceof GenStageError && (error.code === 'SETUP_FAILED' || error.code === 'TOO_MANY_RESTARTS')
}

/** Failures that follow from what the plan does: refused subscriptions, cancels with a failure reason. */
export function isPlanned(error: GenStageError): boolean {
  const { reason, cause } = error
  if (cause instanceof PlannedError || reason === undefined || reason.type !== 'error') return true
  return (
    reason.error instanceof PlannedError || (reason.error instanceof GenStageError && reason.error.code !== 'DISPATCHER_FAILED')
  )
}

/** For calls to stages that the plan may have ended. */
export function ignoreStopped(error: unknown): void {
  if (!(error instanceof GenStageError && error.code === 'STOPPED')) throw error
}
