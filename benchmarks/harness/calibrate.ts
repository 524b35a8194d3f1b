import type { Elapsed } from './stopwatch.ts'

/** What `calibrate` may choose from. */
export interface CalibrationLimits {
  /** Processor time that one run should take. */
  readonly targetMs: number
  /** Counts are multiples of this, and at least this. */
  readonly step: number
  /** Counts never exceed this: beyond it the checksum would not be exact. */
  readonly most: number
}

/** A run this close to the target is good enough; closer is noise. */
const closeEnough = { from: 0.7, to: 1.4 }

/** The most that a count grows at once: the first runs are slow, and tell little of those that follow. */
const mostGrowth = 8

const mostTries = 20

/**
 * Finds the count of events that makes one run take about `targetMs` of processor time. Two runs in a row have to agree, since
 * the first one with a count may still have been compiling.
 */
export async function calibrate(time: (count: number) => Promise<Elapsed>, limits: CalibrationLimits): Promise<number> {
  const { targetMs, step, most } = limits
  const allowed = (count: number) => step * Math.max(1, Math.min(Math.floor(most / step), Math.round(count / step)))
  let count = step
  let agreed = false
  for (let tries = 0; tries < mostTries; tries++) {
    const { processorMs } = await time(count)
    const share = processorMs / targetMs
    const next = allowed(share > 0 ? count * Math.min(1 / share, mostGrowth) : count * mostGrowth)
    const settled = next === count || (share >= closeEnough.from && share <= closeEnough.to)
    if (settled && agreed) return count
    if (!settled) count = next
    agreed = settled
  }
  return count
}
