import {
  broadcastDispatcher,
  consumer,
  type Context,
  demandDispatcher,
  type DispatcherFactory,
  fairDispatcher,
  fromIterable,
  partitionDispatcher,
  priorityDispatcher,
  producer,
  rateLimit,
  type Runtime,
  start,
  type StageRef,
} from '@genstage/core'
import { Simulation } from '@genstage/testing'
import { describe, expect, it } from 'vitest'
import { range } from './support/stages.ts'

/** Emits what it is told to, whatever was asked for. */
const Told = producer.of<number>()((_: void) => ({
  handleDemand() {},
  handleCast: (events: readonly number[]) => events,
}))

/** Answers demand exactly, with numbers from 0. */
const Counting = producer((_: void) => {
  let next = 0
  return { handleDemand: (demand: number) => range(next, (next += demand)) }
})

interface Seen {
  readonly at: number
  readonly events: readonly number[]
}

const Noting = consumer(({ seen, busyMs = 0 }: { readonly seen: Seen[]; readonly busyMs?: number }, ctx: Context) => ({
  handleEvents(events: readonly number[]) {
    seen.push({ at: ctx.clock.now(), events })
    return busyMs === 0 ? undefined : new Promise<void>(resolve => void ctx.clock.setTimer(busyMs, resolve))
  },
}))

const count = (seen: readonly Seen[]): number => seen.reduce((sum, { events }) => sum + events.length, 0)

function noting(runtime: Runtime): { readonly seen: Seen[]; readonly ref: StageRef } {
  const seen: Seen[] = []
  return { seen, ref: start(Noting, { runtime, arg: { seen } }) }
}

describe('fairDispatcher in a stage', () => {
  it('INV-11 shares dispatches of 70 and 1,000 times 30 evenly, where the reference gives 30,050 and 20', async () => {
    const shared = async (dispatcher: DispatcherFactory): Promise<readonly number[]> => {
      const { runtime, settle } = simulated()
      const source = start(Told, { runtime, dispatcher })
      const sinks = [0, 1].map(() => {
        const seen: Seen[] = []
        start(Noting, { runtime, arg: { seen }, subscribeTo: [{ to: source, maxDemand: 50, minDemand: 25 }] })
        return seen
      })
      await settle()
      source.cast(range(0, 70))
      await settle()
      for (let round = 0; round < 1_000; round++) {
        source.cast(range(0, 30))
        await settle()
      }
      return sinks.map(count).toSorted((a, b) => b - a)
    }
    expect(await shared(demandDispatcher())).toEqual([30_050, 20])
    const [most = 0, least = 0] = await shared(fairDispatcher())
    expect(most + least).toBe(30_070)
    expect(most - least).toBeLessThanOrEqual(50)
  })

  it('INV-11 gives by weight while events are scarce', async () => {
    const { runtime, settle } = simulated()
    const source = start(Told, { runtime, dispatcher: fairDispatcher() })
    const [large, small] = [noting(runtime), noting(runtime)]
    start(Noting, { runtime, arg: { seen: large.seen }, subscribeTo: [{ to: source, weight: 3, maxDemand: 10 }] })
    start(Noting, { runtime, arg: { seen: small.seen }, subscribeTo: [{ to: source, maxDemand: 10 }] })
    await settle()
    for (let event = 0; event < 400; event++) {
      source.cast([event])
      await settle()
    }
    expect([count(large.seen), count(small.seen)]).toEqual([300, 100])
  })

  it('X5 BAD-19 refuses a bad weight, and a weight where there is no fair dispatcher; the producers live', async () => {
    const { runtime, settle } = simulated()
    const fair = start(Told, { runtime, dispatcher: fairDispatcher() })
    const plain = start(Told, { runtime })
    const sink = start(Noting, { runtime, arg: { seen: [] } })
    const refusals = [
      sink.subscribe({ to: fair, weight: 0, cancel: 'temporary' }).accepted,
      sink.subscribe({ to: plain, weight: 2, cancel: 'temporary' }).accepted,
    ].map(accepted => accepted.then(undefined, (error: unknown) => error))
    await settle()
    for (const refusal of refusals) expect(await refusal).toMatchObject({ code: 'BAD_OPTION', option: 'weight' })
    expect(runtime.topology().stages).toHaveLength(3)
  })
})

