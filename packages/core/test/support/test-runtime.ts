import { createRuntime, type GenStageError, type LogFields, type Logger, type Runtime, type RuntimeOptions } from '@genstage/core'
import { ManualClock } from './manual-clock.ts'

/** A line of the log, as it arrived. */
export interface Line {
  readonly level: keyof Logger
  readonly text: string
  readonly fields: LogFields
}

/** A runtime whose time is the test's, and that keeps its log and the failures that nobody watched. */
export interface TestRuntime {
  readonly runtime: Runtime
  readonly clock: ManualClock
  readonly lines: Line[]
  readonly uncaught: GenStageError[]
}

export function testRuntime(options: RuntimeOptions = {}): TestRuntime {
  const clock = new ManualClock()
  const lines: Line[] = []
  const uncaught: GenStageError[] = []
  const line = (level: keyof Logger) => (text: string, fields?: object) => {
    lines.push({ level, text, fields: fields as LogFields })
  }
  const logger: Logger = { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') }
  const runtime = createRuntime({ clock, logger, onUncaught: error => uncaught.push(error), ...options })
  return { runtime, clock, lines, uncaught }
}
