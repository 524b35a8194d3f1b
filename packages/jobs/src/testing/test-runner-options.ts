import { badOption, oneOf, ownOptions, refuseUnknown, wholeNumber } from '@genstage/core/adapters'
import { Simulation, VirtualClock } from '@genstage/testing'
import type { Middleware } from '../job-context.ts'
import type { Kind } from '../kind.ts'
import { anyRunnerSettings, type RunnerSettings } from '../runner-options.ts'
import { memoryStore } from '../stores/memory/memory-store.ts'

/** How a test runner is made. */
export interface TestRunnerOptions {
  /** The kinds that it knows, at least one. Jobs of those without a handler wait, to be asked for by `assertEnqueued`. */
  readonly kinds: readonly Kind[]
  /**
   * When jobs run. `'manual'` (default): when the test says so. `'inline'`: `enqueue` and `retry` run the job to its end before they
   * resolve, with all its attempts; for delays and back-off the clock is moved on. A job that cannot run, because its kind has no handler
   * or its queue is paused, stays waiting there too, and `enqueue` resolves: the job is stored.
   */
  readonly mode?: 'manual' | 'inline'
  /** Wrapped around every handler, as in a real runner. Default none. */
  readonly middleware?: readonly Middleware[]
  /** The date at which the clock begins. Default 2000-01-01. */
  readonly now?: Date
  /** Chance follows from it: jitter, ids. Default 1. */
  readonly seed?: number
}

/** The same, checked, with the world that the runner lives in. */
export interface TestRunnerSettings {
  readonly mode: 'manual' | 'inline'
  readonly simulation: Simulation
  readonly engine: RunnerSettings
}

const where = 'testRunner'

/** Checks what `testRunner` was given (`BAD_OPTION`). */
export function testRunnerSettings(options: TestRunnerOptions): TestRunnerSettings {
  const own = ownOptions(where, options)
  refuseUnknown(where, own, ['kinds', 'mode', 'middleware', 'now', 'seed'])
  const { now = new Date(Date.UTC(2000, 0, 1)) } = own
  if (!(now instanceof Date) || Number.isNaN(now.getTime())) throw badOption(where, 'now', now, 'a valid Date')
  const simulation = new Simulation({
    seed: wholeNumber(where, own, 'seed', 1, { min: 0 }),
    clock: new VirtualClock(now.getTime()),
  })
  if (own['kinds'] === undefined || (Array.isArray(own['kinds']) && own['kinds'].length === 0))
    throw badOption(where, 'kinds', own['kinds'], 'an array of at least one kind')
  const engine = anyRunnerSettings(where, {
    store: memoryStore(),
    kinds: own['kinds'] as readonly Kind[],
    queues: { default: 1 },
    runtime: simulation.runtime,
    signals: false,
    ...(own['middleware'] === undefined ? {} : { middleware: own['middleware'] as readonly Middleware[] }),
  })
  return { mode: oneOf(where, own, 'mode', ['manual', 'inline'], 'manual'), simulation, engine }
}
