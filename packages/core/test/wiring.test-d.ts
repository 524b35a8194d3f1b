/** What the types infer and what they refuse, beyond the examples. Only type-checked: nothing here runs. */
import {
  broadcastDispatcher,
  consumer,
  consumerName,
  createRuntime,
  demandDispatcher,
  fromIterable,
  GenStageError,
  ignore,
  inFlight,
  isGraceful,
  none,
  partitionDispatcher,
  producer,
  producerConsumer,
  producerConsumerName,
  producerName,
  routed,
  shutdown,
  start,
  stream,
} from '@genstage/core'
import type {
  AnyMessages,
  AnySubscription,
  ConsumerDefinition,
  ConsumerRef,
  Context,
  DiscardReason,
  DispatcherFactory,
  Down,
  Edge,
  Ended,
  ErrorCode,
  Messages,
  Monitor,
  ProducerConsumerDefinition,
  ProducerConsumerRef,
  ProducerDefinition,
  ProducerRef,
  Reason,
  Runtime,
  Scheduler,
  Source,
  StageRef,
  Subscriber,
  Subscription,
  Timer,
} from '@genstage/core'
import { describe, expectTypeOf, it } from 'vitest'

type Circle = { readonly kind: 'circle'; readonly r: number }
type Square = { readonly kind: 'square'; readonly side: number }
type Shape = Circle | Square

declare const numbers: ProducerRef<number>
declare const strings: ProducerRef<string>
declare const circles: ProducerRef<Circle>
declare const squares: ProducerRef<Square>
declare const shapes: ProducerRef<Shape>
declare const runtime: Runtime

const Numbers = producer(() => ({ handleDemand: demand => [demand] }))
const Shapes = producer.of<Shape>()(() => ({ handleDemand() {} }))

describe('fan-in', () => {
  const Painter = consumer(() => ({ handleEvents(_shapes: readonly Shape[]) {} }))

  it('takes producers of the members of a union, in every form', () => {
    start(Painter, { subscribeTo: [circles, squares, shapes] })
    start(Painter, { subscribeTo: [circles, { to: squares, maxDemand: 5 }, producerName<Circle>('circles')] })
    const sources = [circles, squares] as const
    start(Painter, { subscribeTo: sources })
    const painter = start(Painter)
    painter.subscribe({ to: circles })
    painter.subscribe({ to: producerName<Square>('squares'), cancel: 'transient' })
  })

  it('refuses a producer of anything else among them', () => {
    // @ts-expect-error numbers are no shapes
    start(Painter, { subscribeTo: [circles, numbers] })
    // @ts-expect-error … with options neither
    start(Painter, { subscribeTo: [circles, { to: numbers }] })
    // @ts-expect-error … by name neither
    start(Painter, { subscribeTo: [producerName<number>('numbers')] })
    const Round = consumer(() => ({ handleEvents(_circles: readonly Circle[]) {} }))
    // @ts-expect-error a square may come
    start(Round, { subscribeTo: [shapes] })
  })

  it('reads several producers of one type, and of several where the type is written', () => {
    expectTypeOf(stream([circles, { to: producerName<Circle>('circles'), maxDemand: 5 }])).toEqualTypeOf<AsyncIterable<Circle>>()
    expectTypeOf(stream([shapes, circles])).toEqualTypeOf<AsyncIterable<Shape>>()
    expectTypeOf(stream<Shape>([circles, squares])).toEqualTypeOf<AsyncIterable<Shape>>()
    expectTypeOf(stream<number | string>([numbers, { to: strings }])).toEqualTypeOf<AsyncIterable<number | string>>()
    // @ts-expect-error strings come too
    stream<number>([numbers, strings])
  })
})

