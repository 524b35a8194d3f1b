import { start } from '@genstage/core'
import { interval } from '@genstage/stages'
import { describe, expect, it } from 'vitest'
import { probeSink, range, world } from './support/world.ts'

describe('interval', () => {
  it('emits 0, 1, 2 …, one every so often', async () => {
    const { simulation, runtime } = world()
    const { events } = probeSink(runtime, start(interval(100), { runtime }))
    await simulation.advance(99)
    expect(events).toEqual([])
    await simulation.advance(1)
    expect(events).toEqual([0])
    await simulation.advance(1_000)
    expect(events).toEqual(range(11))
  })

  it('INV-1 leaves out the numbers that nobody wants at their time, and sets no timer for them', async () => {
    const { simulation, runtime } = world()
    const { events, ask } = probeSink(runtime, start(interval(100), { runtime }), { manual: true })
    await simulation.advance(350)
    expect([events, simulation.timers]).toEqual([[], 0])
    ask(2)
    await simulation.advance(350)
    expect([events, simulation.timers]).toEqual([[3, 4], 0])
    ask(1)
    await simulation.advance(350)
    expect(events).toEqual([3, 4, 7])
  })

  it("INV-6 keeps them in the buffer with missed: 'keep'", async () => {
    const { simulation, runtime } = world()
    const source = start(interval(100, { missed: 'keep' }), { runtime })
    const { events, ask } = probeSink(runtime, source, { manual: true })
    await simulation.advance(350)
    ask(5)
    await simulation.settle()
    expect(events).toEqual([0, 1, 2])
    await simulation.advance(400)
    expect(events).toEqual(range(5))
  })

  it.each([
    ['skip', [9]],
    ['keep', range(10)],
  ] as const)("INV-27 when it gets its turn late, with missed: '%s', it emits %j", async (missed, expected) => {
    const { simulation, runtime } = world()
    const { events } = probeSink(runtime, start(interval(100, { missed }), { runtime }))
    await simulation.settle()
    simulation.clock.advance(1_050) // nobody gets a turn meanwhile
    await simulation.settle()
    expect(events).toEqual(expected)
    await simulation.advance(50)
    expect(events).toEqual([...expected, 10])
  })

  it("ends with its last consumer if onCancel is 'stop'", async () => {
    const { simulation, runtime } = world()
    const source = start(interval(100, { onCancel: 'stop' }), { runtime })
    const exited = source.exited
    const { ref } = probeSink(runtime, source)
    await simulation.settle()
    void ref.stop()
    await simulation.run()
    expect((await exited).type).toBe('normal')
  })

  it.each([
    ['everyMs', [0]],
    ['everyMs', [NaN]],
    ['everyMs', [Infinity]],
    ['everyMs', ['5']],
    ['missed', [5, { missed: 'drop' }]],
    ['onCancel', [5, { onCancel: 'end' }]],
    ['every', [5, { every: 1 }]],
  ])('BAD-19 refuses a bad %s: %j', (option, args) => {
    expect(() => (interval as (...args: unknown[]) => unknown)(...args)).toThrow(
      expect.objectContaining({ name: 'GenStageError', code: 'BAD_OPTION', option }),
    )
  })
})
