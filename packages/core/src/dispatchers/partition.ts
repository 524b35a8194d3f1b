import { addDemand } from '../demand.ts'
import type { Delivery, Dispatched, Dispatcher, DispatcherFactory, DispatcherWarning, Recipient } from '../dispatcher.ts'
import { show, suggestion, UnnamedError } from '../errors.ts'
import { type Hashable, stableHash } from '../hash.ts'
import { badOption, ownOptions, refuseUnknown, wholeNumber } from '../options.ts'
import type { SubscriptionOptions } from '../refs.ts'
import type { Partition } from '../types.ts'
import { Outcome } from './outcome.ts'
import { PartitionLane } from './partition-lane.ts'

/** Returned by a partition hash: this event goes nowhere. It is reported as discarded and its demand is given back (X3). */
export const none: unique symbol = Symbol('genstage.none')

declare const route: unique symbol

/** What `routed` makes: another event in place of the one hashed, and its partition. */
export interface Routed<out P extends Partition = Partition> {
  readonly [route]: P
}

class RoutedEvent {
  readonly event: unknown
  readonly partition: Partition

  constructor(event: unknown, partition: Partition) {
    this.event = event
    this.partition = partition
  }
}

/** Returned by a partition hash that replaces the event on its way: `hash: order => routed(anonymous(order), order.region)` (GS-H1). */
export function routed<const P extends Partition>(event: unknown, partition: P): Routed<P> {
  return new RoutedEvent(event, partition) as unknown as Routed<P>
}

/** Options of `partitionDispatcher`. */
export interface PartitionDispatcherOptions<in Event, P extends Partition = number> {
  /** How many (then they are called 0 … n-1), or their names. */
  readonly partitions: number | readonly P[]
  /** The partition of an event, or `routed(event, partition)` to replace it, or `none` to discard it. */
  readonly hash: (event: Event) => NoInfer<P> | Routed<NoInfer<P>> | typeof none
  /** The most events waiting for one partition: beyond it the whole producer pauses, with a warning. Default 10,000; `Infinity` allowed. */
  readonly maxQueued?: number
}

/**
 * Each event to the consumer of its partition (GS-H1 to GS-H12). Events that are no plain values need a `hash`.
 *
 * Refuses bad options with `BAD_OPTION`. A hash that answers no partition ends the producer: `UNKNOWN_PARTITION` for one that does
 * not exist, `BAD_RETURN` for what cannot be one (GS-H3).
 *
 * ```ts
 * const byParity = partitionDispatcher({ partitions: ['even', 'odd'], hash: (n: number) => (n % 2 === 0 ? 'even' : 'odd') })
 * console.log(typeof byParity) // => function
 * ```
 */
export function partitionDispatcher<Event, const P extends Partition = number>(
  options: PartitionDispatcherOptions<Event, P>,
): DispatcherFactory<Event>
export function partitionDispatcher(options: {
  readonly partitions: number
  readonly maxQueued?: number
}): DispatcherFactory<Hashable>
export function partitionDispatcher<Event>(options: unknown): DispatcherFactory<Event> {
  const where = 'partitionDispatcher'
  const own = ownOptions(where, options)
  refuseUnknown(where, own, ['partitions', 'hash', 'maxQueued'])
  const names = partitionNames(where, own['partitions'])
  const maxQueued = wholeNumber(where, own, 'maxQueued', 10_000, { min: 1, infinity: true })
  const hash = own['hash']
  if (hash === undefined) {
    if (!names.every(Number.isInteger)) throw badOption(where, 'hash', hash, 'a function, because the partitions have names')
    return () => new PartitionDispatcher(names, event => hashPlain(event, names), maxQueued)
  }
  if (typeof hash !== 'function') throw badOption(where, 'hash', hash, 'a function from an event to its partition')
  return () => new PartitionDispatcher(names, hash as Hash, maxQueued)
}

const noEvents: readonly unknown[] = []

type Hash = (event: unknown) => unknown

function partitionNames(where: string, partitions: unknown): readonly Partition[] {
  const allowed = 'a whole number from 1, or a list of different names (strings or numbers)'
  if (typeof partitions === 'number' && Number.isSafeInteger(partitions) && partitions >= 1 && partitions <= 2 ** 24) {
    return Array.from({ length: partitions }, (_, index) => index)
  }
  if (typeof partitions !== 'object' || partitions === null || !(Symbol.iterator in partitions))
    throw badOption(where, 'partitions', partitions, allowed)
  const names: unknown[] = [...(partitions as Iterable<unknown>)]
  if (names.length === 0 || new Set(names).size < names.length || !names.every(isPartition))
    throw badOption(where, 'partitions', partitions, allowed)
  return names
}

