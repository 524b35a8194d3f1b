import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { Buffer } from '../../src/buffer.ts'
import type { DispatcherFactory } from '../../src/dispatcher.ts'
import { broadcastDispatcher } from '../../src/dispatchers/broadcast.ts'
import { demandDispatcher } from '../../src/dispatchers/demand.ts'
import { none, partitionDispatcher } from '../../src/dispatchers/partition.ts'
import { type Operation, operations, pick } from './support/operations.ts'
import { Rig } from './support/rig.ts'

// Thousands of steps take their time on a busy machine
vi.setConfig({ testTimeout: 30_000 })

const partitionCount = 3

/** Where an event goes: for a dispatcher without partitions all of them go to one place. */
type Place = (event: number) => number | undefined

interface Subject {
  readonly name: string
  readonly factory: DispatcherFactory<number>
  readonly place: Place
  /** How many consumers it takes. */
  readonly seats: number
  readonly options: (seat: number) => object
}

const partitionOf: Place = event => (event % 5 === 4 ? undefined : event % partitionCount)

const demand: Subject = {
  name: 'demandDispatcher',
  factory: demandDispatcher({ maxDemand: 1_000 }),
  place: () => 0,
  seats: 6,
  options: () => ({}),
}

const broadcast: Subject = { ...demand, name: 'broadcastDispatcher', factory: broadcastDispatcher(), seats: 5 }

const partition: Subject = {
  name: 'partitionDispatcher',
  factory: partitionDispatcher({ partitions: partitionCount, hash: (event: number) => partitionOf(event) ?? none }),
  place: partitionOf,
  seats: partitionCount,
  options: seat => ({ partition: seat }),
}

/** Who sits where, what each of them asked for and got, in order; and all that was emitted. */
class Run {
  readonly rig: Rig<number>
  readonly seats = new Map<number, string>()
  readonly asked = new Map<string, number>()
  readonly got = new Map<string, number[]>()
  readonly seatOf = new Map<string, number>()
  /** Events in the order in which they were delivered, each with who got it. */
  readonly sent: { readonly to: string; readonly event: number }[] = []
  readonly discarded: number[] = []
  readonly emitted: number[] = []
  readonly emittedAtJoin = new Map<string, number>()
  up = 0
  readonly #subject: Subject

  constructor(subject: Subject) {
    this.#subject = subject
    this.rig = new Rig(subject.factory, { buffer: new Buffer(Infinity, 'last') })
  }

  perform(operation: Operation): void {
    const { rig } = this
    if (operation.type === 'subscribe') {
      const seat = operation.who % this.#subject.seats
      if (this.seats.has(seat)) return
      const name = `c${this.asked.size}`
      this.seats.set(seat, name)
      this.seatOf.set(name, seat)
      this.asked.set(name, 0)
      this.got.set(name, [])
      this.emittedAtJoin.set(name, this.emitted.length)
      this.up += rig.subscribe(name, this.#subject.options(seat))
    } else if (operation.type === 'dispatch') {
      const first = this.emitted.length
      const events = Array.from({ length: operation.count }, (_, index) => first + index)
      this.emitted.push(...events)
      rig.dispatch(events)
    } else if (operation.type !== 'info') {
      const taken = pick([...this.seats], operation.who)
      if (taken === undefined) return
      const [seat, name] = taken
      if (operation.type === 'ask') {
        this.asked.set(name, (this.asked.get(name) ?? 0) + operation.demand)
        this.up += rig.ask(name, operation.demand)
      } else {
        this.seats.delete(seat)
        this.up += rig.cancel(name)
      }
    }
    this.#collect()
    // The message that the stage posts to itself when the hash has discarded events
    const discarded = rig.discarded()
    for (const { events } of discarded) this.discarded.push(...(events as number[]))
    if (discarded.length > 0) this.up += rig.settle()
    this.#collect()
  }

  #collect(): void {
    for (const [to, events] of this.rig.delivered()) {
      for (const event of events as number[]) {
        this.sent.push({ to, event })
        this.got.get(to)?.push(event)
      }
    }
  }

  /** Events that are still here: held by the dispatcher, and buffered. */
  held(): readonly number[] {
    return (this.rig.dispatcher.held?.() ?? []) as readonly number[]
  }
}

