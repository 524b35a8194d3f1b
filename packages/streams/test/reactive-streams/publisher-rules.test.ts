import { consumer, fromIterable, GenStageError, producer, type ProducerRef, start } from '@genstage/core'
import { probeProducer } from '@genstage/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { asPublisher } from '../../src/index.ts'
import { ManualSubscriber, recordedRuntime, settle } from './support.ts'

function* endless(): Generator<number> {
  for (let next = 1; ; next++) yield next
}

/** A producer of numbers, as a publisher, and what was asked of it. */
function counting(last: number = Infinity) {
  const recorded = recordedRuntime()
  const asked: number[] = []
  recorded.runtime.telemetry.on('asked', ({ demand }) => asked.push(demand))
  let taken = 0
  function* numbers(): Generator<number> {
    for (const number of endless()) {
      if (number > last) return
      taken++
      yield number
    }
  }
  const ref = start(fromIterable(numbers), { runtime: recorded.runtime })
  ref.monitor(() => {})
  return { ...recorded, ref, publisher: asPublisher(ref), asked, taken: () => taken }
}

/** A producer that emits when the test says so. */
function told(): ReturnType<typeof recordedRuntime> & { ref: ProducerRef<number>; emit(...events: number[]): void } {
  const recorded = recordedRuntime()
  const ref = start(probeProducer<number>().definition, { runtime: recorded.runtime })
  ref.monitor(() => {})
  return { ...recorded, ref, emit: (...events) => ref.cast(events) }
}

describe('asPublisher: the rules for a publisher', () => {
  it('RS-1.1 gives never more than was requested, and asks its stage for never more', async () => {
    const property = fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 12 }),
      fc.integer({ min: 1, max: 10 }),
      async (requests, maxDemand) => {
        const { ref, runtime, taken } = counting()
        const subscriber = new ManualSubscriber<number>()
        asPublisher(ref, { maxDemand }).subscribe(subscriber)
        await settle()
        let requested = 0
        for (const n of requests) {
          subscriber.request(n)
          requested += n
          if (n % 2 === 0) await settle()
          expect(subscriber.events.length).toBeLessThanOrEqual(requested)
          expect(taken()).toBeLessThanOrEqual(requested)
        }
        await settle()
        expect(subscriber.events).toEqual(Array.from({ length: requested }, (_, index) => index + 1))
        expect(taken()).toBe(requested)
        await runtime.stop()
      },
    )
    await fc.assert(property, { seed: 20_261_122, numRuns: 60 })
  })

  it('RS-1.2 may give fewer than were requested, and then the end', async () => {
    const { publisher } = counting(2)
    const subscriber = new ManualSubscriber<number>(10)
    publisher.subscribe(subscriber)
    await settle()
    expect(subscriber.signals).toEqual(['subscribe', 'next 1', 'next 2', 'complete'])
  })

  it('RS-1.3 signals one after the other, also when a request is made inside a signal', async () => {
    const { publisher } = counting(20)
    let depth = 0
    let deepest = 0
    publisher.subscribe(
      new (class extends ManualSubscriber<number> {
        override onNext(event: number): void {
          deepest = Math.max(deepest, ++depth)
          super.onNext(event)
          this.request(2)
          depth--
        }
        override onComplete(): void {
          deepest = Math.max(deepest, ++depth)
          depth--
        }
      })(1),
    )
    await settle()
    expect(deepest).toBe(1)
  })

  it('RS-1.4 tells a failure by onError, with the error itself, behind the events before it', async () => {
    const { ref, emit } = told()
    const subscriber = new ManualSubscriber<number>(10)
    asPublisher(ref).subscribe(subscriber)
    emit(1, 2)
    await settle()
    const error = new Error('boom')
    void ref.stop({ type: 'error', error })
    await settle()
    expect(subscriber.signals).toEqual(['subscribe', 'next 1', 'next 2', 'error boom'])
    expect(subscriber.error).toBe(error)
  })

  it('RS-1.5 tells a good end by onComplete', async () => {
    const { publisher } = counting(1)
    const subscriber = new ManualSubscriber<number>(5)
    publisher.subscribe(subscriber)
    await settle()
    expect(subscriber.signals.at(-1)).toBe('complete')
  })

  it('RS-1.6 counts a subscription as cancelled after its end', async () => {
    const { publisher, runtime } = counting(1)
    publisher.subscribe(new ManualSubscriber<number>(5))
    await settle()
    expect(runtime.topology()).toMatchObject({ stages: [], edges: [] })
  })

  it('RS-1.7 signals nothing after the end', async () => {
    const { publisher } = counting(1)
    const subscriber = new ManualSubscriber<number>(5)
    publisher.subscribe(subscriber)
    await settle()
    const { length } = subscriber.signals
    subscriber.request(3)
    subscriber.request(-1)
    subscriber.cancel()
    await settle()
    expect(subscriber.signals).toHaveLength(length)
  })

  it('RS-1.8 signals nothing after a cancel, at once', async () => {
    const { publisher, runtime, ref } = counting()
    const subscriber = new ManualSubscriber<number>(100, (event, self) => {
      if (event === 3) self.cancel()
    })
    publisher.subscribe(subscriber)
    await settle()
    expect(subscriber.signals).toEqual(['subscribe', 'next 1', 'next 2', 'next 3'])
    expect(runtime.topology().edges).toEqual([])
    await ref.stop()
    await settle()
    expect(subscriber.signals).toHaveLength(4)
  })

  it('RS-1.9 calls onSubscribe first, also where the stage is gone; throws for what is no subscriber', async () => {
    const { publisher, ref } = counting()
    for (const bad of [null, undefined, {}, 42, { onSubscribe() {}, onNext() {}, onError() {} }])
      expect(() => publisher.subscribe(bad as never)).toThrow(expect.objectContaining({ code: 'BAD_SINK' }))
    await ref.stop()
    const subscriber = new ManualSubscriber<number>(1)
    publisher.subscribe(subscriber)
    await settle()
    expect(subscriber.signals[0]).toBe('subscribe')
    expect(subscriber.signals).toHaveLength(2)
    expect(subscriber.error).toMatchObject({ code: 'STOPPED' })
  })

  it('RS-1.10 may be subscribed to many times, each with a subscription of its own', async () => {
    const { publisher } = counting()
    const subscribers = [1, 2, 3].map(() => new ManualSubscriber<number>(2))
    for (const subscriber of subscribers) publisher.subscribe(subscriber)
    await settle()
    expect(subscribers.map(({ events }) => events.length)).toEqual([2, 2, 2])
    expect(new Set(subscribers.map(({ subscription }) => subscription)).size).toBe(3)
  })

  it('RS-1.11 leaves it to the dispatcher whether subscribers share the events', async () => {
    const { publisher } = counting(6)
    const [first, second] = [new ManualSubscriber<number>(3), new ManualSubscriber<number>(3)]
    publisher.subscribe(first)
    publisher.subscribe(second)
    await settle()
    expect([...first.events, ...second.events].sort()).toEqual([1, 2, 3, 4, 5, 6])
  })
})