describe('of-forms', () => {
  it('fix the events and still infer argument and messages', () => {
    const Source = producer.of<Shape>()((radius: number) => ({
      handleDemand: () => [{ kind: 'circle', r: radius }],
      handleCall: (request: 'area') => ({ reply: request.length }),
      handleCast: (side: Square) => [side],
      handleInfo(_message: 'close') {},
    }))
    type Expected = ProducerDefinition<Shape, number, Messages<'area', number, Square, 'close'>>
    expectTypeOf(Source).toEqualTypeOf<Expected>()

    const Middle = producerConsumer.of<number, string>()((digits: number) => ({
      handleEvents: events => events.map(event => event.toFixed(digits)),
    }))
    expectTypeOf(Middle).toEqualTypeOf<ProducerConsumerDefinition<number, string, number, Messages>>()

    const Sink = consumer.of<Shape>()((_: void) => ({ handleEvents: events => void events.map(({ kind }) => kind) }))
    expectTypeOf(Sink).toEqualTypeOf<ConsumerDefinition<Shape, void, Messages>>()
  })

  it('give a ctx.self that knows its events', () => {
    producer.of<Shape>()((_: void, { self }) => {
      expectTypeOf(self).toEqualTypeOf<ProducerRef<Shape, AnyMessages>>()
      return { handleDemand() {} }
    })
    producerConsumer.of<number, string>()((_: void, { self }) => {
      expectTypeOf(self).toEqualTypeOf<ProducerConsumerRef<number, string, AnyMessages>>()
      self.subscribe({ to: numbers })
      // @ts-expect-error it takes numbers
      self.subscribe({ to: strings })
      return { handleEvents: () => ['a'] }
    })
    consumer.of<number>()((_: void, { self }) => {
      expectTypeOf(self).toEqualTypeOf<ConsumerRef<number, AnyMessages>>()
      // @ts-expect-error a consumer has no events to read
      self.stream()
      return { handleEvents() {} }
    })
  })

  it('refuse other events', () => {
    // @ts-expect-error a circle has a radius
    producer.of<Shape>()(() => ({ handleDemand: () => [{ kind: 'circle', side: 1 }] }))
    // @ts-expect-error not one of the shapes
    producer.of<Shape>()(() => ({ handleDemand() {}, handleCast: () => [{ kind: 'line' }] }))
    // @ts-expect-error strings are wanted
    producerConsumer.of<number, string>()(() => ({ handleEvents: events => events }))
    // @ts-expect-error strings are wanted from a cast too
    producerConsumer.of<number, string>()(() => ({ handleEvents: () => ['a'], handleCast: () => [1] }))
    // @ts-expect-error numbers come
    consumer.of<number>()(() => ({ handleEvents(_events: readonly string[]) {} }))
  })
})

describe('callbacks', () => {
  it('may all be asynchronous', () => {
    const Async = producerConsumer((suffix: string) => ({
      handleEvents: async (events: readonly number[]) => events.map(event => event + suffix),
      handleCall: async (request: 'size') => ({ reply: request.length, events: [suffix] }),
      handleCast: async (event: string) => [event],
      handleInfo: async (_message: Down) => {},
      handleSubscribe: async () => 'automatic' as const,
      handleCancel: async () => ['last'],
      terminate: async () => {},
    }))
    expectTypeOf(Async).toEqualTypeOf<
      ProducerConsumerDefinition<number, string, string, Messages<'size', number, string, Down>>
    >()
  })

  it('may be asynchronous after an asynchronous setup too: the reply is inferred', () => {
    const Async = producer(async (first: number) => ({
      handleDemand: async demand => [first + demand],
      handleCall: async (request: 'size') => ({ reply: request.length }),
    }))
    expectTypeOf(Async).toEqualTypeOf<ProducerDefinition<number, number, Messages<'size', number>>>()
  })

  it('may not start after all', () => {
    expectTypeOf(producer((ok: boolean) => (ok ? { handleDemand: () => [1] } : ignore))).toEqualTypeOf<
      ProducerDefinition<number, boolean, Messages>
    >()
  })

  it('may be an instance of a class, whatever the kind', () => {
    class Doubler {
      handleEvents(events: readonly number[]) {
        return events.map(event => `${event * 2}`)
      }
      handleCall(_request: 'total') {
        return { reply: 5n }
      }
    }
    expectTypeOf(producerConsumer(() => new Doubler())).toEqualTypeOf<
      ProducerConsumerDefinition<number, string, void, Messages<'total', bigint>>
    >()
    class Saver {
      async handleEvents(_rows: readonly Shape[]) {}
      handleCast(_message: 'flush') {}
    }
    expectTypeOf(consumer(() => new Saver())).toEqualTypeOf<ConsumerDefinition<Shape, void, Messages<never, unknown, 'flush'>>>()
  })

  it('tell by the role which side a subscription of a stage in the middle is', () => {
    producerConsumer(() => ({
      handleEvents: (events: readonly number[]) => events,
      handleSubscribe(from) {
        expectTypeOf(from).toEqualTypeOf<AnySubscription>()
        if (from.role === 'producer') {
          expectTypeOf(from).toEqualTypeOf<Subscription>()
          from.ask(5)
          return 'manual'
        }
        expectTypeOf(from).toEqualTypeOf<Subscriber>()
        // @ts-expect-error a consumer is not asked
        from.ask(5)
        return 'automatic'
      },
      handleCancel({ kind, reason }: Ended) {
        return kind === 'down' && !isGraceful(reason) ? [-1] : []
      },
    }))
  })

  it('refuse answers that mean nothing', () => {
    // @ts-expect-error yes or no
    producer(() => ({ handleDemand: () => [1], formatDiscarded: () => 'yes' }))
    // @ts-expect-error at once
    producer(() => ({ handleDemand: () => [1], formatDiscarded: async () => true }))
    // @ts-expect-error a consumer has no events, from handleCancel neither
    consumer(() => ({ handleEvents(_events: readonly number[]) {}, handleCancel: () => [1] }))
    // @ts-expect-error … nor from handleInfo
    consumer(() => ({ handleEvents(_events: readonly number[]) {}, handleInfo: () => [1] }))
    // @ts-expect-error a reply stands under `reply`
    producer(() => ({ handleDemand: () => [1], handleCall: (request: string) => request.length }))
    // @ts-expect-error null is no list
    producer(() => ({ handleDemand: () => null }))
    // @ts-expect-error a setup returns its callbacks
    producer({ handleDemand: () => [1] })
    // @ts-expect-error a misspelt one alone
    consumer(() => ({ handleEvent(_events: readonly number[]) {} }))
  })

  it('get events that they may not change', () => {
    consumer(() => ({
      handleEvents(events: readonly number[], from) {
        expectTypeOf(from).toEqualTypeOf<Subscription>()
        // @ts-expect-error the array belongs to others too
        events.push(1)
        // @ts-expect-error a subscription is what it is
        from.id = 'other'
      },
    }))
  })
})

