import { createRuntime, type GenStageError, type Logger, type Runtime } from '@genstage/core'
import { expect, onTestFinished } from 'vitest'

/** A runtime for one test, which is stopped when the test is over. A failure that nobody has watched and the test has not taken fails it. */
export function recordedRuntime(): {
  readonly runtime: Runtime
  readonly warnings: readonly string[]
  takeUncaught(): readonly GenStageError[]
} {
  const warnings: string[] = []
  const uncaught: GenStageError[] = []
  const logger: Logger = { debug() {}, info() {}, warn: text => void warnings.push(text), error() {} }
  const runtime = createRuntime({ logger, onUncaught: error => uncaught.push(error) })
  onTestFinished(async () => {
    await runtime.stop({ timeout: 100 })
    expect(uncaught).toEqual([])
  })
  return { runtime, warnings, takeUncaught: () => uncaught.splice(0) }
}

/** Lets everything happen that is going to happen at once. */
export async function quiet(turns = 20): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise(resolve => setImmediate(resolve))
}

/** Waits until `condition` holds. Not by a number of turns: the disk, or another process, may take as long as it likes. */
export async function until(condition: () => boolean): Promise<void> {
  const begun = performance.now()
  while (!condition()) {
    if (performance.now() - begun > 20_000) throw new Error('waited in vain')
    await new Promise(resolve => setImmediate(resolve))
  }
}
