import type { Run } from '../harness/measure-rate.ts'
import { isRate, workloads, type RateId, type WorkloadId } from './workloads.ts'

/** One library at the workloads, each written as its own documentation would. */
export interface Peer {
  /** Its name in tables. */
  readonly label: string
  /** The workloads it can do; WL-10 runs its WL-2. */
  readonly rates: { readonly [Id in RateId]?: Run }
  /** Where a run gets slower the longer it is: no more events than so many. */
  readonly mostEvents?: { readonly [Id in RateId]?: number }
  /** WL-9: runs until the process ends, and tells `flow` what it makes and uses. */
  readonly backlog?: (flow: Flow) => unknown
  /** WL-11: makes subscribed pairs that never get an event, and answers what keeps them alive. */
  readonly idlePairs?: (count: number) => unknown
}

/** Counts what a source has made and a sink has used. */
export interface Flow {
  make(count: number): void
  use(count: number): void
}

/** Whether the peer can do the workload. */
export function supports(peer: Peer, id: WorkloadId): boolean {
  if (isRate(id)) return peer.rates[id] !== undefined
  switch (workloads[id].kind) {
    case 'backlog':
      return peer.backlog !== undefined
    case 'lateness':
      return peer.rates['WL-2'] !== undefined
    case 'idle':
      return peer.idlePairs !== undefined
  }
}
