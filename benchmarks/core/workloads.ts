import { branches } from './events.ts'

/** A workload that is measured in events per second. */
export interface RateWorkload {
  readonly kind: 'rate'
  readonly title: string
  /** The checksum after `count` source events, where `count` is a multiple of `countStep`. */
  expected(count: number): number
}

/** A workload with a figure of its own. */
export interface OtherWorkload {
  readonly kind: 'backlog' | 'lateness'
  readonly title: string
}

export interface IdleWorkload {
  readonly kind: 'idle'
  readonly title: string
  readonly pairs: number
}

export type Workload = RateWorkload | OtherWorkload | IdleWorkload

/** Counts divide by the batch size, by the four branches, and by the three of WL-2. */
export const countStep = 12_000

const sumBelow = (count: number) => (count * (count - 1)) / 2

const rate = (title: string, expected: (count: number) => number): RateWorkload => ({ kind: 'rate', title, expected })

/** The workloads in the order of the tables. What follows an `@` is a variant, which is run by genstage alone. */
export const workloads = {
  'WL-1': rate('source → sink', sumBelow),
  'WL-2': rate('source → double → keep multiples of 3 → sink', count => 6 * sumBelow(count / 3)),
  'WL-3': rate('one source broadcast to 4 sinks', count => branches * sumBelow(count)),
  'WL-4': rate('one source partitioned to 4 sinks', sumBelow),
  'WL-5': rate('work of one source shared by 4 sinks', sumBelow),
  'WL-6': rate('4 sources into one sink', count => branches * sumBelow(count / branches)),
  'WL-7': rate('WL-1 with demand 1', sumBelow),
  'WL-8a': rate('WL-1 with a handler that awaits per event', sumBelow),
  'WL-8b': rate('every event waits for one setImmediate, 10 at once', sumBelow),
  'WL-1@100/50': rate('WL-1 with maxDemand 100, minDemand 50', sumBelow),
  'WL-1@10/5': rate('WL-1 with maxDemand 10, minDemand 5', sumBelow),
  'WL-8b@by-hand': rate('WL-8b with a manual consumer', sumBelow),
  'WL-2@no-yield': rate('WL-2 without turns for the event loop', count => 6 * sumBelow(count / 3)),
  'WL-9': { kind: 'backlog', title: 'fast source, sink waits 1 ms per 100 events' },
  'WL-10': { kind: 'lateness', title: 'a 1 ms timer beside WL-2 flat out' },
  'WL-11@1000': { kind: 'idle', title: '1,000 idle subscribed pairs', pairs: 1_000 },
  'WL-11@100000': { kind: 'idle', title: '100,000 idle subscribed pairs', pairs: 100_000 },
} satisfies Record<string, Workload>

export type WorkloadId = keyof typeof workloads

/** The workloads measured in events per second. */
export type RateId = { [Id in WorkloadId]: (typeof workloads)[Id] extends RateWorkload ? Id : never }[WorkloadId]

export const workloadIds = Object.keys(workloads) as readonly WorkloadId[]

export function isWorkloadId(id: string): id is WorkloadId {
  return id in workloads
}

export function isRate(id: WorkloadId): id is RateId {
  return workloads[id].kind === 'rate'
}

/** A count so large that twice as much might have a checksum which is not exact any more. */
export function mostEvents({ expected }: RateWorkload): number {
  let count = countStep
  while (Number.isSafeInteger(expected(count * 2))) count *= 2
  return count
}

/** The workload without its variant: `WL-1` for `WL-1@10/5`. */
export function baseOf(id: WorkloadId): string {
  return id.split('@')[0] ?? id
}
