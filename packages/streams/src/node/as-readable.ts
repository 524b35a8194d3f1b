import { GenStageError, normal, type ProducerRef, type Reason } from '@genstage/core'
import { abortSignal, ownOptions, show } from '@genstage/core/adapters'
import { addressOf } from '@genstage/core/protocol'
import { Readable } from 'node:stream'
import { Inflow } from './inflow.ts'
import { checkDemand, streamPart, type StreamSubscriptionOptions, subscriptionPart } from './subscription-options.ts'

/** Options of `asReadable`: those of the subscription, and of the stream. */
export interface AsReadableOptions<Event = unknown> extends StreamSubscriptionOptions<Event> {
  /** False for a stream of bytes: then the events must be text, buffers or typed arrays. Default true. */
  readonly objectMode?: boolean
  /** How much the stream reads ahead: events, or bytes. Default that of Node: 16, or 64 KiB. */
  readonly highWaterMark?: number
  /** Destroys the stream with an `AbortError`. */
  readonly signal?: AbortSignal
}

/**
 * A running stage as a Node `Readable`, for `pipe`, `pipeline`, `compose`, `for await`. It subscribes when it is first read, asks for no more
 * than `maxDemand`, and asks again only as the stream is read: a slow reader slows the producer down.
 *
 * When the producer ends well the stream ends behind the last event; when it fails, the stream is destroyed with the original error. When the
 * stream is destroyed, by whomever, the subscription is cancelled, and the stage lives on; events that were on the way are dropped. An event
 * that is `null` destroys the stream with `BAD_SINK`, and in a stream of bytes one that is no bytes with `ERR_INVALID_ARG_TYPE`.
 *
 * With events of bytes give a `maxDemand` of a few. Throws `NOT_A_STAGE`, `NOT_A_PRODUCER`, `BAD_OPTION`.
 *
 * ```ts
 * const numbers = start(fromIterable([1, 2, 3]))
 * const readable = asReadable(numbers)
 * console.log(await readable.map((number: number) => number * 2).toArray()) // => [ 2, 4, 6 ]
 * ```
 */
export function asReadable<Event>(ref: ProducerRef<Event>, options?: AsReadableOptions<Event>): Readable {
  const where = 'asReadable'
  const own = ownOptions(where, options)
  const names = { flags: ['objectMode'], sizes: ['highWaterMark'] }
  const forProducer = subscriptionPart(where, own, [...names.flags, ...names.sizes, 'signal'])
  const demand = checkDemand(where, own)
  const signal = abortSignal(where, own)
  const stream = streamPart(where, own, names)
  checkProducer(where, ref)
  const inflow = new Inflow(where, ref, forProducer, demand)
  return new Readable({
    objectMode: true,
    ...stream,
    ...(signal === undefined ? {} : { signal }),
    read() {
      inflow.read(this)
    },
    destroy(error, done) {
      inflow.close(cancelReason(error))
      done(error)
    },
  })
}

/** Refuses what is no stage (`NOT_A_STAGE`), and what nothing can be read from (`NOT_A_PRODUCER`). */
function checkProducer(where: string, ref: ProducerRef<unknown>): void {
  addressOf(ref)
  if (ref.type === 'producer' || ref.type === 'producerConsumer') return
  throw new GenStageError(
    'NOT_A_PRODUCER',
    `${where}: ${show(ref.name ?? ref.id)} is a ${ref.type}: there is nothing to read from it`,
    {
      stage: ref.name ?? ref.id,
    },
  )
}

/** Why the subscription of a stream is cancelled. */
function cancelReason(error: Error | null): Reason {
  return error === null ? normal : { type: 'error', error }
}