describe('asPublisher: the rules for a subscription', () => {
  it('RS-3.1 a subscription works for the one subscriber it was made for', async () => {
    const { publisher } = counting()
    const [first, second] = [new ManualSubscriber<number>(), new ManualSubscriber<number>()]
    publisher.subscribe(first)
    publisher.subscribe(second)
    await settle()
    first.request(2)
    await settle()
    expect([first.events.length, second.events.length]).toEqual([2, 0])
  })

  it('RS-3.2 may be asked from inside onSubscribe and onNext', async () => {
    const { publisher } = counting(4)
    const subscriber = new ManualSubscriber<number>(1, (_, self) => self.request(1))
    publisher.subscribe(subscriber)
    await settle()
    expect(subscriber.events).toEqual([1, 2, 3, 4])
  })

  it('RS-3.3 does not recurse: 100,000 events, each requested inside onNext, never stack up', async () => {
    const { publisher } = counting(100_000)
    const depths = new Set<number>()
    let isInside = false
    const subscriber = new ManualSubscriber<number>(1, (event, self) => {
      expect(isInside).toBe(false)
      isInside = true
      self.request(1)
      isInside = false
      if (event % 10_000 === 0) depths.add((new Error('depth').stack ?? '').split('\n').length)
    })
    subscriber.signals.push = () => 0
    publisher.subscribe(subscriber)
    while (subscriber.events.length < 100_000) await settle()
    expect(Math.max(...depths)).toBeLessThanOrEqual(50)
  })

  it('RS-3.4 request returns before anything is made for it', async () => {
    const { publisher, taken } = counting()
    const subscriber = new ManualSubscriber<number>()
    publisher.subscribe(subscriber)
    await settle()
    subscriber.request(1_000)
    expect([taken(), subscriber.events.length]).toEqual([0, 0])
  })

  it('RS-3.5 cancel takes effect at once, and may be called twice', async () => {
    const { publisher, runtime } = counting()
    const subscriber = new ManualSubscriber<number>()
    publisher.subscribe(subscriber)
    await settle()
    subscriber.request(5)
    subscriber.cancel()
    subscriber.cancel()
    await settle()
    expect(subscriber.events).toEqual([])
    expect(runtime.topology().edges).toEqual([])
  })

  it('RS-3.6 a request after the cancel does nothing, also a wrong one', async () => {
    const { publisher, uncaught } = counting()
    const subscriber = new ManualSubscriber<number>()
    publisher.subscribe(subscriber)
    await settle()
    subscriber.cancel()
    for (const n of [1, 0, -1, NaN]) subscriber.request(n)
    await settle()
    expect(subscriber.signals).toEqual(['subscribe'])
    expect(uncaught).toEqual([])
  })

  it('RS-3.7 a cancel after the cancel does nothing', async () => {
    const { publisher, ref, uncaught } = counting()
    const subscriber = new ManualSubscriber<number>(1)
    publisher.subscribe(subscriber)
    await settle()
    subscriber.cancel()
    await settle()
    subscriber.cancel()
    await settle()
    expect(subscriber.signals).toEqual(['subscribe', 'next 1'])
    expect(await ref.inspect()).toMatchObject({ consumers: [] })
    expect(uncaught).toEqual([])
  })

  it('RS-3.8 requests add up', async () => {
    const { publisher } = counting()
    const subscriber = new ManualSubscriber<number>()
    publisher.subscribe(subscriber)
    await settle()
    for (const n of [1, 2, 3]) subscriber.request(n)
    await settle()
    expect(subscriber.events).toHaveLength(6)
  })

  it.each([[0], [-1], [1.5], [NaN], [-Infinity], ['5'], [undefined], [10n]])(
    'RS-3.9 a request for %s is answered by onError with BAD_DEMAND, and is the end',
    async n => {
      const { publisher, ref, uncaught } = counting()
      const subscriber = new ManualSubscriber<number>(1)
      publisher.subscribe(subscriber)
      await settle()
      subscriber.request(n as never)
      subscriber.request(5)
      expect(subscriber.signals).toHaveLength(2)
      await settle()
      expect(subscriber.signals).toHaveLength(3)
      expect(subscriber.error).toBeInstanceOf(GenStageError)
      expect(subscriber.error).toMatchObject({ code: 'BAD_DEMAND', message: expect.stringContaining('3.9') })
      expect(await ref.inspect()).toMatchObject({ consumers: [] })
      expect(uncaught).toEqual([])
    },
  )

  it('RS-3.9 the error comes after the signal in which the wrong request was made, and nothing in between', async () => {
    const { publisher } = counting()
    const subscriber = new ManualSubscriber<number>(10, (event, self) => {
      if (event !== 2) return
      self.request(0)
      self.signals.push('returned')
    })
    publisher.subscribe(subscriber)
    await settle()
    expect(subscriber.signals.slice(0, 4)).toEqual(['subscribe', 'next 1', 'next 2', 'returned'])
    expect(subscriber.signals).toHaveLength(5)
    expect(subscriber.error).toMatchObject({ code: 'BAD_DEMAND' })
  })

  it('RS-3.12 a cancel reaches the producer', async () => {
    const { publisher, ref } = counting()
    const subscriber = new ManualSubscriber<number>(1)
    publisher.subscribe(subscriber)
    await settle()
    expect((await ref.inspect()).consumers).toHaveLength(1)
    subscriber.cancel()
    await settle()
    expect((await ref.inspect()).consumers).toHaveLength(0)
  })

  it('RS-3.14 a cancel of the last subscriber may end the producer, if it says so', async () => {
    const { runtime } = recordedRuntime()
    const ref = start(fromIterable(endless, { onCancel: 'stop' }), { runtime })
    const subscriber = new ManualSubscriber<number>(1)
    asPublisher(ref).subscribe(subscriber)
    await settle()
    subscriber.cancel()
    expect((await ref.exited).type).toBe('normal')
    expect(subscriber.signals).toEqual(['subscribe', 'next 1'])
  })

  it('RS-3.15 RS-3.16 cancel and request return, whatever has become of the stage', async () => {
    const { publisher, ref } = counting()
    const subscriber = new ManualSubscriber<number>(1)
    publisher.subscribe(subscriber)
    await settle()
    await ref.kill()
    expect(subscriber.request(1)).toBeUndefined()
    expect(subscriber.cancel()).toBeUndefined()
    await settle()
    expect(subscriber.request(1)).toBeUndefined()
    expect(subscriber.cancel()).toBeUndefined()
  })

  it.each([[Infinity], [Number.MAX_SAFE_INTEGER], [2 ** 63 - 1]])(
    'RS-3.17 %s requested, twice, is as good as all; the stage is asked for maxDemand at a time',
    async n => {
      const { ref, asked } = counting(50)
      const subscriber = new ManualSubscriber<number>()
      asPublisher(ref, { maxDemand: 10 }).subscribe(subscriber)
      await settle()
      subscriber.request(n)
      subscriber.request(n)
      await settle()
      expect(subscriber.events).toHaveLength(50)
      expect(subscriber.signals.at(-1)).toBe('complete')
      expect(Math.max(...asked)).toBe(10)
    },
  )
})

