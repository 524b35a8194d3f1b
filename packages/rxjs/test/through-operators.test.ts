import { consumer, fromIterable, type ProducerConsumerRef, type ProducerRef, type Reason, start } from '@genstage/core'
import { probeConsumer, probeProducer } from '@genstage/testing'
import {
  bufferCount,
  catchError,
  concat,
  concatMap,
  filter,
  finalize,
  first,
  from,
  map,
  merge,
  mergeMap,
  NEVER,
  Observable,
  of,
  Subject,
  take,
  tap,
} from 'rxjs'
import { describe, expect, it } from 'vitest'
import { type ObserverLike, type Operators, throughOperators, type ThroughOperatorsOptions } from '../src/index.ts'
import { recordedRuntime, settle } from './support/runtime.ts'

/** A source that counts what is taken of it, and operators behind it. */
function open<Out>(
  operators: Operators<number, Out>,
  options: ThroughOperatorsOptions & { maxDemand?: number; minDemand?: number; last?: number; cancel?: 'temporary' } = {},
) {
  const recorded = recordedRuntime()
  const { runtime } = recorded
  const { maxDemand = 4, minDemand, last = Infinity, cancel, ...own } = options
  let taken = 0
  function* numbers(): Generator<number> {
    while (taken < last) yield ++taken
  }
  const source = start(fromIterable(numbers), { runtime })
  source.monitor(() => {})
  const subscription = { to: source, maxDemand, ...(minDemand === undefined ? {} : { minDemand }), ...(cancel && { cancel }) }
  const stage = start(throughOperators(operators, own), { runtime, subscribeTo: [subscription] })
  let ended: Reason | undefined
  stage.monitor(({ reason }) => (ended = reason))
  return { ...recorded, source, stage, taken: () => taken, ended: () => ended }
}

/** A consumer that handles one event at a time, when it is told to. */
function slowSink<T>(to: ProducerRef<T>, maxDemand: number) {
  const handled: T[] = []
  let proceed: (() => void) | undefined
  const Slow = consumer.of<T>()(() => ({
    async handleEvents(events) {
      for (const event of events) {
        await new Promise<void>(resolve => (proceed = resolve))
        handled.push(event)
      }
    },
  }))
  const ref = start(Slow, { runtime: to.runtime, subscribeTo: [{ to, maxDemand, cancel: 'temporary' }] })
  return { handled, ref, step: () => proceed?.() }
}

function collect<T>(to: ProducerRef<T>, maxDemand: number = 100) {
  const probe = probeConsumer<T>()
  const ref = start(probe.definition, { runtime: to.runtime, subscribeTo: [{ to, maxDemand, cancel: 'temporary' }] })
  return { ...probe, events: probe.events, ref, cancel: () => probe.subscriptions[0]?.cancel() }
}

/** Work that is done when the test says so. */
function pending() {
  const open = new Map<number, Subject<number>>()
  return {
    work(event: number): Observable<number> {
      const subject = new Subject<number>()
      open.set(event, subject)
      return subject
    },
    inside: () => [...open.keys()],
    finish(event: number, result: number = event): void {
      const subject = open.get(event)
      open.delete(event)
      subject?.next(result)
      subject?.complete()
    },
  }
}

