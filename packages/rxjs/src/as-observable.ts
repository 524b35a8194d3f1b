import {
  consumer,
  GenStageError,
  isGraceful,
  type ProducerRef,
  type Reason,
  start,
  type SubscriptionOptions,
} from '@genstage/core'
import {
  abortSignal,
  badOption,
  optionsWithout,
  ownOptions,
  type OwnOptions,
  wholeNumber,
  whenKilled,
} from '@genstage/core/adapters'
import { addressOf } from '@genstage/core/protocol'
import { Observable, type Subscriber } from 'rxjs'
import { failureOf } from './failure-of.ts'

/** Options of `asObservable`: those of each subscription that is made, and a signal. */
export interface AsObservableOptions<out Event> extends Omit<SubscriptionOptions<Event>, 'cancel' | 'resubscribe' | 'redeliver'> {
  /** Ends all subscriptions, also later ones, with an error: the signal's reason. */
  readonly signal?: AbortSignal
}

/** Options of a subscription that an observer has no use for: it is told of every end, and rxjs has its own ways to start again. */
const notTaken = ['to', 'replaces', 'cancel', 'resubscribe', 'redeliver']

/**
 * A running producer as an Observable. It is cold: each `subscribe` makes a subscription of its own, so the stage's dispatcher decides
 * whether observers share the events or all get the same; unsubscribing cancels it. The events of a batch are emitted synchronously, one
 * after the other, and the next are asked for when `next` has returned for all: at most `maxDemand` (default 1,000) are under way.
 *
 * A good end of the producer completes, a failure is the error, the very one; a stage that is gone or was killed gives `STOPPED`. What an
 * observer throws from `next` is rxjs' affair: it reports it, and goes on.
 *
 * Throws `NOT_A_STAGE`, `NOT_A_PRODUCER`, `BAD_OPTION`.
 *
 * ```ts
 * import { map, take, toArray } from 'rxjs'
 *
 * const numbers = start(fromIterable([1, 2, 3, 4]))
 * asObservable(numbers)
 *   .pipe(take(3), map(number => number * 10), toArray())
 *   .subscribe(all => console.log(all)) // => [ 10, 20, 30 ]
 * ```
 */
export function asObservable<Event>(producer: ProducerRef<Event>, options?: AsObservableOptions<Event>): Observable<Event> {
  const where = 'asObservable'
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
  return new Observable(subscriber => {
    if (signal?.aborted === true) return subscriber.error(signal.reason)
    const onAbort = (): void => subscriber.error(signal?.reason)
    signal?.addEventListener('abort', onAbort, { once: true })
    const stop = read(producer, subscriber, subscription)
    return () => {
      signal?.removeEventListener('abort', onAbort)
      stop()
    }
  })
}

/** A consumer of its own for an observer: it ends with its one subscription. */
function read<Event>(producer: ProducerRef<Event>, subscriber: Subscriber<Event>, options: OwnOptions): () => void {
  const Reader = consumer.of<Event>()((_: void, ctx) => {
    whenKilled(ctx, 'asObservable: the observer could not be told of a kill', () => finish(subscriber, { type: 'killed' }))
    return {
      handleEvents(events) {
        for (const event of events) {
          if (subscriber.closed) return
          subscriber.next(event)
        }
      },
      handleCancel(ended) {
        finish(subscriber, ended.reason)
        ctx.stop()
      },
      terminate: reason => finish(subscriber, reason),
    }
  })
  const reader = start(Reader, { runtime: producer.runtime, subscribeTo: [{ ...options, to: producer, cancel: 'temporary' }] })
  return () => void reader.stop()
}

/** Does nothing to an observer that has had its end, or has unsubscribed. */
function finish(subscriber: Subscriber<unknown>, reason: Reason): void {
  if (isGraceful(reason)) subscriber.complete()
  else subscriber.error(failureOf(reason))
}