function isPartition(name: unknown): name is Partition {
  return typeof name === 'string' || (typeof name === 'number' && !Number.isNaN(name))
}

function hashPlain(event: unknown, names: readonly Partition[]): unknown {
  const hash = stableHash(event)
  if (hash !== undefined) return names[hash % names.length]
  throw new UnnamedError(
    'BAD_RETURN',
    `an event that is ${show(event)} has no built-in hash; give partitionDispatcher a hash function`,
    {
      option: 'hash',
    },
  )
}

class PartitionDispatcher implements Dispatcher {
  readonly #lanes: readonly PartitionLane[]
  /** By name, where the names are not the places in the list. */
  readonly #laneOf: Map<unknown, PartitionLane> | undefined
  readonly #laneOfRecipient = new Map<Recipient, PartitionLane>()
  readonly #hash: Hash
  readonly #maxQueued: number
  /** Events that may be routed now: Σ integer demands - Σ (queued - prepaid) + pending (X4, U6). */
  #waiting = 0
  /** Demand of consumers that left: later asks are covered from it (GS-H9). */
  #pending = 0
  /** How many lanes hold `maxQueued` events or more. */
  #full = 0
  readonly #outcome = new Outcome()

  constructor(names: readonly Partition[], hash: Hash, maxQueued: number) {
    this.#lanes = names.map(name => new PartitionLane(name))
    if (names.some((name, index) => name !== index)) this.#laneOf = new Map(this.#lanes.map(lane => [lane.name, lane]))
    this.#hash = hash
    this.#maxQueued = maxQueued
  }

  subscribe(to: Recipient, options: SubscriptionOptions): Dispatched {
    const { partition } = options
    const known = this.#lanes.map(lane => String(lane.name))
    if (partition === undefined) {
      throw new UnnamedError('BAD_OPTION', `partition is missing: a subscription here takes one of ${known.join(', ')}`, {
        option: 'partition',
      })
    }
    const lane = this.#laneNamed(partition)
    if (lane === undefined) {
      throw new UnnamedError(
        'UNKNOWN_PARTITION',
        `partition ${show(partition)} is none of ${known.join(', ')}${typeof partition === 'string' ? suggestion(partition, known) : ''}`,
        {
          option: 'partition',
        },
      )
    }
    if (lane.consumer !== undefined) {
      throw new UnnamedError('PARTITION_TAKEN', `partition ${show(partition)} is taken by ${show(lane.consumer.consumerId)}`, {
        option: 'partition',
      })
    }
    lane.consumer = to
    this.#laneOfRecipient.set(to, lane)
    return this.#done()
  }

