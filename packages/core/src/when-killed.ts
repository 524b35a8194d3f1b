import type { Context } from './callbacks.ts'

/**
 * Lets go of what a source holds although its stage was killed: there is no `terminate` then (GS-J6, GS-J10). What `close` throws is
 * told to the log as `trouble`.
 */
export function whenKilled(ctx: Context, trouble: string, close: () => void | Promise<void>): void {
  const tell = (error: unknown): void => ctx.logger.warn(trouble, { error })
  ctx.signal.addEventListener(
    'abort',
    () => {
      try {
        close()?.then(undefined, tell)
      } catch (error) {
        tell(error)
      }
    },
    { once: true },
  )
}
