import type { Partition } from '../../../src/types.ts'
import type { Rig } from './rig.ts'

/** What `inspect()` of the demand dispatcher shows. */
export interface DemandPicture {
  readonly maxDemand: number | undefined
  readonly demands: readonly { readonly subscription: string; readonly demand: number }[]
}

/** What `inspect()` of the broadcast dispatcher shows. */
export interface BroadcastPicture {
  readonly waiting: number
  readonly credits: readonly { readonly subscription: string; readonly credit: number }[]
}

/** What `inspect()` of the partition dispatcher shows. */
export interface PartitionPicture {
  readonly waiting: number
  readonly pending: number
  readonly partitions: readonly {
    readonly partition: Partition
    readonly consumer: string | undefined
    readonly demand: number
    readonly queued: number
    readonly prepaid: number
  }[]
}

export function demandPicture(rig: Rig<never>): DemandPicture {
  return rig.dispatcher.inspect?.() as DemandPicture
}

export function broadcastPicture(rig: Rig<never>): BroadcastPicture {
  return rig.dispatcher.inspect?.() as BroadcastPicture
}

export function partitionPicture(rig: Rig<never>): PartitionPicture {
  return rig.dispatcher.inspect?.() as PartitionPicture
}

/** The list of the demand dispatcher and what is pending, as the worked vectors write it: `a4 b2 c0, 3`. */
export function demandState(rig: Rig<never>): string {
  const list = demandPicture(rig).demands.map(({ subscription, demand }) => `${subscription}${demand}`)
  return `${list.join(' ') || 'none'}, ${rig.pending}`
}

/** The credits of the broadcast dispatcher by name, and waiting and requested: `a0 b4 (3,7)`. Their order means nothing. */
export function broadcastState(rig: Rig<never>): string {
  const { waiting, credits } = broadcastPicture(rig)
  const list = credits.map(({ subscription, credit }) => `${subscription}${credit}`).toSorted()
  return `${list.join(' ') || 'none'} (${waiting},${rig.requested})`
}

/** Waiting and pending of the partition dispatcher: `(6,0)`. */
export function partitionState(rig: Rig<never>): string {
  const { waiting, pending } = partitionPicture(rig)
  return `(${waiting},${pending})`
}

/** One partition: its demand, or how many events wait, of which so many are prepaid: `demand 3`, `queue 2`, `queue 2 (1 prepaid)`. */
export function laneState(rig: Rig<never>, partition: Partition): string {
  const lane = partitionPicture(rig).partitions.find(each => each.partition === partition)
  if (lane === undefined) return 'none'
  if (lane.queued === 0) return `demand ${lane.demand}`
  return `queue ${lane.queued}${lane.prepaid > 0 ? ` (${lane.prepaid} prepaid)` : ''}`
}