  ask(to: Recipient, demand: number): Dispatched {
    const lane = this.#laneOfRecipient.get(to)
    if (lane === undefined) return this.#done()
    const wasFull = this.#isFull(lane)
    const flushed = lane.ask(demand)
    if (wasFull && !this.#isFull(lane)) this.#full--
    const covered = Math.min(this.#pending, demand - flushed.prepaid)
    this.#pending -= covered
    this.#waiting = addDemand(this.#waiting, demand - flushed.prepaid - covered)
    if (flushed.batches.length === 0 && flushed.infos.length === 0) return this.#done()
    const outcome = this.#done()
    outcome.deliveries = flushed.batches.map(events => ({ to, events }))
    outcome.infos = flushed.infos
    return outcome
  }

  cancel(to: Recipient): Dispatched {
    return this.giveBack(noEvents, to)
  }

  /** Back to the partition they came from, whatever the hash would say now: it may have replaced them on their way. */
  giveBack(undone: readonly unknown[], from: Recipient): Dispatched {
    const lane = this.#laneOfRecipient.get(from)
    if (lane === undefined) return this.#done(undone)
    this.#laneOfRecipient.delete(from)
    const wasFull = this.#isFull(lane)
    const left = lane.leave(undone)
    const warnings: DispatcherWarning[] = []
    this.#noteFull(lane, wasFull, warnings)
    this.#waiting = addDemand(this.#waiting, left.released)
    this.#pending = addDemand(this.#pending, left.unused)
    const outcome = this.#done()
    outcome.infos = left.infos
    if (warnings.length > 0) outcome.warnings = warnings
    return outcome
  }

  dispatch(events: readonly unknown[]): Dispatched {
    // Once per dispatch, not per event: the call of the hash in between would have them read again
    const hash = this.#hash
    const lanes = this.#lanes
    const byPlace = this.#laneOf === undefined ? lanes.length : 0
    let dropped: unknown[] | undefined
    let taken = 0
    let room = this.#waiting
    for (; taken < events.length && room > 0; taken++) {
      const event = events[taken]
      const answer = hash(event)
      // The common case first: the answer is a partition, and the event stays what it is
      let lane = typeof answer === 'number' && answer >= 0 && answer < byPlace ? lanes[answer] : this.#laneNamed(answer)
      if (lane !== undefined) lane.route(event)
      else if (answer === none) {
        dropped ??= []
        dropped.push(event)
        continue
      } else {
        lane = this.#laneNamed(answer instanceof RoutedEvent ? answer.partition : undefined)
        if (lane === undefined || !(answer instanceof RoutedEvent)) throw this.#badAnswer(answer)
        lane.route(answer.event)
      }
      room--
    }
    this.#waiting = room
    const warnings: DispatcherWarning[] = []
    const deliveries = this.#deliver(warnings)
    const outcome = this.#done(taken < events.length ? events.slice(taken) : undefined)
    outcome.deliveries = deliveries
    if (dropped !== undefined) outcome.discarded = [{ count: dropped.length, reason: 'no_partition', events: dropped }]
    if (warnings.length > 0) outcome.warnings = warnings
    return outcome
  }

  info(message: unknown): Dispatched {
    const behind = this.#lanes.filter(lane => lane.isQueueing)
    const outcome = this.#done()
    if (behind.length === 0) outcome.infos = [message]
    const info = { message, toPass: behind.length }
    for (const lane of behind) lane.hold(info)
    return outcome
  }

  held(): readonly unknown[] {
    return this.#lanes.flatMap(lane => lane.queued())
  }

  inspect(): unknown {
    return {
      type: 'partition',
      waiting: this.#waiting,
      pending: this.#pending,
      partitions: this.#lanes.map(lane => lane.inspect()),
    }
  }

  #laneNamed(name: unknown): PartitionLane | undefined {
    if (this.#laneOf !== undefined) return this.#laneOf.get(name)
    return typeof name === 'number' && name >= 0 && name < this.#lanes.length ? this.#lanes[name] : undefined
  }

  /** Hands on what was routed, partition by partition in their order (GS-H6). */
  #deliver(warnings: DispatcherWarning[]): Delivery[] {
    const deliveries: Delivery[] = []
    for (const lane of this.#lanes) {
      if (!lane.hasRouted) continue
      const wasFull = this.#isFull(lane)
      const events = lane.deliver()
      if (events !== undefined && lane.consumer !== undefined) deliveries.push({ to: lane.consumer, events })
      this.#noteFull(lane, wasFull, warnings)
    }
    return deliveries
  }

  #noteFull(lane: PartitionLane, wasFull: boolean, warnings: DispatcherWarning[]): void {
    if (wasFull || !this.#isFull(lane)) return
    this.#full++
    warnings.push({ code: 'partition_full', partition: lane.name, n: lane.queuedCount, max: this.#maxQueued })
  }

  #isFull(lane: PartitionLane): boolean {
    return lane.queuedCount >= this.#maxQueued
  }

  #done(leftover?: readonly unknown[]): Outcome {
    const outcome = this.#outcome.with(this.#waiting, this.#full > 0)
    if (leftover !== undefined && leftover.length > 0) outcome.leftover = leftover
    return outcome
  }

  #badAnswer(answer: unknown): UnnamedError {
    const partition = answer instanceof RoutedEvent ? answer.partition : answer
    const known = this.#lanes.map(lane => String(lane.name)).join(', ')
    if (isPartition(partition)) {
      return new UnnamedError('UNKNOWN_PARTITION', `the hash answered ${show(partition)}, which is none of ${known}`, {
        option: 'hash',
      })
    }
    return new UnnamedError(
      'BAD_RETURN',
      `the hash must answer a partition (${known}), routed(…) or none, not ${show(partition)}`,
      {
        option: 'hash',
      },
    )
  }
}
