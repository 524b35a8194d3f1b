import { type Context, type DiscardReason, GenStageError, isGraceful, type Reason } from '@genstage/core'

/** The other side has come to its end: the stage ends behind its last event. */
export const end: unique symbol = Symbol('end')

/** The other side has failed. What it had given before goes out first. */
export class Failure {
  readonly error: unknown

  constructor(error: unknown) {
    this.error = error
  }
}

/** How the other side has ended. */
export type Ending = typeof end | Failure

/** What the other side is told of a failure: the error itself where there is one. */
export function errorOf(reason: Reason): unknown {
  if (reason.type === 'error') return reason.error
  return new GenStageError('STOPPED', `the stage has ended: ${reason.type}`, { reason })
}

/** What becomes of events that a stage has taken in and not emitted when it ends. */
export function lossOf(reason: Reason): DiscardReason {
  if (reason.type === 'killed') return 'killed'
  return isGraceful(reason) ? 'stopped' : 'producer_crash'
}

/** Closes what a stage has opened although it is killed: it has no `terminate` then. Trouble goes to the log. */
export function whenKilled(ctx: Context, close: (reason: Reason) => Promise<void>): void {
  const { signal, logger } = ctx
  const tell = (error: unknown): void => logger.warn('a stream could not be closed when its stage was killed', { error })
  signal.addEventListener('abort', () => void close({ type: 'killed' }).then(undefined, tell), { once: true })
}

/** Waits until something is closed. Trouble with that must not hide a failure: then it goes to the log. */
export async function closed(ctx: Context, reason: Reason, closing: Promise<unknown>): Promise<void> {
  try {
    await closing
  } catch (error) {
    if (isGraceful(reason)) throw error
    ctx.logger.warn('a stream could not be closed', { error })
  }
}
