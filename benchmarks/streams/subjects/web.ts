/** Web streams: the same sources and sinks joined by `pipeTo` and `pipeThrough`, or read by a loop, and by stages. */
import { consumer, createRuntime, producer, producerConsumer, type ProducerRef, start } from '@genstage/core'
import {
  asReadableStream,
  asTransformStream,
  asWritableStream,
  fromReadableStream,
  type StreamPair,
  throughTransformStream,
  toWritableStream,
} from '@genstage/streams'
import type { Comparison, Subject } from '../subject.ts'

type Task = Omit<Comparison, 'what'>

const chunkSize = 65_536

/** Demand for chunks of bytes: 1 MiB on the way. */
const ofBytes = { maxDemand: 16 }
const ofObjects = { maxDemand: 1_000 }

const runtime = createRuntime({ logger: { debug() {}, info() {}, warn: console.warn, error: console.error } })

interface Workload<T> {
  readonly chunk: (index: number) => T
  readonly weigh: (chunk: T) => number
  readonly demand: typeof ofBytes
  readonly formula: Pick<Task, 'expected' | 'step' | 'most'>
}

const zeros = new Uint8Array(chunkSize)

const bytes: Workload<BufferSource> = {
  chunk: () => zeros,
  weigh: chunk => chunk.byteLength,
  demand: ofBytes,
  formula: { expected: count => count * chunkSize, step: 100_000, most: 4_000_000 },
}

const objects: Workload<Valued> = {
  chunk: value => ({ value }),
  weigh: event => event.value,
  demand: ofObjects,
  formula: { expected: count => (count * (count - 1)) / 2, step: 100_000, most: 4_000_000 },
}

function source<T>({ chunk }: Workload<T>, count: number): ReadableStream<T> {
  let next = 0
  return new ReadableStream<T>({
    pull(controller) {
      if (next < count) controller.enqueue(chunk(next++))
      else controller.close()
    },
  })
}

/** Adds up what is written to it. */
function sumOf<T>({ weigh }: Pick<Workload<T>, 'weigh'>): { readonly stream: WritableStream<T>; sum(): number } {
  let sum = 0
  const stream = new WritableStream<T>({
    write(chunk) {
      sum += weigh(chunk)
    },
  })
  return { stream, sum: () => sum }
}

interface Valued {
  readonly value: number
}

const Sum = consumer((done: (sum: number) => void) => {
  let sum = 0
  return {
    handleEvents(events: readonly Valued[]) {
      for (const { value } of events) sum += value
    },
    terminate: () => done(sum),
  }
})

const Count = producer((count: number, ctx) => {
  let next = 0
  return {
    handleDemand(demand) {
      const events: Valued[] = []
      while (events.length < demand && next < count) events.push({ value: next++ })
      if (next === count) ctx.self.asyncInfo('end')
      return events
    },
    handleInfo: (_: 'end') => ctx.stop(),
  }
})

const Relay = producerConsumer(() => ({ handleEvents: (events: readonly Valued[]) => events }))

async function piped<T>(stream: ReadableStream<T>, work: Pick<Workload<T>, 'weigh'>): Promise<number> {
  const sink = sumOf(work)
  await stream.pipeTo(sink.stream)
  return sink.sum()
}

async function written<T>(from: ProducerRef<T>, work: Pick<Workload<T>, 'weigh' | 'demand'>): Promise<number> {
  const sink = sumOf(work)
  await start(toWritableStream(sink.stream), { runtime, subscribeTo: [{ to: from, ...work.demand }] }).done
  return sink.sum()
}

/** In at one end, out at the other. */
function ends<T>(work: Workload<T>): Task {
  return {
    ...work.formula,
    direct: count => piped(source(work, count), work),
    stages: count => written(start(fromReadableStream(source(work, count)), { runtime }), work),
  }
}

/** With a pair in the middle, of which every result weighs as much as `weigh` says. */
function through<T, Out>(work: Workload<T>, pair: () => StreamPair<T, Out>, weigh: (out: Out) => number): Task {
  const { demand } = work
  return {
    ...work.formula,
    direct: count => piped(source(work, count).pipeThrough(pair()), { weigh }),
    stages(count) {
      const first = start(fromReadableStream(source(work, count)), { runtime })
      const middle = start(throughTransformStream(pair), { runtime, subscribeTo: [{ to: first, ...demand }] })
      return written(middle, { weigh, demand })
    },
  }
}

export const subject: Subject = {
  title: 'Web streams',
  packages: ['streams'],
  comparisons: {
    bytes: { what: 'fromReadableStream, toWritableStream: chunks of 64 KiB', ...ends(bytes) },
    gzip: {
      what: 'throughTransformStream: gzip of chunks of 64 KiB',
      ...through(
        bytes,
        () => new CompressionStream('gzip'),
        () => 0,
      ),
      expected: () => 0,
      step: 16,
    },
    loop: {
      what: 'fromReadableStream read by a consumer, a loop without: objects',
      ...objects.formula,
      async direct(count) {
        let sum = 0
        const reader = source(objects, count).getReader()
        for (let next = await reader.read(); !next.done; next = await reader.read()) sum += next.value.value
        return sum
      },
      stages: count =>
        new Promise(done => {
          const from = start(fromReadableStream(source(objects, count)), { runtime })
          start(Sum, { runtime, arg: done, subscribeTo: [from] })
        }),
    },
    objects: { what: 'fromReadableStream, toWritableStream: objects', ...ends(objects) },
    objectsThrough: {
      what: 'throughTransformStream: objects',
      ...through(objects, () => new TransformStream(), objects.weigh),
    },
    objectsRead: {
      what: 'asReadableStream: objects',
      ...objects.formula,
      direct: count => piped(source(objects, count), objects),
      stages: count => piped(asReadableStream(start(Count, { runtime, arg: count }), ofObjects), objects),
    },
    objectsWritten: {
      what: 'asWritableStream: objects',
      ...objects.formula,
      direct: count => piped(source(objects, count), objects),
      stages: count =>
        new Promise(done => {
          const last = start(Sum, { runtime, arg: done })
          void source(objects, count).pipeTo(asWritableStream(last, ofObjects))
        }),
    },
    objectsBetween: {
      what: 'asTransformStream: objects',
      ...objects.formula,
      direct: count => piped(source(objects, count).pipeThrough(new TransformStream()), objects),
      stages: count => piped(source(objects, count).pipeThrough(asTransformStream(Relay, { runtime, ...ofObjects })), objects),
    },
  },
}
