import type { Context } from '@genstage/core'

/** What a function that works for a stage gets besides its events. */
export interface Work {
  /** Aborted when nobody waits for the outcome any more: pass it on to whatever takes a signal. */
  readonly signal: AbortSignal
}

/** Whether an answer is still to come. */
export function isPromise<T>(answer: T | PromiseLike<T>): answer is PromiseLike<T> {
  return typeof answer === 'object' && answer !== null && 'then' in answer && typeof answer.then === 'function'
}

/**
 * A signal for work that is finished even while the stage is being stopped: aborted when the stage gives up. That is when it is killed,
 * when the time of a stop is over, and when it fails, of which `terminate` has to tell.
 */
export function workUntilGivenUp(ctx: Context): { readonly work: Work; readonly giveUp: () => void } {
  const controller = new AbortController()
  const giveUp = (): void => controller.abort(new DOMException('the stage has given up', 'AbortError'))
  ctx.signal.addEventListener('abort', giveUp, { once: true })
  return { work: { signal: controller.signal }, giveUp }
}
