import { type ProducerRef, start } from '@genstage/core'
import { adapterContract, type OpenSink, probeConsumer, type SinkAdapter, type SourceAdapter } from '@genstage/testing'
import { describe, it } from 'vitest'
import { asPublisher, asSubscriber, fromPublisher, type ReactiveSubscriber, toSubscriber } from '../../src/index.ts'
import { ManualPublisher } from './support.ts'

const publisherSource: SourceAdapter = {
  kind: 'source',
  name: 'fromPublisher',
  open(runtime, signal) {
    const input = new ManualPublisher()
    const ref = start(fromPublisher(input), { runtime, ...(signal === undefined ? {} : { signal }) })
    return {
      ref,
      push: events => input.push(events),
      end: () => input.end(),
      fail: error => input.end({ error }),
      taken: () => input.taken,
      released: () => input.cancels,
    }
  },
  unusable: {
    'no publisher': runtime => start(fromPublisher(42 as never), { runtime }),
    'made badly': runtime =>
      watched(
        start(
          fromPublisher(() => ({}) as never),
          { runtime },
        ),
      ),
    broken: runtime =>
      watched(
        start(
          fromPublisher({
            subscribe() {
              throw new Error('broken')
            },
          }),
          { runtime },
        ),
      ),
  },
}

function watched<Ref extends ProducerRef<unknown>>(ref: Ref): Ref {
  ref.monitor(() => {})
  return ref
}

/** A subscriber that can be held: it requests one event after the other. */
class HeldSubscriber implements ReactiveSubscriber<unknown> {
  readonly received: unknown[] = []
  readonly finished: Promise<unknown>
  #finish!: (error: unknown) => void
  #isPaused = false
  #request = (_n: number): void => {}
  #cancel = (): void => {}

  constructor() {
    this.finished = new Promise(resolve => (this.#finish = resolve))
  }

  onSubscribe(subscription: { request(n: number): void; cancel(): void }): void {
    this.#request = n => subscription.request(n)
    this.#cancel = () => subscription.cancel()
    if (!this.#isPaused) this.#request(1)
  }

  onNext(event: unknown): void {
    this.received.push(event)
    if (!this.#isPaused) this.#request(1)
  }

  onError(error: unknown): void {
    this.#finish(error)
  }

  onComplete(): void {
    this.#finish(undefined)
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
    this.#request(1)
  }

  close(): void {
    this.#cancel()
    this.#finish(undefined)
  }
}

function sink(subscriber: HeldSubscriber): OpenSink {
  return {
    received: () => subscriber.received,
    pause: () => subscriber.pause(),
    resume: () => subscriber.resume(),
    close: () => subscriber.close(),
    finished: subscriber.finished,
  }
}

const publisherSink: SinkAdapter = {
  kind: 'sink',
  name: 'asPublisher',
  open(producer, { maxDemand, signal }) {
    const subscriber = new HeldSubscriber()
    asPublisher(producer, { maxDemand, ...(signal === undefined ? {} : { signal }) }).subscribe(subscriber)
    return sink(subscriber)
  },
}

const subscriberSink: SinkAdapter = {
  kind: 'sink',
  name: 'toSubscriber',
  open(producer, { runtime, maxDemand }) {
    const subscriber = new HeldSubscriber()
    const ref = start(toSubscriber(subscriber), { runtime, subscribeTo: [{ to: producer, maxDemand }] })
    return { ...sink(subscriber), ref }
  },
}

/** Both ends of Reactive Streams in a row: a stage, a publisher, a subscriber, a stage. */
const chainSink: SinkAdapter = {
  kind: 'sink',
  name: 'asSubscriber behind asPublisher',
  open(from, { runtime, maxDemand }) {
    const received: unknown[] = []
    let finish!: (error: unknown) => void
    const finished = new Promise<unknown>(resolve => (finish = resolve))
    const probe = probeConsumer<unknown>()
    const ref = start(probe.definition, { runtime })
    ref.monitor(({ reason }) => finish(reason.type === 'error' ? reason.error : undefined))
    const subscriber = asSubscriber<unknown>(ref, { maxDemand })
    asPublisher(from, { maxDemand }).subscribe({
      onSubscribe: subscription => subscriber.onSubscribe(subscription),
      onNext(event) {
        received.push(event)
        subscriber.onNext(event)
      },
      onError: error => subscriber.onError(error),
      onComplete: () => subscriber.onComplete(),
    })
    return { ref, received: () => received, close: () => void ref.stop(), finished }
  },
}

const contracts = [
  ...adapterContract(publisherSource, { takesSignal: true, lookAhead: 0 }),
  ...adapterContract(publisherSink, { takesSignal: true, lookAhead: 0 }),
  ...adapterContract(subscriberSink, { lookAhead: 0 }),
  ...adapterContract(chainSink),
]

describe('the adapters of Reactive Streams', () => {
  it.each(contracts.map(({ ids, name, run }) => [ids.join(' '), name, run] as const))('%s %s', async (_ids, _name, run) => {
    await run()
  })
})
