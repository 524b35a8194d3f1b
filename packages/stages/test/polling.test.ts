import { start } from '@genstage/core'
import { polling, pollingBatches } from '@genstage/stages'
import { describe, expect, it } from 'vitest'
import { boom, deferred, probeSink, range, world } from './support/world.ts'

/** A function to poll that answers from a list, and writes down when it was called. */
function mailbox(clock: { now(): number }, answers: (number | undefined | Error)[] = []) {
  const times: number[] = []
  const fetch = async (): Promise<number | undefined> => {
    times.push(clock.now())
    const answer = answers.shift()
    if (answer instanceof Error) throw answer
    return answer
  }
  return { answers, times, fetch }
}

describe('polling', () => {
  it('SYS-A2 takes what is there at once, then asks again every so often', async () => {
    const { simulation, runtime } = world()
    const { answers, times, fetch } = mailbox(simulation.clock, [1, 2, 3])
    const { events } = probeSink(runtime, start(polling(fetch, { everyMs: 2_000 }), { runtime }), { maxDemand: 10 })
    await simulation.settle()
    expect([events, times]).toEqual([
      [1, 2, 3],
      [0, 0, 0, 0],
    ])
    await simulation.advance(5_000)
    expect(times.slice(4)).toEqual([2_000, 4_000])
    answers.push(4, 5)
    await simulation.advance(1_000)
    expect([events, times.slice(6)]).toEqual([
      [1, 2, 3, 4, 5],
      [6_000, 6_000, 6_000],
    ])
  })

  it('SYS-A2 INV-1 INV-23 takes no more than is wanted, and then does nothing at all', async () => {
    const { simulation, runtime } = world()
    const { times, fetch } = mailbox(simulation.clock, range(100, 1))
    const source = start(polling(fetch, { everyMs: 10 }), { runtime })
    const { events, ask } = probeSink(runtime, source, { manual: true })
    await simulation.advance(1_000)
    expect([times, simulation.timers]).toEqual([[], 0])
    ask(3)
    await simulation.advance(1_000)
    expect([events, times.length, simulation.timers]).toEqual([[1, 2, 3], 3, 0])
  })

  it('SYS-A3 remembers demand, that of several consumers together, and meets it later', async () => {
    const { simulation, runtime } = world()
    const { answers, fetch } = mailbox(simulation.clock)
    const source = start(polling(fetch, { everyMs: 10 }), { runtime })
    const [left, right] = [probeSink(runtime, source, { manual: true }), probeSink(runtime, source, { manual: true })]
    await simulation.settle()
    left.ask(2)
    right.ask(3)
    await simulation.advance(100)
    answers.push(...range(100))
    await simulation.advance(10)
    expect([left.events.length, right.events.length]).toEqual([2, 3])
    expect([...left.events, ...right.events].toSorted()).toEqual(range(5))
    expect(answers).toHaveLength(95)
  })

  it('waits for the rest of the time when new demand comes soon after an empty answer', async () => {
    const { simulation, runtime } = world()
    const { times, fetch } = mailbox(simulation.clock)
    const source = start(polling(fetch, { everyMs: 100 }), { runtime })
    const { ask } = probeSink(runtime, source, { manual: true })
    await simulation.settle()
    ask(1)
    await simulation.advance(30)
    ask(1)
    await simulation.advance(30)
    expect(times).toEqual([0])
    await simulation.advance(40)
    expect(times).toEqual([0, 100])
  })

  it('does not poll while nobody is there, and goes on when somebody comes', async () => {
    const { simulation, runtime } = world()
    const { answers, times, fetch } = mailbox(simulation.clock)
    const source = start(polling(fetch, { everyMs: 100 }), { runtime })
    const first = probeSink(runtime, source)
    await simulation.advance(250)
    expect(times).toEqual([0, 100, 200])
    first.probe.subscriptions[0]?.cancel()
    await simulation.advance(1_000)
    expect([times.length, simulation.timers]).toEqual([3, 0])
    answers.push(1)
    const second = probeSink(runtime, source)
    await simulation.settle()
    expect([second.events, times.slice(3)]).toEqual([[1], [1_250, 1_250]])
  })

  it("ends with its last consumer if onCancel is 'stop'", async () => {
    const { simulation, runtime } = world()
    const source = start(
      polling(() => undefined, { everyMs: 100, onCancel: 'stop' }),
      { runtime },
    )
    const exited = source.exited
    const { ref } = probeSink(runtime, source)
    await simulation.settle()
    void ref.stop()
    await simulation.run()
    expect((await exited).type).toBe('normal')
  })

  it('is told by a cast that there is something new', async () => {
    const { simulation, runtime } = world()
    const { answers, times, fetch } = mailbox(simulation.clock)
    const source = start(polling(fetch, { everyMs: 100 }), { runtime })
    const { events } = probeSink(runtime, source)
    await simulation.advance(30)
    answers.push(1)
    source.cast('poll')
    await simulation.settle()
    expect([events, times]).toEqual([[1], [0, 30, 30]])
    await simulation.advance(100)
    expect(times.slice(3)).toEqual([130])
  })

  it('takes a cast for nothing when nothing is wanted', async () => {
    const { simulation, runtime } = world()
    const { times, fetch } = mailbox(simulation.clock, [1])
    const source = start(polling(fetch, { everyMs: 100 }), { runtime })
    source.cast('poll')
    await simulation.advance(500)
    expect(times).toEqual([])
  })

  it('takes answers of a plain function, and null for none', async () => {
    const { simulation, runtime } = world()
    const answers = [0, '', false, null, 1]
    const source = start(
      polling(() => answers.shift(), { everyMs: 10 }),
      { runtime },
    )
    const { events } = probeSink(runtime, source)
    await simulation.advance(20)
    expect(events).toEqual([0, '', false, 1])
  })

  it('INV-17 fails with what the function throws, behind what it had answered', async () => {
    const { simulation, runtime } = world()
    const { fetch } = mailbox(simulation.clock, [1, 2, boom])
    const source = start(polling(fetch, { everyMs: 10 }), { runtime })
    const exited = source.exited
    const { events } = probeSink(runtime, source)
    await simulation.run()
    expect([events, await exited]).toEqual([[1, 2], { type: 'error', error: boom }])
  })

  it("INV-17 logs it and goes on with onError 'retry'", async () => {
    const { simulation, runtime } = world()
    const { times, fetch } = mailbox(simulation.clock, [1, boom, 2])
    const source = start(polling(fetch, { everyMs: 10, onError: 'retry' }), { runtime, name: 'numbers' })
    const { events } = probeSink(runtime, source)
    await simulation.advance(15)
    expect([events, times]).toEqual([
      [1, 2],
      [0, 0, 10, 10],
    ])
    expect(simulation.log).toMatchObject([
      { level: 'warn', message: 'polling: fetch failed; the next try is in 10 ms', fields: { stage: 'numbers', error: boom } },
    ])
  })

  it('INV-21 a stop aborts the signal; what the function throws then counts for nothing', async () => {
    const { simulation, runtime } = world()
    let signal: AbortSignal | undefined
    const fetch = (work: { signal: AbortSignal }): Promise<number> => {
      signal = work.signal
      return new Promise((_resolve, reject) => work.signal.addEventListener('abort', () => reject(boom)))
    }
    const source = start(polling(fetch, { everyMs: 10 }), { runtime })
    probeSink(runtime, source)
    await simulation.settle()
    expect(signal?.aborted).toBe(false)
    const stopped = source.stop('shutdown')
    await simulation.settle()
    expect([(await stopped).type, signal?.aborted, simulation.log]).toEqual(['shutdown', true, []])
  })

  it('INV-6 a drain hands on what was answered, and asks for nothing more', async () => {
    const { simulation, runtime, lost } = world()
    const answer = deferred<number>()
    const { answers, times, fetch } = mailbox(simulation.clock, [1, 2, 3])
    const source = start(
      polling(() => (answers.length > 0 ? fetch() : answer.promise), { everyMs: 10 }),
      { runtime },
    )
    const { events } = probeSink(runtime, source)
    await simulation.settle()
    const stopped = source.stop('normal', { drain: true })
    answer.resolve(4)
    answers.push(5)
    await simulation.settle()
    expect([(await stopped).type, events, lost, times.length]).toEqual(['normal', [1, 2, 3, 4], [], 3])
  })

  it('INV-21 GS-J6 a kill while a call is under way leaves nothing behind', async () => {
    const { simulation, runtime } = world()
    const answer = deferred<number>()
    let signal: AbortSignal | undefined
    const fetch = (work: { signal: AbortSignal }): Promise<number> => {
      signal = work.signal
      return answer.promise
    }
    const source = start(polling(fetch, { everyMs: 10 }), { runtime })
    const { events } = probeSink(runtime, source)
    await simulation.settle()
    void source.kill()
    answer.resolve(1)
    await simulation.run()
    expect([events, signal?.aborted]).toEqual([[], true])
  })

  it.each([
    ['fetch', [42, { everyMs: 1 }]],
    ['everyMs', [() => 1, {}]],
    ['everyMs', [() => 1, { everyMs: 0 }]],
    ['everyMs', [() => 1, { everyMs: Infinity }]],
    ['everyMs', [() => 1, { everyMs: '5' }]],
    ['onError', [() => 1, { everyMs: 1, onError: 'ignore' }]],
    ['onCancel', [() => 1, { everyMs: 1, onCancel: 'end' }]],
    ['maxBatch', [() => 1, { everyMs: 1, maxBatch: 1 }]],
  ])('BAD-19 BAD-22 refuses a bad %s: %j', (option, args) => {
    expect(() => (polling as (...args: unknown[]) => unknown)(...args)).toThrow(
      expect.objectContaining({ name: 'GenStageError', code: 'BAD_OPTION', option }),
    )
  })
})

