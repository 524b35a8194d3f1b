/** The adapters of web streams as the contract suite takes them. */
import {
  consumer,
  type ConsumerDefinition,
  producerConsumer,
  type ProducerDefinition,
  type ProducerRef,
  start,
} from '@genstage/core'
import type { OpenSink, OpenSource, SinkAdapter, SinkOptions, SourceAdapter } from '@genstage/testing'
import {
  asReadableStream,
  asTransformStream,
  asWritableStream,
  fromReadableStream,
  throughTransformStream,
  toWritableStream,
} from '../../../src/index.ts'
import { ControlledReadable, ControlledWritable } from './controlled-streams.ts'

/** Streams that cannot be read: one that has failed, one that has a reader. (One that is closed is an empty one.) */
export const unusableReadables: Readonly<Record<string, () => ReadableStream<unknown>>> = {
  errored: () => new ReadableStream({ start: controller => controller.error(new Error('it had failed')) }),
  locked: () => {
    const stream = new ReadableStream<unknown>()
    stream.getReader()
    return stream
  },
  missing: () => undefined as never,
}

/** `fromReadableStream` over a stream, as it is or made by a function. */
function readableSource(
  name: string,
  definition: (stream: () => ReadableStream<unknown>) => ProducerDefinition<unknown>,
): SourceAdapter {
  return {
    kind: 'source',
    name,
    open(runtime, signal) {
      const input = new ControlledReadable()
      const ref = start(
        definition(() => input.stream),
        { runtime, ...(signal === undefined ? {} : { signal }) },
      )
      return openSource(ref, input)
    },
    unusable: Object.fromEntries(
      Object.entries(unusableReadables).map(([way, make]) => [
        way,
        runtime => {
          const ref = start(definition(make), { runtime })
          ref.monitor(() => {})
          return ref
        },
      ]),
    ),
  }
}

export const readableSources: readonly SourceAdapter[] = [
  readableSource('fromReadableStream', make => fromReadableStream(make())),
  readableSource('fromReadableStream of a function', fromReadableStream),
]

function openSource(ref: ProducerRef<unknown>, input: ControlledReadable): OpenSource {
  return {
    ref,
    push: events => input.push(events),
    end: () => input.end(),
    fail: error => input.end(error),
    taken: () => input.taken,
    released: () => input.released,
  }
}

/** `throughTransformStream` as a source: what comes out of it, behind a source that it is written by. It is the pair that fails. */
export const throughSource: SourceAdapter = {
  kind: 'source',
  name: 'what comes out of throughTransformStream',
  open(runtime, signal) {
    const input = new ControlledReadable()
    const failures = new Set<unknown>()
    const pair = () =>
      new TransformStream<unknown, unknown>({
        transform(event, controller) {
          if (failures.has(event)) throw event
          controller.enqueue(event)
        },
      })
    const options = { runtime, ...(signal === undefined ? {} : { signal }) }
    const from = start(fromReadableStream(input.stream), options)
    from.monitor(() => {})
    const ref = start(throughTransformStream(pair), { ...options, subscribeTo: [{ to: from, maxDemand: 4 }] })
    ref.monitor(() => void from.stop())
    return {
      ...openSource(ref, input),
      fail(error) {
        failures.add(error)
        input.push([error])
      },
    }
  },
}

/** `toWritableStream` into a stream. */
export const writableSink: SinkAdapter = {
  kind: 'sink',
  name: 'toWritableStream',
  open(producer, options) {
    const output = new ControlledWritable()
    return openSink(producer, options, output, toWritableStream(output.stream))
  },
}

function openSink(
  producer: ProducerRef<unknown>,
  { runtime, maxDemand, signal }: SinkOptions,
  output: ControlledWritable,
  definition: ConsumerDefinition<unknown>,
): OpenSink {
  const ref = start(definition, {
    runtime,
    subscribeTo: [{ to: producer, maxDemand }],
    ...(signal === undefined ? {} : { signal }),
  })
  // Before its setup has run the stage has nothing to close
  const ended = ref.exited.then(reason => (reason.type === 'error' ? reason.error : undefined))
  return {
    ref,
    received: () => output.written,
    pause: () => output.pause(),
    resume: () => output.resume(),
    close: () => void ref.stop(),
    fail: error => output.fail(error),
    finished: signal === undefined ? output.finished : ended,
  }
}

/** `asReadableStream`, read by a loop that the test can hold. */
export const asReadableSink: SinkAdapter = {
  kind: 'sink',
  name: 'asReadableStream',
  open(producer, { maxDemand, signal }) {
    return readBy(asReadableStream(producer, { maxDemand, ...(signal === undefined ? {} : { signal }) }))
  },
}

/** `asTransformStream` and `asWritableStream` as a sink: a stage that is read as a stream is written into them. */
export const transformSink: SinkAdapter = {
  kind: 'sink',
  name: 'asTransformStream',
  open(producer, { runtime, maxDemand, signal }) {
    const Same = producerConsumer.of<unknown, unknown>()(() => ({ handleEvents: events => events }))
    const pair = asTransformStream(Same, { runtime, maxDemand })
    return readBy(asReadableStream(producer, { maxDemand, ...(signal === undefined ? {} : { signal }) }).pipeThrough(pair))
  },
}

function readBy(stream: ReadableStream<unknown>): OpenSink {
  const received: unknown[] = []
  const reader = stream.getReader()
  let gate: Promise<void> = Promise.resolve()
  let open = (): void => {}
  let failure: unknown
  const read = async (): Promise<unknown> => {
    try {
      for (let next = await reader.read(); !next.done; next = await reader.read()) {
        received.push(next.value)
        await gate
      }
    } catch (error) {
      return error
    }
    return failure
  }
  return {
    received: () => received,
    pause: () => {
      gate = new Promise(resolve => (open = resolve))
    },
    resume: () => {
      gate = Promise.resolve()
      open()
    },
    close: () => void reader.cancel(),
    fail: error => {
      failure = error
      void reader.cancel(error)
    },
    finished: read(),
  }
}

/** `asWritableStream` as a sink: the output is a consumer, which is written to as a stream. */
export const asWritableSink: SinkAdapter = {
  kind: 'sink',
  name: 'asWritableStream',
  open(producer, { runtime, maxDemand }) {
    const received: unknown[] = []
    let gate: Promise<void> | undefined
    let open = (): void => {}
    const Output = consumer.of<unknown>()(() => ({
      async handleEvents(events) {
        received.push(...events)
        await gate
      },
    }))
    const ref = start(Output, { runtime })
    // The queues of the two streams hold nothing but what is under way
    const stream = asWritableStream(ref, { maxDemand: 1 })
    asReadableStream(producer, { maxDemand })
      .pipeTo(stream)
      .catch(() => {})
    return {
      received: () => received,
      pause: () => {
        gate = new Promise(resolve => (open = resolve))
      },
      resume: () => {
        gate = undefined
        open()
      },
      close: () => void ref.stop(),
      fail: error => void ref.stop({ type: 'error', error }),
      finished: ref.exited.then(reason => (reason.type === 'error' ? reason.error : undefined)),
    }
  },
}
