import { type ProducerConsumerDefinition, start } from '@genstage/core'
import { filter, flatMap, forEach, map, scan, tap } from '@genstage/stages'
import { describe, expect, it } from 'vitest'
import { boom, Calls, endlessSource, probeSink, probeSource, range, world } from './support/world.ts'

const kinds: Readonly<
  Record<string, (fn: (event: number, work: { signal: AbortSignal }) => never) => ProducerConsumerDefinition<number, unknown>>
> = {
  map: fn => map(fn),
  filter: fn => filter(fn),
  flatMap: fn => flatMap(fn),
  tap: fn => tap(fn),
  scan: fn => scan((_state: number, event: number, work) => fn(event, work), 0),
  'map, four at a time': fn => map(fn, { concurrency: 4 }),
}

/** A stage between a source that the test casts to and a sink. */
function between<Out>(stage: ProducerConsumerDefinition<number, Out>, maxDemand = 10) {
  const made = world()
  const { runtime } = made
  const source = probeSource<number>(runtime)
  const ref = start(stage, { runtime, subscribeTo: [{ to: source.ref, maxDemand, cancel: 'transient' }] })
  const sink = probeSink(runtime, ref)
  return { ...made, source, stage: ref, exited: ref.exited, events: sink.events, sink }
}

describe.each(Object.entries(kinds))('%s', (_name, make) => {
  it('INV-17 INV-6 a function that throws ends the stage with its error; its batch is reported', async () => {
    const { simulation, source, exited, events, lost } = between(
      make(event => {
        if (event === 3) throw boom
        return [event] as never
      }),
    )
    source.ref.cast([1])
    await simulation.settle()
    source.ref.cast([2, 3, 4])
    await simulation.settle()
    expect(await exited).toEqual({ type: 'error', error: boom })
    expect(events).toHaveLength(1)
    expect(lost.flatMap(([reason, each]) => [reason, ...each])).toEqual(['consumer_crash', 2, 3, 4])
  })

  it('INV-17 a promise that rejects does the same, in mid-batch', async () => {
    const { simulation, source, exited, lost } = between(
      make(((event: number) => (event === 3 ? Promise.reject(boom) : Promise.resolve([event]))) as never),
    )
    await simulation.settle()
    source.ref.cast([2, 3, 4])
    await simulation.settle()
    expect(await exited).toEqual({ type: 'error', error: boom })
    expect(lost.flatMap(([, each]) => each)).toEqual([2, 3, 4])
  })

  it('INV-21 a kill while a call is under way aborts its signal, and nothing comes any more', async () => {
    const calls = new Calls()
    const { simulation, source, stage, events, lost } = between(make(calls.fn as never))
    source.ref.cast([1])
    await simulation.settle()
    void stage.kill()
    calls.calls[0]?.resolve([1])
    await simulation.settle()
    expect([events, calls.calls[0]?.signal.aborted, lost]).toEqual([[], true, [['killed', [1]]]])
  })

  it('INV-6 a stop waits for the call that is under way, and does not abort it', async () => {
    const calls = new Calls()
    const { simulation, source, stage, events } = between(make(calls.fn as never))
    source.ref.cast([1])
    await simulation.settle()
    const stopped = stage.stop()
    await simulation.settle()
    expect(calls.calls[0]?.signal.aborted).toBe(false)
    calls.calls[0]?.resolve([1])
    await simulation.settle()
    expect([(await stopped).type, events.length]).toEqual(['normal', 1])
  })

  it('INV-6 a drain finishes what is on its way', async () => {
    const calls = new Calls()
    const { simulation, source, stage, events, lost } = between(make(calls.fn as never))
    source.ref.cast([1, 2])
    source.ref.cast([3])
    await simulation.settle()
    const stopped = stage.stop('normal', { drain: true, timeout: Infinity })
    for (let done = 0; done < 3; done++) {
      await simulation.settle()
      calls.calls[done]?.resolve([done])
    }
    await simulation.settle()
    expect([(await stopped).type, calls.events, events.length, lost]).toEqual(['normal', [1, 2, 3], 3, []])
  })
})