describe('definitions', () => {
  it('vary with their events as refs do', () => {
    expectTypeOf<ProducerDefinition<Circle>>().toExtend<ProducerDefinition<Shape>>()
    expectTypeOf<ProducerDefinition<Shape>>().not.toExtend<ProducerDefinition<Circle>>()
    expectTypeOf<ConsumerDefinition<Shape>>().toExtend<ConsumerDefinition<Circle>>()
    expectTypeOf<ConsumerDefinition<Circle>>().not.toExtend<ConsumerDefinition<Shape>>()
    expectTypeOf<ProducerConsumerDefinition<Shape, Circle>>().toExtend<ProducerConsumerDefinition<Circle, Shape>>()
    expectTypeOf<ProducerConsumerDefinition<Circle, Shape>>().not.toExtend<ProducerConsumerDefinition<Shape, Circle>>()
  })

  it('vary with their argument', () => {
    expectTypeOf<ProducerDefinition<number, Shape>>().toExtend<ProducerDefinition<number, Circle>>()
    expectTypeOf<ProducerDefinition<number, Circle>>().not.toExtend<ProducerDefinition<number, Shape>>()
  })

  it('want their argument when it is needed, and only then', () => {
    const Optional = producer((step: number | undefined) => ({ handleDemand: () => [step ?? 1] }))
    start(Optional)
    start(Optional, {})
    start(Optional, { arg: 5 })
    // @ts-expect-error a step is a number
    start(Optional, { arg: '5' })
    const Needed = producer((options: { readonly step: number }) => ({ handleDemand: () => [options.step] }))
    // @ts-expect-error it needs the step
    start(Needed, { arg: {} })
    // @ts-expect-error it needs its argument
    start(Needed, { name: 'needed' })
  })

  it('stay typed in generic code', () => {
    function doubled<Event>(source: Source<Event>): ProducerRef<readonly [Event, Event]> {
      const Double = producerConsumer.of<Event, readonly [Event, Event]>()(() => ({
        handleEvents: events => events.map(event => [event, event] as const),
      }))
      return start(Double, { subscribeTo: [source] })
    }
    expectTypeOf(doubled(circles)).toEqualTypeOf<ProducerRef<readonly [Circle, Circle]>>()
    function restarted<Out, Arg, M extends Messages>(
      definition: ProducerDefinition<Out, Arg, M>,
      arg: Arg & object,
    ): ProducerRef<Out, M> {
      return start(definition as ProducerDefinition<Out, unknown, M>, { arg })
    }
    const Keyed = producer((options: { readonly key: string }) => ({ handleDemand: () => [options.key] }))
    expectTypeOf(restarted(Keyed, { key: 'a' })).toEqualTypeOf<ProducerRef<string, Messages>>()
  })
})

