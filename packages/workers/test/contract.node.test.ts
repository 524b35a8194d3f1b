/** The contract of all adapters, kept by a thread: as an output of events, and with a stage on a thread in the middle of a source. */
import { BroadcastChannel } from 'node:worker_threads'
import { fromIterable, isGraceful, start } from '@genstage/core'
import { adapterContract, type SinkAdapter, type SourceAdapter } from '@genstage/testing'
import { describe, it } from 'vitest'
import { threaded } from './support/threads.ts'

let channels = 0

/** A consumer on a thread, which posts back what it gets. */
const sink: SinkAdapter = {
  kind: 'sink',
  name: 'a consumer on a thread',
  open(producer, { runtime, maxDemand, signal }) {
    const name = `contract ${++channels}`
    const channel = new BroadcastChannel(name)
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel has no origin
    const send = (message: string): void => channel.postMessage(message)
    const received: unknown[] = []
    channel.onmessage = message => received.push((message as { readonly data: { readonly event: unknown } }).data.event)
    const options = { runtime, arg: name, ...(signal && { signal }) }
    const ref = start(threaded('Poster', { type: 'consumer' }), {
      ...options,
      subscribeTo: [{ to: producer, maxDemand, cancel: 'permanent' }],
    })
    return {
      ref,
      received: () => received,
      pause: () => send('pause'),
      resume: () => send('resume'),
      close: () => void ref.stop(),
      finished: ref.exited.then(reason => {
        channel.close()
        if (reason.type === 'error') return reason.error
        return reason.type === 'killed' ? new Error('killed') : undefined
      }),
    }
  },
}

/** A stage on a thread behind an iterable, and both of them as one source. */
const source: SourceAdapter = {
  kind: 'source',
  name: 'a source with a stage on a thread',
  open(runtime) {
    const input = new Input()
    const iterable = start(fromIterable(input), { runtime })
    const ref = start(threaded('Echo'), { runtime, subscribeTo: [{ to: iterable, maxDemand: 4, cancel: 'transient' }] })
    // As guide page 8 tells: a stage in the middle ends behind what it has taken in
    iterable.monitor(({ reason }) => void (isGraceful(reason) && ref.stop(reason, { drain: true })))
    ref.monitor(() => void iterable.stop())
    return {
      ref,
      push: events => input.push(...events),
      end: () => input.close(() => ({ done: true, value: undefined })),
      fail: error =>
        input.close(() => {
          throw error
        }),
      taken: () => input.taken,
      released: () => input.released,
    }
  },
}

/** An async iterable in the hands of the suite. */
class Input implements AsyncIterable<unknown>, AsyncIterator<unknown> {
  taken = 0
  released = 0
  readonly #waiting: unknown[] = []
  #close: (() => IteratorResult<unknown>) | undefined
  #wake = (): void => {}

  push(...events: readonly unknown[]): void {
    this.#waiting.push(...events)
    this.#wake()
  }

  close(close: () => IteratorResult<unknown>): void {
    this.#close = close
    this.#wake()
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<IteratorResult<unknown>> {
    while (this.#waiting.length === 0 && this.#close === undefined) {
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
    if (this.#waiting.length > 0) {
      this.taken++
      return { done: false, value: this.#waiting.shift() }
    }
    return this.#close?.() ?? { done: true, value: undefined }
  }

  async return(): Promise<IteratorResult<unknown>> {
    this.released++
    return { done: true, value: undefined }
  }
}

const capabilities = { keepsIdentity: false, refusesUncloneable: 'NOT_CLONEABLE', timeoutMs: 5_000 }

describe('the contract of adapters', () => {
  const cases = [
    ...adapterContract(sink, { ...capabilities, takesSignal: true }),
    // Ahead of the demand is what the subscription of the stage may have in flight
    ...adapterContract(source, { ...capabilities, lookAhead: 4 }),
  ]
  for (const { ids, name, run } of cases) it(`${ids.join(' ')} ${name}`, { timeout: 60_000 }, async () => run())
})
