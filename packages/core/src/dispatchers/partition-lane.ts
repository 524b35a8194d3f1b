import { BatchQueue } from '../batch-queue.ts'
import type { Recipient } from '../dispatcher.ts'
import { Queue } from '../queue.ts'
import type { Partition } from '../types.ts'

/** An info that waits until every partition it was put in has passed it (GS-H10). */
export interface HeldInfo {
  readonly message: unknown
  toPass: number
}

/** What an ask set free: messages of events (an info between them splits them), and infos whose turn has come. */
export interface Flushed {
  readonly batches: readonly (readonly unknown[])[]
  readonly infos: readonly unknown[]
  /** How many of the events had been asked for again when their consumer left (X4). */
  readonly prepaid: number
}

const nothing: readonly never[] = []
const nothingFlushed: Flushed = { batches: nothing, infos: nothing, prepaid: 0 }

/**
 * One partition: it has demand that its consumer has not used, or events that wait for demand, never both. In the second state
 * (GS-H6) it also holds infos back, even when its events have just run out: its consumer has used up all it asked for.
 */
export class PartitionLane {
  readonly name: Partition
  consumer: Recipient | undefined
  /** Asked for and not delivered; 0 while queueing. */
  #demand = 0
  #queueing = false
  readonly #events = new BatchQueue<unknown>()
  /** Infos in the queue, each with the number of events before it that have not left. */
  readonly #infos = new Queue<{ readonly info: HeldInfo; after: number }>()
  /** How many events have left the queue in all: `after` counts from the same beginning. */
  #left = 0
  /** Events at the front of the queue that the producer was asked for again when their consumer left (X4). */
  #prepaid = 0
  /** Events routed here by the dispatch under way: a list as long as the one before, which saves growing it. */
  #routed: unknown[] = []
  #routedCount = 0

  constructor(name: Partition) {
    this.name = name
  }

  /** Whether infos have to wait here. */
  get isQueueing(): boolean {
    return this.#queueing
  }

  get queuedCount(): number {
    return this.#events.length
  }

  get hasRouted(): boolean {
    return this.#routedCount > 0
  }

  route(event: unknown): void {
    this.#routed[this.#routedCount++] = event
  }

  /** Takes what was routed: answers what can be delivered now, keeps the rest (GS-H6). */
  deliver(): readonly unknown[] | undefined {
    const count = this.#routedCount
    const routed = count === this.#routed.length ? this.#routed : this.#routed.slice(0, count)
    this.#routed = new Array<unknown>(count)
    this.#routedCount = 0
    if (this.#queueing) {
      this.#events.push(routed)
      return undefined
    }
    if (routed.length < this.#demand) {
      this.#demand -= routed.length
      return routed
    }
    const now = this.#demand
    this.#demand = 0
    this.#queueing = true
    if (now === routed.length) return routed
    this.#events.push(now === 0 ? routed : routed.slice(now))
    return now === 0 ? undefined : routed.slice(0, now)
  }

  /** `demand` more are wanted: queued events first, in order (GS-H4); what is left over becomes demand. */
  ask(demand: number): Flushed {
    if (!this.#queueing) {
      this.#demand = Math.min(Number.MAX_SAFE_INTEGER, this.#demand + demand)
      return nothingFlushed
    }
    const batches: (readonly unknown[])[] = []
    const infos: unknown[] = []
    let wanted = demand
    while (wanted > 0) {
      this.#passInfos(infos)
      const info = this.#infos.at(0)
      const upToInfo = info === undefined ? wanted : Math.min(wanted, info.after - this.#left)
      const events = this.#events.take(upToInfo)
      if (events.length === 0) break
      this.#left += events.length
      wanted -= events.length
      batches.push(events)
    }
    if (wanted > 0) {
      this.#queueing = false
      this.#demand = wanted
    }
    const prepaid = Math.min(demand, this.#prepaid)
    this.#prepaid -= prepaid
    return { batches, infos, prepaid }
  }

  /** Puts an info behind the events that wait. */
  hold(info: HeldInfo): void {
    this.#infos.push({ info, after: this.#left + this.#events.length })
  }

  /**
   * The consumer has gone. Its events stay for the next one, and the units that they used up (`released`) go back to the others;
   * demand it had not used (`unused`) covers later asks (GS-H9, X4). What it had not done comes first, also before infos: it was asked
   * for long ago, so the ask that takes it goes upstream no second time.
   */
  leave(undone: readonly unknown[] = nothing): {
    readonly released: number
    readonly unused: number
    readonly infos: readonly unknown[]
  } {
    this.consumer = undefined
    const unused = this.#demand
    this.#demand = 0
    const released = this.#events.length - this.#prepaid
    this.#events.unshift(undone)
    this.#left -= undone.length
    const infos: unknown[] = []
    this.#passInfos(infos)
    this.#prepaid = this.#events.length
    this.#queueing = this.#events.length > 0
    return { released, unused, infos }
  }

  /** The events that wait, oldest first. */
  queued(): readonly unknown[] {
    return this.#events.all()
  }

  inspect(): unknown {
    return {
      partition: this.name,
      consumer: this.consumer?.consumerId,
      demand: this.#demand,
      queued: this.#events.length,
      prepaid: this.#prepaid,
    }
  }

  /** Infos with no event before them have passed here; the last partition sets them free. */
  #passInfos(free: unknown[]): void {
    for (let first = this.#infos.at(0); first !== undefined && first.after <= this.#left; first = this.#infos.at(0)) {
      this.#infos.shift()
      first.info.toPass--
      if (first.info.toPass === 0) free.push(first.info.message)
    }
  }
}