describe('names', () => {
  it('promise what is registered under them', () => {
    start(Numbers, { name: producerName<number>('numbers') })
    start(Numbers, { name: producerName<number | string>('mixed') })
    // @ts-expect-error not only ones
    start(Numbers, { name: producerName<1>('ones') })
    const Middle = producerConsumer.of<number, string>()(() => ({ handleEvents: () => [] }))
    start(Middle, { name: producerConsumerName<number, string>('middle') })
    start(Middle, { name: producerName<string>('middle') })
    start(Middle, { name: consumerName<number>('middle') })
    // @ts-expect-error it takes numbers only
    start(Middle, { name: consumerName<number | string>('middle') })
    // @ts-expect-error a producer takes nothing
    start(Numbers, { name: producerConsumerName<number, number>('numbers') })
  })

  it('are found as what they promise', () => {
    expectTypeOf(runtime.whereis(producerName<number>('numbers'))).toEqualTypeOf<ProducerRef<number> | undefined>()
    expectTypeOf(runtime.whereis(consumerName<number>('sink'))).toEqualTypeOf<ConsumerRef<number> | undefined>()
    expectTypeOf(runtime.whereis(producerConsumerName<number, string>('middle'))).toEqualTypeOf<
      ProducerConsumerRef<number, string> | undefined
    >()
    expectTypeOf(runtime.whereis('numbers')).toEqualTypeOf<StageRef<AnyMessages> | undefined>()
  })

  it('may promise messages', () => {
    type Size = Messages<'size', number>
    const Sized = producer(() => ({ handleDemand: () => [1], handleCall: (_request: 'size') => ({ reply: 1 }) }))
    const name = producerName<number, Size>('sized')
    start(Sized, { name })
    expectTypeOf(runtime.whereis(name)?.call).toEqualTypeOf<Size['call'] | undefined>()
    // @ts-expect-error nobody answers there
    start(Numbers, { name })
  })

  it('of consumers cannot be subscribed to', () => {
    const sink = start(consumer(() => ({ handleEvents(_events: readonly number[]) {} })))
    // @ts-expect-error a consumer is no source
    sink.subscribe({ to: consumerName<number>('sink') })
    // @ts-expect-error strings may come
    sink.subscribe({ to: producerName<number | string>('mixed') })
    sink.subscribe({ to: producerConsumerName<Circle, number>('middle') })
  })
})