describe('throughOperators: demand', () => {
  it('INV-1 nothing is given to the operators before somebody wants results', async () => {
    const given: number[] = []
    const { stage, taken } = open(events$ => events$.pipe(tap(event => given.push(event))))
    await settle()
    expect([taken(), given]).toEqual([4, []])
    const sink = collect(stage, 1)
    await settle()
    expect(sink.events.length).toBeGreaterThan(0)
  })

  it('F50 INV-23 a slow sink: what is taken and not handled is at most its maxDemand and two times that of the stage, less one', async () => {
    const { stage, taken } = open(events$ => events$.pipe(map(event => event * 10)), { maxDemand: 6, minDemand: 3 })
    const sink = slowSink(stage, 2)
    for (let handled = 0; handled < 40; handled++) {
      await settle()
      expect(sink.handled).toHaveLength(handled)
      expect(taken() - handled).toBeLessThanOrEqual(2 + 6 + 5)
      sink.step()
    }
    await settle()
    expect(sink.handled).toEqual(Array.from({ length: 40 }, (_, index) => (index + 1) * 10))
  })

  it('F50 INV-23 a slow sink behind operators that give more than they get: the rest waits', async () => {
    const { stage, taken } = open(events$ => events$.pipe(mergeMap(event => of(event, event, event))), { maxDemand: 2 })
    const sink = slowSink(stage, 1)
    for (let handled = 0; handled < 30; handled++) {
      await settle()
      expect(sink.handled).toHaveLength(handled)
      expect(taken() * 3 - handled).toBeLessThanOrEqual(1 + 3 * 2 + (3 * 2 - 1))
      sink.step()
    }
  })

  it('INV-10 operators that give fewer than they get are given more until the sink has enough', async () => {
    const { stage } = open(events$ => events$.pipe(filter(event => event % 100 === 0)))
    const sink = slowSink(stage, 1)
    for (let round = 0; round < 3; round++) {
      await settle()
      sink.step()
    }
    await settle()
    expect(sink.handled).toEqual([100, 200, 300])
  })

  it('F50 INV-23 doneWhen result: exactly maxDemand events are inside, whatever the sink wants', async () => {
    const work = pending()
    const { stage, taken } = open(events$ => events$.pipe(mergeMap(event => work.work(event))), {
      maxDemand: 6,
      minDemand: 5,
      doneWhen: 'result',
    })
    const sink = collect(stage)
    await settle()
    expect([taken(), work.inside()]).toEqual([6, [1, 2, 3, 4, 5, 6]])
    for (let event = 1; event <= 20; event++) {
      work.finish(event)
      await settle()
      expect(sink.events).toHaveLength(event)
      expect(taken()).toBe(event + 6)
      expect(work.inside()).toHaveLength(6)
    }
  })

  it('F50 INV-23 doneWhen result: results in another order free as many', async () => {
    const work = pending()
    const { stage, taken } = open(events$ => events$.pipe(mergeMap(event => work.work(event))), {
      maxDemand: 4,
      minDemand: 3,
      doneWhen: 'result',
    })
    const sink = collect(stage)
    await settle()
    for (const event of [3, 4, 2]) work.finish(event)
    await settle()
    expect(sink.events).toEqual([3, 4, 2])
    expect([taken(), work.inside()]).toEqual([7, [1, 5, 6, 7]])
  })

  it('F50 INV-23 doneWhen manual: the function tells what is done', async () => {
    const work = pending()
    const { stage, taken } = open(
      (events$, done) =>
        events$.pipe(
          mergeMap(event => work.work(event).pipe(finalize(() => done()))),
          filter(event => event % 2 === 0),
        ),
      { maxDemand: 4, minDemand: 3, doneWhen: 'manual' },
    )
    const sink = collect(stage)
    await settle()
    expect(taken()).toBe(4)
    for (let event = 1; event <= 10; event++) {
      work.finish(event)
      await settle()
      expect(taken()).toBe(event + 4)
    }
    expect(sink.events).toEqual([2, 4, 6, 8, 10])
  })

  it('INV-23 more results than events, and done called too often, free nothing that is not inside', async () => {
    const { stage, taken } = open(
      (events$, done) => {
        done(1_000)
        return concat(of(-1, -2, -3), events$.pipe(mergeMap(event => concat(of(event), NEVER))))
      },
      { maxDemand: 3, minDemand: 0, doneWhen: 'manual' },
    )
    const sink = collect(stage)
    await settle()
    expect(sink.events).toEqual([-1, -2, -3, 1, 2, 3])
    expect(taken()).toBe(3)
  })

  it('INV-6 events wait while the operators are not subscribed, and none is lost', async () => {
    const header = new Subject<number>()
    const { stage, taken } = open(events$ => concat(header, events$), { last: 9 })
    const sink = collect(stage)
    await settle()
    expect(taken()).toBe(4)
    header.next(0)
    await settle()
    expect(sink.events).toEqual([0])
    header.complete()
    await settle()
    expect(sink.events).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    await settle()
    expect(stage.runtime.topology().stages.map(({ id }) => id)).toEqual([sink.ref.id])
  })

  it('INV-23 operators that have had enough, but have not completed, hold the producer back', async () => {
    const other = new Subject<number>()
    const { stage, taken } = open(events$ => merge(events$.pipe(first()), other))
    const sink = collect(stage)
    await settle()
    expect(taken()).toBeLessThanOrEqual(1 + 4 + 2)
    const { length } = { length: taken() }
    other.next(-1)
    await settle()
    expect(sink.events).toEqual([1, -1])
    expect(taken()).toBe(length)
    expect((await stage.stop()).type).toBe('normal')
  })
})

