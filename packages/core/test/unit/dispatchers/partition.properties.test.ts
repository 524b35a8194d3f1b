import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { none, partitionDispatcher } from '../../../src/dispatchers/partition.ts'
import { operations, operationsOfStayers, pick } from '../support/operations.ts'
import { type PartitionPicture, partitionPicture } from '../support/pictures.ts'
import { type Delivered, Rig } from '../support/rig.ts'

// Thousands of steps take their time on a busy machine
vi.setConfig({ testTimeout: 30_000 })

interface Info {
  readonly info: number
  partitions: number
}

type Item = { readonly event: number } | Info

interface Lane {
  consumer: string | undefined
  /** Its integer demand, or its queue: never both (GS-H6). */
  state: { demand: number } | { queue: Item[] }
  prepaid: number
}

interface Outcome {
  readonly up: number
  readonly delivered: readonly Delivered[]
  readonly infos: readonly number[]
}

const partitionCount = 3

/** GS-H4 to GS-H10 word by word, with the bookkeeping of X3 and X4. */
class Model {
  readonly lanes: Lane[] = Array.from({ length: partitionCount }, () => ({
    consumer: undefined,
    state: { demand: 0 },
    prepaid: 0,
  }))
  waiting = 0
  pending = 0
  requested = 0
  readonly #maxQueued: number
  readonly #hash: (event: number) => number | undefined

  constructor(maxQueued: number, hash: (event: number) => number | undefined) {
    this.#maxQueued = maxQueued
    this.#hash = hash
  }

  subscribe(partition: number, consumer: string): Outcome {
    this.#lane(partition).consumer = consumer
    return this.#settled([], [])
  }

  ask(partition: number, n: number): Outcome {
    const lane = this.#lane(partition)
    const infos: number[] = []
    const batches: number[][] = [[]]
    let unused = n
    if ('queue' in lane.state) {
      const { queue } = lane.state
      for (let item = queue[0]; item !== undefined && unused > 0; item = queue[0]) {
        queue.shift()
        if ('event' in item) {
          batches.at(-1)?.push(item.event)
          unused--
        } else {
          passed(item, infos)
          batches.push([])
        }
      }
      if (unused > 0) lane.state = { demand: unused }
    } else lane.state.demand += n
    const f = Math.min(n, lane.prepaid)
    lane.prepaid -= f
    const covered = Math.min(this.pending, n - f)
    this.pending -= covered
    this.waiting += n - f - covered
    const delivered = batches.filter(batch => batch.length > 0).map((batch): Delivered => [lane.consumer ?? '', batch])
    return this.#settled(delivered, infos)
  }

  cancel(partition: number): Outcome {
    const lane = this.#lane(partition)
    const infos: number[] = []
    lane.consumer = undefined
    if ('queue' in lane.state) {
      const { queue } = lane.state
      for (let item = queue[0]; item !== undefined && !('event' in item); item = queue[0]) {
        queue.shift()
        passed(item, infos)
      }
      const queued = eventsIn(lane)
      this.waiting += queued - lane.prepaid
      lane.prepaid = queued
      if (queued === 0) lane.state = { demand: 0 }
    } else {
      this.pending += lane.state.demand
      lane.state.demand = 0
    }
    return this.#settled([], infos)
  }

  dispatch(events: readonly number[]): {
    readonly delivered: readonly Delivered[]
    readonly leftover: readonly number[]
    readonly discarded: readonly number[]
  } {
    this.requested = Math.max(0, this.requested - events.length)
    const routed: number[][] = this.lanes.map(() => [])
    const discarded: number[] = []
    let index = 0
    for (; index < events.length && this.waiting > 0; index++) {
      const event = events[index] ?? 0
      const partition = this.#hash(event)
      if (partition === undefined) discarded.push(event)
      else {
        routed[partition]?.push(event)
        this.waiting--
      }
    }
    const delivered: Delivered[] = []
    this.lanes.forEach((lane, partition) => {
      const forLane = routed[partition] ?? []
      if (forLane.length === 0) return
      if ('queue' in lane.state) {
        lane.state.queue.push(...forLane.map(event => ({ event })))
        return
      }
      const now = forLane.slice(0, lane.state.demand)
      lane.state.demand -= now.length
      if (now.length > 0) delivered.push([lane.consumer ?? '', now])
      if (lane.state.demand === 0) lane.state = { queue: forLane.slice(now.length).map(event => ({ event })) }
    })
    return { delivered, leftover: events.slice(index), discarded }
  }

