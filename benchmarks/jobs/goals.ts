import { median } from '../harness/statistics.ts'
import type { InstallFigures } from './figures.ts'
import type { Results } from './results.ts'
import type { SystemId } from './systems/index.ts'
import type { RateId } from './workloads.ts'

/** A level that `@genstage/jobs` on SQLite should reach, by the figures of one run. Rates are compared by their median runs. */
export interface Goal {
  readonly id: `GOAL-${number}`
  /** What is compared: `c=100, times BullMQ`. */
  readonly name: string
  readonly sense: 'at least' | 'at most'
  readonly wanted: number
  /** Undefined if what it needs was not run. */
  value(results: Results): number | undefined
}

/** Of a system with several configurations the fastest counts. */
const configurations = {
  BullMQ: ['bullmq'],
  'graphile-worker': ['graphile', 'graphile-tuned'],
  'pg-boss': ['pg-boss', 'pg-boss-tuned'],
  'the floor': ['sqlite-loop'],
} as const satisfies Record<string, readonly SystemId[]>

type Other = keyof typeof configurations

const atLeast = (id: Goal['id'], name: string, wanted: number, value: Goal['value']): Goal => ({
  id,
  name,
  sense: 'at least',
  wanted,
  value,
})

const atMost = (id: Goal['id'], name: string, wanted: number, value: Goal['value']): Goal => ({
  id,
  name,
  sense: 'at most',
  wanted,
  value,
})

const times = (id: Goal['id'], workload: RateId, what: string, other: Other, wanted: number): Goal =>
  atLeast(id, `${what}, times ${other}`, wanted, results => results.ratio(workload, ...configurations[other]))

/** Every goal in the order of its number. GOAL-18, what survives kill -9, is shown by the fault runs. */
export const goals: readonly Goal[] = [
  times('GOAL-7', 'process-100', 'process, c=100', 'BullMQ', 4),
  times('GOAL-7', 'process-100', 'process, c=100', 'graphile-worker', 3),

  times('GOAL-8', 'enqueue-50', 'enqueue, 50 callers', 'graphile-worker', 10),
  times('GOAL-8', 'enqueue-50', 'enqueue, 50 callers', 'pg-boss', 10),
  times('GOAL-8', 'enqueue-50', 'enqueue, 50 callers', 'BullMQ', 1.5),

  times('GOAL-9', 'enqueue-1', 'enqueue one by one', 'graphile-worker', 1.5),
  times('GOAL-9', 'enqueue-1', 'enqueue one by one', 'pg-boss', 1.5),
  times('GOAL-9', 'enqueue-1', 'enqueue one by one', 'the floor', 0.8),

  times('GOAL-10', 'enqueue-bulk', 'bulk enqueue', 'graphile-worker', 2),
  times('GOAL-10', 'enqueue-bulk', 'bulk enqueue', 'BullMQ', 5),

  atMost('GOAL-13', 'idle latency p50, times BullMQ', 0.3, results => {
    const [own, theirs] = [results.latency('genstage'), results.latency('bullmq')]
    return own && theirs && own.p50Ms / theirs.p50Ms
  }),

  atLeast('GOAL-14', 'rate kept with a backlog', 0.95, results => results.keptWithBacklog('genstage')),

  atMost('GOAL-19', 'fresh machine, seconds to the first job', 10, results => {
    const seconds = finished(results).map(({ installMs, firstJobMs }) => (installMs + firstJobMs) / 1_000)
    return seconds.length === 0 ? undefined : median(seconds)
  }),
  atMost('GOAL-19', 'fresh machine, install scripts', 0, results => {
    const scripts = finished(results).map(({ installScripts }) => installScripts.length)
    return scripts.length === 0 ? undefined : Math.max(...scripts)
  }),

  atMost('GOAL-21', 'import time, times BullMQ', 0.5, results => results.importRatio('ms', 'bullmq')),
  atMost('GOAL-21', 'import time, times pg-boss', 0.5, results => results.importRatio('ms', 'pg-boss')),
  atMost('GOAL-21', 'import memory, times BullMQ', 0.5, results => results.importRatio('megabytes', 'bullmq')),
  atMost('GOAL-21', 'import memory, times pg-boss', 0.5, results => results.importRatio('megabytes', 'pg-boss')),
]

/** An installation that was not skipped. */
export type FinishedInstall = Exclude<InstallFigures, { readonly skipped: string }>

export function finished(results: Results): readonly FinishedInstall[] {
  return results.installs().filter((figures): figures is FinishedInstall => !('skipped' in figures))
}

/** Whether a goal was reached; undefined if what it needs was not run. */
export function isReached(goal: Goal, results: Results): boolean | undefined {
  const value = goal.value(results)
  if (value === undefined) return undefined
  return goal.sense === 'at least' ? value >= goal.wanted : value <= goal.wanted
}
