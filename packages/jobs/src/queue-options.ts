import { GenStageError } from '@genstage/core'
import { badOption, flag, ownOptions, refuseUnknown, show } from '@genstage/core/adapters'
import { checkQueueName } from './names.ts'
import { numberIn, wholeIn } from './numbers.ts'

/** How a runner works on a queue. A number in its place is the concurrency. */
export interface QueueOptions {
  /** How many handlers run at once. 1 to 10,000; default 10. */
  readonly concurrency?: number
  /** Claims as many jobs ahead as the queue has lately ended in so many milliseconds. 0 to 60,000 (0: none); default 50. */
  readonly prefetchMs?: number
  /** Never claims more than that ahead. 0 to 10,000; default 1,000. */
  readonly maxPrefetch?: number
  /** Whether this runner begins nothing here until `resume`. Default false. */
  readonly paused?: boolean
}

/** The same, checked. */
export type QueueSettings = Required<QueueOptions>

/** What holds where nothing else is said. */
const defaultQueueSettings: QueueSettings = Object.freeze({
  concurrency: 10,
  prefetchMs: 50,
  maxPrefetch: 1000,
  paused: false,
})

/** Checks the options of one queue (`BAD_OPTION`, BAD-103). */
export function queueSettings(where: string, options: unknown): QueueSettings {
  if (typeof options === 'number') return { ...defaultQueueSettings, concurrency: checkConcurrency(where, options) }
  const own = ownOptions(where, options)
  refuseUnknown(where, own, Object.keys(defaultQueueSettings))
  const { concurrency, prefetchMs, maxPrefetch } = defaultQueueSettings
  return {
    concurrency: own['concurrency'] === undefined ? concurrency : checkConcurrency(where, own['concurrency']),
    prefetchMs: numberIn(where, own, 'prefetchMs', prefetchMs, { min: 0, max: 60_000, what: 'milliseconds' }),
    maxPrefetch: wholeIn(where, own, 'maxPrefetch', maxPrefetch, 0, 10_000),
    paused: flag(where, own, 'paused'),
  }
}

/** A number of handlers as it was given; `BAD_OPTION` if it is none (BAD-103). */
export function checkConcurrency(where: string, concurrency: unknown): number {
  return wholeIn(where, { concurrency }, 'concurrency', undefined, 1, 10_000)
}

/** Checks the queues of a runner, by name: at least one (`BAD_OPTION`, `BAD_NAME`; BAD-91, 103, 108). */
export function queuesSettings(where: string, queues: unknown): ReadonlyMap<string, QueueSettings> {
  if (typeof queues !== 'object' || queues === null) throw badOption(where, 'queues', queues, 'an object such as { default: 10 }')
  const own = ownOptions(`${where}: queues`, queues)
  const settings = new Map(
    Object.keys(own).map(name => [checkQueueName(name), queueSettings(`${where}: queue ${show(name)}`, own[name])] as const),
  )
  if (settings.size === 0) {
    const message = `${where}: queues must name at least one queue, such as { default: 10 }; it is empty`
    throw new GenStageError('BAD_OPTION', message, { option: 'queues' })
  }
  return settings
}
