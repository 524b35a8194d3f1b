/** Web streams, as Node has them: `pipeTo`, `pipeThrough` and `tee`, with a counting queue of 1000. */
import { setTimeout as sleep } from 'node:timers/promises'
import { branches, branchOf, double, isMultipleOfThree } from '../events.ts'
import type { Peer } from '../peer.ts'
import { sinkAt, Tally, tallies, total } from '../tally.ts'

const queue = new CountQueuingStrategy({ highWaterMark: 1_000 })
const queueOfOne = new CountQueuingStrategy({ highWaterMark: 1 })

function numbers(count: number, strategy = queue): ReadableStream<number> {
  let next = 0
  return new ReadableStream<number>(
    {
      pull(controller) {
        while (next < count && (controller.desiredSize ?? 0) > 0) controller.enqueue(next++)
        if (next >= count) controller.close()
      },
    },
    strategy,
  )
}

function map(change: (event: number) => number): TransformStream<number, number> {
  return new TransformStream({ transform: (event, controller) => controller.enqueue(change(event)) }, queue, queue)
}

function filter(keep: (event: number) => boolean): TransformStream<number, number> {
  return new TransformStream(
    {
      transform(event, controller) {
        if (keep(event)) controller.enqueue(event)
      },
    },
    queue,
    queue,
  )
}

function summing(sink: Tally, strategy = queue): WritableStream<number> {
  return new WritableStream<number>({ write: event => sink.add(event) }, strategy)
}

/** Writes each event to the stream of its branch, at the pace of the one that is full. */
function router(targets: readonly WritableStream<number>[]): WritableStream<number> {
  const writers = targets.map(target => target.getWriter())
  return new WritableStream<number>(
    {
      async write(event) {
        const writer = writers[branchOf(event)]
        if (writer === undefined) return
        await writer.ready
        void writer.write(event)
      },
      async close() {
        await Promise.all(writers.map(writer => writer.close()))
      },
    },
    queue,
  )
}

async function drain(source: ReadableStream<number>, take: (event: number) => unknown): Promise<void> {
  for await (const event of source) await take(event)
}

async function share(reader: ReadableStreamDefaultReader<number>, sink: Tally): Promise<void> {
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    sink.add(value)
  }
}

async function sumOf(count: number, strategy = queue): Promise<number> {
  const sink = new Tally()
  await numbers(count, strategy).pipeTo(summing(sink, strategy))
  return sink.sum
}

/** Four copies of a stream. `tee` lets the slower copies queue without bound. */
function copies(source: ReadableStream<number>): ReadableStream<number>[] {
  return source.tee().flatMap(half => half.tee())
}

export const webStreams: Peer = {
  label: 'web streams',
  rates: {
    'WL-1': count => sumOf(count),
    async 'WL-2'(count) {
      const sink = new Tally()
      await numbers(count).pipeThrough(map(double)).pipeThrough(filter(isMultipleOfThree)).pipeTo(summing(sink))
      return sink.sum
    },
    async 'WL-3'(count) {
      const sinks = tallies(branches)
      await Promise.all(copies(numbers(count)).map((copy, index) => copy.pipeTo(summing(sinkAt(sinks, index)))))
      return total(sinks)
    },
    async 'WL-4'(count) {
      const sinks = tallies(branches)
      await numbers(count).pipeTo(router(sinks.map(sink => summing(sink))))
      return total(sinks)
    },
    async 'WL-5'(count) {
      const sinks = tallies(branches)
      const reader = numbers(count).getReader()
      await Promise.all(sinks.map(sink => share(reader, sink)))
      return total(sinks)
    },
    async 'WL-6'(count) {
      const sink = new Tally()
      const writer = summing(sink).getWriter()
      const sources = Array.from({ length: branches }, () => numbers(count / branches))
      const write = async (event: number) => {
        await writer.ready
        void writer.write(event)
      }
      await Promise.all(sources.map(source => drain(source, write)))
      await writer.close()
      return sink.sum
    },
    'WL-7': count => sumOf(count, queueOfOne),
    async 'WL-8a'(count) {
      const sink = new Tally()
      await numbers(count).pipeTo(new WritableStream<number>({ write: event => sink.addLater(event) }, queue))
      return sink.sum
    },
  },
  backlog(flow) {
    let next = 0
    const source = new ReadableStream<number>({
      pull(controller) {
        flow.make(1)
        controller.enqueue(next++)
      },
    })
    const sink = new WritableStream<number>({
      async write(event) {
        if (event % 100 === 99) await sleep(1)
        flow.use(1)
      },
    })
    return source.pipeTo(sink)
  },
  idlePairs(count) {
    return Array.from({ length: count }, () => {
      const source = new ReadableStream<number>({}, queue)
      const sink = summing(new Tally())
      void source.pipeTo(sink)
      return { source, sink }
    })
  },
}
