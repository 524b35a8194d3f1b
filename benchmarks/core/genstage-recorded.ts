import type { WorkloadId } from './workloads.ts'

/**
 * What GenStage 1.3.2 itself does at these workloads, recorded once on Erlang/OTP 25 (JIT) with Elixir 1.14.0 and two virtual
 * AMD EPYC cores. It is not run here, and the machine may be another: ratios to it are quoted, and decide nothing.
 */
export interface Recorded {
  /** Million events per second of processor time. */
  readonly processor: number
  /** Million events per second by the wall clock. */
  readonly wall: number
}

export const genstageRecorded: { readonly [Id in WorkloadId]?: Recorded } = {
  'WL-1': { processor: 24.0, wall: 16.8 },
  'WL-2': { processor: 10.6, wall: 11.1 },
  'WL-3': { processor: 9.0, wall: 8.59 },
  'WL-4': { processor: 8.4, wall: 7.37 },
  'WL-5': { processor: 21.3, wall: 22.3 },
  'WL-6': { processor: 24.0, wall: 24.0 },
  'WL-7': { processor: 0.545, wall: 0.198 },
  'WL-8a': { processor: 8.4, wall: 7.07 },
  'WL-8b': { processor: 0.327, wall: 0.259 },
}

/** WL-9, WL-10 and WL-11 of the same record. */
export const genstageRecordedOther = {
  backlog: 600,
  latenessP99Ms: 5.0,
  latenessMaxMs: 5.1,
  idleUsEach: { 1_000: 19.7, 100_000: 17.9 },
  idleBytesEach: { 1_000: 7_520, 100_000: 10_167 },
} as const
