import type { Logger } from '@genstage/core'

/** A logger that throws changes nothing for the job of which it is told (JOB-18): what it throws goes to the console. */
export function guardedLogger(logger: Logger): Logger {
  const guard =
    (level: keyof Logger): Logger[typeof level] =>
    (message, fields) => {
      try {
        if (fields === undefined) logger[level](message)
        else logger[level](message, fields)
      } catch (error) {
        console.error('the logger failed', error)
      }
    }
  return { debug: guard('debug'), info: guard('info'), warn: guard('warn'), error: guard('error') }
}