describe('pollingBatches', () => {
  /** A table of rows to take from; it writes down the limits that it was asked with. */
  function table(rows: number[]) {
    const limits: number[] = []
    const take = async (limit: number): Promise<readonly number[]> => {
      limits.push(limit)
      return rows.splice(0, limit)
    }
    return { rows, limits, take }
  }

  it('SYS-A4 asks once for as many as are wanted', async () => {
    const { simulation, runtime } = world()
    const { rows, limits, take } = table(range(25))
    const source = start(pollingBatches(take, { everyMs: 1_000 }), { runtime })
    const { events, ask } = probeSink(runtime, source, { manual: true })
    await simulation.settle()
    for (const wanted of [10, 5, 20]) {
      ask(wanted)
      await simulation.settle()
    }
    expect([events, limits]).toEqual([range(25), [10, 5, 20]])
    // The last answer was not full: what is missing is asked for after a while
    rows.push(...range(20))
    await simulation.advance(1_000)
    expect(limits).toEqual([10, 5, 20, 10])
    expect([events.length, simulation.timers]).toEqual([35, 0])
  })

  it('asks for at most maxBatch in one call', async () => {
    const { simulation, runtime } = world()
    const { limits, take } = table(range(10))
    const source = start(pollingBatches(take, { everyMs: 1_000, maxBatch: 4 }), { runtime })
    const { events } = probeSink(runtime, source, { maxDemand: 100 })
    await simulation.settle()
    expect([events, limits]).toEqual([range(10), [4, 4, 4]])
  })

  it('INV-6 buffers what was answered beyond the limit', async () => {
    const { simulation, runtime } = world()
    const source = start(
      pollingBatches(() => range(5), { everyMs: 1_000 }),
      { runtime },
    )
    const { events, ask } = probeSink(runtime, source, { manual: true })
    await simulation.settle()
    ask(2)
    await simulation.settle()
    expect(events).toEqual([0, 1])
    ask(3)
    await simulation.settle()
    expect(events).toEqual([0, 1, 2, 3, 4])
  })

  it.each(['fail', 'retry'] as const)(
    "GS-C3 BAD-53 an answer that is no array ends the stage, also with onError '%s'",
    async onError => {
      const { simulation, runtime } = world()
      const source = start(
        pollingBatches(() => null as never, { everyMs: 1_000, onError }),
        { runtime },
      )
      const exited = source.exited
      probeSink(runtime, source)
      await simulation.settle()
      expect(await exited).toMatchObject({ type: 'error', error: { code: 'BAD_RETURN' } })
    },
  )
})
