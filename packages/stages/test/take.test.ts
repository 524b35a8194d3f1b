import { start } from '@genstage/core'
import { take } from '@genstage/stages'
import { describe, expect, it } from 'vitest'
import { endlessSource, probeSink, probeSource, range, world } from './support/world.ts'

describe('take', () => {
  it('INV-1 hands on the first events, asks for no more, and ends behind them', async () => {
    const { simulation, runtime, lost } = world()
    const source = endlessSource(runtime)
    const stage = start(take<number>(5), { runtime, subscribeTo: [source.ref] })
    const exited = stage.exited
    const { events, ask } = probeSink(runtime, stage, { manual: true })
    await simulation.settle()
    ask(3)
    await simulation.settle()
    // The events came in one message, which is handed on as a whole
    expect(events).toEqual([0, 1, 2])
    ask(10)
    await simulation.settle()
    expect([events, (await exited).type, lost]).toEqual([range(5), 'normal', []])
    expect(source.demands).toEqual([5])
  })

  it('asks for at most a thousand ahead', async () => {
    const { simulation, runtime } = world()
    const source = endlessSource(runtime)
    const stage = start(take<number>(2_500), { runtime, subscribeTo: [source.ref] })
    const { events } = probeSink(runtime, stage)
    await simulation.settle()
    expect(events).toEqual(range(2_500))
    expect(source.taken()).toBe(2_500)
    expect(Math.max(...source.demands)).toBe(1_000)
  })

  it('INV-6 reports what several producers brought beyond', async () => {
    const { simulation, runtime, lost } = world()
    const [left, right] = [probeSource<number>(runtime), probeSource<number>(runtime)]
    const stage = start(take<number>(4), { runtime, subscribeTo: [left.ref, right.ref] })
    left.ref.cast(range(3))
    right.ref.cast(range(3, 3))
    await simulation.settle()
    const { events } = probeSink(runtime, stage)
    await simulation.settle()
    expect(events).toHaveLength(4)
    const dropped = lost.flatMap(([, each]) => each as number[])
    expect([...events, ...dropped].toSorted((a, b) => a - b)).toEqual(range(6))
  })

  it.each([0, -1, 1.5, NaN, Infinity, '3'])('BAD-19 refuses %j', count => {
    expect(() => take(count as never)).toThrow(
      expect.objectContaining({ name: 'GenStageError', code: 'BAD_OPTION', option: 'count' }),
    )
  })
})
