import { consumer, type ConsumerRef, type ProducerConsumerRef, producerConsumer, start } from '@genstage/core'
import { probeConsumer, probeProducer } from '@genstage/testing'
import { describe, expect, it } from 'vitest'
import { asProcessor, asPublisher, asSubscriber, fromPublisher, toSubscriber } from '../../src/index.ts'
import { ManualPublisher, ManualSubscriber, recordedRuntime, settle } from './support.ts'

/** Our subscriber in front of a stage: once as the producer that `fromPublisher` makes, once as `asSubscriber` of a consumer. */
const ways = {
  fromPublisher(publisher: ManualPublisher<number>, maxDemand: number) {
    const recorded = recordedRuntime()
    const probe = probeConsumer<number>()
    const source = start(fromPublisher(publisher), { runtime: recorded.runtime })
    source.monitor(() => {})
    const ref = start(probe.definition, { runtime: recorded.runtime, subscribeTo: [{ to: source, maxDemand }] })
    ref.monitor(() => {})
    return { ...recorded, probe, ref, stop: () => source.stop() }
  },
  asSubscriber(publisher: ManualPublisher<number>, maxDemand: number) {
    const recorded = recordedRuntime()
    const probe = probeConsumer<number>()
    const ref: ConsumerRef<number> = start(probe.definition, { runtime: recorded.runtime })
    ref.monitor(() => {})
    publisher.subscribe(asSubscriber(ref, { maxDemand }))
    return { ...recorded, probe, ref, stop: () => ref.stop() }
  },
}

describe.each(['fromPublisher', 'asSubscriber'] as const)('%s: the rules for a subscriber', way => {
  const open = (maxDemand: number = 4) => {
    const publisher = new ManualPublisher<number>()
    return { publisher, ...ways[way](publisher, maxDemand) }
  }

  it('RS-2.1 asks for events by request, exactly what its stage is asked for', async () => {
    const { publisher, probe } = open(4)
    await settle()
    expect(publisher.calls).toEqual(['subscribe', 'request 4'])
    publisher.push([1, 2, 3, 4, 5, 6, 7, 8, 9])
    await settle()
    expect(probe.events).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(publisher.taken + publisher.requested - probe.events.length).toBeLessThanOrEqual(4)
  })

  it('RS-2.2 RS-2.11 onNext returns before the event is handled', async () => {
    const { publisher, probe } = open()
    await settle()
    publisher.push([1])
    expect(probe.events).toEqual([])
    await settle()
    expect(probe.events).toEqual([1])
  })

  it('RS-2.3 RS-2.4 onComplete and onError call nothing, nor does what follows from them', async () => {
    for (const ending of [{}, { error: new Error('boom') }]) {
      const { publisher, ref } = open()
      await settle()
      const { length } = publisher.calls
      publisher.end(ending)
      expect(publisher.calls).toHaveLength(length)
      await ref.exited
      await settle()
      expect(publisher.calls).toHaveLength(length)
    }
  })

  it('RS-2.5 cancels a second subscription, and keeps the first', async () => {
    const { publisher, probe } = open()
    await settle()
    const second = new ManualPublisher<number>()
    publisher.subscriber?.onSubscribe(second.subscription())
    expect(second.calls).toEqual(['cancel'])
    publisher.push([1])
    await settle()
    expect(probe.events).toEqual([1])
    expect(publisher.cancels).toBe(0)
  })

  it('RS-2.6 cancels, once, when the stage has ended', async () => {
    const { publisher, stop } = open()
    await settle()
    await stop()
    await settle()
    expect(publisher.cancels).toBe(1)
  })

  it('RS-2.7 calls request and cancel one at a time', async () => {
    const { publisher, stop } = open(1)
    let inside = 0
    let most = 0
    const { subscription } = publisher
    publisher.subscription = () => {
      const { request, cancel } = subscription.call(publisher)
      const counted = (work: () => void): void => {
        most = Math.max(most, ++inside)
        work()
        inside--
      }
      return { request: n => counted(() => request(n)), cancel: () => counted(cancel) }
    }
    publisher.push([1, 2, 3, 4, 5])
    await settle()
    await stop()
    await settle()
    expect(most).toBeLessThanOrEqual(1)
    expect(publisher.taken).toBe(5)
  })

  it('RS-2.8 takes no harm from events after its cancel', async () => {
    const { publisher, probe, stop, uncaught } = open()
    await settle()
    await stop()
    await settle()
    publisher.subscriber?.onNext(1)
    publisher.subscriber?.onComplete()
    publisher.subscriber?.onError(new Error('late'))
    await settle()
    expect(probe.events).toEqual([])
    expect(uncaught).toEqual([])
  })

  it('RS-2.9 takes onComplete with and without a request before it', async () => {
    const early = open()
    early.publisher.end()
    expect((await early.ref.exited).type).toBe('normal')
    const late = open()
    await settle()
    late.publisher.push([1])
    late.publisher.end()
    expect((await late.ref.exited).type).toBe('normal')
    expect(late.probe.events).toEqual([1])
  })

  it('RS-2.10 takes onError with and without a request before it: the stage ends with that very error', async () => {
    const error = new Error('boom')
    const early = open()
    early.publisher.end({ error })
    expect(await early.ref.exited).toEqual({ type: 'error', error })
    const late = open()
    await settle()
    late.publisher.push([1])
    late.publisher.end({ error })
    expect(await late.ref.exited).toEqual({ type: 'error', error })
    expect(late.probe.events).toEqual([1])
  })

  it('RS-2.13 its signals return; onSubscribe without a subscription throws', async () => {
    const { publisher } = open()
    await settle()
    const { subscriber } = publisher
    expect(subscriber?.onNext(1)).toBeUndefined()
    for (const bad of [null, undefined, {}, 42])
      expect(() => subscriber?.onSubscribe(bad as never)).toThrow(expect.objectContaining({ code: 'BAD_SOURCE' }))
    expect(subscriber?.onComplete()).toBeUndefined()
    expect(subscriber?.onError(new Error('late'))).toBeUndefined()
  })

  it('RS-2.13 null and undefined are events here', async () => {
    const { publisher, probe } = open()
    await settle()
    publisher.push([null, undefined] as never)
    await settle()
    expect(probe.events).toEqual([null, undefined])
  })
})