describe('throughOperators: the end', () => {
  it('F60 operators that complete by themselves end the stage behind their last result, and cancel its subscription', async () => {
    const { stage, ended, taken, runtime, source } = open(events$ => events$.pipe(take(7)))
    const sink = slowSink(stage, 1)
    for (let round = 0; round < 8; round++) {
      await settle()
      sink.step()
    }
    await settle()
    expect(sink.handled).toEqual([1, 2, 3, 4, 5, 6, 7])
    expect(ended()).toEqual({ type: 'normal' })
    expect(taken()).toBeLessThanOrEqual(7 + 3 * 4)
    expect(runtime.topology().edges).toEqual([])
    expect(runtime.topology().stages.map(({ id }) => id)).toContain(source.id)
  })

  it('F60 operators that fail end the stage with that very error, behind their last result', async () => {
    const error = new Error('boom')
    const { stage, ended, uncaught } = open(events$ =>
      events$.pipe(
        map(event => {
          if (event === 6) throw error
          return event
        }),
      ),
    )
    const sink = collect(stage, 3)
    await settle()
    expect(sink.events).toEqual([1, 2, 3, 4, 5])
    expect(ended()).toEqual({ type: 'error', error })
    expect(uncaught).toEqual([])
  })

  it('INV-17 a failure that nobody watches is raised once', async () => {
    const { runtime, uncaught } = recordedRuntime()
    const error = new Error('boom')
    const source = start(probeProducer<number>().definition, { runtime })
    const stage = start(
      throughOperators((events$: Observable<number>) =>
        events$.pipe(
          map(() => {
            throw error
          }),
        ),
      ),
      { runtime, subscribeTo: [source] },
    )
    collect(stage)
    source.cast([1])
    await settle()
    expect(uncaught.map(({ cause }) => cause)).toEqual([error])
  })

  it('INV-6 results that come at completion are taken before the stage ends, however slow the sink is', async () => {
    const { stage, ended, discarded } = open(
      events$ =>
        events$.pipe(
          bufferCount(100),
          mergeMap(events => from(events)),
        ),
      { last: 12 },
    )
    const sink = slowSink(stage, 1)
    for (let handled = 0; handled < 12; handled++) {
      await settle()
      expect(sink.handled).toHaveLength(handled)
      if (handled < 10) expect(ended()).toBeUndefined()
      sink.step()
    }
    await settle()
    expect(sink.handled).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
    expect(ended()).toEqual({ type: 'normal' })
    expect(discarded).toEqual([])
  })

  it('INV-6 results that come after the end of the producer still come out, one by one', async () => {
    const work = pending()
    const { stage, ended, runtime } = open(events$ => events$.pipe(mergeMap(event => work.work(event))), { last: 3 })
    const sink = collect(stage)
    await settle()
    expect(runtime.topology().stages.map(({ id }) => id)).toEqual([stage.id, sink.ref.id])
    for (const event of [2, 3, 1]) {
      expect(ended()).toBeUndefined()
      work.finish(event)
      await settle()
      expect(sink.events.at(-1)).toBe(event)
    }
    expect(ended()).toEqual({ type: 'normal' })
  })

  it('F57 a failure of the operators after the end of the producer is the reason', async () => {
    const work = new Subject<number>()
    const { stage, ended } = open(events$ => events$.pipe(mergeMap(() => work)), { last: 1 })
    const sink = collect(stage)
    await settle()
    const error = new Error('late')
    work.next(1)
    work.error(error)
    await settle()
    expect(sink.events).toEqual([1])
    expect(ended()).toEqual({ type: 'error', error })
  })

  it('INV-21 a stage that waits for results ends when its last consumer goes', async () => {
    const { stage, ended } = open(events$ => merge(events$, NEVER), { last: 1 })
    const sink = collect(stage)
    await settle()
    expect([sink.events, ended()]).toEqual([[1], undefined])
    sink.cancel()
    await settle()
    expect(ended()).toEqual({ type: 'normal' })
  })

  it('F53 a failure of the producer is an error to the operators, and then the reason of the end', async () => {
    const { runtime, uncaught } = recordedRuntime()
    const error = new Error('boom')
    const source = start(probeProducer<number>().definition, { runtime })
    source.monitor(() => {})
    const told: unknown[] = []
    const stage = start(
      throughOperators((events$: Observable<number>) =>
        events$.pipe(
          tap({ error: failure => told.push(failure) }),
          catchError(() => of(-1)),
        ),
      ),
      { runtime, subscribeTo: [source] },
    )
    const sink = collect(stage)
    await settle()
    source.cast([1, 2])
    await settle()
    void source.stop({ type: 'error', error })
    expect(await stage.exited).toEqual({ type: 'error', error })
    await settle()
    expect([told, sink.events]).toEqual([[error], [1, 2, -1]])
    expect(uncaught).toEqual([])
  })

  it('INV-19 a subscription that is temporary may end without an end of the operators', async () => {
    const { stage, ended, runtime } = open(events$ => events$, { last: 2, cancel: 'temporary' })
    const sink = collect(stage)
    await settle()
    expect([sink.events, ended()]).toEqual([[1, 2], undefined])
    stage.subscribe({ to: start(fromIterable([3, 4]), { runtime }) })
    await settle()
    expect([sink.events, ended()]).toEqual([[1, 2, 3, 4], { type: 'normal' }])
  })

  it('GS-S9 a subscription in the place of another is no end', async () => {
    const { runtime } = recordedRuntime()
    const source = start(probeProducer<number>().definition, { runtime })
    const stage = start(
      throughOperators((events$: Observable<number>) => events$),
      { runtime },
    )
    const first = stage.subscribe({ to: source, maxDemand: 5 })
    const sink = collect(stage)
    await settle()
    stage.subscribe({ to: source, maxDemand: 3, replaces: first })
    await settle()
    source.cast([1, 2])
    await settle()
    expect(sink.events).toEqual([1, 2])
    expect(runtime.topology().stages).toHaveLength(3)
    await runtime.stop()
  })
})

