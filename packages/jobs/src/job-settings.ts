import { badOption, type OwnOptions } from '@genstage/core/adapters'
import { millisecondsIn, wholeIn } from './numbers.ts'
import { checkQueueName } from './names.ts'
import type { NewJob } from './store.ts'

/** What a job is enqueued with, besides its kind and args: the options of its kind, and those of the call. */
export type JobSettings = Omit<NewJob, 'id' | 'kind' | 'version' | 'args'> & {
  /** Chosen by the caller; else the client makes one. */
  readonly id?: string | undefined
}

/** Options that a kind and a call of enqueue have in common. */
export interface CommonJobOptions {
  /** The line in which it waits. Default `'default'`. */
  readonly queue?: string
  /** Lower goes first; a 32-bit whole number. Default 0. */
  readonly priority?: number
  /** From 1 to 1,000. Default 3. */
  readonly maxAttempts?: number
  /** How long one attempt may take before its signal is aborted (`JOB_TIMEOUT`). Default: as long as it likes. */
  readonly timeoutMs?: number
}

/** What holds where neither the kind nor the call says anything. */
export const defaultJobSettings: JobSettings = Object.freeze({
  queue: 'default',
  priority: 0,
  delayMs: 0,
  maxAttempts: 3,
  timeoutMs: undefined,
})

/** Names of the options that `commonSettings` reads. */
export const commonJobOptions: readonly (keyof CommonJobOptions)[] = ['queue', 'priority', 'maxAttempts', 'timeoutMs']

/** Reads those options; what is absent is as in `before`. Refuses with `BAD_OPTION` and `BAD_NAME` (BAD-91, 94 to 96). */
export function commonSettings(where: string, own: OwnOptions, before: JobSettings): JobSettings {
  const { queue, timeoutMs } = own
  return {
    queue: queue === undefined ? before.queue : checkQueueName(queue),
    priority: wholeIn(where, own, 'priority', before.priority, -(2 ** 31), 2 ** 31 - 1),
    delayMs: before.delayMs,
    maxAttempts: wholeIn(where, own, 'maxAttempts', before.maxAttempts, 1, 1000),
    timeoutMs: timeoutMs === undefined ? before.timeoutMs : millisecondsIn(where, own, 'timeoutMs'),
  }
}

/** Text of 1 to so many UTF-8 bytes, without a NUL and whole: something that every store can hold and compare. */
export function shortText(where: string, option: string, value: unknown, maxBytes: number): string {
  if (typeof value === 'string' && value !== '' && Buffer.byteLength(value) <= maxBytes && !/\0|\p{Surrogate}/u.test(value))
    return value
  throw badOption(where, option, value, `text of 1 to ${maxBytes} bytes, without U+0000 and half surrogate pairs`)
}
