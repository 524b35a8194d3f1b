import type { ProducerConsumerDefinition } from '@genstage/core'
import { start } from '@genstage/core'
import {
  batch,
  collect,
  debounce,
  filter,
  flatMap,
  fold,
  forEach,
  map,
  pipe,
  rateLimited,
  resultOf,
  scan,
  take,
  tap,
  via,
} from '@genstage/stages'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { makeWorld, probeSink, probeSource, type World } from './support/world.ts'

const seed = 20_240_601

/** How a sequence travels: cut into which messages, with which demands, in which order of messages, with which delays. */
const journeys = fc.record({
  events: fc.array(fc.nat(99), { maxLength: 40 }),
  cuts: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 10 }),
  above: fc.integer({ min: 1, max: 12 }),
  below: fc.integer({ min: 1, max: 12 }),
  concurrency: fc.constantFrom(undefined, 1, 2, 3, 7),
  isAsync: fc.boolean(),
  seed: fc.nat(),
})

type Journey = typeof journeys extends fc.Arbitrary<infer T> ? T : never

/** Sends the events of a journey through a stage. */
async function through<Out>(
  journey: Journey,
  make: (world: World) => ProducerConsumerDefinition<number, Out>,
): Promise<readonly Out[]> {
  const world = makeWorld(journey.seed)
  const { simulation, runtime } = world
  const source = probeSource<number>(runtime)
  const stage = start(make(world), {
    runtime,
    subscribeTo: [{ to: source.ref, maxDemand: journey.above, cancel: 'transient' }],
  })
  const ended = stage.exited
  const sink = probeSink(runtime, stage, { maxDemand: journey.below })
  let cut = 0
  for (let from = 0; from < journey.events.length; cut++) {
    const size = journey.cuts[cut % journey.cuts.length] ?? 1
    source.ref.cast(journey.events.slice(from, from + size))
    from += size
    if (simulation.random() < 0.3) await simulation.settle()
  }
  void source.ref.stop('normal', { drain: true, timeout: Infinity })
  await simulation.run()
  expect((await ended).type).toBe('normal')
  expect(world.lost).toEqual([])
  await world.end()
  return sink.events
}

function holds<Out>(
  stage: (journey: Journey, delayed: <T>(value: T) => T | Promise<T>) => ProducerConsumerDefinition<number, Out>,
  model: (events: readonly number[], journey: Journey) => readonly Out[],
): Promise<void> {
  return fc.assert(
    fc.asyncProperty(journeys, async journey => {
      const events = await through(journey, ({ simulation }) => {
        const delayed = <T>(value: T): T | Promise<T> =>
          journey.isAsync ? simulation.delay(simulation.random() * 5).then(() => value) : value
        return stage(journey, delayed)
      })
      expect(events).toEqual(model(journey.events, journey))
    }),
    { numRuns: 200, seed },
  )
}

const options = ({ concurrency }: Journey) => (concurrency === undefined ? undefined : { concurrency })

describe('INV-5 INV-6 INV-26 however a sequence is cut, what comes out is what the same function of arrays makes of it:', () => {
  it('map', () =>
    holds(
      (journey, delayed) => map((event: number) => delayed(event * 2), options(journey)),
      events => events.map(event => event * 2),
    ))

  it('filter', () =>
    holds(
      (journey, delayed) => filter((event: number) => delayed(event % 3 === 0), options(journey)),
      events => events.filter(event => event % 3 === 0),
    ))

  it('flatMap', () => {
    const copies = (event: number): number[] => new Array<number>(event % 4).fill(event)
    return holds(
      (journey, delayed) => flatMap((event: number) => delayed(copies(event)), options(journey)),
      events => events.flatMap(copies),
    )
  })

  it('tap', () =>
    holds(
      (journey, delayed) => tap((event: number) => delayed(-event), options(journey)),
      events => events,
    ))

  it('scan', () =>
    holds(
      (_journey, delayed) => scan((sum: number, event: number) => delayed(sum + event), 0),
      events => events.map((_event, index) => events.slice(0, index + 1).reduce((sum, event) => sum + event, 0)),
    ))

  it('take', () =>
    holds(
      ({ above }) => take<number>(above * 40), // never reached: where it is, see take.test.ts
      events => events,
    ))

  it('batch', () =>
    holds(
      ({ below }) => batch<number>({ size: below }),
      (events, { below }) =>
        Array.from({ length: Math.ceil(events.length / below) }, (_each, index) =>
          events.slice(index * below, (index + 1) * below),
        ),
    ))

  it('batch by time, all events once and in order', () =>
    fc.assert(
      fc.asyncProperty(journeys, async journey => {
        const batches = await through(journey, () => batch<number>({ size: journey.below, withinMs: 3 }))
        expect(batches.flat()).toEqual(journey.events)
        expect(batches.every(({ length }) => length > 0 && length <= journey.below)).toBe(true)
      }),
      { numRuns: 200, seed },
    ))

  it('rateLimited', () =>
    holds(
      ({ above }) => rateLimited<number>({ events: above, perMs: 10 }),
      events => events,
    ))

  it('debounce: with no time between, the last', async () => {
    await fc.assert(
      fc.asyncProperty(journeys, async journey => {
        const events = await through(journey, () => debounce<number>(1_000))
        expect(events).toEqual(journey.events.slice(-1))
      }),
      { numRuns: 100, seed },
    )
  })

  it('forEach, collect, fold', () =>
    fc.assert(
      fc.asyncProperty(journeys, async journey => {
        const world = makeWorld(journey.seed)
        const { simulation, runtime } = world
        const source = probeSource<number>(runtime)
        const seen: number[] = []
        const pause = (): Promise<void> | void => (journey.isAsync ? simulation.delay(simulation.random() * 5) : undefined)
        const each = forEach(async (event: number) => {
          await pause()
          seen.push(event)
        }, options(journey))
        const subscribeTo = [{ to: source.ref, maxDemand: journey.above }]
        const list = start(collect<number>(), { runtime, subscribeTo })
        const [all, done] = [resultOf(list), start(each, { runtime, subscribeTo }).done]
        const sum = resultOf(
          start(
            fold(async (total: number, event: number) => {
              await pause()
              return total + event
            }, 0),
            { runtime, subscribeTo },
          ),
        )
        await simulation.settle()
        for (const event of journey.events) source.ref.cast([event])
        void source.ref.stop('normal', { drain: true, timeout: Infinity })
        await simulation.run()
        await done
        const every = [...seen, ...(await all)]
        const total = journey.events.reduce((before, event) => before + event, 0)
        expect(every.reduce((before, event) => before + event, 0) + (await sum)).toBe(total)
        await world.end()
      }),
      { numRuns: 200, seed },
    ))

  it('a pipe of them all', () =>
    fc.assert(
      fc.asyncProperty(journeys, async journey => {
        const world = makeWorld(journey.seed)
        const { simulation, runtime } = world
        const maxDemand = journey.above
        const { result } = pipe(
          journey.events,
          via(
            map(async (event: number) => simulation.delay(event % 3).then(() => event + 1), options(journey)),
            { maxDemand },
          ),
          via(
            filter(event => event % 2 === 0),
            { maxDemand },
          ),
          batch({ size: journey.below, withinMs: 2 }),
          via(
            flatMap(events => events),
            { maxDemand },
          ),
          collect(),
          { runtime },
        )
        await simulation.run()
        expect(await result).toEqual(journey.events.map(event => event + 1).filter(event => event % 2 === 0))
        expect(world.lost).toEqual([])
        await world.end()
      }),
      { numRuns: 200, seed },
    ))
})

