/**
 * The surface of `@genstage/core` in use. This file is only type-checked: what is inferred, and what must not compile.
 * Every line under an expected error is a mistake that the types catch; the comment says which.
 */
import {
  broadcastDispatcher,
  consumer,
  consumerName,
  createRuntime,
  fromIterable,
  GenStageError,
  ignore,
  isGraceful,
  none,
  normal,
  partitionDispatcher,
  producer,
  producerConsumer,
  producerName,
  routed,
  shutdown,
  start,
  stream,
} from '../src/index.ts'
import type {
  Clock,
  ConsumerDefinition,
  ConsumerRef,
  Context,
  Dispatched,
  Dispatcher,
  DispatcherFactory,
  Down,
  ErrorCode,
  Messages,
  ProducerConsumerDefinition,
  ProducerConsumerRef,
  ProducerDefinition,
  ProducerRef,
  Recipient,
  StageRef,
  Subscription,
} from '../src/index.ts'

/** Exactly the same type, else the line does not compile. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
declare function same<A, B>(proof: Same<A, B>): void

// ── 1 counter → dedupe → saver: nothing is annotated but what comes in

const Counter = producer((first: number) => {
  let next = first
  return {
    handleDemand: demand => Array.from({ length: demand }, () => next++),
  }
})

const Dedupe = producerConsumer(() => {
  const seen = new Set<number>()
  return {
    handleEvents(events: readonly number[]) {
      const fresh = events.filter(event => !seen.has(event) && seen.add(event))
      return fresh.map(value => ({ value, seen: seen.size }))
    },
  }
})

type Row = { readonly value: number }
type Save = (rows: readonly Row[]) => Promise<void>

const Saver = consumer((save: Save) => ({
  handleEvents: (rows: readonly Row[]) => save(rows),
}))

declare const save: Save

const counter = start(Counter, { arg: 0 })
const dedupe = start(Dedupe, { subscribeTo: [counter] })
const saver = start(Saver, { arg: save, subscribeTo: [{ to: dedupe, maxDemand: 100, minDemand: 80, cancel: 'transient' }] })

same<typeof Counter, ProducerDefinition<number, number, Messages>>(true)
same<typeof Dedupe, ProducerConsumerDefinition<number, { value: number; seen: number }, void, Messages>>(true)
same<typeof Saver, ConsumerDefinition<Row, Save, Messages>>(true)
same<typeof counter, ProducerRef<number, Messages>>(true)
same<typeof dedupe, ProducerConsumerRef<number, { value: number; seen: number }, Messages>>(true)
same<typeof saver, ConsumerRef<Row, Messages>>(true)

// @ts-expect-error the saver takes rows, the counter makes numbers
saver.subscribe({ to: counter })
// @ts-expect-error the same mistake at the start
start(Saver, { arg: save, subscribeTo: [counter] })
// @ts-expect-error the same with subscription options
start(Saver, { arg: save, subscribeTo: [{ to: counter, maxDemand: 10 }] })
// @ts-expect-error dedupe takes numbers and makes rows: it does not fit below itself
dedupe.subscribe({ to: dedupe })
// @ts-expect-error a consumer is no source
dedupe.subscribe({ to: saver })
// @ts-expect-error nor is it one in a list
start(Dedupe, { subscribeTo: [saver] })
// @ts-expect-error a producer does not subscribe
counter.subscribe({ to: dedupe })
// @ts-expect-error a plain string is no source: nothing would check its events
saver.subscribe({ to: 'dedupe' })
// @ts-expect-error the counter needs its argument
start(Counter)
// @ts-expect-error … also when there are other options
start(Counter, { bufferSize: 10 })
// @ts-expect-error of the right type
start(Counter, { arg: 'zero' })
// @ts-expect-error dedupe takes no argument
start(Dedupe, { arg: 1 })
// @ts-expect-error misspelt
start(Counter, { arg: 0, bufferSise: 10 })
// @ts-expect-error misspelt in a subscription
saver.subscribe({ to: dedupe, maxDemnad: 10 })
// @ts-expect-error misspelt in a list
start(Dedupe, { subscribeTo: [{ to: counter, maxDemnad: 10 }] })
// @ts-expect-error a producer has nothing to subscribe to (GS-L4)
start(Counter, { arg: 0, subscribeTo: [dedupe] })
// @ts-expect-error a producer-consumer has no demand mode (GS-L4)
start(Dedupe, { demand: 'accumulate' })
// @ts-expect-error a consumer has no buffer (GS-L6)
start(Saver, { arg: save, bufferSize: 10 })
// @ts-expect-error … and no dispatcher
start(Saver, { arg: save, dispatcher: broadcastDispatcher() })
// @ts-expect-error no such mode
saver.subscribe({ to: dedupe, cancel: 'forever' })
// @ts-expect-error accumulate is not for a stage in the middle (GS-M6)
dedupe.setDemandMode('accumulate')
// @ts-expect-error a consumer returns no events (GS-P6)
consumer(() => ({ handleEvents: (rows: readonly Row[]) => rows.map(row => row.value) }))
// @ts-expect-error … asynchronously neither
consumer(() => ({ handleEvents: async (rows: readonly Row[]) => rows }))
// @ts-expect-error … nor from a cast
consumer(() => ({ handleEvents(_rows: readonly Row[]) {}, handleCast: (row: Row) => [row] }))
// @ts-expect-error … nor beside a reply
consumer(() => ({ handleEvents(_rows: readonly Row[]) {}, handleCall: (row: Row) => ({ reply: 1, events: [row] }) }))
// @ts-expect-error handleDemand is missing
producer(() => ({ handleCast: (line: string) => [line] }))
// @ts-expect-error handleEvents is missing
consumer(() => ({}))
// @ts-expect-error events are an array
producer(() => ({ handleDemand: demand => demand }))

// variance: a consumer of more takes a producer of less, not the other way round
declare const numbers: ProducerRef<number>
declare const mixed: ProducerRef<number | string>
declare const takesMixed: ConsumerRef<number | string>
declare const takesNumbers: ConsumerRef<number>
takesMixed.subscribe({ to: numbers })
// @ts-expect-error strings may come
takesNumbers.subscribe({ to: mixed })
const widerProducer: ProducerRef<number | string> = numbers
const narrowerConsumer: ConsumerRef<number> = takesMixed
// @ts-expect-error a ref of mixed events is no ref of numbers
const wrongProducer: ProducerRef<number> = mixed
// @ts-expect-error nor the reverse for consumers
const wrongConsumer: ConsumerRef<number | string> = takesNumbers
const bothSides: readonly [ProducerRef<Row>, ConsumerRef<number>] = [dedupe, dedupe]

// ── 2 broadcast with a selector

type Shape = { kind: 'circle'; r: number } | { kind: 'square'; side: number }

const Shapes = producer.of<Shape>()(() => ({
  handleDemand: demand =>
    Array.from({ length: demand }, (_, n) => (n % 2 ? { kind: 'circle', r: n } : { kind: 'square', side: n })),
}))
const Painter = consumer(() => ({
  async handleEvents(shapes: readonly Shape[]) {
    shapes.map(shape => shape.kind)
  },
}))

const shapes = start(Shapes, { dispatcher: broadcastDispatcher(), demand: 'accumulate' })
start(Painter, { subscribeTo: [{ to: shapes, selector: shape => shape.kind === 'circle' }] })
const squares = start(Painter).subscribe({ to: shapes, selector: shape => shape.kind === 'square' })
shapes.setDemandMode('forward')
same<typeof shapes, ProducerRef<Shape, Messages>>(true)
same<typeof squares, Subscription>(true)

// @ts-expect-error no such field
start(Painter, { subscribeTo: [{ to: shapes, selector: shape => shape.color === 'red' }] })
// @ts-expect-error no such kind
start(Painter).subscribe({ to: shapes, selector: shape => shape.kind === 'oval' })
// @ts-expect-error a selector answers yes or no
start(Painter).subscribe({ to: shapes, selector: shape => shape.kind })
// @ts-expect-error not one of the shapes
producer.of<Shape>()(() => ({ handleDemand: () => [{ kind: 'line' }] }))

// ── 3 partition by key

type Order = { readonly region: 'eu' | 'us'; readonly customer: string; readonly test: boolean }
const Orders = producer.of<Order>()(() => ({
  async handleDemand() {
    return []
  },
}))
const Desk = consumer(() => ({ handleEvents(_orders: readonly Order[]) {} }))

const orders = start(Orders, {
  dispatcher: partitionDispatcher({
    partitions: ['eu', 'us'],
    hash: order => (order.test ? none : order.region),
    maxQueued: 500,
  }),
})
start(Desk, { subscribeTo: [{ to: orders, partition: 'eu' }] })
start(Orders, { dispatcher: partitionDispatcher({ partitions: 4, hash: order => order.customer.length % 4 }) })
start(Counter, { arg: 0, dispatcher: partitionDispatcher({ partitions: 4 }) })
start(Orders, {
  dispatcher: partitionDispatcher({ partitions: ['eu', 'us'], hash: order => routed({ ...order, customer: '' }, order.region) }),
})

// @ts-expect-error not one of the partitions, though routed
start(Orders, { dispatcher: partitionDispatcher({ partitions: ['eu', 'us'], hash: order => routed(order, 'asia') }) })
// @ts-expect-error an order is no plain value: it needs a hash
start(Orders, { dispatcher: partitionDispatcher({ partitions: 4 }) })
// @ts-expect-error names need a hash
start(Counter, { arg: 0, dispatcher: partitionDispatcher({ partitions: ['even', 'odd'] }) })
// @ts-expect-error not one of the partitions
start(Orders, { dispatcher: partitionDispatcher({ partitions: ['eu', 'asia'], hash: order => order.region }) })
// @ts-expect-error no such field
start(Orders, { dispatcher: partitionDispatcher({ partitions: 4, hash: order => order.country }) })
// @ts-expect-error a hash for other events
start(Counter, { arg: 0, dispatcher: partitionDispatcher({ partitions: 4, hash: (order: Order) => order.customer.length }) })

// ── 4 fan-in, and for await

const Merge = consumer(() => ({
  handleEvents(_events: readonly (number | Row)[], from) {
    from.producer.name?.toUpperCase()
  },
}))
start(Merge, { subscribeTo: [counter, { to: dedupe, cancel: 'temporary' }] })

async function read(): Promise<number> {
  let sum = 0
  for await (const value of counter.stream({ maxDemand: 10, cancel: 'transient' })) sum += value
  for await (const row of dedupe.stream()) sum += row.value
  for await (const event of stream([counter, { to: numbers, maxDemand: 5 }])) sum += event
  // @ts-expect-error a consumer cannot be read
  for await (const row of saver.stream()) row
  // @ts-expect-error rows are no numbers
  for await (const row of dedupe.stream()) sum += row
  return sum
}

// ── 5 manual demand

const Careful = consumer((limit: number) => ({
  handleSubscribe(from) {
    from.ask(limit)
    return 'manual'
  },
  async handleEvents(rows: readonly Row[], from) {
    await save(rows)
    from.ask(rows.length)
  },
  handleCancel({ kind, reason }, from) {
    if (kind === 'down' && !isGraceful(reason)) from.options.maxDemand?.toFixed()
  },
}))
start(Careful, { arg: 4, subscribeTo: [dedupe] })

// @ts-expect-error neither of the two answers
consumer(() => ({ handleSubscribe: () => 'later', handleEvents(_rows: readonly Row[]) {} }))
// @ts-expect-error a producer does not choose the mode (GS-S6)
producer(() => ({ handleSubscribe: () => 'manual' as const, handleDemand: () => [1] }))
producer(() => ({
  handleSubscribe(from) {
    // @ts-expect-error a producer does not ask its consumer
    from.ask(1)
  },
  handleDemand: () => [1],
}))

// ── 6 call, cast, info: message types come from the callbacks

const Queue = producer((capacity: number, ctx) => {
  const lines: string[] = []
  let wanted = 0
  const take = () => {
    const out = lines.splice(0, wanted)
    wanted -= out.length
    return out
  }
  return {
    handleDemand(demand) {
      wanted += demand
      return take()
    },
    handleCast(line: string) {
      if (lines.length >= capacity) ctx.stop(shutdown('full'))
      lines.push(line)
      return take()
    },
    handleCall(request: 'size' | 'flush') {
      return request === 'size' ? { reply: lines.length } : { reply: lines.length, events: take() }
    },
    handleInfo(message: 'close' | Down) {
      if (message === 'close') ctx.stop()
    },
    formatDiscarded: ({ count }) => count > 100,
    terminate(reason) {
      if (reason.type === 'error') ctx.logger.error('queue failed', { error: reason.error })
    },
  }
})

const queue = start(Queue, { arg: 100 })
same<typeof queue, ProducerRef<string, Messages<'size' | 'flush', number, string, 'close' | Down>>>(true)

async function talk(): Promise<void> {
  queue.cast('a line')
  const size: number = await queue.call('size', { timeout: 100 })
  await queue.syncInfo('close')
  queue.send('close')
  size.toFixed()
  // @ts-expect-error lines are strings
  queue.cast(1)
  // @ts-expect-error no such request
  await queue.call('sizes')
  // @ts-expect-error the answer is a number
  const text: string = await queue.call('size')
  // @ts-expect-error no such message
  queue.asyncInfo('open')
  // @ts-expect-error the counter has no handleCast
  counter.cast('a line')
  // @ts-expect-error … and no handleCall
  await counter.call('size')
  // @ts-expect-error … and no handleInfo
  counter.send('close')
}

/** Answers later: annotate `reply`, and the answer has its type. */
const Lookup = producer(() => {
  const waiting: Array<(row: Row) => void> = []
  return {
    handleCall(_id: string, reply: (row: Row) => void) {
      waiting.push(reply)
    },
    handleDemand() {
      waiting.pop()?.({ value: 1 })
      return [1]
    },
  }
})
const later: Promise<Row> = start(Lookup).call('id')