describe('dispatchers', () => {
  it('know the events of the producer they are given to', () => {
    start(Shapes, { dispatcher: partitionDispatcher({ partitions: 2, hash: shape => (shape.kind === 'circle' ? 0 : 1) }) })
    start(Shapes, { dispatcher: partitionDispatcher({ partitions: ['circle', 'square'], hash: shape => shape.kind }) })
    const hash = (shape: Shape) => (shape.kind === 'circle' ? none : routed(shape.side, 'square'))
    start(Shapes, { dispatcher: partitionDispatcher({ partitions: ['square'], hash }) })
    const wide: DispatcherFactory<unknown> = demandDispatcher()
    start(Shapes, { dispatcher: wide })
    start(Shapes, { dispatcher: partitionDispatcher<Shape>({ partitions: 2, hash: () => 0 }) })
  })

  it('refuse a hash or a factory for other events', () => {
    // @ts-expect-error not every shape has a radius
    start(Shapes, { dispatcher: partitionDispatcher({ partitions: 2, hash: shape => shape.r }) })
    // @ts-expect-error a circle is no partition
    start(Shapes, { dispatcher: partitionDispatcher({ partitions: ['square'], hash: shape => shape.kind }) })
    // @ts-expect-error nor is a promise of one
    start(Shapes, { dispatcher: partitionDispatcher({ partitions: 2, hash: async () => 0 }) })
    // @ts-expect-error squares may come
    start(Shapes, { dispatcher: partitionDispatcher({ partitions: 2, hash: (circle: Circle) => circle.r }) })
    const narrow = null as unknown as DispatcherFactory<Circle>
    // @ts-expect-error squares may come
    start(Shapes, { dispatcher: narrow })
    // @ts-expect-error shapes have no built-in hash
    start(Shapes, { dispatcher: partitionDispatcher({ partitions: 2 }) })
  })

  it('refuse options that do not exist', () => {
    // @ts-expect-error misspelt
    demandDispatcher({ maxDemnad: 5 })
    // @ts-expect-error broadcast has none
    broadcastDispatcher({ maxDemand: 5 })
    // @ts-expect-error a number
    partitionDispatcher({ partitions: 2, maxQueued: '5' })
    // @ts-expect-error partitions are wanted
    partitionDispatcher({ hash: () => 0 })
    // @ts-expect-error a word is no dispatcher
    start(Shapes, { dispatcher: 'broadcast' })
  })

  it('let a consumer select among its own events', () => {
    const sink = start(consumer(() => ({ handleEvents(_shapes: readonly Shape[]) {} })))
    sink.subscribe({ to: shapes, selector: shape => shape.kind === 'circle' })
    // @ts-expect-error numbers do not come
    sink.subscribe({ to: shapes, selector: (event: number) => event > 0 })
    sink.subscribe({ to: shapes, partition: 'circle' })
    sink.subscribe({ to: shapes, partition: 5 })
    // @ts-expect-error a partition is a text or a number
    sink.subscribe({ to: shapes, partition: true })
    shapes.stream({ selector: shape => shape.kind === 'square', maxDemand: 5 })
    // @ts-expect-error no such field
    shapes.stream({ selector: shape => shape.colour === 'red' })
  })
})

declare module '@genstage/core' {
  interface SubscriptionOptions<out Event> {
    /** Earlier turns, for a dispatcher of one's own. */
    readonly priority?: 1 | 2 | 3
  }
}

describe('subscription options of a dispatcher of your own', () => {
  it('are added by augmenting the package', () => {
    const sink = start(consumer(() => ({ handleEvents(_events: readonly number[]) {} })))
    sink.subscribe({ to: numbers, priority: 1 }).resubscribe({ priority: 2 })
    start(
      consumer(() => ({ handleEvents(_events: readonly number[]) {} })),
      { subscribeTo: [{ to: numbers, priority: 3 }] },
    )
    numbers.stream({ priority: 1 })
    // @ts-expect-error not one of them
    sink.subscribe({ to: numbers, priority: 4 })
    const factory: DispatcherFactory = () => ({
      subscriptionOptions: ['priority'],
      subscribe: (_recipient, { priority = 3 }) => ({ allowance: priority }),
      ask: (_recipient, demand) => ({ allowance: demand }),
      cancel: () => ({ allowance: 0 }),
      dispatch: events => ({ allowance: 0, leftover: events }),
    })
    start(Numbers, { dispatcher: factory })
  })
})

describe('sources and readers', () => {
  it('infer their events', async () => {
    expectTypeOf(fromIterable([1, 2])).toEqualTypeOf<ProducerDefinition<number>>()
    expectTypeOf(fromIterable(new Map([['a', 1]]))).toEqualTypeOf<ProducerDefinition<[string, number]>>()
    expectTypeOf(fromIterable(() => new Set(['a']))).toEqualTypeOf<ProducerDefinition<string>>()
    async function* pages() {
      yield { page: 1 }
    }
    expectTypeOf(fromIterable(pages())).toEqualTypeOf<ProducerDefinition<{ page: number }>>()
    expectTypeOf(fromIterable(pages)).toEqualTypeOf<ProducerDefinition<{ page: number }>>()
    expectTypeOf(start(fromIterable([1n]))).toEqualTypeOf<ProducerRef<bigint, Messages>>()
    for await (const shape of shapes.stream({ cancel: 'transient' })) expectTypeOf(shape).toEqualTypeOf<Shape>()
    for await (const value of stream([producerName<number>('numbers')])) expectTypeOf(value).toEqualTypeOf<number>()
  })

  it('refuse what cannot be iterated, and options that mean nothing', () => {
    // @ts-expect-error no iterable
    fromIterable(null)
    // @ts-expect-error no iterable either
    fromIterable({ length: 1 })
    // @ts-expect-error continue or stop
    fromIterable([1], { onCancel: 'restart' })
    // @ts-expect-error a list is wanted
    stream(numbers)
    // @ts-expect-error not a mode
    stream([numbers], { demand: 'later' })
    // @ts-expect-error a reader has a list of its own
    stream([numbers], { maxDemand: 5 })
    // @ts-expect-error where it reads from is known
    numbers.stream({ to: numbers })
    // @ts-expect-error a signal is wanted
    numbers.stream({ signal: new AbortController() })
  })
})

