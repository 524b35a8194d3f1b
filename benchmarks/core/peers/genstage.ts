/** Ours, through the public API alone. */
import { setTimeout as sleep } from 'node:timers/promises'
import {
  broadcastDispatcher,
  consumer,
  consumerSupervisor,
  createRuntime,
  partitionDispatcher,
  producer,
  producerConsumer,
  start,
  type ProducerRef,
  type Runtime,
} from '@genstage/core'
import { Countdown } from '../countdown.ts'
import { branches, branchOf, concurrency, doubleAll, integers, multiplesOfThree } from '../events.ts'
import type { Flow, Peer } from '../peer.ts'
import { Tally, tallies, total } from '../tally.ts'

/** Consecutive integers, as many as are asked for, up to a count. */
const Numbers = producer((count: number) => {
  let next = 0
  return {
    handleDemand(demand) {
      const length = Math.min(demand, count - next)
      next += length
      return integers(next - length, length)
    },
  }
})

const Double = producerConsumer(() => ({ handleEvents: doubleAll }))

const MultiplesOfThree = producerConsumer(() => ({ handleEvents: multiplesOfThree }))

interface SinkArgument {
  readonly tally: Tally
  readonly countdown: Countdown
}

const Sum = consumer(({ tally, countdown }: SinkArgument) => ({
  handleEvents(events: readonly number[]) {
    tally.addAll(events)
    countdown.advance(events.length)
  },
}))

const SumLater = consumer(({ tally, countdown }: SinkArgument) => ({
  async handleEvents(events: readonly number[]) {
    for (const event of events) await tally.addLater(event)
    countdown.advance(events.length)
  },
}))

/** Tells the countdown of each event, so that a task needs no promise but its own. */
class CountingTally extends Tally {
  readonly #countdown: Countdown

  constructor(countdown: Countdown) {
    super()
    this.#countdown = countdown
  }

  override add(event: number): void {
    super.add(event)
    this.#countdown.advance(1)
  }
}

/** Tasks at once without a supervisor of consumers: it asks for the next event whenever one is done. */
const Concurrent = consumer(({ tally, countdown }: SinkArgument) => ({
  handleSubscribe(from) {
    from.ask(concurrency)
    return 'manual'
  },
  handleEvents(events: readonly number[], from) {
    const done = () => {
      countdown.advance(1)
      from.ask(1)
    }
    for (const event of events) void tally.addNextTurn(event).then(done)
  },
}))

const Slow = consumer((flow: Flow) => ({
  async handleEvents(events: readonly number[]) {
    for (let from = 0; from < events.length; from += 100) {
      await sleep(1)
      flow.use(Math.min(100, events.length - from))
    }
  },
}))

const Counted = producer((flow: Flow) => {
  let next = 0
  return {
    handleDemand(demand) {
      flow.make(demand)
      next += demand
      return integers(next - demand, demand)
    },
  }
})

/** Never makes an event; being asked for some tells that its consumer has subscribed. */
const Silent = producer.of<number>()((asked: Countdown) => ({ handleDemand: () => asked.advance(1) }))

interface DemandRange {
  readonly maxDemand: number
  readonly minDemand: number
}

const wide: DemandRange = { maxDemand: 1_000, minDemand: 500 }

/** The console without the line that each consumer writes when it follows its producer's end: there would be one per run. */
const logger = { debug() {}, info() {}, warn: console.warn, error: console.error }

const yielding = createRuntime({ logger })
const withoutYields = createRuntime({ logger, sliceMs: Infinity })

/**
 * A pipeline that waits while the others run, as there is one in any process that lives on. Without it every stage is gone between
 * two runs, the collection in between drops V8's hidden classes with them, and what is measured is compiling (WL-7: 1.3 in place of
 * 6 million events per second, with `weak objects` as the reason in --trace-deopt).
 */
function startIdlePipeline(): readonly unknown[] {
  const source = start(Silent, { arg: new Countdown(0), runtime: yielding })
  const middle = start(Double, { runtime: yielding, subscribeTo: [source] })
  const sink = start(Sum, { arg: { tally: new Tally(), countdown: new Countdown(0) }, runtime: yielding, subscribeTo: [middle] })
  return [source, middle, sink]
}

export const idlePipeline = startIdlePipeline()