describe('throughOperators: stopping', () => {
  it('INV-21 a stop unsubscribes from the operators, once; so does a kill', async () => {
    for (const how of ['stop', 'kill'] as const) {
      let torndown = 0
      const { stage } = open(events$ => new Observable<number>(subscriber => {
        const subscription = events$.subscribe(subscriber)
        return () => {
          torndown++
          subscription.unsubscribe()
        }
      })) // prettier-ignore
      const sink = slowSink(stage, 1)
      await settle()
      expect(torndown).toBe(0)
      await stage[how]()
      await stage[how]()
      await settle()
      expect([torndown, sink.handled]).toEqual([1, []])
    }
  })

  it('INV-21 a drain waits for results that are late, and hands them on', async () => {
    const work = pending()
    const { stage, runtime } = open(events$ => events$.pipe(mergeMap(event => work.work(event))), { maxDemand: 2 })
    const sink = collect(stage, 2)
    await settle()
    const inside = work.inside()
    const stopped = stage.stop('shutdown', { drain: true })
    await settle()
    expect(runtime.topology().stages).toHaveLength(3)
    for (const event of work.inside()) work.finish(event)
    expect((await stopped).type).toBe('shutdown')
    await settle()
    expect(sink.events.slice(0, inside.length)).toEqual(inside)
  })

  it('INV-6 a plain stop waits for what is inside and counted, and its results leave', async () => {
    const work = pending()
    const { stage, discarded } = open(events$ => events$.pipe(mergeMap(event => work.work(event))), {
      maxDemand: 2,
      doneWhen: 'result',
    })
    const sink = collect(stage)
    await settle()
    const stopped = stage.stop()
    await settle()
    work.finish(1)
    work.finish(2)
    expect((await stopped).type).toBe('normal')
    await settle()
    expect(sink.events).toEqual([1, 2])
    expect(discarded).toEqual([])
  })

  it('INV-6 a failure while a plain stop waits is the reason of the end', async () => {
    const failing = new Subject<number>()
    const { stage } = open(events$ => events$.pipe(mergeMap(() => failing)), { doneWhen: 'result' })
    collect(stage)
    await settle()
    const stopped = stage.stop()
    await settle()
    const error = new Error('boom')
    failing.error(error)
    expect(await stopped).toEqual({ type: 'error', error })
  })

  it('INV-6 a stop reports events that the operators never took', async () => {
    const { stage, discarded } = open(events$ => concat(NEVER, events$), { maxDemand: 3 })
    collect(stage)
    await settle()
    expect((await stage.stop()).type).toBe('normal')
    expect(discarded.flatMap(([, events]) => events).sort()).toEqual([1, 2, 3])
  })

  it('INV-7 with redeliver, what was inside when the operators failed goes to the next stage', async () => {
    const { runtime } = recordedRuntime()
    const source = start(probeProducer<number>().definition, { runtime })
    const failing = new Subject<number>()
    const open = (operators: Operators<number, number>): ProducerConsumerRef<number, number> => {
      const stage = start(throughOperators(operators, { doneWhen: 'result' }), {
        runtime,
        subscribeTo: [{ to: source, maxDemand: 4, redeliver: true }],
      })
      stage.monitor(() => {})
      return stage
    }
    const first = open(events$ => events$.pipe(concatMap(event => (event === 3 ? failing : of(event)))))
    const before = collect(first)
    await settle()
    source.cast([1, 2, 3, 4])
    await settle()
    expect(before.events).toEqual([1, 2])
    failing.error(new Error('boom'))
    await first.exited
    const after = collect(open(events$ => events$))
    await settle()
    expect(after.events).toEqual([3, 4])
  })
})