describe('messages', () => {
  it('of a plain ref cannot be sent', () => {
    // @ts-expect-error nothing is known about its calls
    void numbers.call('size')
    // @ts-expect-error … nor casts
    numbers.cast('size')
    // @ts-expect-error … nor infos
    numbers.send('size')
  })

  it('of a ref with any messages can', () => {
    const any = null as unknown as StageRef<AnyMessages>
    any.cast({ anything: true })
    expectTypeOf(any.call('size')).toEqualTypeOf<Promise<unknown>>()
  })

  it('of a known stage fit where fewer are wanted', () => {
    expectTypeOf<ProducerRef<number, Messages<string, number>>>().toExtend<ProducerRef<number, Messages<'size', number>>>()
    expectTypeOf<ProducerRef<number, Messages<'size', 1>>>().toExtend<ProducerRef<number, Messages<'size', number>>>()
    expectTypeOf<ProducerRef<number, Messages<'size', number>>>().not.toExtend<ProducerRef<number, Messages<string, number>>>()
    expectTypeOf<ProducerRef<number, Messages<'size', number, string, Down>>>().toExtend<ProducerRef<number>>()
  })
})

describe('monitors and timers', () => {
  it('bring what they say', () => {
    numbers.monitor(down => expectTypeOf(down).toEqualTypeOf<Down>())
    expectTypeOf(numbers.monitor(() => {})).toEqualTypeOf<Monitor>()
    // @ts-expect-error a listener is wanted
    numbers.monitor()
    producer((_: void, ctx: Context<'poll' | Down>) => {
      expectTypeOf(ctx.monitor(numbers)).toEqualTypeOf<Monitor>()
      expectTypeOf(ctx.after(10, 'poll')).toEqualTypeOf<Timer>()
      expectTypeOf(ctx.every(10, 'poll')).toEqualTypeOf<Timer>()
      // @ts-expect-error not one of the messages
      ctx.every(10, 'pol')
      // @ts-expect-error a duration is a number
      ctx.after('10', 'poll')
      // @ts-expect-error a word is no stage
      ctx.monitor('numbers')
      return { handleDemand() {}, handleInfo: (message: 'poll' | Down) => (message === 'poll' ? [1] : []) }
    })
    producer((_: void, ctx) => {
      ctx.after(10, { anything: true })
      expectTypeOf(ctx.self).toEqualTypeOf<StageRef<AnyMessages>>()
      expectTypeOf(ctx.stopping).toEqualTypeOf<AbortSignal>()
      // @ts-expect-error what a stage produces is not known to its context
      ctx.self.stream()
      return { handleDemand() {} }
    })
  })

  it('are disposable', () => {
    expectTypeOf<Monitor>().toExtend<Disposable>()
    expectTypeOf<Timer>().toExtend<Disposable>()
    expectTypeOf<StageRef>().toExtend<AsyncDisposable>()
    expectTypeOf<Runtime>().toExtend<AsyncDisposable>()
    expectTypeOf(runtime.keepAlive()).toEqualTypeOf<Disposable>()
  })
})

describe('subscriptions', () => {
  it('differ by side', () => {
    const subscription = start(consumer(() => ({ handleEvents(_events: readonly number[]) {} }))).subscribe({ to: numbers })
    expectTypeOf(subscription).toEqualTypeOf<Subscription>()
    expectTypeOf(subscription.accepted).toEqualTypeOf<Promise<void>>()
    expectTypeOf(subscription.ended).toEqualTypeOf<Promise<Ended>>()
    subscription.resubscribe({ maxDemand: 5, reason: shutdown('again') })
    // @ts-expect-error it stays with its producer
    subscription.resubscribe({ to: numbers })
    // @ts-expect-error whole numbers only, and no text
    subscription.ask('5')
    // @ts-expect-error not a reason
    subscription.cancel('tired')
    const subscriber = null as unknown as Subscriber
    // @ts-expect-error a consumer is not asked
    subscriber.ask(5)
    // @ts-expect-error it has accepted
    void subscriber.accepted
  })
})

