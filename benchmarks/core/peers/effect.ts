/** Effect's Stream: pulled, in chunks of 1000. */
import { type Cause, Effect, Queue, Stream } from 'effect'
import { installedVersion } from '../../harness/installed-version.ts'
import { branches, branchOf, concurrency, double, integers, isMultipleOfThree } from '../events.ts'
import type { Flow, Peer } from '../peer.ts'
import { sinkAt, Tally, tallies, total } from '../tally.ts'

const chunkSize = 1_000

const numbers = (count: number, size = chunkSize) => Stream.range(0, count - 1, size)

const all = { concurrency: 'unbounded', discard: true } as const

function drain<Failure>(source: Stream.Stream<number, Failure>, sink: Tally): Effect.Effect<void, Failure> {
  return Stream.runForEachArray(source, events => Effect.sync(() => sink.addAll(events)))
}

async function sumOf(source: Stream.Stream<number>): Promise<number> {
  const sink = new Tally()
  await Effect.runPromise(drain(source, sink))
  return sink.sum
}

async function sumOfAll(program: (sinks: readonly Tally[]) => Effect.Effect<unknown>): Promise<number> {
  const sinks = tallies(branches)
  await Effect.runPromise(program(sinks))
  return total(sinks)
}

const broadcast = (count: number, sinks: readonly Tally[]) =>
  Effect.scoped(
    Effect.gen(function* () {
      const copies = yield* Stream.broadcastN(numbers(count), { n: branches, capacity: 8 })
      yield* Effect.forEach(copies, (copy, index) => drain(copy, sinkAt(sinks, index)), all)
    }),
  )

const partition = (count: number, sinks: readonly Tally[]) =>
  numbers(count).pipe(
    Stream.groupByKey(branchOf),
    Stream.mapEffect(([key, group]) => drain(group, sinkAt(sinks, key)), { concurrency: 'unbounded' }),
    Stream.runDrain,
  )

const share = (count: number, sinks: readonly Tally[]) =>
  Effect.scoped(
    Effect.gen(function* () {
      const queue = yield* Stream.toQueue(numbers(count), { capacity: chunkSize })
      yield* Effect.forEach(sinks, sink => drain(Stream.fromQueue(queue), sink), all)
    }),
  )

const slow = (flow: Flow) =>
  Stream.range(0, Number.MAX_SAFE_INTEGER, chunkSize).pipe(
    Stream.mapArray(events => {
      flow.make(events.length)
      return events
    }),
    Stream.rechunk(100),
    Stream.runForEachArray(events => Effect.sync(() => flow.use(events.length)).pipe(Effect.delay('1 millis'))),
  )

const idlePair = Effect.gen(function* () {
  const queue = yield* Queue.bounded<number, Cause.Done>(chunkSize)
  yield* Effect.forkDetach(drain(Stream.fromQueue(queue), new Tally()))
  return queue
})

export const effect: Peer = {
  label: `Effect ${installedVersion('effect')} Stream`,
  rates: {
    'WL-1': count => sumOf(numbers(count)),
    'WL-2': count => sumOf(numbers(count).pipe(Stream.map(double), Stream.filter(isMultipleOfThree))),
    'WL-3': count => sumOfAll(sinks => broadcast(count, sinks)),
    'WL-4': count => sumOfAll(sinks => partition(count, sinks)),
    'WL-5': count => sumOfAll(sinks => share(count, sinks)),
    'WL-6': count =>
      sumOf(
        Stream.mergeAll(
          Array.from({ length: branches }, () => numbers(count / branches)),
          { concurrency: branches },
        ),
      ),
    'WL-7': count => sumOf(numbers(count, 1)),
    async 'WL-8a'(count) {
      const sink = new Tally()
      await Effect.runPromise(Stream.runForEach(numbers(count), event => Effect.promise(() => sink.addLater(event))))
      return sink.sum
    },
    // Without a stream: Stream.mapEffect at this concurrency does a third of it
    async 'WL-8b'(count) {
      const sink = new Tally()
      const task = (event: number) => Effect.promise(() => sink.addNextTurn(event))
      await Effect.runPromise(Effect.forEach(integers(0, count), task, { concurrency, discard: true }))
      return sink.sum
    },
  },
  backlog: flow => Effect.runPromise(slow(flow)),
  idlePairs: count => Effect.runPromise(Effect.forEach(Array.from({ length: count }), () => idlePair)),
}