  /** Answers the infos that come out at once. */
  info(info: number): readonly number[] {
    const queueing = this.lanes.filter(lane => 'queue' in lane.state)
    if (queueing.length === 0) return [info]
    const item: Info = { info, partitions: queueing.length }
    for (const { state } of queueing) if ('queue' in state) state.queue.push(item)
    return []
  }

  settle(): number {
    if (this.lanes.some(lane => eventsIn(lane) >= this.#maxQueued)) return 0
    const up = Math.max(0, this.waiting - this.requested)
    this.requested += up
    return up
  }

  #settled(delivered: readonly Delivered[], infos: readonly number[]): Outcome {
    return { up: this.settle(), delivered, infos }
  }

  #lane(partition: number): Lane {
    const lane = this.lanes[partition]
    if (lane === undefined) throw new Error(`no partition ${partition}`)
    return lane
  }
}

function passed(info: Info, infos: number[]): void {
  info.partitions--
  if (info.partitions === 0) infos.push(info.info)
}

function eventsIn(lane: Lane): number {
  return 'queue' in lane.state ? lane.state.queue.filter(item => 'event' in item).length : 0
}

const modulo = (event: number): number => event % partitionCount
const withNone = (event: number): number | undefined => (event % 4 === 3 ? undefined : event % partitionCount)
const hot = (event: number): number => (event % 10 === 0 ? 1 : 0)

const hashes = fc.constantFrom(modulo, withNone, hot)
const limits = fc.constantFrom(2, 5, Infinity)

function rigFor(hash: (event: number) => number | undefined, maxQueued: number): Rig<number> {
  return new Rig(partitionDispatcher({ partitions: partitionCount, hash: (event: number) => hash(event) ?? none, maxQueued }))
}

/** What is wrong with the balance of GS-H11, as X4 has it. */
function imbalance({ waiting, pending, partitions }: PartitionPicture): readonly string[] {
  let sum = pending
  const wrong: string[] = []
  for (const { partition, demand, queued, prepaid } of partitions) {
    sum += demand - (queued - prepaid)
    if (prepaid < 0 || prepaid > queued) wrong.push(`partition ${partition}: ${prepaid} of ${queued} events are prepaid`)
    if (demand > 0 && queued > 0) wrong.push(`partition ${partition}: ${queued} events wait although ${demand} are wanted`)
  }
  if (waiting !== sum || waiting < 0) wrong.push(`waiting is ${waiting}, the partitions make it ${sum}`)
  return wrong
}