describe('the options of a start', () => {
  it('are those of the kind', () => {
    // @ts-expect-error one end or the other
    start(Numbers, { bufferKeep: 'middle' })
    // @ts-expect-error a number
    start(Numbers, { bufferSize: '10' })
    // @ts-expect-error forward or accumulate
    start(Numbers, { demand: 'later' })
    // @ts-expect-error a ref is wanted
    start(Numbers, { link: 'other' })
    // @ts-expect-error a signal is wanted
    start(Numbers, { signal: new AbortController() })
    // @ts-expect-error made by createRuntime
    start(Numbers, { runtime: {} })
    // @ts-expect-error no definition
    start(() => ({ handleDemand() {} }))
    // @ts-expect-error misspelt
    start(Numbers, { startTimout: 5 })
    start(Numbers, { link: numbers, signal: AbortSignal.timeout(5), startTimeout: 5, bufferSize: Infinity, bufferKeep: 'first' })
  })

  it('are checked in variables too', () => {
    const options = { demand: 'accumulate', bufferSize: 5 } as const
    expectTypeOf(start(Numbers, options)).toEqualTypeOf<ProducerRef<number, Messages>>()
    const wrong = { demand: 'later' } as const
    // @ts-expect-error forward or accumulate
    start(Numbers, wrong)
  })
})

describe('the runtime', () => {
  it('tells with types', () => {
    runtime.telemetry.on('discarded', event => {
      expectTypeOf(event.reason).toEqualTypeOf<DiscardReason>()
      expectTypeOf(event.events).toEqualTypeOf<readonly unknown[]>()
    })
    runtime.telemetry.once('handled', event => expectTypeOf(event.durationMs).toEqualTypeOf<number>())
    // @ts-expect-error no such event
    runtime.telemetry.on('handle', () => {})
    // @ts-expect-error an exit has a reason, no error
    runtime.telemetry.on('exited', ({ error }) => error)
    expectTypeOf(runtime.topology().edges).toEqualTypeOf<readonly Edge[]>()
  })

  it('is made of known parts', () => {
    createRuntime({ logger: console, random: Math.random, sliceMs: Infinity })
    const scheduler: Scheduler = { schedule: work => queueMicrotask(work), yieldTo: work => void setTimeout(work) }
    createRuntime({ scheduler, onUncaught: error => expectTypeOf(error).toEqualTypeOf<GenStageError>() })
    // @ts-expect-error a clock has three methods
    createRuntime({ clock: { now: () => 0 } })
    // @ts-expect-error misspelt
    createRuntime({ sliceMS: 2 })
  })
})

describe('reasons and errors', () => {
  it('are closed unions', () => {
    const text = (reason: Reason): string => {
      switch (reason.type) {
        case 'normal':
        case 'killed':
        case 'noproc':
        case 'noconnection':
          return reason.type
        case 'shutdown':
          return String(reason.detail)
        case 'error':
          return String(reason.error)
        case 'other':
          return String(reason.value)
      }
    }
    expectTypeOf(text).returns.toBeString()
    // @ts-expect-error no such code
    expectTypeOf<ErrorCode>('BAD_LUCK')
    expectTypeOf(new GenStageError('STOPPED', 'gone').code).toEqualTypeOf<ErrorCode>()
    // @ts-expect-error no such code
    expectTypeOf(new GenStageError('GONE', 'gone'))
    expectTypeOf(shutdown('why').detail).toBeUnknown()
  })
})

describe('inFlight', () => {
  it('carries the events that a stage in the middle emits', () => {
    const Lengths = producerConsumer(() => ({
      handleEvents: (words: readonly string[]) => inFlight(Promise.resolve(words.map(word => word.length))),
    }))
    expectTypeOf(Lengths).toEqualTypeOf<ProducerConsumerDefinition<string, number>>()
    const Wrong = () =>
      producerConsumer.of<string, string>()(() => ({
        // @ts-expect-error numbers are no strings
        handleEvents: words => inFlight(Promise.resolve(words.map(word => word.length))),
      }))
    expectTypeOf(Wrong).toBeFunction()
    // @ts-expect-error not a promise
    expectTypeOf(() => inFlight(5)).toBeFunction()
  })
})
