/**
 * Numbers come from four places, rarely. Their roots go to a file, to an HTTP API, and to the screen:
 *
 *     east  ─┐                                        ┌─► lines ─► file
 *     west  ─┼─► numbers ─┬─► worker-0 (even) ─┬──────┼─► posts ─┬─► poster-0
 *     table ─┤            └─► worker-1 (odd)  ─┘      │          └─► poster-1
 *     desk  ─┘                                        └─► screen
 *
 * - east and west are asked over HTTP, the table by a query, when somebody wants a number (`polling`, `pollingBatches`). The table
 *   is full of old numbers, and gives them in small doses (`rateLimit`). At the desk numbers come in when they like (`buffering`).
 * - numbers has four producers: **fan-in**. It leaves out what has no root, and shares **by key**: the same number always goes to
 *   the same worker, which remembers it.
 * - The workers give each root **to all** three that want it. The posts are shared **by demand**: who has time takes the next.
 *
 * A supervisor starts them in this order, the producers before those that ask them, and again what has crashed. Each subscription
 * is to a name, and is made again by itself (`resubscribe`); what a poster had in hand goes to another (`redeliver`).
 */
import {
  broadcastDispatcher,
  child,
  demandDispatcher,
  partitionDispatcher,
  producerName,
  rateLimit,
  supervisor,
} from '@genstage/core'
import { batch, buffering, filter, forEach, polling, pollingBatches } from '@genstage/stages'
import type { BufferingMessages } from '@genstage/stages'
import { hasRoot } from './numbers.ts'
import type { Found } from './numbers.ts'
import { Worker } from './worker.ts'
import type { Worked } from './worker.ts'

/** The world outside of the stages, as functions. */
export interface Outside {
  readonly fetchEast: () => Promise<Found | undefined>
  readonly fetchWest: () => Promise<Found | undefined>
  readonly claimRows: (limit: number) => Promise<readonly Found[]>
  readonly process: (number: number) => Promise<number>
  readonly append: (roots: readonly Worked[]) => Promise<void>
  readonly post: (roots: readonly Worked[], work: { readonly signal: AbortSignal }) => Promise<void>
  readonly show: (root: Worked) => void
}

/** Names outlive the stages that have them. Whoever has a number by hand casts it to the one that is the desk now. */
export const Desk = producerName<Found, BufferingMessages<Found>>('desk')
const [East, West, Table] = [producerName<Found>('east'), producerName<Found>('west'), producerName<Found>('table')]
const Numbers = producerName<Found>('numbers')
const Workers = [producerName<Worked>('worker-0'), producerName<Worked>('worker-1')]
const Lines = producerName<readonly Worked[]>('lines')
const Posts = producerName<readonly Worked[]>('posts')

/** In any second so many rows of the table, and no more. */
export const tableRate = { events: 4, perMs: 1_000 }

/** The tree. `everyMs`: how long to wait when a source had nothing. */
export function takingRoots(outside: Outside, { everyMs }: { readonly everyMs: number }) {
  const again = { resubscribe: { minDelayMs: 10, maxDelayMs: Math.max(10, everyMs) } }
  const fromWorkers = { subscribeTo: Workers.map(to => ({ to, maxDemand: 10, ...again })) }
  const workers = { process: outside.process, readers: 3, atOnce: 2 }
  const bySize = { size: 5, withinMs: 500 }
  const poster = { subscribeTo: [{ to: Posts, maxDemand: 1, redeliver: true, ...again }] } as const

  return supervisor(
    [
      child(polling(outside.fetchEast, { everyMs }), { id: 'east', name: East }),
      child(polling(outside.fetchWest, { everyMs }), { id: 'west', name: West }),
      child(pollingBatches(outside.claimRows, { everyMs }), {
        id: 'table',
        name: Table,
        dispatcher: rateLimit(demandDispatcher(), tableRate),
      }),
      child(buffering<Found>({ size: 100, overflow: 'dropNewest' }), { id: 'desk', name: Desk }),
      child(filter(hasRoot), {
        id: 'numbers',
        name: Numbers,
        dispatcher: partitionDispatcher({ partitions: Workers.length, hash: ({ number }) => number % Workers.length }),
        // Small: what it has asked for and nobody takes would be missing on the servers, where others might have taken it.
        subscribeTo: [East, West, Table, Desk].map(to => ({ to, maxDemand: 4, minDemand: 2, ...again })),
      }),
      ...Workers.map((name, partition) =>
        child(Worker, {
          id: name.name,
          name,
          arg: workers,
          dispatcher: broadcastDispatcher(),
          subscribeTo: [{ to: Numbers, partition, redeliver: true, ...again }],
        }),
      ),
      child(batch<Worked>(bySize), { id: 'lines', name: Lines, ...fromWorkers }),
      child(forEach(outside.append), {
        id: 'file',
        name: 'file',
        subscribeTo: [{ to: Lines, maxDemand: 1, redeliver: true, ...again }],
      }),
      child(batch<Worked>(bySize), { id: 'posts', name: Posts, ...fromWorkers }),
      child(forEach(outside.post), { id: 'poster-0', name: 'poster-0', ...poster }),
      child(forEach(outside.post), { id: 'poster-1', name: 'poster-1', ...poster }),
      child(forEach(outside.show), { id: 'screen', name: 'screen', ...fromWorkers }),
    ],
    // Not at once: a server in trouble would be asked more often than one that is well.
    { maxRestarts: 50, maxSeconds: 5, backoff: { minDelayMs: everyMs, maxDelayMs: 10_000 } },
  )
}
