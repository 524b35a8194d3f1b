/**
 * The four interfaces of Reactive Streams, by the shape of its JVM specification (1.0.4). Any object of this shape is one, wherever it
 * comes from. The rules (RS-1.1 to RS-4.2) are listed in the guide; one thing is different here: an event may be any value, so `null`
 * and `undefined` are events too.
 */

/** Gives a sequence of events to each subscriber, as fast as that one requests them. */
export interface Publisher<out T> {
  subscribe(subscriber: ReactiveSubscriber<T>): void
}

/** Takes the events of one publisher. `onSubscribe` comes first and once; `onError` and `onComplete` are the last. */
export interface ReactiveSubscriber<in T> {
  onSubscribe(subscription: ReactiveSubscription): void
  onNext(event: T): void
  onError(error: unknown): void
  onComplete(): void
}

/** The link between one publisher and one subscriber, in the hands of the subscriber. */
export interface ReactiveSubscription {
  /** Asks for `n` more events; `Infinity` for all there are. */
  request(n: number): void
  /** No more events are wanted. Safe twice. */
  cancel(): void
}

/** Both: takes the events of one publisher, and gives what it makes of them to its own subscribers. */
export interface Processor<in In, out Out> extends ReactiveSubscriber<In>, Publisher<Out> {}

const subscriberMethods = ['onSubscribe', 'onNext', 'onError', 'onComplete'] as const

export function isPublisher<T>(value: unknown): value is Publisher<T> {
  return hasMethods(value, ['subscribe'])
}

export function isSubscriber<T>(value: unknown): value is ReactiveSubscriber<T> {
  return hasMethods(value, subscriberMethods)
}

export function isSubscription(value: unknown): value is ReactiveSubscription {
  return hasMethods(value, ['request', 'cancel'])
}

function hasMethods(value: unknown, methods: readonly string[]): boolean {
  if (typeof value !== 'object' || value === null) return false
  return methods.every(method => typeof (value as Readonly<Record<string, unknown>>)[method] === 'function')
}
