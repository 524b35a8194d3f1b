import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Buffer } from '../../../src/buffer.ts'
import type { Dispatched, Dispatcher, DispatcherFactory, Recipient } from '../../../src/dispatcher.ts'
import { broadcastDispatcher } from '../../../src/dispatchers/broadcast.ts'
import { demandDispatcher } from '../../../src/dispatchers/demand.ts'
import { fairDispatcher } from '../../../src/dispatchers/fair.ts'
import { partitionDispatcher } from '../../../src/dispatchers/partition.ts'
import { priorityDispatcher } from '../../../src/dispatchers/priority.ts'
import { rateLimit, type RateLimitOptions } from '../../../src/dispatchers/rate-limit.ts'
import { GenStageError } from '../../../src/errors.ts'
import { numbers, Rig } from '../support/rig.ts'

const limit = { events: 5, perMs: 100 }

/** A rig with a clock, which wakes the dispatcher when it wants to be woken. */
class TimedRig<Event = unknown> {
  readonly rig: Rig<Event>
  now = 0
  wakes = 0

  constructor(factory: DispatcherFactory<Event>, buffer?: Buffer) {
    this.rig = new Rig(factory, { now: () => this.now, ...(buffer === undefined ? {} : { buffer }) })
  }

  /** Lets time pass; `onWake` is called after each wake on the way. */
  pass(ms: number, onWake: () => void = () => {}): number {
    const until = this.now + ms
    let up = 0
    for (let at = this.rig.wakeAt; at !== undefined && at <= until; at = this.rig.wakeAt) {
      this.now = Math.max(this.now, at)
      this.wakes++
      up += this.rig.wake(this.now)
      onWake()
    }
    this.now = until
    return up
  }
}

