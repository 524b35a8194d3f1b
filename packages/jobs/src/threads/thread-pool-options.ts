import { availableParallelism } from 'node:os'
import type { ResourceLimits, WorkerOptions } from 'node:worker_threads'
import { defaultRuntime, type Runtime } from '@genstage/core'
import { badOption, ownOptions, type OwnOptions, refuseUnknown, within } from '@genstage/core/adapters'
import { millisecondsIn, wholeIn } from '../numbers.ts'

/** Options of `threadPool`. */
export interface ThreadPoolOptions {
  /** The most threads at once, each of which does one job at a time. 1 to 1,024; default one for each core but one. */
  readonly threads?: number
  /** A thread that has had nothing to do for so many milliseconds ends. Default 10,000. */
  readonly idleMs?: number
  /** How much memory a thread may use, as `Worker` in `node:worker_threads` takes it. A job that needs more fails (`WORKER_THREAD_EXIT`). */
  readonly resourceLimits?: ResourceLimits
  /** The environment of the threads. Default: a copy of that of the process. */
  readonly env?: NonNullable<WorkerOptions['env']>
  /** Flags of Node for the threads. Default: those of the process. */
  readonly execArgv?: readonly string[]
  /** Whose clock and logger are used. Default: that of the process. */
  readonly runtime?: Runtime
}

/** The same, checked. */
export interface ThreadPoolSettings {
  readonly threads: number
  readonly idleMs: number
  readonly resourceLimits: ResourceLimits | undefined
  readonly env: WorkerOptions['env']
  readonly execArgv: readonly string[] | undefined
  readonly runtime: Runtime
}

const where = 'threadPool'
const limits: readonly (keyof ResourceLimits)[] = [
  'maxOldGenerationSizeMb',
  'maxYoungGenerationSizeMb',
  'codeRangeSizeMb',
  'stackSizeMb',
]

/** Checks what `threadPool` was given (`BAD_OPTION`). */
export function threadPoolSettings(options: unknown): ThreadPoolSettings {
  const own = ownOptions(where, options)
  refuseUnknown(where, own, ['threads', 'idleMs', 'resourceLimits', 'env', 'execArgv', 'runtime'])
  return {
    threads: wholeIn(where, own, 'threads', Math.max(1, availableParallelism() - 1), 1, 1024),
    idleMs: millisecondsIn(where, own, 'idleMs', 10_000),
    resourceLimits: own['resourceLimits'] === undefined ? undefined : limitsIn(own['resourceLimits']),
    env: optional(own, 'env', isEnv, 'an object of texts, or SHARE_ENV'),
    execArgv: optional(own, 'execArgv', isTexts, 'an array of flags of Node'),
    runtime: optional(own, 'runtime', isRuntime, 'made by createRuntime') ?? defaultRuntime,
  }
}

function limitsIn(given: unknown): ResourceLimits {
  const inside = within(where, 'resourceLimits')
  const own = ownOptions(inside, given)
  refuseUnknown(inside, own, limits)
  for (const [name, value] of Object.entries(own))
    if (typeof value !== 'number' || !(value > 0)) throw badOption(inside, name, value, 'a number of MB above 0')
  return { ...own }
}

function optional<T>(own: OwnOptions, option: string, fits: (value: unknown) => value is T, allowed: string): T | undefined {
  const value = own[option]
  if (value === undefined || fits(value)) return value
  throw badOption(where, option, value, allowed)
}

function isEnv(value: unknown): value is NonNullable<WorkerOptions['env']> {
  return typeof value === 'symbol' || (isObject(value) && !Array.isArray(value))
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(each => typeof each === 'string')
}

function isRuntime(value: unknown): value is Runtime {
  return isObject(value) && 'clock' in value && isObject(value.clock) && 'logger' in value && isObject(value.logger)
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
