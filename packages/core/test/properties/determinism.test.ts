import { runTopology, Simulation, type TopologyPlan } from '@genstage/testing'
import { topologyArbitrary } from '@genstage/testing/arbitraries'
import { consumer, fromIterable, producerConsumer, start } from '../../src/index.ts'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

describe('determinism', () => {
  it('INV-27 the same plan and seed give the same history, step by step', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(topologyArbitrary(), fc.nat(), async (plan: TopologyPlan, seed) => {
        const [first, second] = [await runTopology(plan, { seed }), await runTopology(plan, { seed })]
        expect(second.ledger.history).toEqual(first.ledger.history)
        expect(second.choices).toEqual(first.choices)
      }),
      { numRuns: 200, seed: 27 },
    )
  })

  it('INV-27 the choices of a run repeat it, and so does a run that nobody listens to', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(topologyArbitrary(), fc.nat(), async (plan: TopologyPlan, seed) => {
        const first = await runTopology(plan, { seed })
        const repeated = await runTopology(plan, { seed, choices: first.choices })
        const unheard = await runTopology(plan, { seed, observed: false })
        expect(repeated.ledger.history).toEqual(first.ledger.history)
        expect(unheard.ledger.history).toEqual(first.ledger.history)
      }),
      { numRuns: 200, seed: 28 },
    )
  })

  it('INV-27 jumps of the wall clock change nothing', async () => {
    const seen = await Promise.all(
      [0, 7_200_000, -7_200_000].map(async jump => {
        const simulation = new Simulation({ seed: 5 })
        const { runtime, clock } = simulation
        const ticks: number[] = []
        const Ticker = consumer((_: void, ctx) => {
          ctx.every(100, 'tick')
          return { handleEvents() {}, handleInfo: (_tick: 'tick') => void ticks.push(ctx.clock.now()) }
        })
        const ticker = start(Ticker, { runtime })
        await simulation.advance(250)
        clock.jumpWallTime(jump)
        await simulation.advance(250)
        await Promise.all([ticker.stop(), simulation.settle()])
        return ticks
      }),
    )
    expect(seen).toEqual([seen[0], seen[0], seen[0]])
    expect(seen[0]).toEqual([100, 200, 300, 400, 500])
  })
})

describe('batches', () => {
  it('INV-26 any split of the events into batches handles the same sequence', { timeout: 60_000 }, async () => {
    const demand = fc
      .integer({ min: 1, max: 40 })
      .chain(max => fc.record({ max: fc.constant(max), min: fc.nat({ max: max - 1 }) }))
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 200 }), demand, demand, fc.nat(), async (count, above, below, seed) => {
        const simulation = new Simulation({ seed })
        const { runtime } = simulation
        const handled: number[] = []
        const Double = producerConsumer(() => ({ handleEvents: (events: readonly number[]) => events.map(event => event * 2) }))
        const Sink = consumer(() => ({ handleEvents: (events: readonly number[]) => void handled.push(...events) }))
        const source = start(fromIterable(Array.from({ length: count }, (_, index) => index)), { runtime })
        const double = start(Double, {
          runtime,
          subscribeTo: [{ to: source, maxDemand: above.max, minDemand: above.min, cancel: 'temporary' }],
        })
        start(Sink, { runtime, subscribeTo: [{ to: double, maxDemand: below.max, minDemand: below.min }] })
        await simulation.run()
        expect(handled).toEqual(Array.from({ length: count }, (_, index) => index * 2))
      }),
      { numRuns: 300, seed: 26 },
    )
  })
})