async function toOneSink(count: number, demand: DemandRange, Sink = Sum): Promise<number> {
  const tally = new Tally()
  const countdown = new Countdown(count)
  const source = start(Numbers, { arg: count, runtime: yielding })
  start(Sink, { arg: { tally, countdown }, runtime: yielding, subscribeTo: [{ to: source, ...demand }] })
  await countdown.over
  await source.stop()
  return tally.sum
}

async function inTasks(count: number): Promise<number> {
  const countdown = new Countdown(count)
  const tally = new CountingTally(countdown)
  const Tasks = consumerSupervisor((event: number) => tally.addNextTurn(event))
  const source = start(Numbers, { arg: count, runtime: yielding })
  const tasks = start(Tasks, { runtime: yielding, subscribeTo: [{ to: source, maxDemand: concurrency }] })
  await countdown.over
  await source.stop()
  await tasks.exited
  return tally.sum
}

async function throughTwoStages(count: number, runtime: Runtime): Promise<number> {
  const tally = new Tally()
  const countdown = new Countdown(count / 3)
  const source = start(Numbers, { arg: count, runtime })
  const doubled = start(Double, { runtime, subscribeTo: [{ to: source, ...wide }] })
  const kept = start(MultiplesOfThree, { runtime, subscribeTo: [{ to: doubled, ...wide }] })
  start(Sum, { arg: { tally, countdown }, runtime, subscribeTo: [{ to: kept, ...wide }] })
  await countdown.over
  await source.stop()
  return tally.sum
}

/** One source and four sinks. The source makes its first event when all of them have subscribed. */
async function fanOut(source: ProducerRef<number>, expected: number, partitioned = false): Promise<number> {
  const sinks = tallies(branches)
  const countdown = new Countdown(expected)
  const subscriptions = sinks.map((tally, partition) =>
    start(Sum, { arg: { tally, countdown }, runtime: yielding }).subscribe({
      to: source,
      ...wide,
      ...(partitioned && { partition }),
    }),
  )
  await Promise.all(subscriptions.map(subscription => subscription.accepted))
  source.setDemandMode('forward')
  await countdown.over
  await source.stop()
  return total(sinks)
}

async function fanIn(count: number): Promise<number> {
  const tally = new Tally()
  const countdown = new Countdown(count)
  const sources = Array.from({ length: branches }, () => start(Numbers, { arg: count / branches, runtime: yielding }))
  start(Sum, { arg: { tally, countdown }, runtime: yielding, subscribeTo: sources.map(to => ({ to, ...wide })) })
  await countdown.over
  await Promise.all(sources.map(source => source.stop()))
  return tally.sum
}

export const genstage: Peer = {
  label: 'genstage',
  rates: {
    'WL-1': count => toOneSink(count, wide),
    'WL-2': count => throughTwoStages(count, yielding),
    'WL-3'(count) {
      const source = start(Numbers, { arg: count, runtime: yielding, demand: 'accumulate', dispatcher: broadcastDispatcher() })
      return fanOut(source, branches * count)
    },
    'WL-4'(count) {
      const dispatcher = partitionDispatcher({ partitions: branches, hash: branchOf })
      return fanOut(start(Numbers, { arg: count, runtime: yielding, demand: 'accumulate', dispatcher }), count, true)
    },
    'WL-5': count => fanOut(start(Numbers, { arg: count, runtime: yielding, demand: 'accumulate' }), count),
    'WL-6': count => fanIn(count),
    'WL-7': count => toOneSink(count, { maxDemand: 1, minDemand: 0 }),
    'WL-8a': count => toOneSink(count, wide, SumLater),
    'WL-8b': count => inTasks(count),
    'WL-8b@by-hand': count => toOneSink(count, wide, Concurrent),
    'WL-1@100/50': count => toOneSink(count, { maxDemand: 100, minDemand: 50 }),
    'WL-1@10/5': count => toOneSink(count, { maxDemand: 10, minDemand: 5 }),
    'WL-2@no-yield': count => throughTwoStages(count, withoutYields),
  },
  backlog(flow) {
    const source = start(Counted, { arg: flow, runtime: yielding })
    start(Slow, { arg: flow, runtime: yielding, subscribeTo: [{ to: source, ...wide }] })
  },
  async idlePairs(count) {
    const asked = new Countdown(count)
    const arg: SinkArgument = { tally: new Tally(), countdown: new Countdown(1) }
    const pairs = Array.from({ length: count }, () => {
      const source = start(Silent, { arg: asked, runtime: yielding })
      return { source, sink: start(Sum, { arg, runtime: yielding, subscribeTo: [source] }) }
    })
    await asked.over
    return pairs
  },
}
