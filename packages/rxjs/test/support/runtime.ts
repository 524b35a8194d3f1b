import { createRuntime, type GenStageError, type Runtime } from '@genstage/core'
import { onTestFinished } from 'vitest'
import { promiseTurns } from './turns.ts'

/** A runtime that keeps what it would have told. */
export interface RecordedRuntime {
  readonly runtime: Runtime
  readonly uncaught: readonly GenStageError[]
  /** Warnings and errors. */
  readonly log: readonly string[]
  /** What was given up, as `reason` and events. */
  readonly discarded: readonly (readonly [reason: string, events: readonly unknown[]])[]
}

export function recordedRuntime(): RecordedRuntime {
  const uncaught: GenStageError[] = []
  const log: string[] = []
  const discarded: (readonly [string, readonly unknown[]])[] = []
  const write = (line: string): void => void log.push(line)
  const logger = { debug() {}, info() {}, warn: write, error: write }
  const runtime = createRuntime({ logger, onUncaught: error => uncaught.push(error) })
  runtime.telemetry.on('discarded', ({ reason, events }) => discarded.push([reason, events]))
  onTestFinished(() => runtime.stop({ timeout: 0 }))
  return { runtime, uncaught, log, discarded }
}

/** Lets everything happen that is going to happen at once. */
export async function settle(): Promise<void> {
  for (let turns = 0; turns < 10; turns++) await promiseTurns()
}
