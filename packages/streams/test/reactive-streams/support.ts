import { createRuntime, type GenStageError, type Runtime } from '@genstage/core'
import { onTestFinished } from 'vitest'
import { promiseTurns } from './turns.ts'
import type { Publisher, ReactiveSubscriber, ReactiveSubscription } from '../../src/index.ts'

/** A runtime that keeps what it would have told; it ends with the test. */
export function recordedRuntime(): { runtime: Runtime; uncaught: GenStageError[]; log: string[]; discarded: unknown[] } {
  const uncaught: GenStageError[] = []
  const log: string[] = []
  const discarded: unknown[] = []
  const write = (line: string): void => void log.push(line)
  const logger = { debug: write, info: write, warn: write, error: write }
  const runtime = createRuntime({ logger, onUncaught: error => uncaught.push(error) })
  runtime.telemetry.on('discarded', ({ events }) => discarded.push(...events))
  onTestFinished(() => runtime.stop({ timeout: 0 }))
  return { runtime, uncaught, log, discarded }
}

/** Lets everything happen that is going to happen at once. */
export async function settle(): Promise<void> {
  for (let turns = 0; turns < 10; turns++) await promiseTurns()
}

/** A publisher in the hands of a test: it gives what was pushed, as far as it is requested. */
export class ManualPublisher<T = unknown> implements Publisher<T> {
  /** What was said to it, in order. */
  readonly calls: string[] = []
  requested = 0
  taken = 0
  cancels = 0
  subscriber: ReactiveSubscriber<T> | undefined
  readonly #waiting: T[] = []
  #ending: { readonly error?: unknown } | undefined
  #isOver = false

  subscribe(subscriber: ReactiveSubscriber<T>): void {
    this.calls.push('subscribe')
    this.subscriber = subscriber
    subscriber.onSubscribe(this.subscription())
    this.#serve()
  }

  subscription(): ReactiveSubscription {
    return {
      request: n => {
        this.calls.push(`request ${n}`)
        this.requested += n
        this.#serve()
      },
      cancel: () => {
        this.calls.push('cancel')
        this.cancels++
        this.#isOver = true
      },
    }
  }

  push(events: readonly T[]): void {
    this.#waiting.push(...events)
    this.#serve()
  }

  end(ending: { readonly error?: unknown } = {}): void {
    this.#ending ??= ending
    this.#serve()
  }

  #serve(): void {
    if (this.subscriber === undefined) return
    while (!this.#isOver && this.requested > 0 && this.#waiting.length > 0) {
      this.requested--
      this.taken++
      this.subscriber.onNext(this.#waiting.shift() as T)
    }
    if (this.#isOver || this.#ending === undefined || this.#waiting.length > 0) return
    this.#isOver = true
    if ('error' in this.#ending) this.subscriber.onError(this.#ending.error)
    else this.subscriber.onComplete()
  }
}

/** A subscriber in the hands of a test: it requests what it is told to, and keeps every signal. */
export class ManualSubscriber<T = unknown> implements ReactiveSubscriber<T> {
  /** `subscribe`, `next 1`, `error boom`, `complete`. */
  readonly signals: string[] = []
  readonly events: T[] = []
  error: unknown
  subscription: ReactiveSubscription | undefined
  readonly #request: number
  readonly #onNext: (event: T, self: ManualSubscriber<T>) => void

  /** Requests `request` at once, and calls `onNext` with each event. */
  constructor(request: number = 0, onNext: (event: T, self: ManualSubscriber<T>) => void = () => {}) {
    this.#request = request
    this.#onNext = onNext
  }

  onSubscribe(subscription: ReactiveSubscription): void {
    this.signals.push('subscribe')
    this.subscription = subscription
    if (this.#request > 0) subscription.request(this.#request)
  }

  onNext(event: T): void {
    this.signals.push(`next ${String(event)}`)
    this.events.push(event)
    this.#onNext(event, this)
  }

  onError(error: unknown): void {
    this.signals.push(`error ${error instanceof Error ? error.message : String(error)}`)
    this.error = error
  }

  onComplete(): void {
    this.signals.push('complete')
  }

  request(n: number): void {
    this.subscription?.request(n)
  }

  cancel(): void {
    this.subscription?.cancel()
  }
}
