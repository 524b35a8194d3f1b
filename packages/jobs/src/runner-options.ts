import { badOption, duration, flag, oneOf, ownOptions, type OwnOptions, refuseUnknown } from '@genstage/core/adapters'
import { clientOptions, type ClientOptions, type ClientSettings, commonClientSettings } from './client-options.ts'
import type { Middleware } from './job-context.ts'
import { shortText } from './job-settings.ts'
import { longestDelayMs, millisecondsIn, numberIn, wholeIn } from './numbers.ts'
import { encodePayload } from './payload.ts'
import { type QueueOptions, type QueueSettings, queuesSettings } from './queue-options.ts'
import { type RetentionOptions, type RetentionSettings, retentionSettings } from './retention-options.ts'

/** Options of `startRunner`. All times are milliseconds. */
export interface RunnerOptions extends ClientOptions {
  /** The queues to work on, by name: the number of handlers that run at once, or more options. */
  readonly queues: Readonly<Record<string, number | QueueOptions>>
  /** What the list of runners calls it. 1 to 128 bytes. Default none. */
  readonly name?: string
  /** Whatever is to be seen beside it in the list of runners: something that JSON carries, at most 16 KiB. */
  readonly metadata?: unknown
  /** Wrapped around every handler, the first outermost. Default none. */
  readonly middleware?: readonly Middleware[]
  /** A runner that was not heard of for so long is dead: what it held is rescued. 100 to a day; default 30,000. */
  readonly leaseMs?: number
  /** How often the runner tells that it is alive. Below `leaseMs`; default a third of it. */
  readonly heartbeatMs?: number
  /** A process whose event loop has been blocked for so long is given up. Default 20 times `leaseMs`; `Infinity` is allowed. */
  readonly blockedLimitMs?: number
  /** How often the runner looks for dead ones. 1 to an hour; default 5,000. */
  readonly sweepMs?: number
  /**
   * With how many deaths of its process a job has failed (`RUNNER_CRASHED`). 1 to 1,000; default 3. With 1 no job that had begun is run
   * again; each costs one write more.
   */
  readonly crashLimit?: number
  /** How long running handlers may go on after `stop`, before their signal is aborted. From 0; default 10,000. */
  readonly graceMs?: number
  /**
   * How long a handler whose signal is aborted may take to end, before its place is given to others (`HANDLER_STUCK`); and how long a stop
   * waits for a store that does not answer. From 0; default 5,000.
   */
  readonly abandonMs?: number
  /** When a job whose args are of a version that no kind here knows yet is looked at again. Default 60,000. */
  readonly unknownVersionMs?: number
  /** How long finished jobs are kept; `false`: for good. */
  readonly retention?: RetentionOptions | false
  /**
   * What follows an error that a handler has thrown outside of its promise (`STRAY_ERROR`): the runner stops, and the process ends with
   * code 1 (`'exit'`, default); or it is left to Node (`'ignore'`).
   */
  readonly strayErrors?: 'exit' | 'ignore'
  /** Whether SIGTERM and SIGINT stop the runner. Default true. */
  readonly signals?: boolean
  /** Whether the log has a line for each start and each end of an attempt, with the id and the milliseconds. Failures have theirs in any case. Default false. */
  readonly logJobs?: boolean
}

/** The same, checked. */
export interface RunnerSettings extends ClientSettings {
  readonly queues: ReadonlyMap<string, QueueSettings>
  readonly name: string | undefined
  /** JSON. */
  readonly metadata: string | undefined
  readonly middleware: readonly Middleware[]
  readonly leaseMs: number
  readonly heartbeatMs: number
  readonly blockedLimitMs: number
  readonly sweepMs: number
  readonly crashLimit: number
  readonly graceMs: number
  readonly abandonMs: number
  readonly unknownVersionMs: number
  /** Undefined: nothing is ever pruned. */
  readonly retention: RetentionSettings | undefined
  readonly strayErrors: 'exit' | 'ignore'
  readonly signals: boolean
  readonly logJobs: boolean
}

/** What holds where nothing else is said. `heartbeatMs` and `blockedLimitMs` follow `leaseMs`. */
const defaultRunnerSettings: Pick<
  RunnerSettings,
  'leaseMs' | 'sweepMs' | 'crashLimit' | 'graceMs' | 'abandonMs' | 'unknownVersionMs'
> = Object.freeze({
  leaseMs: 30_000,
  sweepMs: 5000,
  crashLimit: 3,
  graceMs: 10_000,
  abandonMs: 5000,
  unknownVersionMs: 60_000,
})

