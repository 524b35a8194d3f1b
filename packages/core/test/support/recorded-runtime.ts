/** A runtime for one test: it keeps its log lines and its uncaught failures, and is stopped when the test is over. */
import { createRuntime } from '@genstage/core'
import type { GenStageError, LogCode, Logger, Runtime, RuntimeOptions } from '@genstage/core'
import { expect, onTestFinished } from 'vitest'
import { turn } from './turns.ts'

/** A line that core wrote to the log. */
export interface Line {
  readonly level: keyof Logger
  readonly text: string
  readonly code: LogCode
  /** Name or id of the stage. */
  readonly stage: string
}

export interface RecordedRuntime {
  readonly runtime: Runtime
  readonly lines: readonly Line[]
  /** The failures that nobody watched. One that is still in here at the end fails the test. */
  takeUncaught(): Promise<readonly GenStageError[]>
}

export function recordedRuntime(options: Pick<RuntimeOptions, 'clock' | 'sliceMs'> = {}): RecordedRuntime {
  const lines: Line[] = []
  const uncaught: GenStageError[] = []
  const writer = (level: keyof Logger): Logger[typeof level] => {
    return (text, fields = {}) => {
      lines.push({ level, text, code: fields['code'] as LogCode, stage: fields['stage'] as string })
    }
  }
  const logger: Logger = { debug: writer('debug'), info: writer('info'), warn: writer('warn'), error: writer('error') }
  const runtime = createRuntime({ ...options, logger, onUncaught: error => uncaught.push(error) })
  async function takeUncaught(): Promise<readonly GenStageError[]> {
    await turn() // it is raised when the event loop has come round
    return uncaught.splice(0)
  }
  onTestFinished(async () => {
    await runtime.stop({ timeout: 0 })
    expect(await takeUncaught()).toEqual([])
  })
  return { runtime, lines, takeUncaught }
}