describe('INV-17 INV-18 INV-21 a failure at any place and time', () => {
  it('ends all of a pipe, with its error; what came out before is what a good run begins with', () =>
    fc.assert(
      fc.asyncProperty(journeys, fc.nat(4), fc.nat(45), async (journey, place, at) => {
        const world = makeWorld(journey.seed)
        const { simulation, runtime } = world
        const error = new Error(`at ${at}`)
        const seen: number[] = []
        let opened = 0
        const perhaps =
          (here: number) =>
          async (event: number): Promise<number> => {
            if (journey.isAsync) await simulation.delay(event % 3)
            if (here === place && event === at) throw error
            return event
          }
        function* source(): Generator<number> {
          opened++
          try {
            for (let event = 0; event < 40; event++) {
              if (place === 0 && event === at) throw error
              yield event
            }
          } finally {
            opened--
          }
        }
        const maxDemand = journey.above
        const { exited } = pipe(
          source,
          via(map(perhaps(1), options(journey)), { maxDemand }),
          via(map(perhaps(2)), { maxDemand }),
          via(tap(perhaps(3), options(journey)), { maxDemand }),
          via(
            forEach(async event => {
              await perhaps(4)(event)
              seen.push(event)
            }),
            { maxDemand: journey.below },
          ),
          { runtime },
        )
        await simulation.run()
        expect(await exited).toEqual(at < 40 ? { type: 'error', error } : { type: 'normal' })
        expect(seen).toEqual(Array.from({ length: seen.length }, (_each, index) => index))
        expect(seen.length).toBeLessThanOrEqual(Math.min(at, 40))
        expect(opened).toBe(0)
        await world.end()
      }),
      { numRuns: 300, seed },
    ))

  it('ends all of a pipe that is stopped at any time, drained or not', async () => {
    let most = 0
    await fc.assert(
      fc.asyncProperty(journeys, fc.nat(60), fc.boolean(), async (journey, steps, drain) => {
        const world = makeWorld(journey.seed)
        const { simulation, runtime, lost } = world
        const maxDemand = journey.above
        const slow = (event: number): number | Promise<number> =>
          journey.isAsync ? simulation.delay(event % 3).then(() => event) : event
        let taken = 0
        function* source(): Generator<number> {
          for (;;) yield taken++
        }
        const chain = pipe(
          source,
          via(map(slow, options(journey)), { maxDemand }),
          via(batch({ size: journey.below, withinMs: 2 }), { maxDemand }),
          via(
            flatMap(events => events),
            { maxDemand },
          ),
          collect(),
          { runtime },
        )
        for (let step = 0; step < steps; step++) {
          simulation.step()
          await simulation.flush()
        }
        const stopped = chain.stop('shutdown', { drain, timeout: Infinity })
        const result = Promise.allSettled([chain.result])
        await simulation.run()
        expect((await stopped).type).toBe('shutdown')
        const [outcome] = await result
        const seen = outcome.status === 'fulfilled' ? outcome.value : []
        most = Math.max(most, seen.length)
        const dropped = lost.flatMap(([, events]) => (events as (number | number[])[]).flat())
        expect([...seen, ...dropped].toSorted((a, b) => a - b)).toEqual(Array.from({ length: taken }, (_each, index) => index))
        if (drain) expect(dropped).toEqual([])
        await world.end()
      }),
      { numRuns: 300, seed },
    )
    expect(most).toBeGreaterThan(10)
  })
})