const known: readonly (keyof RunnerOptions)[] = [
  ...clientOptions,
  'queues',
  'name',
  'metadata',
  'middleware',
  'leaseMs',
  'heartbeatMs',
  'blockedLimitMs',
  'sweepMs',
  'crashLimit',
  'graceMs',
  'abandonMs',
  'unknownVersionMs',
  'retention',
  'strayErrors',
  'signals',
  'logJobs',
]
const hourMs = 3_600_000

/** Checks what `startRunner` was given (`BAD_OPTION`, `BAD_NAME`; BAD-103 to 110). */
export function runnerSettings(options: RunnerOptions): RunnerSettings {
  const where = 'startRunner'
  const settings = anyRunnerSettings(where, options)
  settings.kinds.refuseWithoutHandler(where)
  return settings
}

/** The same for whatever else works with the settings of a runner, as `where`: it need not have a handler. */
export function anyRunnerSettings(where: string, options: RunnerOptions): RunnerSettings {
  const own = ownOptions(where, options)
  refuseUnknown(where, own, known)
  const { name, metadata } = own
  return {
    ...commonClientSettings(where, own),
    queues: queuesSettings(where, own['queues']),
    name: name === undefined ? undefined : shortText(where, 'name', name, 128),
    metadata: metadata === undefined ? undefined : encodePayload(metadata, 'metadata', { maxBytes: 16 * 1024, maxDepth: 20 }),
    middleware: middlewareOf(where, own['middleware']),
    ...timesOf(where, own),
    crashLimit: wholeIn(where, own, 'crashLimit', defaultRunnerSettings.crashLimit, 1, 1000),
    retention: retentionSettings(where, own['retention']),
    strayErrors: oneOf(where, own, 'strayErrors', ['exit', 'ignore'], 'exit'),
    signals: own['signals'] === undefined || flag(where, own, 'signals'),
    logJobs: flag(where, own, 'logJobs'),
  }
}

/** Checks the options of a stop. Answers its grace. */
export function stopSettings(what: string, options: unknown, graceMs: number): number {
  const own = ownOptions(what, options)
  refuseUnknown(what, own, ['graceMs'])
  return graceOf(what, own, graceMs)
}

function graceOf(what: string, own: OwnOptions, fallback: number): number {
  return numberIn(what, own, 'graceMs', fallback, { min: 0, max: longestDelayMs, what: 'milliseconds' })
}

type Times = 'leaseMs' | 'heartbeatMs' | 'blockedLimitMs' | 'sweepMs' | 'graceMs' | 'abandonMs' | 'unknownVersionMs'

function timesOf(where: string, own: OwnOptions): Pick<RunnerSettings, Times> {
  const by = defaultRunnerSettings
  const leaseMs = numberIn(where, own, 'leaseMs', by.leaseMs, { min: 100, max: 24 * hourMs, what: 'milliseconds' })
  const heartbeatMs = millisecondsIn(where, own, 'heartbeatMs', Math.floor(leaseMs / 3))
  if (heartbeatMs >= leaseMs) throw badOption(where, 'heartbeatMs', heartbeatMs, `below leaseMs (${leaseMs})`)
  const blockedLimitMs = duration(where, 'blockedLimitMs', own['blockedLimitMs'], true, 20 * leaseMs)
  if (blockedLimitMs < leaseMs) throw badOption(where, 'blockedLimitMs', blockedLimitMs, `at least leaseMs (${leaseMs})`)
  return {
    leaseMs,
    heartbeatMs,
    blockedLimitMs,
    sweepMs: millisecondsIn(where, own, 'sweepMs', by.sweepMs, hourMs),
    graceMs: graceOf(where, own, by.graceMs),
    abandonMs: numberIn(where, own, 'abandonMs', by.abandonMs, { min: 0, max: longestDelayMs, what: 'milliseconds' }),
    unknownVersionMs: millisecondsIn(where, own, 'unknownVersionMs', by.unknownVersionMs),
  }
}

function middlewareOf(where: string, middleware: unknown): readonly Middleware[] {
  if (middleware === undefined) return []
  if (!Array.isArray(middleware)) throw badOption(where, 'middleware', middleware, 'an array of functions')
  for (const [index, each] of (middleware as unknown[]).entries())
    if (typeof each !== 'function') throw badOption(where, `middleware[${index}]`, each, 'a function')
  return [...(middleware as Middleware[])]
}

export { clientSettings } from './client-options.ts'
export type { ClientOptions, ClientSettings } from './client-options.ts'
export { checkConcurrency, queueSettings } from './queue-options.ts'
export type { QueueOptions, QueueSettings } from './queue-options.ts'
export type { RetentionOptions } from './retention-options.ts'