describe('throughOperators: bad input', () => {
  it('BAD-66 refuses what is no function, and a start whose function answers no observable', async () => {
    for (const bad of [null, undefined, {}, 42])
      expect(() => throughOperators(bad as never)).toThrow(expect.objectContaining({ code: 'BAD_SOURCE' }))
    const { runtime, uncaught } = recordedRuntime()
    for (const bad of [undefined, null, {}, 42]) {
      const stage = start(
        throughOperators(() => bad as never),
        { runtime },
      )
      await expect(stage.ready).rejects.toMatchObject({ code: 'BAD_SOURCE' })
    }
    const error = new Error('boom')
    const throwing = start(
      throughOperators(() => {
        throw error
      }),
      { runtime },
    )
    await expect(throwing.ready).rejects.toMatchObject({ code: 'SETUP_FAILED', cause: error })
    await settle()
    expect(uncaught).toEqual([])
  })

  it('BAD-38 to BAD-42 done with no number of events is an error of the operators', async () => {
    for (const bad of [-1, 0.5, NaN, '5', 10n]) {
      const { stage } = open((events$, done) => events$.pipe(tap(() => done(bad as never))))
      collect(stage)
      expect(await stage.exited).toMatchObject({ type: 'error', error: { code: 'BAD_DEMAND' } })
    }
  })

  it('BAD-19 refuses options at the call', () => {
    for (const bad of [{ doneWhen: 'never' }, { maxDemand: 1 }, []])
      expect(() => throughOperators(events$ => events$, bad as never)).toThrow(expect.objectContaining({ code: 'BAD_OPTION' }))
  })

  it('BAD-66 operators of another library may answer anything with subscribe', async () => {
    const { stage } = open<string>(events$ => ({
      subscribe: (observer: ObserverLike<string>) =>
        events$.subscribe({
          next: event => observer.next(`<${event}>`),
          error: error => observer.error(error),
          complete: () => observer.complete(),
        }),
    }), { last: 2 }) // prettier-ignore
    const sink = collect(stage)
    await settle()
    expect(sink.events).toEqual(['<1>', '<2>'])
  })
})

describe('throughOperators: a drain from outside', () => {
  it('INV-21 ends behind the last results also when the source has ended before, as in a pipe', async () => {
    const { runtime } = recordedRuntime()
    const source = start(fromIterable([1, 2, 3, 4]), { runtime })
    const stage = start(
      throughOperators((numbers$: Observable<number>) => numbers$.pipe(bufferCount(3))),
      { runtime },
    )
    const link = stage.subscribe({ to: source, cancel: 'transient' })
    const results: (readonly number[])[] = []
    const reading = (async () => {
      for await (const result of stage.stream({ cancel: 'transient' })) results.push(result)
    })()
    await link.ended
    await settle()
    await stage.stop('normal', { drain: true, timeout: Infinity })
    await reading
    expect(results).toEqual([[1, 2, 3], [4]])
  })
})
