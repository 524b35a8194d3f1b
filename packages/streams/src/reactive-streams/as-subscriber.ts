import { type ConsumerRef, GenStageError, producer, start } from '@genstage/core'
import { abortSignal, badOption, oneOf, ownOptions, refuseUnknown, wholeNumber } from '@genstage/core/adapters'
import { addressOf } from '@genstage/core/protocol'
import { Intake } from './intake.ts'
import type { ReactiveSubscriber } from './types.ts'

/** Options of `asSubscriber`. */
export interface AsSubscriberOptions {
  /** The most events requested and not yet handled. Default 1,000. */
  readonly maxDemand?: number
  /** Requests again when so many or fewer are on their way. Default half of `maxDemand`. */
  readonly minDemand?: number
  /** Whether the consumer ends with the publisher. Default `permanent`: it does. */
  readonly cancel?: 'permanent' | 'transient' | 'temporary'
  /** Cancels the subscription when aborted; for the consumer its producer has then shut down. */
  readonly signal?: AbortSignal
}

/**
 * A running consumer as a Reactive Streams subscriber: `publisher.subscribe(asSubscriber(ref))`. Nothing happens before that. Then the
 * consumer has one more subscription, whose demand is what is requested; it ends with the publisher's completion or error, and if the
 * consumer ends first, or cancels, the publisher is told. A subscriber is good for one publisher: a second one is cancelled at once.
 *
 * Throws `NOT_A_STAGE`, `NOT_A_CONSUMER`, `BAD_OPTION`.
 *
 * ```ts
 * const Print = consumer(() => ({
 *   handleEvents(words: readonly string[]) {
 *     for (const word of words) console.log(word) // => hello
 *   },
 * }))
 * const print = start(Print)
 * const publisher = asPublisher(start(fromIterable(['hello'])))
 * publisher.subscribe(asSubscriber(print))
 * await print.done
 * ```
 */
export function asSubscriber<T>(consumer: ConsumerRef<T>, options?: AsSubscriberOptions): ReactiveSubscriber<T> {
  const where = 'asSubscriber'
  addressOf(consumer)
  if (consumer.type !== 'consumer' && consumer.type !== 'producerConsumer') {
    throw new GenStageError('NOT_A_CONSUMER', `${where}: the stage must be a consumer, not a ${consumer.type}`)
  }
  const own = ownOptions(where, options)
  refuseUnknown(where, own, ['maxDemand', 'minDemand', 'cancel', 'signal'])
  const maxDemand = wholeNumber(where, own, 'maxDemand', 1_000, { min: 1 })
  const minDemand = wholeNumber(where, own, 'minDemand', Math.floor(maxDemand / 2), { min: 0 })
  if (minDemand >= maxDemand) throw badOption(where, 'minDemand', minDemand, `below maxDemand (${maxDemand})`)
  const cancel = oneOf(where, own, 'cancel', ['permanent', 'transient', 'temporary'], 'permanent')
  const signal = abortSignal(where, own)
  const intake = new Intake<T>(where)
  let isUsed = false
  return {
    onSubscribe(subscription) {
      if (signal?.aborted === true) intake.close('stopped')
      intake.onSubscribe(subscription)
      if (isUsed || signal?.aborted === true) return
      isUsed = true
      const Source = producer((_: void, ctx) => intake.callbacks(ctx, 'stop'))
      const source = start(Source, { runtime: consumer.runtime, ...(signal === undefined ? {} : { signal }) })
      // Its failure is told to the consumer and the log: that is where somebody watches
      source.monitor(() => intake.close('stopped'))
      const link = consumer.subscribe({ to: source, maxDemand, minDemand, cancel })
      // Also of a consumer that had ended before, and so never subscribes
      void link.ended.then(() => source.stop())
    },
    onNext: event => intake.onNext(event),
    onError: error => intake.onError(error),
    onComplete: () => intake.onComplete(),
  }
}