describe('rateLimit', () => {
  it('holds back demand: the producer is asked for no more than may leave', () => {
    const timed = new TimedRig(rateLimit(demandDispatcher(), limit))
    const { rig } = timed
    rig.subscribe('a')
    expect(rig.ask('a', 12)).toBe(5)
    rig.dispatch(numbers(0, 5))
    expect(rig.allowance).toBe(0)
    expect(timed.pass(99)).toBe(0)
    expect(timed.pass(1)).toBe(5)
    rig.dispatch(numbers(5, 5))
    expect(timed.pass(100)).toBe(2)
    expect(timed.wakes).toBe(2)
    expect(rig.delivered()).toEqual([
      ['a', numbers(0, 5)],
      ['a', numbers(5, 5)],
    ])
  })

  it('leaves over what is emitted beyond it, in order', () => {
    const { rig } = new TimedRig(rateLimit(demandDispatcher(), limit))
    rig.subscribe('a')
    rig.subscribe('b')
    rig.ask('a', 3)
    rig.ask('b', 10)
    expect(rig.dispatch(numbers(0, 8))).toEqual([5, 6, 7])
    expect(rig.dispatch([8])).toEqual([8])
    expect(rig.delivered()).toEqual([['b', numbers(0, 5)]])
  })

  it('does not wake while nobody wants anything', () => {
    const timed = new TimedRig(rateLimit(demandDispatcher(), limit))
    timed.rig.subscribe('a')
    timed.rig.ask('a', 5)
    timed.rig.dispatch(numbers(0, 5))
    timed.pass(1_000)
    expect(timed.wakes).toBe(0)
  })

  it('counts an event of a broadcast once', () => {
    const { rig } = new TimedRig(rateLimit(broadcastDispatcher(), limit))
    for (const name of ['a', 'b', 'c']) rig.subscribe(name)
    for (const name of ['a', 'b', 'c']) rig.ask(name, 9)
    expect(rig.dispatch(numbers(0, 7))).toEqual([5, 6])
    expect(rig.delivered()).toHaveLength(3)
  })

  it('counts what a partition hands out on an ask, and lets the other partitions have their share', () => {
    const timed = new TimedRig(rateLimit(partitionDispatcher({ partitions: 2, hash: (event: number) => event % 2 }), limit))
    const { rig } = timed
    rig.subscribe('even', { partition: 0 })
    rig.subscribe('odd', { partition: 1 })
    rig.ask('even', 1)
    rig.ask('odd', 9)
    // Nothing of this uses up the budget: it waits for a consumer
    expect(rig.dispatch([0, 2, 4, 6, 8, 10, 12, 14])).toEqual([])
    expect(rig.delivered()).toEqual([['even', [0]]])
    rig.ask('even', 9)
    expect(rig.delivered()).toEqual([['even', [2, 4, 6, 8]]])
    expect(rig.allowance).toBe(0)
    timed.pass(100)
    expect(rig.delivered()).toEqual([['even', [10, 12, 14]]])
    expect(rig.dispatch([1, 3, 5])).toEqual([5])
    expect(rig.delivered()).toEqual([['odd', [1, 3]]])
  })

  it('lets a priority dispatcher choose when an event may leave, from all that wait', () => {
    const timed = new TimedRig(rateLimit(priorityDispatcher({ priority: (event: number) => event }), limit))
    const { rig } = timed
    rig.subscribe('a')
    expect(rig.ask('a', 100)).toBe(1_005)
    rig.dispatch(numbers(10, 20))
    rig.dispatch([3, 1, 2])
    timed.pass(100)
    expect(rig.delivered()).toEqual([
      ['a', numbers(10, 5)],
      ['a', [1, 2, 3, 15, 16]],
    ])
  })

  it('X5 leaves options to the dispatcher inside, and its refusals', () => {
    const { rig } = new TimedRig(rateLimit(fairDispatcher(), limit))
    expect(rig.dispatcher.subscriptionOptions).toEqual(['weight'])
    expect(() => rig.subscribe('a', { weight: -1 })).toThrow(expect.objectContaining({ code: 'BAD_OPTION', option: 'weight' }))
  })

  it('passes on warnings, holds and asks', () => {
    const warned = new TimedRig(rateLimit(demandDispatcher({ maxDemand: 3 }), limit)).rig
    warned.subscribe('a')
    warned.ask('a', 4)
    expect(warned.warnings()).toEqual([{ code: 'ask_over_max', n: 4, max: 3, consumer: 'a' }])

    const full = new TimedRig(rateLimit(partitionDispatcher({ partitions: 2, maxQueued: 2, hash: () => 0 }), limit)).rig
    full.subscribe('a', { partition: 1 })
    full.ask('a', 4)
    full.dispatch([1, 2])
    expect(full.hold).toBe(true)

    const selective = new TimedRig(rateLimit(broadcastDispatcher(), limit)).rig
    selective.subscribe('a', { selector: event => event === 1 })
    selective.ask('a', 3)
    selective.dispatch([1, 2, 3])
    expect(selective.asks()).toEqual([['a', 2]])
    // Two of three were kept back: they did not leave
    expect(selective.dispatcher.inspect?.()).toMatchObject({ type: 'rateLimit', available: 4, limited: { type: 'broadcast' } })
  })

  it('GS-X21 charges what is delivered again like anything else, and leaves the rest over', () => {
    const { rig } = new TimedRig(rateLimit(demandDispatcher(), limit))
    rig.subscribe('a')
    rig.ask('a', 3)
    rig.dispatch(numbers(0, 3))
    rig.subscribe('b')
    rig.ask('b', 9)
    rig.delivered()
    expect(rig.giveBack('a', numbers(0, 3))).toEqual([2])
    expect(rig.delivered()).toEqual([['b', [0, 1]]])
  })

  it('GS-X21 has no giveBack if the dispatcher inside has none', () => {
    expect(new TimedRig(rateLimit(broadcastDispatcher(), limit)).rig.dispatcher.giveBack).toBeUndefined()
    expect(new TimedRig(rateLimit(demandDispatcher(), limit)).rig.dispatcher.giveBack).toBeDefined()
  })

  it('wakes a dispatcher inside when it wants to be woken', () => {
    const woken: number[] = []
    const ticking: DispatcherFactory = () => ({
      subscribe: () => ({ allowance: 0, wakeAt: 30 }),
      ask: () => ({ allowance: 0 }),
      cancel: () => ({ allowance: 0 }),
      dispatch: events => ({ allowance: 0, leftover: events }),
      wake(now) {
        woken.push(now)
        return now < 90 ? { allowance: 0, wakeAt: now + 30 } : { allowance: 0 }
      },
    })
    const timed = new TimedRig(rateLimit(ticking, limit))
    timed.rig.subscribe('a')
    timed.pass(500)
    expect(woken).toEqual([30, 60, 90])
  })

  describe('around a dispatcher that collects events', () => {
    /** Hands out ten events at once, to the last one that has asked. */
    const collecting: DispatcherFactory = () => {
      let held: unknown[] = []
      let to: Recipient | undefined
      const flush = (): Dispatched => {
        if (to === undefined || held.length < 10) return { allowance: 100 }
        const events = held
        held = []
        return { allowance: 100, deliveries: [{ to, events }], infos: ['flushed'] }
      }
      const dispatcher: Dispatcher = {
        subscribe: () => ({ allowance: 0 }),
        ask(recipient) {
          to = recipient
          return flush()
        },
        cancel: () => ({ allowance: 0 }),
        dispatch(events) {
          held.push(...events)
          return flush()
        },
        giveBack(undone) {
          held = [...undone, ...held]
          return { allowance: 0 }
        },
        held: () => held,
      }
      return dispatcher
    }

    it('lets out no more than its limit all the same; the rest waits, and infos behind it', () => {
      const timed = new TimedRig(rateLimit(collecting, limit))
      const { rig } = timed
      rig.subscribe('a')
      rig.ask('a', 100)
      rig.dispatch(numbers(0, 5))
      expect(rig.dispatch(numbers(5, 5))).toEqual([])
      expect([rig.delivered(), rig.infos()]).toEqual([[['a', numbers(0, 5)]], []])
      expect(rig.dispatcher.held?.()).toEqual(numbers(5, 5))
      expect(rig.dispatch([10])).toEqual([10])
      timed.pass(100)
      expect([rig.delivered(), rig.infos()]).toEqual([[['a', numbers(5, 5)]], ['flushed']])
    })

    it('GS-X21 takes back what was late for somebody who leaves', () => {
      const { rig } = new TimedRig(rateLimit(collecting, limit))
      rig.subscribe('a')
      rig.ask('a', 100)
      rig.dispatch(numbers(0, 5))
      rig.dispatch(numbers(5, 5))
      rig.giveBack('a', [4])
      expect(rig.dispatcher.held?.()).toEqual(numbers(4, 6))
    })

    it('BAD-19 refuses one that holds events and takes none back', () => {
      const hoarding: DispatcherFactory = context => {
        const { giveBack: _, ...others } = collecting(context)
        return others
      }
      expect(() => new Rig(rateLimit(hoarding, limit))).toThrow(
        expect.objectContaining({ code: 'BAD_OPTION', option: 'dispatcher' }),
      )
    })
  })

  it.each<[what: string, dispatcher: unknown, options: unknown, option: string]>([
    ['no dispatcher', undefined, limit, 'dispatcher'],
    ['a dispatcher in place of what makes one', demandDispatcher()({ random: () => 0, now: () => 0 }), limit, 'dispatcher'],
    ['no options', demandDispatcher(), undefined, 'events'],
    ['events 0 (BAD-109)', demandDispatcher(), { events: 0, perMs: 1 }, 'events'],
    ['events 1.5', demandDispatcher(), { events: 1.5, perMs: 1 }, 'events'],
    ['events Infinity', demandDispatcher(), { events: Infinity, perMs: 1 }, 'events'],
    ['no perMs', demandDispatcher(), { events: 1 }, 'perMs'],
    ['perMs 0 (BAD-109)', demandDispatcher(), { events: 1, perMs: 0 }, 'perMs'],
    ['perMs NaN', demandDispatcher(), { events: 1, perMs: NaN }, 'perMs'],
    ['perMs Infinity', demandDispatcher(), { events: 1, perMs: Infinity }, 'perMs'],
    ['burst 0', demandDispatcher(), { ...limit, burst: 0 }, 'burst'],
    ['burst a text', demandDispatcher(), { ...limit, burst: '3' }, 'burst'],
    ['a misspelt option', demandDispatcher(), { ...limit, perMS: 3 }, 'perMS'],
  ])('BAD-19 refuses %s', (_what, dispatcher, options, option) => {
    let error: unknown
    try {
      rateLimit(dispatcher as DispatcherFactory, options as RateLimitOptions)
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(GenStageError)
    expect(error).toMatchObject({ code: 'BAD_OPTION', option })
    expect(String(error)).toContain('rateLimit')
  })
})

describe('INV-23 rateLimit', () => {
  const place = fc.nat(2)
  const step = fc.oneof(
    fc.record({ type: fc.constant('ask' as const), place, count: fc.integer({ min: 1, max: 15 }) }),
    fc.record({ type: fc.constant('emit' as const), count: fc.integer({ min: 1, max: 15 }) }),
    fc.record({ type: fc.constant('leave' as const), place, undone: fc.nat(3) }),
    fc.record({ type: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 30 }) }),
  )
  const script = fc.array(step, { maxLength: 80, size: 'max' })

  const inner: readonly (readonly [name: string, factory: DispatcherFactory<number>])[] = [
    ['demandDispatcher', demandDispatcher()],
    ['fairDispatcher', fairDispatcher()],
    ['partitionDispatcher', partitionDispatcher({ partitions: 3, hash: (event: number) => event % 3 })],
    ['priorityDispatcher', priorityDispatcher({ priority: (event: number) => event % 4, maxQueued: 20 })],
  ]

  /** When each event left. */
  function departures(
    factory: DispatcherFactory<number>,
    steps: Parameters<Parameters<typeof script.map>[0]>[0],
  ): readonly number[] {
    const timed = new TimedRig(factory, new Buffer(Infinity, 'last'))
    const { rig } = timed
    const times: number[] = []
    const got = new Map<number, number[]>()
    let seats = 0
    const note = (): void => {
      for (const [to, events] of rig.delivered()) {
        for (const event of events as number[]) {
          times.push(timed.now)
          got.get(Number(to.split('-')[0]))?.push(event)
        }
      }
    }
    const sit = (partition: number): void => {
      got.set(partition, [])
      names.set(partition, `${partition}-${seats++}`)
      rig.subscribe(names.get(partition) ?? '', { partition })
    }
    const names = new Map<number, string>()
    for (let partition = 0; partition < 3; partition++) sit(partition)
    let next = 0
    for (const each of steps) {
      if (each.type === 'ask') rig.ask(names.get(each.place) ?? '', each.count)
      else if (each.type === 'emit') {
        rig.dispatch(numbers(next, each.count))
        next += each.count
      } else if (each.type === 'leave') {
        rig.giveBack(names.get(each.place) ?? '', got.get(each.place)?.slice(-each.undone - 1) ?? [])
        note()
        sit(each.place)
      } else timed.pass(each.ms, note)
      note()
    }
    return times
  }

  it.each(inner)('around %s never exceeds its events in any stretch of its time', (_name, factory) => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 40 }), script, (events, perMs, steps) => {
        const times = departures(rateLimit(factory, { events, perMs }), steps)
        for (const from of times) expect(times.filter(at => at >= from && at < from + perMs).length).toBeLessThanOrEqual(events)
      }),
      { numRuns: 60 },
    )
  })

  it.each(inner)('around %s never exceeds burst + w · events / perMs in any stretch of w', (_name, factory) => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 9 }),
        script,
        (events, perMs, burst, steps) => {
          const times = departures(rateLimit(factory, { events, perMs, burst }), steps)
          for (const [first, from] of times.entries()) {
            for (let last = first; last < times.length; last++) {
              const width = (times[last] ?? from) - from
              expect((last - first + 1) * perMs).toBeLessThanOrEqual(burst * perMs + width * events + 1e-6)
            }
          }
        },
      ),
      { numRuns: 60 },
    )
  })
})