function forEveryStep(subject: Subject, check: (run: Run) => void): void {
  fc.assert(
    fc.property(operations, script => {
      const run = new Run(subject)
      for (const operation of script) {
        run.perform(operation)
        check(run)
      }
    }),
    { numRuns: 300 },
  )
}

/** For what shows at the end too: a gap or a wrong order never heals. */
function forEveryRun(subject: Subject, check: (run: Run) => void): void {
  fc.assert(
    fc.property(operations, script => {
      const run = new Run(subject)
      for (const operation of script) run.perform(operation)
      check(run)
    }),
    { numRuns: 300 },
  )
}

const isAscending = (events: readonly number[]): boolean =>
  events.every((event, index) => index === 0 || event > (events[index - 1] ?? 0))

describe.each([demand, broadcast, partition])('$name with a buffer beside it', subject => {
  it('U1 GS-G7 sends nobody more than was asked', () => {
    forEveryStep(subject, run => {
      for (const [name, got] of run.got) expect(got.length).toBeLessThanOrEqual(run.asked.get(name) ?? 0)
    })
  })

  it('U3 GS-G7 sends everybody events in the order of their emission, none of them twice', () => {
    forEveryRun(subject, run => {
      for (const got of run.got.values()) expect(isAscending(got)).toBe(true)
    })
  })

  it('U4 X1 X2 X3 lets nothing wait in the buffer that somebody could take', () => {
    forEveryStep(subject, run => {
      if ((run.rig.buffer?.length ?? 0) > 0) expect(run.rig.allowance).toBe(0)
    })
  })

  it('U4 GS-G7 has asked its producer for all that it could take, and owes nothing below 0', () => {
    forEveryStep(subject, run => {
      expect(run.rig.requested).toBeGreaterThanOrEqual(run.rig.allowance)
      expect(run.rig.allowance).toBeGreaterThanOrEqual(0)
      expect(run.rig.requested).toBeLessThanOrEqual(run.up)
    })
  })
})

describe('demandDispatcher with a buffer beside it', () => {
  it('U2 U3 X1 hands out all events in the order of their emission, each once; what is not handed out is in the buffer', () => {
    forEveryRun(demand, run => {
      const delivered = run.sent.map(each => each.event)
      expect(delivered).toEqual(run.emitted.slice(0, delivered.length))
      expect(delivered.length + (run.rig.buffer?.length ?? 0)).toBe(run.emitted.length)
    })
  })

  it('U5 GS-G7 asks its producer for no more than it was asked for', () => {
    forEveryStep(demand, run => {
      expect(run.up).toBeLessThanOrEqual([...run.asked.values()].reduce((sum, asked) => sum + asked, 0))
    })
  })
})

describe('broadcastDispatcher with a buffer beside it', () => {
  it('U2 U3 X2 GS-W10 sends everybody who is there every event from the first one on, without a gap', () => {
    forEveryRun(broadcast, run => {
      const sent = run.emitted.length - (run.rig.buffer?.length ?? 0)
      for (const [name, got] of run.got) {
        const first = got[0] ?? 0
        expect(got).toEqual(run.emitted.slice(first, first + got.length))
        // Who is still here and has got anything has got everything that was sent since
        if (got.length > 0 && [...run.seats.values()].includes(name)) expect(first + got.length).toBe(sent)
      }
    })
  })

  it('U5 GS-G7 asks its producer for no more than it was asked for', () => {
    forEveryStep(broadcast, run => {
      expect(run.up).toBeLessThanOrEqual([...run.asked.values()].reduce((sum, asked) => sum + asked, 0))
    })
  })
})

describe('partitionDispatcher with a buffer beside it', () => {
  it('U2 U3 X3 X4 gives the consumers of a partition, one after the other, all its events in order; the others wait or were discarded', () => {
    forEveryRun(partition, run => {
      const held = run.held()
      const routed = run.emitted.slice(0, run.emitted.length - (run.rig.buffer?.length ?? 0))
      for (let seat = 0; seat < partitionCount; seat++) {
        const delivered = run.sent.filter(each => run.seatOf.get(each.to) === seat).map(each => each.event)
        const waiting = held.filter(event => partitionOf(event) === seat)
        expect([...delivered, ...waiting]).toEqual(routed.filter(event => partitionOf(event) === seat))
      }
      expect(run.discarded).toEqual(routed.filter(event => partitionOf(event) === undefined))
    })
  })
})
