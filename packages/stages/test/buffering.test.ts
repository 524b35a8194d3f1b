import { start } from '@genstage/core'
import { buffering } from '@genstage/stages'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { makeWorld, probeSink, range, world } from './support/world.ts'

describe('buffering', () => {
  it('SYS-A4 keeps what it is given until somebody wants it', async () => {
    const { simulation, runtime } = world()
    const inbox = start(buffering<number>(), { runtime })
    const { events, ask } = probeSink(runtime, inbox, { manual: true })
    inbox.cast(range(10))
    await simulation.settle()
    for (const n of [3, 4]) {
      ask(n)
      await simulation.settle()
    }
    expect(events).toEqual(range(7))
    ask(10)
    await simulation.settle()
    inbox.cast([10, 11])
    await simulation.settle()
    expect(events).toEqual(range(12))
  })

  it('answers a call with the number of events that wait', async () => {
    const { simulation, runtime } = world()
    const inbox = start(buffering<string>({ size: 3 }), { runtime })
    const answers = [inbox.call(['a', 'b']), inbox.call(['c', 'd', 'e'])]
    await simulation.settle()
    expect(await Promise.all(answers)).toEqual([2, 3])
  })

  it.each([
    ['dropOldest', [7, 8, 9], range(7)],
    ['dropNewest', [0, 1, 2], range(7, 3)],
  ] as const)(
    "INV-6 INV-23 with overflow '%s' keeps %j of ten in three places, and reports the others",
    async (overflow, kept, dropped) => {
      const { simulation, runtime, lost } = world()
      const inbox = start(buffering<number>({ size: 3, overflow }), { runtime, name: 'inbox' })
      for (const event of range(10)) inbox.cast([event])
      await simulation.settle()
      expect(lost.map(([reason]) => reason)).toEqual(new Array(7).fill('source_overflow'))
      expect(lost.flatMap(([, events]) => events)).toEqual(dropped)
      expect(simulation.log.every(({ level, fields }) => level === 'warn' && fields['stage'] === 'inbox')).toBe(true)
      const { events } = probeSink(runtime, inbox)
      await simulation.settle()
      expect(events).toEqual(kept)
    },
  )

  it("with overflow 'error' fails, and reports what it had", async () => {
    const { simulation, runtime, lost } = world()
    const inbox = start(buffering<number>({ size: 2, overflow: 'error' }), { runtime })
    const exited = inbox.exited
    inbox.cast(range(3))
    await simulation.settle()
    expect(await exited).toMatchObject({ type: 'error', error: { code: 'SOURCE_OVERFLOW', option: 'size' } })
    expect(lost).toEqual([['producer_crash', range(3)]])
  })

  it('INV-6 a drain hands on everything that waits', async () => {
    const { simulation, runtime, lost } = world()
    const inbox = start(buffering<number>(), { runtime })
    const { events, ask } = probeSink(runtime, inbox, { manual: true })
    inbox.cast(range(10))
    await simulation.settle()
    const stopped = inbox.stop('normal', { drain: true, timeout: Infinity })
    await simulation.settle()
    ask(4)
    await simulation.settle()
    ask(100)
    await simulation.settle()
    expect([(await stopped).type, events, lost]).toEqual(['normal', range(10), []])
  })

  it.each([
    ['stop', 'stopped'],
    ['kill', 'killed'],
  ] as const)('INV-6 a %s reports what waits (%s)', async (way, reason) => {
    const { simulation, runtime, lost } = world()
    const inbox = start(buffering<number>(), { runtime })
    inbox.cast(range(4))
    await simulation.settle()
    void inbox[way]()
    await simulation.settle()
    expect(lost).toEqual([[reason, range(4)]])
  })

  it('INV-6 INV-23 every event is handled or reported, once, whatever is asked and cast when', () =>
    fc.assert(
      fc.asyncProperty(
        fc.nat(),
        fc.nat(8),
        fc.constantFrom('dropOldest', 'dropNewest'),
        fc.array(fc.integer({ min: -6, max: 6 }), { maxLength: 20 }),
        async (seed, size, overflow, steps) => {
          const { simulation, runtime, lost, end } = makeWorld(seed)
          const inbox = start(buffering<number>({ size, overflow }), { runtime })
          const { events, ask } = probeSink(runtime, inbox, { manual: true })
          await simulation.settle()
          let given = 0
          for (const step of steps) {
            if (step < 0) ask(-step)
            else inbox.cast(range(step, given))
            given += Math.max(0, step)
            if (simulation.random() < 0.5) await simulation.settle()
          }
          await simulation.settle()
          const waiting = inbox.call([])
          await simulation.settle()
          expect(await waiting).toBeLessThanOrEqual(size)
          await end()
          const all = [...events, ...lost.flatMap(([, dropped]) => dropped as number[])]
          expect(all.toSorted((a, b) => a - b)).toEqual(range(given))
          expect(events).toEqual(events.toSorted((a, b) => a - b))
        },
      ),
      { numRuns: 300, seed: 7 },
    ))

  it.each([
    ['size', { size: -1 }],
    ['size', { size: 1.5 }],
    ['overflow', { overflow: 'drop' }],
    ['limit', { limit: 1 }],
  ] as const)('BAD-13 BAD-19 refuses a bad %s: %j', (option, options) => {
    expect(() => buffering(options as never)).toThrow(
      expect.objectContaining({ name: 'GenStageError', code: 'BAD_OPTION', option }),
    )
  })
})
