import { producerConsumer, type ProducerRef, type Runtime, start } from '@genstage/core'
import type { OpenSink, SinkAdapter, SinkOptions, SourceAdapter } from '@genstage/testing'
import { probeConsumer } from '@genstage/testing'
import { type DuplexOptions, finished, Readable, type ReadableOptions, Writable, type WritableOptions } from 'node:stream'
import { asDuplex, asReadable, asWritable, fromReadable, throughDuplex, toWritable } from '../../../src/node/index.ts'
import { controlledDuplex, controlledReadable, controlledWritable } from './streams.ts'

const withSignal = (signal: AbortSignal | undefined): { readonly signal?: AbortSignal } =>
  signal === undefined ? {} : { signal }

export function readableSource(options: ReadableOptions): SourceAdapter {
  return {
    kind: 'source',
    name: 'fromReadable',
    open(runtime, signal) {
      const { stream, output } = controlledReadable(options)
      return {
        ref: start(fromReadable(stream), { runtime, ...withSignal(signal) }),
        push: events => output.feed(stream, events),
        end: () => output.finish(stream),
        fail: error => output.finish(stream, error),
        taken: () => output.taken,
        released: () => output.destroys,
      }
    },
    unusable: {
      destroyed: runtime => start(fromReadable(new Readable().destroy()), { runtime }),
      'a Writable': runtime => start(fromReadable(new Writable() as never), { runtime }),
      'a Writable, out of a function': runtime =>
        start(
          fromReadable(() => new Writable() as never),
          { runtime },
        ),
    },
  }
}

/** The side of a Duplex that is read. */
export function duplexSource(options: DuplexOptions): SourceAdapter {
  return {
    kind: 'source',
    name: 'throughDuplex, what is read',
    open(runtime, signal) {
      const { stream, output } = controlledDuplex(options)
      return {
        ref: start(throughDuplex(stream), { runtime, ...withSignal(signal) }),
        push: events => output.feed(stream, events),
        end: () => output.finish(stream),
        fail: error => output.finish(stream, error),
        taken: () => output.taken,
        released: () => output.destroys,
      }
    },
    unusable: {
      destroyed: runtime => start(throughDuplex(controlledDuplex(options).stream.destroy()), { runtime }),
      'no Duplex': runtime => start(throughDuplex(new Readable() as never), { runtime }),
    },
  }
}

/** What a stream ended with: undefined for a good end, and for one that was closed on its own side. */
function outcomeOf(stream: Readable | Writable): Promise<unknown> {
  return new Promise(resolve => {
    finished(stream, error => resolve(isPrematureClose(error) ? undefined : (error ?? undefined)))
  })
}

export function isPrematureClose(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE'
}

export function writableSink(options: WritableOptions): SinkAdapter {
  return {
    kind: 'sink',
    name: 'toWritable',
    open(producer, { runtime, maxDemand, signal }) {
      const { stream, input } = controlledWritable(options)
      const subscribeTo = [{ to: producer, maxDemand }]
      const ref = start(toWritable(stream), { runtime, subscribeTo, ...withSignal(signal) })
      // A stage that is stopped before its setup never gets to see the stream
      if (signal?.aborted === true) stream.destroy()
      return {
        ref,
        received: () => input.received,
        pause: () => input.pause(),
        resume: () => input.resume(),
        close: () => stream.destroy(),
        fail: error => stream.destroy(error),
        finished: outcomeOf(stream),
      }
    },
  }
}

/** The side of a Duplex that is written to. */
export function duplexSink(options: DuplexOptions): SinkAdapter {
  return {
    kind: 'sink',
    name: 'throughDuplex, what is written',
    open(producer, { runtime, maxDemand, signal }) {
      const { stream, input } = controlledDuplex(options)
      const ref = start(throughDuplex(stream), { runtime, subscribeTo: [{ to: producer, maxDemand }], ...withSignal(signal) })
      // A stage in the middle works as long as somebody wants something
      start(probeConsumer().definition, { runtime, subscribeTo: [{ to: ref, cancel: 'temporary' }] })
      if (signal?.aborted === true) stream.destroy()
      return {
        ref,
        received: () => input.received,
        pause: () => input.pause(),
        resume: () => input.resume(),
        close: () => stream.destroy(),
        fail: error => stream.destroy(error),
        finished: outcomeOf(stream),
      }
    },
  }
}

/** Reads a stream, as long as it may. */
function openReading(stream: Readable, outcome = outcomeOf(stream)): OpenSink {
  const received: unknown[] = []
  stream.on('data', chunk => received.push(chunk))
  return {
    received: () => received,
    pause: () => stream.pause(),
    resume: () => stream.resume(),
    close: () => stream.destroy(),
    fail: error => stream.destroy(error),
    finished: outcome.then(error => (isAbort(error) ? undefined : error)),
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError'
}

export function asReadableSink(options: { readonly highWaterMark: number }): SinkAdapter {
  return {
    kind: 'sink',
    name: 'asReadable',
    open(producer, { maxDemand, signal }) {
      const stream = asReadable(producer, { ...options, maxDemand, ...withSignal(signal) })
      stream.read(0) // from now on it is used
      return openReading(stream)
    },
  }
}

/** Hands on what it gets, and ends behind it. */
export const Relay = producerConsumer.of<unknown, unknown>()((_: void, ctx) => ({
  handleEvents: events => events,
  handleCancel(_ended, from) {
    if (from.role === 'producer') ctx.self.asyncInfo('end')
  },
  handleInfo(_message: 'end') {
    ctx.stop()
  },
}))

/** A stage that is written to. */
export function asWritableSource(options: { readonly highWaterMark: number; readonly maxDemand: number }): SourceAdapter {
  return {
    kind: 'source',
    name: 'asWritable',
    open(runtime, signal) {
      const ref = start(Relay, { runtime, ...withSignal(signal) })
      const stream = asWritable(ref, { ...options, cancel: 'transient' })
      let taken = 0
      let written = 0
      let destroys = 0
      let whenTaken = (): void => {}
      stream.on('error', () => {})
      stream.on('close', () => {
        if (!stream.writableFinished && stream.errored === null) destroys++
      })
      return {
        ref,
        push(events) {
          for (const event of events) {
            if (stream.destroyed) return
            written++
            stream.write(event, () => {
              taken++
              whenTaken()
            })
          }
        },
        end: () => stream.end(),
        fail(error) {
          whenTaken = () => {
            if (taken === written) stream.destroy(error)
          }
          whenTaken()
        },
        taken: () => taken,
        released: () => destroys,
      }
    },
  }
}

/** A stage that is written to and read: fed by a stage, so that the suite has a producer. */
export function asDuplexSink(options: { readonly highWaterMark: number }): SinkAdapter {
  return {
    kind: 'sink',
    name: 'asDuplex',
    open(producer: ProducerRef<unknown>, { runtime, maxDemand, signal }: SinkOptions) {
      const stream = asDuplex(Relay, { ...options, maxDemand: 1, runtime, ...withSignal(signal) })
      return openReading(feeding(producer, stream, runtime, maxDemand))
    },
  }
}

function feeding<Stream extends Writable>(
  producer: ProducerRef<unknown>,
  stream: Stream,
  runtime: Runtime,
  maxDemand: number,
): Stream {
  if (!stream.destroyed) start(toWritable(stream), { runtime, subscribeTo: [{ to: producer, maxDemand }] }).monitor(() => {})
  return stream
}
