import type { Logger } from '@genstage/core'

/** A logger that throws, or answers a promise that rejects, changes nothing for the job of which it is told (JOB-18): that goes to the console. */
export function guardedLogger(logger: Logger): Logger {
  const failed = (error: unknown): void => console.error('the logger failed', error)
  const guard =
    (level: keyof Logger): Logger[typeof level] =>
    (message, fields) => {
      try {
        const answer: unknown = fields === undefined ? logger[level](message) : logger[level](message, fields)
        // One that is async would otherwise end the process
        if (answer instanceof Promise) answer.catch(failed)
      } catch (error) {
        failed(error)
      }
    }
  return { debug: guard('debug'), info: guard('info'), warn: guard('warn'), error: guard('error') }
}