describe('asPublisher, beyond the rules', () => {
  it('INV-17 a subscriber that throws is told nothing more, and the failure is raised once (RS-2.13)', async () => {
    const { publisher, ref, uncaught } = counting()
    const error = new Error('broken subscriber')
    const subscriber = new ManualSubscriber<number>(5, () => {
      throw error
    })
    publisher.subscribe(subscriber)
    await settle()
    expect(subscriber.signals).toEqual(['subscribe', 'next 1'])
    expect(uncaught.map(({ cause }) => cause)).toEqual([error])
    expect(await ref.inspect()).toMatchObject({ consumers: [] })
  })

  it('F60 a signal ends the subscription with its reason', async () => {
    const { ref } = counting()
    const stopping = new AbortController()
    const subscriber = new ManualSubscriber<number>(1)
    asPublisher(ref, { signal: stopping.signal }).subscribe(subscriber)
    await settle()
    const reason = new Error('enough')
    stopping.abort(reason)
    await settle()
    expect(subscriber.signals).toEqual(['subscribe', 'next 1', 'error enough'])
    expect(subscriber.error).toBe(reason)
    expect(await ref.inspect()).toMatchObject({ consumers: [] })
  })

  it('INV-13 a stage that is killed is told as STOPPED', async () => {
    const { ref, publisher } = counting()
    const subscriber = new ManualSubscriber<number>(1)
    publisher.subscribe(subscriber)
    await settle()
    await ref.kill()
    await settle()
    expect(subscriber.error).toMatchObject({ code: 'STOPPED', reason: { type: 'killed' } })
  })

  it('BAD-1 to BAD-19 options are refused at the call; what only the producer can judge, by onError', async () => {
    const { ref } = counting()
    for (const bad of [{ maxDemand: 0 }, { maxDemand: 2, minDemand: 2 }, { cancel: 'temporary' }, { signal: 1 }, [], 5])
      expect(() => asPublisher(ref, bad as never)).toThrow(expect.objectContaining({ code: 'BAD_OPTION' }))
    const { runtime } = recordedRuntime()
    const sink = start(
      consumer(() => ({ handleEvents() {} })),
      { runtime },
    )
    expect(() => asPublisher(sink as never)).toThrow(expect.objectContaining({ code: 'NOT_A_PRODUCER' }))
    expect(() => asPublisher({} as never)).toThrow(expect.objectContaining({ code: 'NOT_A_STAGE' }))
    const subscriber = new ManualSubscriber<number>(1)
    asPublisher(ref, { partition: 1, unheard: true } as never).subscribe(subscriber)
    await settle()
    expect(subscriber.error).toMatchObject({ code: 'BAD_OPTION' })
  })

  it('INV-1 a request of 1 after the other never takes an event that was not requested', async () => {
    const { runtime } = recordedRuntime()
    const demands: number[] = []
    const ref = start(
      producer(() => ({
        handleDemand(demand) {
          demands.push(demand)
          return Array.from({ length: demand }, () => 0)
        },
      })),
      { runtime },
    )
    const subscriber = new ManualSubscriber<number>()
    asPublisher(ref, { maxDemand: 100, minDemand: 99 }).subscribe(subscriber)
    for (let n = 1; n <= 5; n++) {
      await settle()
      subscriber.request(1)
    }
    await settle()
    expect(demands).toEqual([1, 1, 1, 1, 1])
  })
})