describe('priorityDispatcher in a stage', () => {
  it('asks ahead, never inverts, and loses nothing: the source ends behind its last event', async () => {
    const { runtime, simulation } = simulated()
    const seen: Seen[] = []
    const rank = (event: number): number => event % 5
    const source = start(fromIterable(range(0, 500)), {
      runtime,
      dispatcher: priorityDispatcher({ priority: rank, maxQueued: 500 }),
    })
    const sink = start(Noting, { runtime, arg: { seen, busyMs: 1 }, subscribeTo: [{ to: source, maxDemand: 10, minDemand: 5 }] })
    await simulation.run()
    expect(await sink.exited).toEqual({ type: 'normal' })
    const events = seen.flatMap(each => each.events)
    expect(events.toSorted((a, b) => a - b)).toEqual(range(0, 500))
    // All of them were here before the second batch left
    const ranks = events.slice(10).map(rank)
    expect(ranks).toEqual(ranks.toSorted())
  })

  it('with ageMs lets the least urgent leave while urgent events keep coming', async () => {
    const { runtime, simulation, settle } = simulated()
    const seen: Seen[] = []
    const source = start(Told, {
      runtime,
      dispatcher: priorityDispatcher({ priority: (event: number) => (event < 0 ? 9 : 0), ageMs: 10 }),
    })
    source.cast([-1])
    start(Noting, { runtime, arg: { seen, busyMs: 1 }, subscribeTo: [{ to: source, maxDemand: 1 }] })
    await settle()
    source.cast(range(0, 2))
    source.cast([-2])
    for (let ms = 0; ms < 400; ms++) {
      source.cast([ms + 2, ms + 1_000])
      await simulation.advance(1)
    }
    const leftAt = seen.find(({ events }) => events.includes(-2))?.at
    expect(leftAt).toBeGreaterThanOrEqual(90)
    expect(leftAt).toBeLessThanOrEqual(200)
  })

  it('INV-6 reports what waited when its stage is killed', async () => {
    const { runtime, settle } = simulated()
    const lost: unknown[] = []
    runtime.telemetry.on('discarded', ({ events }) => lost.push(...events))
    const source = start(Told, { runtime, dispatcher: priorityDispatcher({ priority: (event: number) => -event }) })
    source.cast([1, 2, 3])
    await settle()
    void source.kill()
    await settle()
    expect(lost).toEqual([3, 2, 1])
  })
})