describe('fromPublisher', () => {
  it('RS-2.12 subscribes once for each start, with a subscriber of its own', async () => {
    const { runtime } = recordedRuntime()
    const publisher = new ManualPublisher<number>()
    const Source = fromPublisher(publisher)
    start(Source, { runtime })
    await settle()
    const first = publisher.subscriber
    start(Source, { runtime })
    await settle()
    expect(publisher.calls).toEqual(['subscribe', 'subscribe'])
    expect(publisher.subscriber).not.toBe(first)
  })

  it('BAD-58 refuses what is no publisher, at the call or at the start', async () => {
    for (const bad of [null, undefined, 42, 'text', {}, []])
      expect(() => fromPublisher(bad as never)).toThrow(expect.objectContaining({ code: 'BAD_SOURCE' }))
    const { runtime } = recordedRuntime()
    const ref = start(
      fromPublisher(() => null as never),
      { runtime },
    )
    await expect(ref.ready).rejects.toMatchObject({ code: 'BAD_SOURCE' })
    expect(() => fromPublisher(new ManualPublisher(), { onCancle: 'stop' } as never)).toThrow(/did you mean onCancel/)
  })

  it('INV-5 events that come more than were requested are kept in order', async () => {
    const { runtime } = recordedRuntime()
    const probe = probeConsumer<number>()
    const publisher = new ManualPublisher<number>()
    const ref = start(fromPublisher(publisher), { runtime })
    start(probe.definition, { runtime, subscribeTo: [{ to: ref, maxDemand: 2 }] })
    await settle()
    for (let event = 1; event <= 10; event++) publisher.subscriber?.onNext(event)
    await settle()
    expect(probe.events).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  })

  it('F50 INV-23 a slow consumer holds the publisher back: maxDemand events are taken, and each batch lets as many more through', async () => {
    const { runtime } = recordedRuntime()
    const publisher = new ManualPublisher<number>()
    publisher.push(Array.from({ length: 1_000 }, (_, index) => index))
    const handled: number[] = []
    let proceed = (): void => {}
    const Slow = consumer.of<number>()(() => ({
      async handleEvents(events) {
        await new Promise<void>(resolve => (proceed = resolve))
        handled.push(...events)
      },
    }))
    const source = start(fromPublisher(publisher), { runtime })
    start(Slow, { runtime, subscribeTo: [{ to: source, maxDemand: 6, minDemand: 3 }] })
    for (let round = 0; round < 20; round++) {
      await settle()
      expect(handled).toHaveLength(round * 3)
      expect(publisher.taken).toBe(handled.length + 6)
      proceed()
    }
  })

  it('F60 ends with its last consumer, if told so', async () => {
    const { runtime } = recordedRuntime()
    const publisher = new ManualPublisher<number>()
    const ref = start(fromPublisher(publisher, { onCancel: 'stop' }), { runtime })
    const probe = probeConsumer<number>()
    start(probe.definition, { runtime, subscribeTo: [ref] })
    await settle()
    probe.subscriptions[0]?.cancel()
    expect((await ref.exited).type).toBe('normal')
    expect(publisher.cancels).toBe(1)
  })
})