describe('with a concurrency', () => {
  it('INV-23 so many calls are under way, and so many events are in hand', async () => {
    const { simulation, runtime } = world()
    const source = endlessSource(runtime)
    const calls = new Calls<number, number>()
    const stage = start(map(calls.fn, { concurrency: 3 }), { runtime, subscribeTo: [source.ref] })
    const { events } = probeSink(runtime, stage)
    await simulation.settle()
    expect([calls.events, source.taken()]).toEqual([[0, 1, 2], 3])
    calls.calls[0]?.resolve(10)
    await simulation.settle()
    expect([events, calls.events, source.taken()]).toEqual([[10], [0, 1, 2, 3], 4])
    // Two that are done wait for the one before them: nothing new is begun
    calls.calls[2]?.resolve(12)
    calls.calls[3]?.resolve(13)
    await simulation.settle()
    expect([events, source.taken()]).toEqual([[10], 4])
    calls.calls[1]?.resolve(11)
    await simulation.settle()
    expect([events, source.taken(), calls.running, calls.most]).toEqual([[10, 11, 12, 13], 7, 3, 3])
  })

  it('INV-23 it takes no more than that while nobody wants a result', async () => {
    const { simulation, runtime } = world()
    const source = endlessSource(runtime)
    const calls = new Calls<number, number>()
    const stage = start(map(calls.fn, { concurrency: 3 }), { runtime, subscribeTo: [source.ref] })
    const { events, ask } = probeSink(runtime, stage, { manual: true })
    await simulation.settle()
    expect([source.taken(), calls.events]).toEqual([3, []])
    ask(1)
    await simulation.settle()
    for (const call of calls.calls) call.resolve(call.event)
    await simulation.settle()
    expect([events, source.taken()]).toEqual([[0], 6])
  })

  it('INV-23 several producers share it', async () => {
    const { simulation, runtime } = world()
    const sources = [endlessSource(runtime), endlessSource(runtime), endlessSource(runtime)]
    const calls = new Calls()
    start(forEach(calls.fn, { concurrency: 2 }), { runtime, subscribeTo: sources.map(({ ref }) => ref) })
    await simulation.settle()
    for (let done = 0; done < 20; done++) {
      calls.calls[done]?.resolve(undefined)
      await simulation.settle()
    }
    expect([calls.most, calls.running]).toEqual([2, 2])
    expect(sources.every(({ taken }) => taken() > 3)).toBe(true)
  })

  it('INV-17 INV-6 a failure aborts the signals of the others, and all that was in hand is reported', async () => {
    const calls = new Calls<number, number>()
    const { simulation, source, exited, events, lost } = between(map(calls.fn, { concurrency: 3 }))
    for (const event of range(3)) source.ref.cast([event])
    await simulation.settle()
    calls.calls[0]?.resolve(0)
    await simulation.settle()
    calls.calls[2]?.reject(boom)
    await simulation.settle()
    expect(await exited).toEqual({ type: 'error', error: boom })
    expect([events, calls.calls[1]?.signal.aborted]).toEqual([[0], true])
    expect(lost.flatMap(([reason, each]) => [reason, ...each])).toEqual(['consumer_crash', 1, 2])
    calls.calls[1]?.reject(new Error('aborted')) // heard by nobody
    await simulation.settle()
  })

  it('INV-6 the end of the source waits for the calls under way', async () => {
    const calls = new Calls<number, number>()
    const { simulation, source, exited, events, lost } = between(map(calls.fn, { concurrency: 2 }))
    source.ref.cast([1, 2])
    await simulation.settle()
    void source.ref.stop('normal', { drain: true })
    await simulation.settle()
    calls.calls[1]?.resolve(2)
    await simulation.settle()
    expect(events).toEqual([])
    calls.calls[0]?.resolve(1)
    await simulation.settle()
    expect([events, (await exited).type, lost]).toEqual([[1, 2], 'normal', []])
  })

  it('X21 with redeliver, what a failed stage had under way comes again', async () => {
    const { simulation, runtime } = world()
    const source = probeSource<number>(runtime)
    const begin = (fail: boolean): readonly number[] => {
      const seen: number[] = []
      const work = async (event: number): Promise<void> => {
        await simulation.delay(event)
        if (fail && event === 3) throw boom
        seen.push(event)
      }
      const ref = start(forEach(work, { concurrency: 3 }), {
        runtime,
        subscribeTo: [{ to: source.ref, redeliver: true, cancel: 'temporary' }],
      })
      ref.monitor(() => {})
      return seen
    }
    const first = begin(true)
    await simulation.settle()
    source.ref.cast([1, 2, 3, 4])
    await simulation.run()
    const second = begin(false)
    await simulation.run()
    expect(new Set([...first, ...second])).toEqual(new Set([1, 2, 3, 4]))
  })

  it.each([0, -1, 1.5, Infinity, '2', null])('BAD-19 refuses %j', concurrency => {
    for (const make of [map, filter, flatMap, tap, forEach] as readonly unknown[] as readonly ((
      ...args: unknown[]
    ) => unknown)[]) {
      expect(() => make(() => [], { concurrency })).toThrow(
        expect.objectContaining({ name: 'GenStageError', code: 'BAD_OPTION', option: 'concurrency' }),
      )
    }
  })
})

describe('forEach', () => {
  it('INV-15 without a concurrency calls are made one after the other', async () => {
    const { simulation, runtime } = world()
    const calls = new Calls()
    const source = probeSource<number>(runtime)
    start(forEach(calls.fn), { runtime, subscribeTo: [source.ref] })
    source.ref.cast([1, 2, 3])
    for (let done = 0; done < 3; done++) {
      await simulation.settle()
      calls.calls[done]?.resolve(undefined)
    }
    await simulation.settle()
    expect([calls.events, calls.most]).toEqual([[1, 2, 3], 1])
  })

  it('with a concurrency a call that takes long holds nobody up', async () => {
    const { simulation, runtime } = world()
    const calls = new Calls()
    const source = endlessSource(runtime)
    start(forEach(calls.fn, { concurrency: 2 }), { runtime, subscribeTo: [source.ref] })
    await simulation.settle()
    for (let done = 1; done < 10; done++) {
      calls.calls[done]?.resolve(undefined)
      await simulation.settle()
    }
    expect([calls.events, calls.running]).toEqual([range(11), 2])
  })

  it('takes thenables and functions as plain events', async () => {
    const { simulation, runtime } = world()
    // oxlint-disable-next-line unicorn/no-thenable -- an event may be any thenable
    const trap = { then: () => expect.unreachable('the then of an event was called') }
    const source = probeSource<unknown>(runtime)
    const passed = start(
      tap(() => {}),
      { runtime, subscribeTo: [source.ref] },
    )
    const seen: unknown[] = []
    start(
      forEach((event: unknown) => void seen.push(event)),
      { runtime, subscribeTo: [passed] },
    )
    source.ref.cast([trap, range])
    await simulation.settle()
    expect(seen[0] === trap && seen[1] === range).toBe(true)
  })
})

describe('functions', () => {
  it.each([map, filter, flatMap, tap, forEach, scan])('BAD-19 %o refuses what is none', make => {
    expect(() => (make as (fn: unknown, initial?: unknown) => unknown)(42)).toThrow(
      expect.objectContaining({ name: 'GenStageError', code: 'BAD_OPTION', option: 'fn' }),
    )
  })
})