describe('partitionDispatcher', () => {
  it('U11 U6 GS-H4 GS-H5 GS-H6 GS-H7 GS-H9 GS-H10 X3 GS-H13 X4 GS-H8 GS-H11 does what the rules say, whatever happens to it', () => {
    fc.assert(
      fc.property(operations, hashes, limits, (script, hash, maxQueued) => {
        const rig = rigFor(hash, maxQueued)
        const model = new Model(maxQueued, hash)
        let next = 0
        const compare = (up: number, outcome: Outcome): void => {
          expect({ up, delivered: rig.delivered(), infos: rig.infos() }).toEqual(outcome)
        }
        for (const operation of script) {
          const taken = model.lanes.flatMap((lane, partition) =>
            lane.consumer === undefined ? [] : [{ partition, consumer: lane.consumer }],
          )
          if (operation.type === 'info') {
            const expected = model.info(next)
            rig.info(next++)
            expect(rig.infos()).toEqual(expected)
          } else if (operation.type === 'dispatch') {
            const events = Array.from({ length: operation.count }, () => next++)
            const { delivered, leftover, discarded } = model.dispatch(events)
            expect(rig.dispatch(events)).toEqual(leftover)
            expect(rig.delivered()).toEqual(delivered)
            expect(rig.discarded().flatMap(each => each.events)).toEqual(discarded)
            if (discarded.length > 0) expect(rig.settle()).toBe(model.settle())
          } else if (operation.type === 'subscribe') {
            const partition = operation.who % partitionCount
            if (model.lanes[partition]?.consumer !== undefined) {
              expect(() => rig.subscribe('another', { partition })).toThrow('is taken by')
              continue
            }
            const consumer = `c${next++}`
            compare(rig.subscribe(consumer, { partition }), model.subscribe(partition, consumer))
          } else {
            const lane = pick(taken, operation.who)
            if (lane === undefined) continue
            const { partition, consumer } = lane
            if (operation.type === 'cancel') compare(rig.cancel(consumer), model.cancel(partition))
            else compare(rig.ask(consumer, operation.demand), model.ask(partition, operation.demand))
          }
          const picture = partitionPicture(rig)
          expect(imbalance(picture)).toEqual([])
          expect(picture).toMatchObject({
            waiting: model.waiting,
            pending: model.pending,
            partitions: model.lanes.map(lane => ({
              consumer: lane.consumer,
              demand: 'queue' in lane.state ? 0 : lane.state.demand,
              queued: eventsIn(lane),
              prepaid: lane.prepaid,
            })),
          })
          expect([rig.allowance, rig.requested]).toEqual([model.waiting, model.requested])
        }
      }),
      { numRuns: 600 },
    )
  })

  it('U5 X3 X4 asks upstream at most what it was asked, plus what was discarded, plus what was left behind by who left', () => {
    fc.assert(
      fc.property(operations, hashes, (script, hash) => {
        const rig = rigFor(hash, Infinity)
        const consumers = new Map<number, string>()
        let next = 0
        let up = 0
        let limit = 0
        for (const operation of script) {
          if (operation.type === 'dispatch') {
            rig.dispatch(Array.from({ length: operation.count }, () => next++))
            limit += rig.discarded().reduce((sum, each) => sum + each.count, 0)
            up += rig.settle()
          } else if (operation.type === 'subscribe') {
            const partition = operation.who % partitionCount
            if (consumers.has(partition)) continue
            consumers.set(partition, `c${next++}`)
            up += rig.subscribe(consumers.get(partition) ?? '', { partition })
          } else if (operation.type !== 'info') {
            const taken = pick([...consumers], operation.who)
            if (taken === undefined) continue
            const [partition, consumer] = taken
            if (operation.type === 'ask') {
              limit += operation.demand
              up += rig.ask(consumer, operation.demand)
            } else {
              const lane = partitionPicture(rig).partitions[partition]
              limit += (lane?.queued ?? 0) - (lane?.prepaid ?? 0)
              consumers.delete(partition)
              up += rig.cancel(consumer)
            }
          }
          expect(up).toBeLessThanOrEqual(limit)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('U5 asks upstream exactly what it was asked while nobody leaves and no event is left over or discarded', () => {
    fc.assert(
      fc.property(operationsOfStayers, script => {
        const rig = rigFor(modulo, Infinity)
        for (let partition = 0; partition < partitionCount; partition++) rig.subscribe(`c${partition}`, { partition })
        let next = 0
        let asked = 0
        let up = 0
        for (const operation of script) {
          if (operation.type === 'ask') {
            asked += operation.demand
            up += rig.ask(`c${operation.who % partitionCount}`, operation.demand)
          } else if (operation.type === 'dispatch') {
            const events = Array.from({ length: Math.min(operation.count, rig.requested) }, () => next++)
            if (events.length > 0) expect(rig.dispatch(events)).toEqual([])
          }
          expect(up).toBe(asked)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('X4 INV-23 holds no more than maxQueued events in a queue, and what was requested when it got there, if only what is asked for is emitted', () => {
    fc.assert(
      fc.property(operations, limits, (script, maxQueued) => {
        const rig = rigFor(hot, maxQueued)
        const consumers = new Map<number, string>()
        let next = 0
        let bound = maxQueued
        for (const operation of script) {
          if (operation.type === 'dispatch') {
            const requestedBefore = rig.requested
            const wereFull = rig.hold
            const events = Array.from({ length: Math.min(operation.count, rig.requested) }, () => next++)
            if (events.length === 0) continue
            rig.dispatch(events)
            if (rig.hold && !wereFull) bound = Math.max(bound, maxQueued + requestedBefore)
          } else if (operation.type === 'subscribe') {
            const partition = operation.who % partitionCount
            if (consumers.has(partition)) continue
            consumers.set(partition, `c${next++}`)
            rig.subscribe(consumers.get(partition) ?? '', { partition })
          } else if (operation.type !== 'info') {
            const taken = pick([...consumers], operation.who)
            if (taken === undefined) continue
            const [partition, consumer] = taken
            if (operation.type === 'ask') rig.ask(consumer, operation.demand)
            else {
              consumers.delete(partition)
              rig.cancel(consumer)
            }
          }
          for (const { queued } of partitionPicture(rig).partitions) expect(queued).toBeLessThanOrEqual(bound)
        }
      }),
      { numRuns: 300 },
    )
  })
})
