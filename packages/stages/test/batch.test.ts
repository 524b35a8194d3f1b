import { start } from '@genstage/core'
import { batch } from '@genstage/stages'
import { describe, expect, it } from 'vitest'
import { endlessSource, probeSink, probeSource, range, world } from './support/world.ts'

function scene(
  options: Parameters<typeof batch>[0],
  cancel: 'transient' | 'permanent' | 'temporary' = 'transient',
  maxDemand = 10,
) {
  const made = world()
  const { runtime } = made
  const source = probeSource<number>(runtime)
  const stage = start(batch<number>(options), { runtime, subscribeTo: [{ to: source.ref, maxDemand, cancel }] })
  const exited = stage.exited
  return { ...made, source, stage, exited }
}

describe('batch', () => {
  it('hands on a batch as soon as it is full', async () => {
    const { simulation, runtime, source, stage } = scene({ size: 3 })
    const { events } = probeSink(runtime, stage)
    source.ref.cast(range(2))
    await simulation.settle()
    expect(events).toEqual([])
    source.ref.cast(range(5, 2))
    await simulation.settle()
    expect([events, simulation.timers]).toEqual([
      [
        [0, 1, 2],
        [3, 4, 5],
      ],
      0,
    ])
  })

  it('hands on what is there when its first event has waited long enough', async () => {
    const { simulation, runtime, source, stage } = scene({ size: 3, withinMs: 100 })
    const { events } = probeSink(runtime, stage)
    source.ref.cast([1])
    await simulation.advance(60)
    source.ref.cast([2])
    await simulation.advance(39)
    expect(events).toEqual([])
    await simulation.advance(1)
    expect(events).toEqual([[1, 2]])
    source.ref.cast([3])
    await simulation.advance(99)
    expect(events).toEqual([[1, 2]])
    await simulation.advance(1)
    expect(events).toEqual([[1, 2], [3]])
    expect(simulation.timers).toBe(0)
  })

  it('gives the events behind a full batch their full time', async () => {
    const { simulation, runtime, source, stage } = scene({ size: 3, withinMs: 100 })
    const { events } = probeSink(runtime, stage)
    source.ref.cast([1, 2])
    await simulation.advance(90)
    source.ref.cast([3, 4])
    await simulation.advance(90)
    expect(events).toEqual([[1, 2, 3]])
    await simulation.advance(10)
    expect(events).toEqual([[1, 2, 3], [4]])
  })

  it('SYS-A6 fills batches that are larger than max demand', async () => {
    const { simulation, runtime } = world()
    const source = endlessSource(runtime)
    const stage = start(batch<number>({ size: 100 }), { runtime, subscribeTo: [{ to: source.ref, maxDemand: 10 }] })
    const { events, ask } = probeSink(runtime, stage, { manual: true })
    await simulation.settle()
    ask(3)
    await simulation.settle()
    expect(events).toEqual([range(100), range(100, 100), range(100, 200)])
    expect([source.taken(), Math.max(...source.demands)]).toEqual([310, 10])
  })

  it('INV-23 takes in no more than max demand while nobody below wants a batch', async () => {
    const { simulation, runtime } = world()
    const source = endlessSource(runtime)
    const stage = start(batch<number>({ size: 2, withinMs: 50 }), {
      runtime,
      subscribeTo: [{ to: source.ref, maxDemand: 10 }],
    })
    const { ask } = probeSink(runtime, stage, { manual: true })
    await simulation.advance(1_000)
    expect(source.taken()).toBe(10)
    ask(1)
    await simulation.advance(1_000)
    // A message that is begun is worked off: five batches, of which one was wanted
    expect(source.taken()).toBe(20)
    expect((await inspected(stage, simulation)).buffered).toBe(4)
  })

  it('INV-6 hands on the rest when the source has ended well, and ends behind it', async () => {
    const { simulation, runtime, source, stage, exited, lost } = scene({ size: 3 })
    const { events, ask } = probeSink(runtime, stage, { manual: true })
    source.ref.cast(range(5))
    await simulation.settle()
    ask(1)
    await simulation.settle()
    void source.ref.stop('normal', { drain: true })
    await simulation.settle()
    expect(events).toEqual([[0, 1, 2]])
    ask(1)
    await simulation.settle()
    expect([events[1], (await exited).type, lost]).toEqual([[3, 4], 'normal', []])
  })

  it('INV-6 hands on the rest in a drain', async () => {
    const { simulation, runtime, source, stage, lost } = scene({ size: 3, withinMs: 1_000 })
    const { events } = probeSink(runtime, stage)
    source.ref.cast(range(5))
    await simulation.settle()
    const stopped = stage.stop('shutdown', { drain: true })
    await simulation.settle()
    expect([events, (await stopped).type, lost]).toEqual([
      [
        [0, 1, 2],
        [3, 4],
      ],
      'shutdown',
      [],
    ])
  })

  it('INV-6 hands on the rest behind which a failure comes from above', async () => {
    const { simulation, runtime, source, stage, exited, lost } = scene({ size: 3 })
    const { events } = probeSink(runtime, stage)
    source.ref.cast(range(5))
    await simulation.settle()
    void source.ref.stop({ type: 'other', value: 'gone' })
    source.ref.monitor(() => {})
    await simulation.settle()
    expect([events, await exited, lost]).toEqual([
      [
        [0, 1, 2],
        [3, 4],
      ],
      { type: 'other', value: 'gone' },
      [],
    ])
  })

  it.each([
    ['stop', 'stopped'],
    ['kill', 'killed'],
  ] as const)('INV-6 a %s reports the events that wait (%s)', async (way, reason) => {
    const { simulation, runtime, source, stage, lost } = scene({ size: 3, withinMs: 1_000 })
    const { events } = probeSink(runtime, stage)
    source.ref.cast(range(5))
    await simulation.settle()
    void stage[way]()
    await simulation.run()
    expect([events, lost]).toEqual([[[0, 1, 2]], [[reason, [3, 4]]]])
  })

  it('with several producers the end of the last one counts', async () => {
    const { simulation, runtime, source, stage, exited } = scene({ size: 3 })
    const other = probeSource<number>(runtime)
    stage.subscribe({ to: other.ref, cancel: 'transient' })
    const { events } = probeSink(runtime, stage)
    await simulation.settle()
    source.ref.cast([1])
    await simulation.settle()
    void source.ref.stop('normal', { drain: true })
    await simulation.settle()
    expect(events).toEqual([])
    other.ref.cast([2])
    await simulation.settle()
    void other.ref.stop('normal', { drain: true })
    await simulation.settle()
    expect([events, (await exited).type]).toEqual([[[1, 2]], 'normal'])
  })

  it("with cancel 'temporary' it hands on the rest, and waits for another producer", async () => {
    const { simulation, runtime, source, stage } = scene({ size: 3 }, 'temporary')
    const { events } = probeSink(runtime, stage)
    source.ref.cast([1])
    await simulation.settle()
    void source.ref.stop('normal', { drain: true })
    await simulation.settle()
    const next = probeSource<number>(runtime)
    stage.subscribe({ to: next.ref, cancel: 'temporary' })
    next.ref.cast([2, 3, 4])
    await simulation.settle()
    expect(events).toEqual([[1], [2, 3, 4]])
  })

  it.each([
    ['size', {}],
    ['size', { size: 0 }],
    ['size', { size: 2.5 }],
    ['size', { size: '3' }],
    ['withinMs', { size: 3, withinMs: -1 }],
    ['withinMs', { withinMs: NaN }],
    ['within', { size: 3, within: 5 }],
  ])('BAD-19 refuses a bad %s: %j', (option, options) => {
    expect(() => batch(options as never)).toThrow(expect.objectContaining({ name: 'GenStageError', code: 'BAD_OPTION', option }))
  })
})

async function inspected(stage: { inspect(): Promise<{ readonly buffered: number }> }, simulation: { settle(): Promise<void> }) {
  const inspection = stage.inspect()
  await simulation.settle()
  return inspection
}
