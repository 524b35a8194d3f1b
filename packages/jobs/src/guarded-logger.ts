import type { Logger } from '@genstage/core'
import { isThenable } from './thenable.ts'

/** A logger that throws, or answers a promise that rejects, changes nothing for the job of which it is told (JOB-18): that goes to the console. */
export function guardedLogger(logger: Logger): Logger {
  const failed = (error: unknown): void => console.error('the logger failed', error)
  const guard =
    (level: keyof Logger): Logger[typeof level] =>
    (message, fields) => {
      try {
        const answer: unknown = fields === undefined ? logger[level](message) : logger[level](message, fields)
        // One that is async would otherwise end the process
        if (isThenable(answer)) answer.then(undefined, failed)
      } catch (error) {
        failed(error)
      }
    }
  return { debug: guard('debug'), info: guard('info'), warn: guard('warn'), error: guard('error') }
}
