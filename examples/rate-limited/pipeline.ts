/**
 * As fast as the service allows, and no faster:
 *
 *     places ─► fetcher, one task per place
 *
 * Two limits that have nothing to do with each other. The dispatcher of the places lets so many through in a time (`rateLimit`):
 * that is what the service asks for. The fetcher has so many requests under way at once (`maxDemand`): that is what this
 * program can afford. When the service is slow the second one holds, when it is quick the first.
 */
import { consumerSupervisor, demandDispatcher, fromIterable, rateLimit, start } from '@genstage/core'
import type { Runtime } from '@genstage/core'

/** Asks the service about one place. */
export type Ask = (place: number, signal: AbortSignal) => Promise<void>

export interface FetchOptions {
  readonly places: Iterable<number>
  readonly ask: Ask
  /** So many requests in any time of `perMs` and no more. Undefined: as fast as possible. */
  readonly rate: { readonly events: number; readonly perMs: number } | undefined
  /** At most so many requests under way at once. */
  readonly atOnce: number
  /** Aborted: no more requests; those under way are finished. */
  readonly signal: AbortSignal
}

/** Asks about all places. Resolves when the last answer is there. */
export async function fetchAll(runtime: Runtime, { places, ask, rate, atOnce, signal }: FetchOptions): Promise<void> {
  // No restarts: a second try would be one more request, and past the dispatcher that counts them.
  const Fetcher = consumerSupervisor((place: number, task) => ask(place, task.signal), { shutdown: 'infinity' })
  const dispatcher = rate ? rateLimit(demandDispatcher(), rate) : demandDispatcher()
  const source = start(fromIterable(places), { runtime, name: 'places', dispatcher, signal })
  // It ends with its source, when the tasks that are still running have ended.
  const fetcher = start(Fetcher, { runtime, name: 'fetcher', subscribeTo: [{ to: source, maxDemand: atOnce }] })
  await fetcher.done
}
