import {
  consumer,
  type ConsumerRef,
  type DispatcherFactory,
  demandDispatcher,
  fairDispatcher,
  partitionDispatcher,
  priorityDispatcher,
  producer,
  producerConsumer,
  type ProducerRef,
  rateLimit,
  start,
} from '@genstage/core'
import { Simulation } from '@genstage/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

/** A source, stages in the middle that never fail, and consumers that do, each of them started again as often as it ends. */
interface Plan {
  readonly seed: number
  readonly dispatcher: keyof typeof dispatchers
  readonly middles: number
  readonly consumers: number
  readonly maxDemand: number
  readonly minDemand: number
  /** Events in all, and how many the source makes at a time, whatever was asked for. */
  readonly events: number
  readonly burst: number
  readonly limit: number
  /** How many consumers end before their time, and how likely that is with each batch. */
  readonly crashes: number
  readonly chance: number
}

const byPartition = (partitions: number): DispatcherFactory<number> =>
  partitionDispatcher({ partitions, hash: (event: number) => event % partitions })

/** For so many consumers; whether events have an order is for the one partition of each. */
const dispatchers = {
  demand: () => demandDispatcher(),
  fair: () => fairDispatcher(),
  priority: () => priorityDispatcher({ priority: (event: number) => event % 3, maxQueued: 5 }),
  partition: byPartition,
  limitedDemand: () => rateLimit(demandDispatcher(), { events: 4, perMs: 10 }),
  limitedPartition: (partitions: number) => rateLimit(byPartition(partitions), { events: 4, perMs: 10, burst: 6 }),
} satisfies Record<string, (consumers: number) => DispatcherFactory<number>>

const hasPartitions = ({ dispatcher }: Plan): boolean => dispatcher === 'partition' || dispatcher === 'limitedPartition'

const demands = fc.integer({ min: 1, max: 8 }).chain(max => fc.tuple(fc.constant(max), fc.nat(max - 1)))
const plans: fc.Arbitrary<Plan> = fc
  .record({
    seed: fc.nat(),
    dispatcher: fc.constantFrom(...(Object.keys(dispatchers) as (keyof typeof dispatchers)[])),
    middles: fc.nat(2),
    consumers: fc.integer({ min: 1, max: 3 }),
    demand: demands,
    events: fc.integer({ min: 1, max: 80 }),
    burst: fc.integer({ min: 1, max: 10 }),
    limit: fc.constantFrom(Infinity, Infinity, 2, 4),
    crashes: fc.integer({ min: 5, max: 25 }),
    chance: fc.constantFrom(0.2, 0.5, 0.9),
  })
  .map(({ demand: [maxDemand, minDemand], ...plan }) => ({ ...plan, maxDemand, minDemand }))

