import type { Runtime } from '@genstage/core'

/** What happened on the way, from the telemetry of the runtime: the stages know nothing of it. */
export interface Observed {
  /** How often each child was started again, by its id. */
  readonly restarts: ReadonlyMap<string, number>
  /** Events that went back to the stage above, and were delivered again. */
  readonly redelivered: number
  /** Events that were given up: lost, as far as the stages are concerned. */
  readonly discarded: number
}

/** Counts from now on. */
export function watch(runtime: Runtime): Observed {
  const restarts = new Map<string, number>()
  const observed = { restarts, redelivered: 0, discarded: 0 }
  const { telemetry } = runtime
  telemetry.on('restarted', ({ child }) => restarts.set(child, (restarts.get(child) ?? 0) + 1))
  telemetry.on('redelivered', ({ count }) => (observed.redelivered += count))
  telemetry.on('discarded', ({ count }) => (observed.discarded += count))
  return observed
}
