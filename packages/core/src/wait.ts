import { abortSignal, duration, ownOptions, refuseUnknown, StagePlace } from './options.ts'
import { GenStageError } from './errors.ts'
import { disposeSymbol } from './platform.ts'
import type { Reply } from './protocol.ts'
import type { RuntimeCore } from './runtime.ts'

/** How long `call` and its like wait, unless somebody said otherwise (GS-L9). */
const defaultTimeout = 5_000

/**
 * Posts a request and waits for the reply: not longer than the timeout (`TIMEOUT`), nor past the abort of a signal (its reason).
 * A late reply is thrown away. The process is kept alive meanwhile.
 */
export function waitForReply<T>(
  runtime: RuntimeCore,
  stage: string,
  what: string,
  options: unknown,
  post: (reply: Reply) => void,
): Promise<T> {
  const where = new StagePlace(stage, what)
  const own = ownOptions(where, options)
  refuseUnknown(where, own, ['timeout', 'signal'])
  const timeout = duration(where, 'timeout', own['timeout'], true, defaultTimeout)
  const signal = abortSignal(where, own)
  return new Promise<T>((resolve, reject) => {
    if (signal?.aborted === true) return reject(signal.reason)
    const release = runtime.holdWhile()
    const onAbort = (): void => settle(() => reject(signal?.reason))
    const timer =
      timeout === Infinity
        ? undefined
        : runtime.clock.setTimer(timeout, () => {
            settle(() => reject(new GenStageError('TIMEOUT', `${where.toString()}: no answer within ${timeout} ms`, { stage })))
          })
    let waiting = true
    const settle = (how: () => void): void => {
      if (!waiting) return
      waiting = false
      reply.release?.()
      release()
      timer?.[disposeSymbol]()
      signal?.removeEventListener('abort', onAbort)
      how()
    }
    signal?.addEventListener('abort', onAbort)
    const reply: Reply = {
      resolve: value => settle(() => resolve(value as T)),
      reject: error => settle(() => reject(error)),
    }
    post(reply)
  })
}
