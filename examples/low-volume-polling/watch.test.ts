import { consumer, createRuntime, start } from '@genstage/core'
import type { Logger } from '@genstage/core'
import { probeConsumer, probeProducer, Simulation, VirtualClock } from '@genstage/testing'
import { describe, expect, test } from 'vitest'
import { countingClock, measureIdle } from './idle.ts'
import { counted, observe, Pictures } from './watch.ts'

describe('polls', () => {
  test('are counted, and so are those that bring nothing, and those that fail', async () => {
    const answers: (readonly number[] | Error)[] = [[1, 2, 3], [], new Error('no answer'), [4]]
    const { ask, polls } = counted(
      async (limit: number) => {
        const answer = answers.shift() ?? []
        if (answer instanceof Error) throw answer
        return answer.slice(0, limit)
      },
      found => found.length,
    )
    expect([await ask(2), await ask(2)]).toEqual([[1, 2], []])
    await expect(ask(2)).rejects.toThrow('no answer')
    expect(await ask(2)).toEqual([4])
    expect(polls).toEqual({ calls: 4, empty: 1, failed: 1, numbers: 3 })
  })
})

test('timers are counted when they fire, not when they are cancelled', () => {
  const virtual = new VirtualClock()
  const clock = countingClock(virtual)
  let rung = 0
  clock.setTimer(10, () => rung++)
  clock.setTimer(20, () => rung++)[Symbol.dispose]()
  virtual.advance(100)
  expect({ rung, fired: clock.fired, now: clock.now(), day: clock.wallTime() - virtual.wallTime() }).toEqual({
    rung: 1,
    fired: 1,
    now: 100,
    day: 0,
  })
})

describe('idle', () => {
  test('is a time in which nothing came', () => {
    const counts = { polls: 3, timers: 5, numbers: 1 }
    const idleSince = measureIdle(() => ({ ...counts }))
    Object.assign(counts, { polls: 4, timers: 7 })
    const idle = idleSince()
    expect(idle).toMatchObject({ polls: 1, timers: 2 })
    expect(idle?.ms).toBeGreaterThanOrEqual(0)
    expect(idle?.processorMs).toBeGreaterThanOrEqual(0)
    counts.numbers++
    expect(idleSince()).toBeUndefined()
  })
})

describe('pictures', () => {
  test('tell what a stage has carried in all of its lives', async () => {
    const { runtime, ...simulation } = simulated()
    const pictures = new Pictures(runtime)
    const sink = start(probeConsumer<number>().definition, { runtime, name: 'sink' })
    for (const numbers of [[1, 2], [3], []]) {
      const source = start(probeProducer<number>().definition, { runtime, name: 'source' })
      void source.exited
      sink.subscribe({ to: source, cancel: 'temporary' })
      source.cast(numbers)
      await simulation.settle()
      pictures.take()
      void source.kill()
      await simulation.settle()
    }
    expect(pictures.flows).toEqual([{ from: 'source', to: 'sink', events: 3 }])
    expect(pictures.bottleneck).toMatchObject({ name: 'source' })
  })

  test('look once more when a stage fails', async () => {
    const { runtime, ...simulation } = simulated()
    const pictures = new Pictures(runtime)
    const Picky = consumer(() => ({
      handleEvents(numbers: readonly number[]) {
        if (numbers.includes(3)) throw new Error('no threes')
      },
    }))
    const source = start(probeProducer<number>().definition, { runtime, name: 'source' })
    const picky = start(Picky, { runtime, name: 'picky', subscribeTo: [source] })
    void picky.exited
    source.cast([1, 2])
    source.cast([3])
    await simulation.settle()
    expect(runtime.topology().edges).toEqual([])
    expect(pictures.flows).toEqual([{ from: 'source', to: 'picky', events: 3 }])
  })

  function simulated() {
    const simulation = new Simulation()
    return { runtime: simulation.runtime, settle: () => simulation.settle() }
  }
})

test('restarts and losses are observed', async () => {
  const logger: Logger = { debug() {}, info() {}, warn() {}, error() {} }
  const runtime = createRuntime({ logger })
  const observed = observe(runtime)
  const at = { stage: 'stage-1', name: undefined, at: 0 }
  runtime.telemetry.emit('restarted', { ...at, child: 'east', reason: { type: 'killed' }, restarts: 1 })
  runtime.telemetry.emit('restarted', { ...at, child: 'east', reason: { type: 'killed' }, restarts: 2 })
  runtime.telemetry.emit('discarded', { ...at, count: 3, reason: 'killed', events: [1, 2, 3] })
  expect(observed).toEqual({ restarts: new Map([['east', 2]]), discarded: 3 })
})
