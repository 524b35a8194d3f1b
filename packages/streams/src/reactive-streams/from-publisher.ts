import { GenStageError, producer, type ProducerDefinition } from '@genstage/core'
import { oneOf, ownOptions, refuseUnknown, show } from '@genstage/core/adapters'
import { Intake } from './intake.ts'
import { isPublisher, type Publisher } from './types.ts'

/** A publisher, or a function that makes one: with a function, a restart begins anew. */
export type PublisherSource<T> = Publisher<T> | (() => Publisher<T>)

/** Options of `fromPublisher`. */
export interface FromPublisherOptions {
  /** `stop`: ends when its last consumer has gone. Default `continue`. */
  readonly onCancel?: 'continue' | 'stop'
}

/**
 * A producer that requests from a publisher exactly what it is asked for. It subscribes when the stage is set up, ends `normal` when the
 * publisher completes, and with the publisher's own error when that fails; both behind the last event. When the stage ends first, the
 * subscription is cancelled, once.
 *
 * Refuses what has no method `subscribe` with `BAD_SOURCE`, here or, for a function, at the start. What `subscribe` throws fails the start.
 *
 * ```ts
 * const threeNumbers: Publisher<number> = {
 *   subscribe(subscriber) {
 *     let next = 1
 *     subscriber.onSubscribe({
 *       request(n) {
 *         for (let left = n; left > 0 && next <= 3; left--) subscriber.onNext(next++)
 *         if (next > 3) subscriber.onComplete()
 *       },
 *       cancel() {},
 *     })
 *   },
 * }
 * const numbers = start(fromPublisher(threeNumbers))
 * for await (const number of numbers.stream({ cancel: 'transient' })) console.log(number)
 * // => 1
 * // => 2
 * // => 3
 * ```
 */
export function fromPublisher<T>(source: PublisherSource<T>, options?: FromPublisherOptions): ProducerDefinition<T> {
  const where = 'fromPublisher'
  const own = ownOptions(where, options)
  refuseUnknown(where, own, ['onCancel'])
  const onCancel = oneOf(where, own, 'onCancel', ['continue', 'stop'], 'continue')
  if (typeof source !== 'function' && !isPublisher(source)) throw notPublisher(source)
  return producer((_: void, ctx) => {
    const publisher = typeof source === 'function' ? source() : source
    if (!isPublisher<T>(publisher)) throw notPublisher(publisher)
    const intake = new Intake<T>(where)
    const callbacks = intake.callbacks(ctx, onCancel)
    publisher.subscribe(intake)
    return callbacks
  })
}

function notPublisher(source: unknown): GenStageError {
  return new GenStageError(
    'BAD_SOURCE',
    `fromPublisher: the source must have a method subscribe (or be a function that makes such an object), not ${show(source)}`,
  )
}