describe('asSubscriber', () => {
  it('RS-2.12 is good for one publisher', async () => {
    const { runtime } = recordedRuntime()
    const ref = start(probeConsumer<number>().definition, { runtime })
    const subscriber = asSubscriber<number>(ref)
    const [first, second] = [new ManualPublisher<number>(), new ManualPublisher<number>()]
    first.subscribe(subscriber)
    second.subscribe(subscriber)
    await settle()
    expect([first.cancels, second.cancels]).toEqual([0, 1])
  })

  it('RS-2.6 cancels at once where the consumer is gone already, or the signal is aborted', async () => {
    const { runtime, uncaught } = recordedRuntime()
    const gone = start(probeConsumer<number>().definition, { runtime })
    await gone.stop()
    const publisher = new ManualPublisher<number>()
    publisher.subscribe(asSubscriber(gone))
    await settle()
    expect(publisher.cancels).toBe(1)
    const aborted = new ManualPublisher<number>()
    const alive = start(probeConsumer<number>().definition, { runtime })
    aborted.subscribe(asSubscriber(alive, { signal: AbortSignal.abort() }))
    await settle()
    expect(aborted.calls).toEqual(['subscribe', 'cancel'])
    expect(runtime.topology().stages).toHaveLength(1)
    expect(uncaught).toEqual([])
  })

  it('F60 a signal cancels the subscription, and the consumer ends well', async () => {
    const { runtime } = recordedRuntime()
    const ref = start(probeConsumer<number>().definition, { runtime })
    const stopping = new AbortController()
    const publisher = new ManualPublisher<number>()
    publisher.subscribe(asSubscriber(ref, { signal: stopping.signal }))
    await settle()
    stopping.abort()
    expect((await ref.exited).type).toBe('shutdown')
    expect(publisher.cancels).toBe(1)
  })

  it('BAD-1 to BAD-19 refuses options and stages at the call', () => {
    const { runtime } = recordedRuntime()
    const ref = start(probeConsumer<number>().definition, { runtime })
    for (const bad of [{ maxDemand: 0 }, { maxDemand: 2, minDemand: 2 }, { cancel: 'never' }, { signal: 1 }, { selector() {} }])
      expect(() => asSubscriber(ref, bad as never)).toThrow(expect.objectContaining({ code: 'BAD_OPTION' }))
    expect(() => asSubscriber(42 as never)).toThrow(expect.objectContaining({ code: 'NOT_A_STAGE' }))
    const source = start(probeProducer<number>().definition, { runtime })
    expect(() => asSubscriber(source as never)).toThrow(expect.objectContaining({ code: 'NOT_A_CONSUMER' }))
  })
})

describe('toSubscriber', () => {
  it('RS-2.12 uses a subscriber for one start; a function makes one for each', async () => {
    const { runtime } = recordedRuntime()
    const Once = toSubscriber(new ManualSubscriber())
    expect(await start(Once, { runtime }).ready).toBe('started')
    await expect(start(Once, { runtime }).ready).rejects.toMatchObject({ code: 'BAD_SINK' })
    const made: ManualSubscriber[] = []
    const Many = toSubscriber(() => {
      made.push(new ManualSubscriber())
      return made.at(-1) as ManualSubscriber
    })
    expect(await start(Many, { runtime }).ready).toBe('started')
    expect(await start(Many, { runtime }).ready).toBe('started')
    expect(made.map(({ signals }) => signals)).toEqual([['subscribe'], ['subscribe']])
  })

  it('INV-1 with several producers it gives no more than was requested, and none of them can hold it up', async () => {
    const { runtime } = recordedRuntime()
    const sources = [1, 2].map(() => start(probeProducer<number>().definition, { runtime }))
    const subscriber = new ManualSubscriber<number>(3)
    start(toSubscriber(subscriber), { runtime, subscribeTo: sources.map(to => ({ to, maxDemand: 10 })) })
    await settle()
    sources[1]?.cast([1, 2, 3, 4])
    await settle()
    sources[0]?.cast([5, 6])
    await settle()
    expect(subscriber.events).toHaveLength(3)
    subscriber.request(1)
    await settle()
    expect(subscriber.events).toHaveLength(4)
    subscriber.request(9)
    await settle()
    expect([...subscriber.events].sort()).toEqual([1, 2, 3, 4, 5, 6])
  })

  it('INV-6 a stop while events wait for a request ends it, and reports them', async () => {
    const { runtime, discarded } = recordedRuntime()
    const sources = [1, 2].map(() => start(probeProducer<number>().definition, { runtime }))
    const subscriber = new ManualSubscriber<number>(1)
    const ref = start(toSubscriber(subscriber), { runtime, subscribeTo: sources.map(to => ({ to, maxDemand: 10 })) })
    await settle()
    for (const source of sources) source.cast([1])
    await settle()
    expect(subscriber.events).toEqual([1])
    expect((await ref.stop()).type).toBe('normal')
    expect(discarded).toEqual([1])
    expect(subscriber.signals.at(-1)).toBe('complete')
  })

  it('RS-3.5 a cancel stops the stage', async () => {
    const { runtime } = recordedRuntime()
    const subscriber = new ManualSubscriber<number>()
    const ref = start(toSubscriber(subscriber), { runtime })
    await settle()
    subscriber.cancel()
    expect((await ref.exited).type).toBe('normal')
    expect(subscriber.signals).toEqual(['subscribe'])
  })

  it('BAD-62 refuses what is no subscriber', async () => {
    const { runtime } = recordedRuntime()
    for (const bad of [null, undefined, 42, {}, new ManualPublisher()])
      expect(() => toSubscriber(bad as never)).toThrow(expect.objectContaining({ code: 'BAD_SINK' }))
    await expect(
      start(
        toSubscriber(() => ({}) as never),
        { runtime },
      ).ready,
    ).rejects.toMatchObject({ code: 'BAD_SINK' })
  })

  it('INV-13 a kill is told by onError', async () => {
    const { runtime } = recordedRuntime()
    const subscriber = new ManualSubscriber<number>()
    const ref = start(toSubscriber(subscriber), { runtime })
    ref.monitor(() => {})
    await settle()
    await ref.kill()
    expect(subscriber.error).toMatchObject({ code: 'STOPPED', reason: { type: 'killed' } })
  })
})

