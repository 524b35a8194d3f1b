import { start } from '@genstage/core'
import { debounce } from '@genstage/stages'
import { describe, expect, it } from 'vitest'
import { probeSink, probeSource, world } from './support/world.ts'

function scene() {
  const made = world()
  const { runtime } = made
  const source = probeSource<string>(runtime)
  const stage = start(debounce<string>(100), { runtime, subscribeTo: [{ to: source.ref, cancel: 'transient' }] })
  return { ...made, source, stage, exited: stage.exited }
}

describe('debounce', () => {
  it('hands on an event when no other has come for a while', async () => {
    const { simulation, runtime, source, stage } = scene()
    const { events } = probeSink(runtime, stage)
    source.ref.cast(['h', 'he'])
    await simulation.advance(60)
    source.ref.cast(['hel'])
    await simulation.advance(99)
    expect(events).toEqual([])
    await simulation.advance(1)
    expect([events, simulation.timers]).toEqual([['hel'], 0])
    source.ref.cast(['help'])
    await simulation.advance(100)
    expect(events).toEqual(['hel', 'help'])
  })

  it('INV-6 hands on the one that waits when the source has ended, and in a drain', async () => {
    for (const way of ['end', 'drain'] as const) {
      const { simulation, runtime, source, stage, exited, lost } = scene()
      const { events } = probeSink(runtime, stage)
      source.ref.cast(['a', 'b'])
      await simulation.settle()
      void (way === 'end' ? source.ref : stage).stop('normal', { drain: true })
      await simulation.settle()
      expect([events, (await exited).type, lost]).toEqual([['b'], 'normal', []])
    }
  })

  it('INV-6 a stop reports the one that waits', async () => {
    const { simulation, runtime, source, stage, lost } = scene()
    probeSink(runtime, stage)
    source.ref.cast(['a', 'b'])
    await simulation.settle()
    void stage.stop()
    await simulation.run()
    expect(lost).toEqual([['stopped', ['b']]])
  })

  it.each([0, -1, NaN, Infinity, '5', undefined])('BAD-19 refuses %j', ms => {
    expect(() => debounce(ms as never)).toThrow(
      expect.objectContaining({ name: 'GenStageError', code: 'BAD_OPTION', option: 'ms' }),
    )
  })
})
