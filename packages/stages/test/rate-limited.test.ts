import { consumer, fromIterable, start } from '@genstage/core'
import { rateLimited } from '@genstage/stages'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { endlessSource, makeWorld, probeSink, probeSource, range, world } from './support/world.ts'

describe('rateLimited', () => {
  it('SYS-A4 hands on so many in any stretch of time', async () => {
    const { simulation, runtime } = world()
    const source = probeSource<number>(runtime)
    const stage = start(rateLimited<number>({ events: 2, perMs: 100 }), { runtime, subscribeTo: [source.ref] })
    const { batches } = probeSink(runtime, stage)
    await simulation.settle()
    source.ref.cast([0])
    await simulation.advance(60)
    source.ref.cast(range(9, 1))
    await simulation.settle()
    expect(batches.flat()).toEqual([0, 1])
    await simulation.advance(40)
    expect(batches.flat()).toEqual([0, 1, 2])
    await simulation.advance(60)
    expect(batches.flat()).toEqual([0, 1, 2, 3])
  })

  it('INV-23 takes no more from above than may leave, however much is wanted below', async () => {
    const { simulation, runtime } = world()
    const source = endlessSource(runtime)
    const limited = rateLimited<number>({ events: 3, perMs: 100 })
    const stage = start(limited, { runtime, subscribeTo: [{ to: source.ref, maxDemand: 1_000 }] })
    probeSink(runtime, stage, { maxDemand: 1_000 })
    await simulation.advance(1_000)
    expect(source.taken()).toBe(3 * 11)
  })

  it('holds the limit when events leave late, as consumers want them at any time: in 300 random plans', () =>
    fc.assert(
      fc.asyncProperty(
        fc.nat(),
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.tuple(fc.nat(30), fc.integer({ min: 1, max: 12 })), { maxLength: 12 }),
        async (seed, limit, asks) => {
          const { simulation, runtime, end } = makeWorld(seed)
          const times: number[] = []
          const source = start(fromIterable(range(60)), { runtime })
          const limited = rateLimited<number>({ events: limit, perMs: 20 })
          const stage = start(limited, { runtime, subscribeTo: [{ to: source, cancel: 'transient' }] })
          const Sink = consumer(() => ({
            handleSubscribe: from => {
              asked = n => from.ask(n)
              return 'manual' as const
            },
            handleEvents: (events: readonly number[]) => void times.push(...events.map(() => simulation.clock.now())),
          }))
          let asked = (_n: number): void => {}
          start(Sink, { runtime, subscribeTo: [{ to: stage, cancel: 'temporary' }] })
          await simulation.settle()
          for (const [ms, n] of asks) {
            await simulation.advance(ms)
            asked(n)
          }
          await simulation.run()
          const wanted = asks.reduce((sum, [, n]) => sum + n, 0)
          expect(times).toHaveLength(Math.min(60, wanted))
          times.forEach((time, index) => {
            const last = times[index + limit]
            if (last !== undefined) expect(last - time).toBeGreaterThanOrEqual(20)
          })
          await end()
        },
      ),
      { numRuns: 300, seed: 11 },
    ))

  it.each([
    ['events', { perMs: 5 }],
    ['events', { events: 0, perMs: 5 }],
    ['perMs', { events: 1 }],
    ['perMs', { events: 1, perMs: 0 }],
    ['burst', { events: 1, perMs: 1, burst: 5 }],
  ])('BAD-19 refuses a bad %s: %j', (option, options) => {
    expect(() => rateLimited(options as never)).toThrow(
      expect.objectContaining({ name: 'GenStageError', code: 'BAD_OPTION', option }),
    )
  })
})