/** What became of every event, after one simulated run. */
async function run(plan: Plan) {
  const simulation = new Simulation({ seed: plan.seed })
  const { runtime, random } = simulation
  let crashes = 0
  let isOver = false
  /** By partition, or all: in the order in which they were handled to their end. */
  const handled = Array.from({ length: plan.consumers }, () => [] as number[])
  /** How often each event was handed to a consumer. */
  const deliveries = new Map<number, number>()
  const wrongCounts: unknown[] = []
  const lost = new Map<number, string>()
  runtime.telemetry.on('discarded', ({ events, reason }) => {
    for (const event of events as number[]) lost.set(event, lost.has(event) ? `${lost.get(event)}, ${reason}` : reason)
  })

  let next = 0
  const Source = producer.of<number>()(() => ({
    handleDemand: demand => {
      const count = Math.min(plan.events - next, Math.max(demand, plan.burst))
      return Array.from({ length: count }, () => next++)
    },
  }))
  const Middle = producerConsumer.of<number, number>()(() => ({
    handleEvents: events => (random() < 0.5 ? events : simulation.delay(1).then(() => events)),
  }))
  let last: ProducerRef<number> = start(Source, { runtime, ...dispatcherAt(0) })
  for (let place = 1; place <= plan.middles; place++) {
    last = start(Middle, { runtime, ...dispatcherAt(place), subscribeTo: [{ to: last, maxDemand: 4, redeliver: true }] })
  }

  function dispatcherAt(place: number): { dispatcher?: DispatcherFactory<number> } {
    return place === plan.middles ? { dispatcher: dispatchers[plan.dispatcher](plan.consumers) } : {}
  }

  const mayCrash = (): boolean => crashes < plan.crashes && random() < plan.chance && ++crashes > 0
  const live = new Set<ConsumerRef<number>>()

  function startConsumer(index: number): void {
    const Worker = consumer.of<number>()((_: void, ctx) => ({
      handleEvents(events, from) {
        for (const event of events) {
          const before = deliveries.get(event) ?? 0
          if (before !== from.redeliveries) wrongCounts.push([event, before, from.redeliveries])
          deliveries.set(event, before + 1)
        }
        // What somebody brings to an end who is not there any more comes again
        const finish = (): void => void (live.has(ref) && handled[index]?.push(...events))
        if (!mayCrash()) {
          if (random() < 0.5) return finish()
          return simulation.delay(random() * 3).then(finish)
        }
        const way = Math.floor(random() * 5)
        if (way === 0) throw new Error('at once')
        if (way === 1)
          return simulation.delay(random() * 3).then(() => {
            throw new Error('later')
          })
        if (way === 2) void ref.kill()
        if (way === 3) {
          simulation.clock.setTimer(random() * 3, () => void ref.kill())
          return simulation.delay(random() * 3).then(finish)
        }
        if (way === 4) {
          ctx.stop({ type: 'other', value: 'enough' })
          return finish() // a stop lets it finish its batch
        }
      },
    }))
    const ref = start(Worker, { runtime })
    live.add(ref)
    ref.monitor(() => {
      live.delete(ref)
      if (!isOver) startConsumer(index)
    })
    const { maxDemand, minDemand, limit } = plan
    ref.subscribe({
      to: last,
      maxDemand,
      minDemand,
      redeliver: limit === Infinity ? true : { limit },
      ...(hasPartitions(plan) ? { partition: index } : {}),
    })
  }

  for (let index = 0; index < plan.consumers; index++) startConsumer(index)
  // Also between two messages, whatever they are about: in the mailbox, on the way, and before the producer has heard of it
  await simulation.run(() => {
    const victim = [...live][Math.floor(random() * live.size)]
    if (random() < 0.05 && mayCrash()) void victim?.kill()
  })
  isOver = true
  const stopped = runtime.stop()
  await simulation.run()
  await stopped
  return { crashes, handled, deliveries, lost, wrongCounts, emitted: next, pending: simulation.clock.pending }
}

describe('consumers that end at random points', () => {
  it(
    'X21 INV-6 INV-7 INV-9 every event is handled at least once, in the order of its partition: 1,000 crashes',
    { timeout: 300_000 },
    async () => {
      let crashes = 0
      await fc.assert(
        fc.asyncProperty(plans, async plan => {
          const result = await run(plan)
          crashes += result.crashes
          const all = Array.from({ length: plan.events }, (_, event) => event)
          expect(result.emitted).toBe(plan.events)
          // Counts are exact, for every event of every batch, and limits hold
          expect(result.wrongCounts).toEqual([])
          expect(Math.max(...result.deliveries.values())).toBeLessThanOrEqual(plan.limit)
          // Nothing is lost but what was delivered as often as allowed, and that is told once
          for (const [event, reason] of result.lost) {
            expect([event, reason]).toEqual([event, 'redelivery_limit'])
            expect(result.deliveries.get(event)).toBe(plan.limit)
          }
          const done = new Set(result.handled.flat())
          expect(all.filter(event => !done.has(event) && !result.lost.has(event))).toEqual([])
          // What comes again comes as a whole batch, so the order is that of the first times
          if (hasPartitions(plan)) {
            for (const events of result.handled) {
              const firsts = [...new Set(events)]
              expect(firsts).toEqual(firsts.toSorted((a, b) => a - b))
            }
          }
          expect(result.pending).toBe(0)
        }),
        { numRuns: 1_000 },
      )
      expect(crashes).toBeGreaterThanOrEqual(1_000)
    },
  )
})