// ── 7 polling

const Poller = producer((fetchNumber: () => Promise<number | undefined>, ctx: Context<'poll'>) => {
  let wanted = 0
  ctx.every(2_000, 'poll')
  return {
    handleDemand(demand) {
      wanted += demand
    },
    async handleInfo(_message: 'poll') {
      const found: number[] = []
      while (wanted > 0 && !ctx.stopping.aborted) {
        const value = await fetchNumber()
        if (value === undefined) break
        found.push(value)
        wanted--
      }
      return found
    },
  }
})
const poller = start(Poller, { arg: async () => 4 })
same<typeof poller, ProducerRef<number, Messages<never, unknown, never, 'poll'>>>(true)

producer((_: void, ctx: Context<'poll'>) => {
  // @ts-expect-error no such message
  ctx.after(10, 'pol')
  return { handleDemand() {}, handleInfo: (_message: 'poll') => [1] }
})

// ── 8 a dispatcher of one's own: round robin, one event at a time

function roundRobin(): DispatcherFactory {
  return () => {
    const open: { readonly recipient: Recipient; demand: number }[] = []
    const allowance = () => open.reduce((sum, each) => sum + each.demand, 0)
    return {
      subscribe(recipient) {
        open.push({ recipient, demand: 0 })
        return { allowance: allowance() }
      },
      ask(recipient, demand) {
        const entry = open.find(each => each.recipient === recipient)
        if (entry) entry.demand += demand
        return { allowance: allowance() }
      },
      cancel(recipient) {
        open.splice(
          open.findIndex(each => each.recipient === recipient),
          1,
        )
        return { allowance: allowance() }
      },
      dispatch(events) {
        const batches = new Map<Recipient, unknown[]>()
        let sent = 0
        for (const event of events) {
          const turn = open.findIndex(each => each.demand > 0)
          const [entry] = turn < 0 ? [] : open.splice(turn, 1)
          if (!entry) break
          entry.demand--
          open.push(entry)
          batches.set(entry.recipient, [...(batches.get(entry.recipient) ?? []), event])
          sent++
        }
        return {
          allowance: allowance(),
          deliveries: [...batches].map(([to, batch]) => ({ to, events: batch })),
          leftover: events.slice(sent),
        }
      },
    }
  }
}
start(Counter, { arg: 0, dispatcher: roundRobin() })
start(Orders, { dispatcher: roundRobin() })

