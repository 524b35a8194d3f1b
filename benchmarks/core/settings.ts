import type { RateSettings } from '../harness/measure-rate.ts'

/** How long the parts of a cell take. */
export interface Settings extends RateSettings {
  /** WL-9. */
  readonly backlogMs: number
  /** WL-10: at least this. */
  readonly latenessMs: number
  /** Processes per cell of the workloads that are measured in events per second; the others get one. */
  readonly processes: number
}

export const fullSettings: Settings = { targetMs: 250, runs: 5, backlogMs: 2_000, latenessMs: 1_000, processes: 3 }

/** For a look while working: the right order of magnitude. */
export const quickSettings: Settings = { targetMs: 100, runs: 3, backlogMs: 1_000, latenessMs: 1_000, processes: 1 }
