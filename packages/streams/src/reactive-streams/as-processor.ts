import type { ProducerConsumerRef } from '@genstage/core'
import { asPublisher } from './as-publisher.ts'
import { asSubscriber, type AsSubscriberOptions } from './as-subscriber.ts'
import type { Processor } from './types.ts'

/**
 * A running stage in the middle as a Reactive Streams processor: `asSubscriber` and `asPublisher` in one, for a publisher above it and
 * subscribers below. The options are those of `asSubscriber`; the signal ends both sides.
 *
 * ```ts
 * const Double = producerConsumer(() => ({
 *   handleEvents: (numbers: readonly number[]) => numbers.map(number => number * 2),
 * }))
 * const double = asProcessor(start(Double))
 * asPublisher(start(fromIterable([1, 2]))).subscribe(double)
 * await start(toSubscriber<number>({
 *   onSubscribe: subscription => subscription.request(2),
 *   onNext: number => console.log(number),
 *   onError: error => console.error(error),
 *   onComplete() {},
 * }), { subscribeTo: [start(fromPublisher(double))] }).done
 * // => 2
 * // => 4
 * ```
 */
export function asProcessor<In, Out>(stage: ProducerConsumerRef<In, Out>, options: AsSubscriberOptions = {}): Processor<In, Out> {
  const subscriber = asSubscriber<In>(stage, options)
  const { signal } = options
  const publisher = asPublisher<Out>(stage, signal === undefined ? {} : { signal })
  return { ...subscriber, subscribe: downstream => publisher.subscribe(downstream) }
}
