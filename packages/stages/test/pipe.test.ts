import {
  broadcastDispatcher,
  consumer,
  consumerSupervisor,
  type Context,
  fromIterable,
  fromPush,
  producer,
  producerConsumer,
  producerName,
  start,
} from '@genstage/core'
import {
  batch,
  buffering,
  collect,
  filter,
  fold,
  forEach,
  interval,
  map,
  pipe,
  polling,
  resultOf,
  take,
  tap,
  via,
} from '@genstage/stages'
import { describe, expect, it } from 'vitest'
import { boom, Calls, endlessSource, range, world } from './support/world.ts'

/** A stage in the middle that knows nothing of pipes. */
const Doubled = producerConsumer(() => ({ handleEvents: (events: readonly number[]) => events.flatMap(event => [event, event]) }))

describe('pipe', () => {
  it('INV-6 brings every event of a source through, and ends', async () => {
    const { simulation, runtime, lost } = world()
    const chain = pipe(
      range(2_500),
      map(event => event + 1),
      filter(event => event % 2 === 0),
      collect(),
      { runtime },
    )
    const { done, result, exited } = chain
    await simulation.run()
    await done
    expect(await result).toEqual(
      range(2_500)
        .map(event => event + 1)
        .filter(event => event % 2 === 0),
    )
    expect([(await exited).type, lost, runtime.topology().stages]).toEqual(['normal', [], []])
  })

  it('takes an asynchronous iterable, and a function that makes one', async () => {
    const { simulation, runtime } = world()
    async function* letters() {
      yield 'a'
      await simulation.delay(10)
      yield 'b'
    }
    const results = [pipe(letters(), collect(), { runtime }).result, pipe(letters, collect(), { runtime }).result]
    await simulation.run()
    expect(await Promise.all(results)).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ])
  })

  it('INV-6 drains a stage in the middle of any kind when the one above has ended', async () => {
    const { simulation, runtime, lost } = world()
    const slow = (event: number): Promise<number> => simulation.delay(5).then(() => event)
    const { result } = pipe(range(20), via(Doubled, { maxDemand: 3 }), via(map(slow), { maxDemand: 2 }), collect(), { runtime })
    await simulation.run()
    expect(await result).toEqual(range(20).flatMap(event => [event, event]))
    expect(lost).toEqual([])
  })

  it('INV-6 brings out what a stage holds when the source ends', async () => {
    const { simulation, runtime } = world()
    const { result } = pipe(
      range(7),
      batch({ size: 3, withinMs: 60_000 }),
      map(async events => events.length),
      collect(),
      { runtime },
    )
    await simulation.run()
    expect(await result).toEqual([3, 3, 1])
    expect(simulation.clock.now()).toBe(0)
  })

  it('INV-1 INV-23 a slow consumer holds the source back', async () => {
    const { simulation, runtime } = world()
    const calls = new Calls()
    let taken = 0
    function* source() {
      for (;;) yield taken++
    }
    pipe(
      source,
      via(
        map(event => event),
        { maxDemand: 10 },
      ),
      via(forEach(calls.fn), { maxDemand: 4 }),
      { runtime },
    )
    await simulation.settle()
    // 4 in hand, 6 in the buffer of the stage in the middle, 10 on their way to it
    expect(taken).toBe(20)
    expect(calls.events).toEqual([0])
  })

  describe('a failure', () => {
    it.each(['source', 'middle', 'sink'] as const)(
      'INV-17 in the %s ends all stages; done, result and exited tell the very error',
      async where => {
        const { simulation, runtime } = world()
        let closed = 0
        function* source() {
          try {
            for (let number = 0; ; number++) {
              if (where === 'source' && number === 100) throw boom
              yield number
            }
          } finally {
            closed++
          }
        }
        const fail = (place: string) => (event: number) => {
          if (place === where && event === 100) throw boom
          return event
        }
        const chain = pipe(
          source,
          map(fail('middle')),
          tap(fail('')),
          fold((_sum, event) => fail('sink')(event), 0),
          { runtime },
        )
        const outcomes = Promise.allSettled([chain.done, chain.result, chain.exited])
        await simulation.run()
        expect(await outcomes).toEqual([
          { status: 'rejected', reason: boom },
          { status: 'rejected', reason: boom },
          { status: 'fulfilled', value: { type: 'error', error: boom } },
        ])
        expect([runtime.topology().stages, closed]).toEqual([[], 1])
      },
    )

    it('INV-6 lets come out what had left the stage before', async () => {
      const { simulation, runtime } = world()
      const seen: number[] = []
      const source = fromPush<number>(sink => {
        sink.push(1)
        sink.push(2)
        sink.fail(boom)
      })
      const slow = (event: number): Promise<number> => simulation.delay(5).then(() => event)
      const { exited } = pipe(
        source,
        via(map(slow), { maxDemand: 1 }),
        forEach(event => void seen.push(event)),
        { runtime },
      )
      await simulation.run()
      expect([await exited, seen]).toEqual([{ type: 'error', error: boom }, [1, 2]])
    })

    it('in the setup of a stage counts as any other', async () => {
      const { simulation, runtime } = world()
      const Broken = producerConsumer((): never => {
        throw boom
      })
      const { exited } = pipe(range(3), Broken, collect(), { runtime })
      await simulation.run()
      expect(await exited).toEqual({ type: 'error', error: boom })
    })

    it('INV-17 that nobody watches is raised once, under the name of its stage', async () => {
      const { simulation, runtime } = world()
      const fail = (): never => {
        throw boom
      }
      pipe(range(3), via(map(fail), { name: 'mapper' }), collect(), { runtime })
      await simulation.run()
      expect(simulation.uncaught.splice(0)).toMatchObject([{ code: 'STAGE_FAILED', stage: 'mapper', cause: boom }])
    })

    it('INV-17 GS-J6 a kill is told as STAGE_FAILED', async () => {
      const { simulation, runtime } = world()
      const chain = pipe(
        interval(10),
        map(event => event),
        forEach(() => {}),
        { runtime },
      )
      const { done } = chain
      await simulation.settle()
      void chain.stages[1].kill()
      const settled = Promise.allSettled([done])
      await simulation.run()
      expect(await settled).toMatchObject([{ status: 'rejected', reason: { code: 'STAGE_FAILED', reason: { type: 'killed' } } }])
    })
  })

  describe('an early end', () => {
    it('of a stage in the middle stops those above, and lets the rest come out below', async () => {
      const { simulation, runtime } = world()
      let closed = 0
      function* numbers() {
        try {
          for (let number = 0; ; number++) yield number
        } finally {
          closed++
        }
      }
      const { result } = pipe(
        numbers,
        map(event => event * 2),
        take(3),
        tap(() => {}),
        collect(),
        { runtime },
      )
      await simulation.run()
      expect([await result, closed]).toEqual([[0, 2, 4], 1])
    })

    it('of the consumer stops all', async () => {
      const { simulation, runtime } = world()
      const First = consumer((_: void, ctx: Context) => ({
        handleEvents(_events: readonly number[]) {
          ctx.stop()
        },
      }))
      const { exited } = pipe(
        polling(() => 1, { everyMs: 10 }),
        map(event => event),
        First,
        { runtime },
      )
      await simulation.run()
      expect((await exited).type).toBe('normal')
    })

    it('of a subscription in between ends the chain', async () => {
      const { simulation, runtime } = world()
      const Cancelling = consumer(() => ({
        handleEvents(_events: readonly number[], from) {
          from.cancel()
        },
      }))
      const { done } = pipe(interval(10), Cancelling, { runtime })
      await simulation.run()
      await done
    })
  })

  describe('stop', () => {
    it('INV-21 ends all stages in order, from the source down', async () => {
      const { simulation, runtime } = world()
      const order: string[] = []
      runtime.telemetry.on('exited', ({ name }) => order.push(name ?? ''))
      const chain = pipe(
        via(interval(10), { name: 'source' }),
        via(
          map(event => event),
          { name: 'middle' },
        ),
        via(
          forEach(() => {}),
          { name: 'sink' },
        ),
        { runtime },
      )
      await simulation.advance(100)
      const stopped = Promise.all([chain.stop('shutdown'), chain.stop('shutdown')])
      await simulation.run()
      expect([order, (await stopped).map(({ type }) => type)]).toEqual([
        ['source', 'middle', 'sink'],
        ['shutdown', 'shutdown'],
      ])
      expect((await chain.stop()).type).toBe('shutdown')
    })

    it('INV-6 with drain finishes all that is under way', async () => {
      const { simulation, runtime, lost } = world()
      const seen: number[] = []
      const slow = (event: number): Promise<number> => simulation.delay(7).then(() => event)
      const chain = pipe(
        buffering<number>(),
        via(map(slow, { concurrency: 2 }), {}),
        batch({ size: 4 }),
        via(
          forEach(events => simulation.delay(20).then(() => void seen.push(...events))),
          { maxDemand: 1 },
        ),
        { runtime },
      )
      chain.stages[0].cast(range(30))
      await simulation.advance(20)
      const stopped = chain.stop('normal', { drain: true, timeout: Infinity })
      await simulation.run()
      expect([(await stopped).type, seen, lost]).toEqual(['normal', range(30), []])
    })

    it('INV-21 kills what does not end within the timeout, which is for all together', async () => {
      const { simulation, runtime } = world()
      const calls = new Calls()
      const chain = pipe(
        range(3),
        map(event => event),
        via(forEach(calls.fn), { maxDemand: 1 }),
        { runtime },
      )
      await simulation.settle()
      const stopped = chain.stop('normal', { drain: true, timeout: 1_000 })
      await simulation.run()
      expect([(await stopped).type, simulation.clock.now()]).toEqual(['killed', 1_000])
      expect(calls.calls[0]?.signal.aborted).toBe(true)
    })

    it('INV-21 a drain does not wait for those whose events nobody takes any more', async () => {
      const { simulation, runtime } = world()
      const fail = async (): Promise<never> => {
        await simulation.delay(100)
        throw boom
      }
      const chain = pipe(
        buffering<number>(),
        via(
          map(event => event),
          { maxDemand: 1 },
        ),
        via(forEach(fail), { maxDemand: 1 }),
        {
          runtime,
        },
      )
      chain.stages[0].cast(range(30))
      await simulation.settle()
      const stopped = chain.stop('normal', { drain: true, timeout: Infinity })
      await simulation.run()
      expect([await stopped, simulation.clock.now()]).toEqual([{ type: 'error', error: boom }, 100])
    })

    it('BAD-19 with a reason that is none is refused, and the pipe goes on', async () => {
      const { simulation, runtime } = world()
      const chain = pipe(
        range(3),
        map(event => event),
        collect(),
        { runtime },
      )
      await expect(chain.stop({ type: 'tired' } as never)).rejects.toMatchObject({ code: 'BAD_OPTION' })
      const { result } = chain
      await simulation.run()
      expect(await result).toEqual([0, 1, 2])
    })

    it('at once, before anything has begun, is a good end', async () => {
      const { simulation, runtime } = world()
      const chain = pipe(
        range(3),
        map(event => event),
        collect(),
        { runtime },
      )
      const outcomes = Promise.allSettled([chain.stop(), chain.done, chain.result])
      await simulation.run()
      const [stopped, done, result] = await outcomes
      expect([stopped, done]).toMatchObject([{ status: 'fulfilled', value: { type: 'normal' } }, { status: 'fulfilled' }])
      // Whether the consumer had begun is a matter of luck; what it had is nothing
      if (result.status === 'fulfilled') expect(result.value).toEqual([])
      else expect(result.reason).toMatchObject({ code: 'STOPPED' })
    })

    it('INV-21 follows a signal, and forgets it', async () => {
      const { simulation, runtime } = world()
      const controller = new AbortController()
      const { exited } = pipe(
        interval(10),
        forEach(() => {}),
        { runtime, signal: controller.signal },
      )
      await simulation.advance(50)
      controller.abort()
      await simulation.run()
      expect((await exited).type).toBe('shutdown')
    })

    it('BAD-67 a signal that is aborted already ends it at once', async () => {
      const { simulation, runtime } = world()
      const chain = pipe(range(5), collect(), { runtime, signal: AbortSignal.abort() })
      const { exited } = chain
      await simulation.run()
      expect((await exited).type).toBe('shutdown')
    })

    it('is what await using does', async () => {
      const { simulation, runtime } = world()
      const chain = pipe(
        interval(10),
        forEach(() => {}),
        { runtime },
      )
      const disposed = chain[Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')]()
      await simulation.run()
      await disposed
      expect(runtime.topology().stages).toEqual([])
    })

    it('BAD-19 refuses bad options', async () => {
      const { simulation, runtime } = world()
      const chain = pipe(range(1), collect(), { runtime })
      await expect(chain.stop('normal', { timeout: -1 })).rejects.toMatchObject({ code: 'BAD_OPTION', option: 'timeout' })
      await simulation.run()
    })
  })

  describe('a source that runs already', () => {
    it('is read, ends the pipe, and is not among its stages', async () => {
      const { simulation, runtime } = world()
      const source = start(fromIterable([1, 2, 3]), { runtime })
      const chain = pipe(
        source,
        Doubled,
        fold((sum, event) => sum + event, 0),
      )
      const { result } = chain
      await simulation.run()
      expect([await result, chain.stages.map(({ type }) => type)]).toEqual([12, ['producerConsumer', 'consumer']])
    })

    it('lives on when the pipe is stopped', async () => {
      const { simulation, runtime } = world()
      const source = endlessSource(runtime)
      const chain = pipe(source.ref, take(2), collect())
      const { result } = chain
      await simulation.run()
      expect([await result, runtime.topology().stages.length]).toEqual([[0, 1], 1])
    })

    it('is found by its name, and fails the pipe if nobody has it', async () => {
      const { simulation, runtime } = world()
      const Numbers = producerName<number>('numbers')
      const lost = pipe(Numbers, collect(), { runtime }).exited
      await simulation.settle()
      start(fromIterable([1, 2]), { runtime, name: Numbers })
      const found = pipe(
        Numbers,
        map(event => event),
        collect(),
        { runtime },
      ).result
      await simulation.run()
      expect([(await lost).type, await found]).toEqual(['noproc', [1, 2]])
    })

    it('fails the pipe when it fails', async () => {
      const { simulation, runtime } = world()
      const Failing = producer((_: void, ctx: Context) => ({
        handleDemand: (): number[] => {
          ctx.stop({ type: 'error', error: boom })
          return [1]
        },
      }))
      const source = start(Failing, { runtime })
      source.monitor(() => {})
      const { exited } = pipe(
        source,
        map(event => event),
        collect(),
      )
      await simulation.run()
      expect(await exited).toEqual({ type: 'error', error: boom })
    })
  })

  it('via brings options of starts and of subscriptions', async () => {
    const { simulation, runtime } = world()
    const Numbers = producer((first: number) => {
      let next = first
      return { handleDemand: demand => Array.from({ length: demand }, () => next++) }
    })
    const chain = pipe(
      via(Numbers, { arg: 5, name: 'numbers', dispatcher: broadcastDispatcher() }),
      via(take<number>(4), { selector: (event: number) => event % 2 === 1 }),
      collect(),
      { runtime },
    )
    const { result } = chain
    expect(runtime.whereis('numbers')).toBe(chain.stages[0])
    await simulation.run()
    expect(await result).toEqual([5, 7, 9, 11])
  })

  it('a consumer supervisor may be the consumer', async () => {
    const { simulation, runtime } = world()
    const seen: number[] = []
    const chain = pipe(
      range(5),
      map(event => event),
      via(
        consumerSupervisor((event: number) => simulation.delay(event).then(() => void seen.push(event))),
        { maxDemand: 3 },
      ),
      { runtime },
    )
    const { done } = chain
    await simulation.run()
    await done
    expect(seen.toSorted()).toEqual(range(5))
  })

  it('the result of a consumer is there without a pipe, too', async () => {
    const { simulation, runtime } = world()
    const source = endlessSource(runtime)
    const ref = start(collect<number>(), { runtime, subscribeTo: [{ to: source.ref, maxDemand: 2 }] })
    const result = resultOf(ref)
    for (let step = 0; step < 200; step++) simulation.step()
    void ref.stop()
    await simulation.run()
    const all = await result
    expect(all).toEqual(range(all.length))
    expect(all.length).toBeGreaterThan(5)
    void ref.kill()
  })

  it.each([
    ['no consumer', () => pipe(range(1) as never, {} as never)],
    ['a producer in the middle', runtime => pipe(range(1), fromIterable([1]) as never, collect(), { runtime })],
    ['a consumer in the middle', runtime => pipe(range(1), collect() as never, collect(), { runtime })],
    [
      'a stage in the middle at the end',
      runtime =>
        pipe(
          range(1),
          map(event => event),
          map(event => event) as never,
          { runtime },
        ),
    ],
    ['a function for a stage', runtime => pipe(range(1), (() => 1) as never, collect(), { runtime })],
    ['an unknown option', runtime => pipe(range(1), collect(), { runtime, signals: 1 } as never)],
    ['a signal that is none', runtime => pipe(range(1), collect(), { runtime, signal: {} as never })],
    ['a runtime that is none', () => pipe(range(1), collect(), { runtime: {} as never })],
    ['what the pipe decides', runtime => pipe(range(1), via(collect<number>(), { cancel: 'temporary' } as never), { runtime })],
    ['a bad demand', runtime => pipe(range(1), via(collect<number>(), { maxDemand: 0 }), { runtime })],
    ['an option that nobody knows', runtime => pipe(range(1), via(collect<number>(), { maxDemnad: 1 } as never), { runtime })],
  ] as readonly (readonly [string, (runtime: ReturnType<typeof world>['runtime']) => unknown])[])(
    'BAD-19 BAD-67 refuses %s, and leaves nothing running',
    async (_what, make) => {
      const { simulation, runtime } = world()
      expect(() => make(runtime)).toThrow(expect.objectContaining({ name: 'GenStageError', code: 'BAD_OPTION' }))
      await simulation.run()
      expect(runtime.topology().stages).toEqual([])
    },
  )

  it.each([null, 42, 'text', {}])('BAD-58 refuses %j as a source', source => {
    const { runtime } = world()
    expect(() => pipe(source as never, collect(), { runtime })).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^(BAD_SOURCE|NOT_A_STAGE)$/) as string }),
    )
  })
})
