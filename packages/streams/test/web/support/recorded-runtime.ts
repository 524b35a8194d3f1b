/** A runtime for one test: it keeps what was lost, logged and raised, and is stopped when the test is over. */
import { createRuntime, type DiscardReason, type GenStageError, type Logger, type Runtime } from '@genstage/core'
import { expect, onTestFinished } from 'vitest'

export interface RecordedRuntime {
  readonly runtime: Runtime
  /** Warnings of the log. */
  readonly warnings: readonly string[]
  /** Events that were given up, and why. */
  readonly lost: readonly (readonly [reason: DiscardReason, events: readonly unknown[]])[]
  /** Failures that nobody watched. One that is still in here at the end fails the test. */
  takeUncaught(): readonly GenStageError[]
}

export function recordedRuntime(): RecordedRuntime {
  const warnings: string[] = []
  const uncaught: GenStageError[] = []
  const lost: (readonly [DiscardReason, readonly unknown[]])[] = []
  const logger: Logger = { debug() {}, info() {}, warn: text => void warnings.push(text), error() {} }
  const runtime = createRuntime({ logger, onUncaught: error => uncaught.push(error) })
  runtime.telemetry.on('discarded', ({ reason, events }) => lost.push([reason, events]))
  onTestFinished(async () => {
    await runtime.stop({ timeout: 100 })
    await turn()
    expect(uncaught).toEqual([])
  })
  return { runtime, warnings, lost, takeUncaught: () => uncaught.splice(0) }
}

/** Lets everything that is due have its turn: by `setImmediate` on Node, by a message in browsers. */
const turn: () => Promise<void> =
  typeof setImmediate === 'function' ? () => new Promise(resolve => setImmediate(resolve)) : messageTurns()

function messageTurns(): () => Promise<void> {
  const waiting: (() => void)[] = []
  const { port1, port2 } = new MessageChannel()
  port1.onmessage = () => waiting.shift()?.()
  return () =>
    new Promise(resolve => {
      waiting.push(resolve)
      port2.postMessage(undefined)
    })
}

/** Lets everything happen that is going to happen at once. */
export async function quiet(turns = 20): Promise<void> {
  for (let count = 0; count < turns; count++) await turn()
}

/** Waits until `condition` holds. Not by a number of turns: what comes over the network may take as long as it likes. */
export async function until(condition: () => boolean): Promise<void> {
  const begun = performance.now()
  while (!condition()) {
    if (performance.now() - begun > 20_000) throw new Error('waited in vain')
    await turn()
  }
}

/** What the call threw, or undefined. */
export function thrownBy(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  return undefined
}

/** What the promise was rejected with, or undefined. */
export async function rejectionOf(promise: PromiseLike<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  return undefined
}

/** A value where its type is not allowed: what comes from plain JavaScript. */
export function wrong(value: unknown): never {
  return value as never
}

export function range(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index)
}
