import { fromIterable, type ProducerRef, start, stream } from '@genstage/core'
import type { OpenSink, SinkAdapter, SinkOptions, SourceAdapter } from '../../src/index.ts'
import { ControlledInput } from './controlled-input.ts'

/** `fromIterable`, or what a test makes of it, over an async iterable. */
export function iterableSource(change: (input: ControlledInput) => AsyncIterable<unknown> = input => input): SourceAdapter {
  return {
    kind: 'source',
    name: 'fromIterable',
    open(runtime, signal) {
      const input = new ControlledInput()
      const ref = start(fromIterable(change(input)), { runtime, ...(signal === undefined ? {} : { signal }) })
      return {
        ref,
        push: events => input.push(events),
        end: () => input.end(),
        fail: error => input.end(error),
        taken: () => input.taken,
        released: () => input.released,
      }
    },
    unusable: {
      'no iterable': runtime => start(fromIterable(42 as never), { runtime }),
      'without next': runtime => start(fromIterable({ [Symbol.asyncIterator]: () => ({}) as never }), { runtime }),
      broken: runtime => {
        const broken = {
          [Symbol.asyncIterator](): never {
            throw new Error('broken')
          },
        }
        const ref = start(fromIterable(broken), { runtime })
        ref.monitor(() => {})
        return ref
      },
    },
  }
}

/** The reader of core, read by a loop that the test can hold. */
export const readerSink: SinkAdapter = {
  kind: 'sink',
  name: 'stream()',
  open(producer: ProducerRef<unknown>, { runtime, maxDemand, signal }: SinkOptions): OpenSink {
    const received: unknown[] = []
    const closing = new AbortController()
    const all = signal === undefined ? closing.signal : AbortSignal.any([signal, closing.signal])
    let gate: Promise<void> = Promise.resolve()
    let openGate = (): void => {}
    let failure: Error | undefined
    const read = async (): Promise<unknown> => {
      try {
        for await (const event of stream([{ to: producer, maxDemand, cancel: 'transient' }], { runtime, signal: all })) {
          received.push(event)
          await gate
          if (all.aborted) break
        }
      } catch (error) {
        return failure ?? (all.aborted ? undefined : error)
      }
      return failure
    }
    return {
      received: () => received,
      pause: () => {
        gate = new Promise(resolve => (openGate = resolve))
      },
      resume: () => {
        gate = Promise.resolve()
        openGate()
      },
      close: () => closing.abort(),
      fail: error => {
        failure = error
        closing.abort(error)
      },
      finished: read(),
    }
  },
}
