import { consumer, type ConsumerDefinition, GenStageError } from '@genstage/core'
import { show } from '@genstage/core/adapters'
import { Delivery } from './delivery.ts'
import { isSubscriber, type ReactiveSubscriber } from './types.ts'

/** A subscriber, or a function that makes one: with a function, a restart begins with a new one. */
export type SubscriberSource<T> = ReactiveSubscriber<T> | (() => ReactiveSubscriber<T>)

/**
 * A consumer that hands its events to a Reactive Streams subscriber, and asks its producer for what that requests, `maxDemand` at a time.
 * `onSubscribe` comes when the stage is set up; `onComplete` when it ends well, `onError` with the original error when it fails. A
 * subscriber that cancels stops the stage; one that throws fails it, and is told nothing more.
 *
 * Refuses what is no subscriber with `BAD_SINK`, here or, for a function, at the start. A subscriber that is no function is good for one
 * start.
 *
 * ```ts
 * const printer: ReactiveSubscriber<string> = {
 *   onSubscribe: subscription => subscription.request(Infinity),
 *   onNext: word => console.log(word), // => hello
 *   onError: error => console.error(error),
 *   onComplete: () => console.log('done'), // => done
 * }
 * await start(toSubscriber(printer), { subscribeTo: [start(fromIterable(['hello']))] }).done
 * ```
 */
export function toSubscriber<T>(subscriber: SubscriberSource<T>): ConsumerDefinition<T> {
  const where = 'toSubscriber'
  if (typeof subscriber !== 'function') requireSubscriber(where, subscriber)
  let isUsed = false
  return consumer.of<T>()((_: void, ctx) => {
    if (typeof subscriber !== 'function' && isUsed) {
      throw new GenStageError('BAD_SINK', `${where}: the subscriber has been used already; give a function that makes one`)
    }
    isUsed = true
    const made = typeof subscriber === 'function' ? subscriber() : subscriber
    requireSubscriber(where, made)
    const delivery = new Delivery(ctx, made)
    return {
      handleSubscribe(from) {
        delivery.join(from)
        return 'manual'
      },
      handleEvents: (events, from) => delivery.deliver(events, from),
      handleInfo: (_message: never) => delivery.told(),
      handleCancel: (_ended, from) => delivery.leave(from),
      terminate: reason => delivery.finish(reason),
    }
  })
}

/** Refuses what has not the four methods (RS-1.9 for none at all). */
export function requireSubscriber(where: string, subscriber: unknown): void {
  if (isSubscriber(subscriber)) return
  const methods = 'onSubscribe, onNext, onError and onComplete'
  throw new GenStageError('BAD_SINK', `${where}: a subscriber must have the methods ${methods}: this is ${show(subscriber)}`)
}