/** One that reads its events says which, and fits only where they flow. */
declare const byCustomer: DispatcherFactory<{ readonly customer: string }>
start(Orders, { dispatcher: byCustomer })
// @ts-expect-error numbers have no customer
start(Counter, { arg: 0, dispatcher: byCustomer })
// @ts-expect-error dispatch is missing
const unfinished: Dispatcher = {
  subscribe: () => ({ allowance: 0 }),
  ask: (_, n) => ({ allowance: n }),
  cancel: () => ({ allowance: 0 }),
}
// @ts-expect-error a factory is wanted: a restart needs a fresh dispatcher
start(Counter, { arg: 0, dispatcher: roundRobin()({ random: Math.random, now: () => 0 }) })
// @ts-expect-error the allowance is a number
const odd: Dispatched = { allowance: '5' }

declare module '../src/index.ts' {
  interface SubscriptionOptions<out Event> {
    /** Share of the events, for a weighted dispatcher. */
    readonly weight?: number
  }
}
takesNumbers.subscribe({ to: numbers, weight: 3 })

// ── 9 a class instance as the callbacks

class Ticker {
  #next: number
  constructor(first: number) {
    this.#next = first
  }
  handleDemand(demand: number) {
    return Array.from({ length: demand }, () => `${this.#next++}`)
  }
  handleCall(_request: 'next') {
    return { reply: this.#next }
  }
}
const ticker = start(
  producer((first: number) => new Ticker(first)),
  { arg: 1 },
)
same<typeof ticker, ProducerRef<string, Messages<'next', number, never, never>>>(true)

// ── 10 asynchronous setup, ignore, subscribing from inside

const Reader = producer(async (path: string) => {
  if (path === '') return ignore
  const lines = await Promise.resolve([path])
  return {
    handleDemand: demand => lines.splice(0, demand),
    terminate() {
      lines.length = 0
    },
  }
})
same<typeof Reader, ProducerDefinition<string, string, Messages>>(true)

const Follower = consumer.of<number>()((_: void, { self }) => ({
  handleEvents(events) {
    events.map(event => event.toFixed())
  },
  handleCast(more: ProducerRef<number>) {
    self.subscribe({ to: more, maxDemand: 10 })
  },
}))
start(Follower).cast(counter)
consumer.of<number>()((_: void, { self }) => ({
  handleEvents() {},
  handleCast(more: ProducerRef<string>) {
    // @ts-expect-error the follower takes numbers
    self.subscribe({ to: more })
  },
}))

/** An argument that may be left out says so with `| undefined`. */
const Ticks = producer((options: { readonly step: number } | undefined) => ({
  handleDemand: demand => [demand * (options?.step ?? 1)],
}))
start(Ticks)
start(Ticks, { arg: { step: 2 } })

/** Generic code keeps the types; an inline stage takes its input type from the producer it is given. */
function through<In, Out>(from: ProducerRef<In>, stage: ProducerConsumerDefinition<In, Out>): ProducerRef<Out> {
  return start(stage, { subscribeTo: [from] })
}
const texts = through(
  counter,
  producerConsumer(() => ({ handleEvents: events => events.map(event => event.toFixed(2)) })),
)
same<typeof texts, ProducerRef<string, Messages>>(true)
/** The event type also reaches a hash in generic code. */
export function spread<Out>(definition: ProducerDefinition<Out>, key: (event: Out) => number): ProducerRef<Out> {
  return start(definition, { dispatcher: partitionDispatcher({ partitions: 8, hash: event => key(event) % 8 }) })
}
/** What `reply` sends is unknown to the type if it is not annotated; a returned reply is known. */
const asked: Promise<unknown> = start(
  producer(() => ({
    handleDemand: demand => [demand],
    handleCall(_key: 'k', reply) {
      reply(1)
    },
  })),
).call('k')

through(
  counter,
  // @ts-expect-error numbers have no length
  producerConsumer(() => ({ handleEvents: events => events.map(event => event.length) })),
)

// ── 11 typed names

const Numbers = producerName<number>('numbers')
const Rows = producerName<Row>('rows')
start(Counter, { arg: 0, name: Numbers })
start(Dedupe, { name: Rows, subscribeTo: [{ to: Numbers, maxDemand: 10 }] })
start(Saver, { arg: save, subscribeTo: [Rows] })

// @ts-expect-error the name promises rows
start(Counter, { arg: 0, name: Rows })
// @ts-expect-error the name is that of a consumer
start(Counter, { arg: 0, name: consumerName<number>('numbers') })
// @ts-expect-error rows do not come from there
saver.subscribe({ to: Numbers })
// @ts-expect-error numbers are no iterable
fromIterable(5)

// ── 12 refs, runtime, errors

async function lifecycle(subscription: Subscription, clock: Clock): Promise<void> {
  const runtime = createRuntime({ clock, random: () => 0.5, sliceMs: 2, onUncaught: error => error.code })
  const stage = start(Dedupe, { runtime, signal: AbortSignal.timeout(1_000), link: counter })
  stage.monitor(({ reason }) => reason.type)
  runtime.telemetry.on('discarded', ({ count, reason, stage }) => [count, reason, stage])
  runtime.telemetry.on('exited', ({ reason }) => isGraceful(reason))
  const found: ProducerRef<number> | undefined = runtime.whereis(Numbers)
  const anything: StageRef | undefined = runtime.whereis('root')
  await subscription.accepted.catch((error: unknown) => {
    if (error instanceof GenStageError && error.code === 'ALREADY_SUBSCRIBED') return
    throw error
  })
  const moved = stage.subscribe({ to: counter, replaces: subscription }).resubscribe({ maxDemand: 5, reason: 'shutdown' })
  stage.subscribe({ to: counter, replaces: { subscription: moved, reason: { type: 'other', value: 'moved' } } })
  const { kind, reason } = await moved.ended
  void [kind, reason, found, anything, runtime.topology().toMermaid()]
  await stage.stop('shutdown', { timeout: 1_000 })
  await stage.stop(normal)
  // @ts-expect-error not a reason
  await stage.stop('tired')
  // @ts-expect-error no such event
  runtime.telemetry.on('discard', () => {})
  // @ts-expect-error what is found by plain text cannot be subscribed to
  takesNumbers.subscribe({ to: runtime.whereis('numbers')! })
  // @ts-expect-error not a code
  const code: ErrorCode = 'BAD_LUCK'
  // @ts-expect-error promises are read, not set
  stage.ready = Promise.resolve('started')
}

export {
  read,
  talk,
  later,
  lifecycle,
  widerProducer,
  narrowerConsumer,
  wrongProducer,
  wrongConsumer,
  bothSides,
  unfinished,
  odd,
  asked,
}