describe('asProcessor', () => {
  const Double = producerConsumer(() => ({
    handleEvents: (events: readonly number[]) => events.map(event => event * 2),
  }))

  function open(cancel: 'permanent' | 'temporary' = 'permanent') {
    const recorded = recordedRuntime()
    const ref: ProducerConsumerRef<number, number> = start(Double, { runtime: recorded.runtime })
    ref.monitor(() => {})
    const publisher = new ManualPublisher<number>()
    const subscriber = new ManualSubscriber<number>(3)
    const processor = asProcessor(ref, { maxDemand: 2, minDemand: 1, cancel })
    processor.subscribe(subscriber)
    publisher.subscribe(processor)
    return { ...recorded, ref, publisher, subscriber }
  }

  it('RS-4.1 keeps to the rules of both sides', async () => {
    const { publisher, subscriber, ref } = open()
    publisher.push([1, 2, 3, 4, 5, 6, 7, 8])
    await settle()
    expect(subscriber.signals).toEqual(['subscribe', 'next 2', 'next 4', 'next 6'])
    expect(publisher.taken).toBeLessThanOrEqual(3 + 2)
    subscriber.cancel()
    await settle()
    expect(await ref.inspect()).toMatchObject({ consumers: [] })
    await ref.stop()
    await settle()
    expect(publisher.cancels).toBe(1)
  })

  it('RS-4.2 hands an error on; or recovers from it, if its subscription is temporary', async () => {
    const error = new Error('boom')
    const fatal = open()
    await settle()
    fatal.publisher.end({ error })
    await settle()
    expect(fatal.subscriber.error).toBe(error)
    const recovering = open('temporary')
    await settle()
    recovering.publisher.end({ error })
    await settle()
    expect(recovering.subscriber.signals).toEqual(['subscribe'])
    expect(recovering.uncaught).toEqual([])
    expect(recovering.log.filter(line => line.includes('boom'))).toHaveLength(1)
    const next = new ManualPublisher<number>()
    next.subscribe(asSubscriber(recovering.ref))
    next.push([21])
    await settle()
    expect(recovering.subscriber.events).toEqual([42])
  })
})

describe('both ends in a row', () => {
  it('RS-1.1 RS-2.1 a stage reads a stage through Reactive Streams, and demand goes all the way', async () => {
    const { runtime } = recordedRuntime()
    let next = 0
    const probe = probeConsumer<number>({ mode: 'manual' })
    const source = start(probeProducer<number>().definition, { runtime })
    const behind = start(fromPublisher(asPublisher(source)), { runtime })
    start(probe.definition, { runtime, subscribeTo: [behind] })
    await settle()
    source.cast([++next, ++next, ++next])
    await settle()
    expect(await source.estimateBufferedCount()).toBe(3)
    probe.subscriptions[0]?.ask(2)
    await settle()
    expect(probe.events).toEqual([1, 2])
    expect(await source.estimateBufferedCount()).toBe(1)
  })
})