describe('rateLimit in a stage', () => {
  /** The most events that left within `perMs`, at any time. */
  function busiest(seen: readonly Seen[], perMs: number): number {
    const within = (from: number): number => count(seen.filter(({ at }) => at >= from && at < from + perMs))
    return Math.max(...seen.map(({ at }) => within(at)))
  }

  it.each<[name: string, dispatcher: DispatcherFactory<number>, options: object]>([
    ['demandDispatcher', demandDispatcher(), {}],
    ['fairDispatcher', fairDispatcher(), {}],
    ['partitionDispatcher', partitionDispatcher({ partitions: 1, hash: () => 0 }), { partition: 0 }],
    ['broadcastDispatcher', broadcastDispatcher(), {}],
    ['priorityDispatcher', priorityDispatcher({ priority: event => event % 3 }), {}],
  ])('INV-23 around %s uses its budget in full, in every window, and never more', async (_name, dispatcher, options) => {
    const { runtime, simulation } = simulated()
    const seen: Seen[] = []
    const source = start(Counting, { runtime, dispatcher: rateLimit(dispatcher, { events: 7, perMs: 100 }) })
    start(Noting, { runtime, arg: { seen }, subscribeTo: [{ to: source, maxDemand: 20, ...options }] })
    await simulation.advance(1_999)
    expect(count(seen)).toBe(7 * 20)
    expect(busiest(seen, 100)).toBe(7)
  })

  it('INV-23 with burst spaces events evenly after the first of them', async () => {
    const { runtime, simulation } = simulated()
    const seen: Seen[] = []
    const source = start(Counting, { runtime, dispatcher: rateLimit(demandDispatcher(), { events: 10, perMs: 100, burst: 3 }) })
    start(Noting, { runtime, arg: { seen }, subscribeTo: [{ to: source, maxDemand: 20 }] })
    await simulation.advance(95)
    expect(seen.map(({ at, events }) => [at, events.length])).toEqual([[0, 3], ...range(1, 10).map(tick => [tick * 10, 1])])
  })

  it('asks for no more than may leave, so nothing piles up', async () => {
    const { runtime, simulation } = simulated()
    const demands: number[] = []
    const Asked = producer.of<number>()((_: void) => ({
      handleDemand(demand: number) {
        demands.push(demand)
        return range(0, demand)
      },
    }))
    const source = start(Asked, { runtime, dispatcher: rateLimit(demandDispatcher(), { events: 4, perMs: 10 }) })
    start(Noting, { runtime, arg: { seen: [] }, subscribeTo: [{ to: source, maxDemand: 100 }] })
    await simulation.advance(35)
    expect(demands).toEqual([4, 4, 4, 4])
    expect(runtime.topology().stages.map(({ buffered }) => buffered)).toEqual([0, 0])
  })

  it('INV-25 keeps what is emitted beyond it in the buffer, in order, with infos in their places', async () => {
    const { runtime, simulation } = simulated()
    const seen: Seen[] = []
    const came: (readonly [at: number, info: unknown])[] = []
    const Infos = producer.of<number>()((_: void, ctx) => ({
      handleDemand() {},
      handleCast: (events: readonly number[]) => events,
      handleInfo(info: unknown) {
        came.push([ctx.clock.now(), info])
      },
    }))
    const source = start(Infos, { runtime, dispatcher: rateLimit(demandDispatcher(), { events: 2, perMs: 10 }) })
    start(Noting, { runtime, arg: { seen }, subscribeTo: [source] })
    await simulation.settle()
    source.cast([1, 2, 3])
    source.asyncInfo('behind 3')
    source.cast([4, 5])
    await simulation.advance(25)
    expect(seen).toEqual([
      { at: 0, events: [1, 2] },
      ...(seen[1]?.events.length === 1
        ? [
            { at: 10, events: [3] },
            { at: 10, events: [4] },
          ]
        : [{ at: 10, events: [3, 4] }]),
      { at: 20, events: [5] },
    ])
    expect(came).toEqual([[10, 'behind 3']])
  })

  it('drains in its own time', async () => {
    const { runtime, simulation } = simulated()
    const seen: Seen[] = []
    const source = start(Told, { runtime, dispatcher: rateLimit(demandDispatcher(), { events: 2, perMs: 10 }) })
    start(Noting, { runtime, arg: { seen }, subscribeTo: [source] })
    await simulation.settle()
    source.cast(range(0, 9))
    const stopped = source.stop('normal', { drain: true })
    await simulation.run()
    await stopped
    expect(seen.flatMap(({ events }) => events)).toEqual(range(0, 9))
    expect(seen.at(-1)?.at).toBe(40)
    expect(simulation.clock.pending).toBe(0)
  })
})

function simulated(): { readonly simulation: Simulation; readonly runtime: Runtime; settle(): Promise<void> } {
  const simulation = new Simulation({ seed: 7 })
  return { simulation, runtime: simulation.runtime, settle: () => simulation.settle() }
}
