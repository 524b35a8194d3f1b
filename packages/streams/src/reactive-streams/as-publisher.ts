import {
  consumer,
  type ConsumerDefinition,
  GenStageError,
  type ProducerRef,
  start,
  type SubscriptionOptions,
} from '@genstage/core'
import { abortSignal, badOption, optionsWithout, ownOptions, wholeNumber } from '@genstage/core/adapters'
import { addressOf } from '@genstage/core/protocol'
import { Delivery } from './delivery.ts'
import { requireSubscriber } from './to-subscriber.ts'
import type { Publisher, ReactiveSubscriber } from './types.ts'

/** Options of `asPublisher`: those of each subscription that is made, for the dispatcher; and a signal. */
export interface AsPublisherOptions<out Event> extends Omit<SubscriptionOptions<Event>, 'cancel' | 'resubscribe' | 'redeliver'> {
  /** Ends all subscriptions, also later ones, with `onError` and the signal's reason. */
  readonly signal?: AbortSignal
}

/** Options of a subscription that a subscriber has no use for: it is told of every end, and starts nothing again. */
const notTaken = ['to', 'replaces', 'cancel', 'resubscribe', 'redeliver']

/**
 * A running producer as a Reactive Streams publisher. Each subscriber has a subscription of its own, so the stage's dispatcher decides
 * whether they share the events or all get the same. The producer is asked for what is requested and never more, at most `maxDemand`
 * (default 1,000) at a time.
 *
 * A good end of the producer is `onComplete`, a failure `onError` with the original error; a stage that is gone, or was killed,
 * `onError` with `STOPPED`; a request for anything but a number of events from 1, `onError` with `BAD_DEMAND`. A subscriber that throws is told
 * nothing more, and the failure is raised as that of a stage.
 *
 * Throws `NOT_A_STAGE`, `NOT_A_PRODUCER`, `BAD_OPTION`; its `subscribe` throws `BAD_SINK` for what is no subscriber.
 *
 * ```ts
 * const publisher = asPublisher(start(fromIterable(['a', 'b', 'c'])))
 * publisher.subscribe({
 *   onSubscribe: subscription => subscription.request(2),
 *   onNext: letter => console.log(letter), // => a
 *   // => b
 *   onError: error => console.error(error),
 *   onComplete() {}, // never called: c was not requested
 * })
 * ```
 */
export function asPublisher<Event>(producer: ProducerRef<Event>, options?: AsPublisherOptions<Event>): Publisher<Event> {
  const where = 'asPublisher'
  addressOf(producer)
  if (producer.type !== 'producer' && producer.type !== 'producerConsumer') {
    throw new GenStageError('NOT_A_PRODUCER', `${where}: the stage must be a producer, not a ${producer.type}`)
  }
  const own = ownOptions(where, options)
  for (const option of notTaken) if (option in own) throw badOption(where, option, own[option], 'left out')
  const maxDemand = wholeNumber(where, own, 'maxDemand', 1_000, { min: 1 })
  const minDemand = wholeNumber(where, own, 'minDemand', Math.floor(maxDemand / 2), { min: 0 })
  if (minDemand >= maxDemand) throw badOption(where, 'minDemand', minDemand, `below maxDemand (${maxDemand})`)
  const signal = abortSignal(where, own)
  const subscription = optionsWithout(own, 'signal')
  const Reader = reader<Event>(signal)
  return {
    subscribe(subscriber) {
      requireSubscriber(`${where}: subscribe`, subscriber)
      const subscribeTo = [{ ...subscription, to: producer, cancel: 'temporary' as const }]
      start(Reader, { arg: subscriber, runtime: producer.runtime, subscribeTo })
    },
  }
}

/** A consumer for one subscriber, which is its argument, so that nothing else holds it: it ends with its one subscription. */
function reader<Event>(signal: AbortSignal | undefined): ConsumerDefinition<Event, ReactiveSubscriber<Event>> {
  return consumer.of<Event>()((subscriber: ReactiveSubscriber<Event>, ctx) => {
    const delivery = new Delivery(ctx, subscriber)
    const onAbort = (): void => {
      delivery.fail(signal?.reason)
      ctx.stop()
    }
    if (signal?.aborted === true) onAbort()
    signal?.addEventListener('abort', onAbort, { once: true })
    ctx.signal.addEventListener('abort', () => signal?.removeEventListener('abort', onAbort), { once: true })
    return {
      handleSubscribe(from) {
        delivery.join(from)
        return 'manual'
      },
      handleEvents: (events, from) => delivery.deliver(events, from),
      handleInfo: (_message: never) => delivery.told(),
      handleCancel(ended) {
        delivery.finish(ended.reason)
        ctx.stop()
      },
      terminate(reason) {
        signal?.removeEventListener('abort', onAbort)
        delivery.finish(reason)
      },
    }
  })
}
