import { type CancelMode, type ConsumerRef, GenStageError, type Reason } from '@genstage/core'
import { abortSignal, oneOf, ownOptions, refuseUnknown, show } from '@genstage/core/adapters'
import { addressOf } from '@genstage/core/protocol'
import { Writable } from 'node:stream'
import { Outflow } from './outflow.ts'
import { checkDemand, streamPart } from './subscription-options.ts'

/** Options of `asWritable`: those of the subscription, and of the stream. */
export interface AsWritableOptions {
  /** The most events in flight, at least 1. Default 1,000. */
  readonly maxDemand?: number
  /** The consumer asks again when demand is at or below this. Default half of `maxDemand`, rounded down. */
  readonly minDemand?: number
  /** Whether the consumer ends with the stream: always / only if it is destroyed before its end / never. Default `permanent`. */
  readonly cancel?: CancelMode
  /** False for a stream of bytes: then the events are buffers. Default true. */
  readonly objectMode?: boolean
  /** How much may wait in the stream before `write` answers false: events, or bytes. Default that of Node: 16, or 16 KiB. */
  readonly highWaterMark?: number
  /** Destroys the stream with an `AbortError`. */
  readonly signal?: AbortSignal
}

/**
 * A running consumer as a Node `Writable`: what is written arrives as its events. The consumer subscribes when something is first written.
 * When it wants no more, `highWaterMark` chunks may wait, then `write` answers false; `drain` comes when it has asked again.
 *
 * `end()` ends the subscription with `normal`, and `finish` comes when the consumer has handled all (a stage in the middle: when it has taken
 * all in). Destroyed before its end, the stream fails the subscription with the error. When the consumer fails, the stream is destroyed with
 * the original error; when it wants no more for another reason, it is destroyed without one, which `pipeline` and `finished` tell of as
 * `ERR_STREAM_PREMATURE_CLOSE`.
 *
 * Throws `NOT_A_STAGE`, `NOT_A_CONSUMER`, `BAD_OPTION`.
 *
 * ```ts
 * import { Readable } from 'node:stream'
 * import { pipeline } from 'node:stream/promises'
 *
 * const Print = consumer(() => ({
 *   handleEvents(words: readonly string[]) {
 *     for (const word of words) console.log(word)
 *   },
 * }))
 * await pipeline(Readable.from(['one', 'two']), asWritable(start(Print)))
 * // => one
 * // => two
 * ```
 */
export function asWritable(ref: ConsumerRef<never>, options?: AsWritableOptions): Writable {
  const where = 'asWritable'
  const own = ownOptions(where, options)
  refuseUnknown(where, own, ['maxDemand', 'minDemand', 'cancel', 'objectMode', 'highWaterMark', 'signal'])
  const cancel = oneOf(where, own, 'cancel', ['permanent', 'transient', 'temporary'], 'permanent')
  const demand = checkDemand(where, own)
  const signal = abortSignal(where, own)
  const stream = streamPart(where, own, { flags: ['objectMode'], sizes: ['highWaterMark'] })
  checkConsumer(where, ref)
  const outflow = new Outflow(where, ref, demand, cancel, writer => writer.destroy())
  return new Writable({
    objectMode: true,
    ...stream,
    ...(signal === undefined ? {} : { signal }),
    write(chunk, _encoding, done) {
      outflow.write(this, chunk, done)
    },
    writev(written, done) {
      outflow.writeAll(
        this,
        written.map(({ chunk }): unknown => chunk),
        done,
      )
    },
    final(done) {
      outflow.end(this, done)
    },
    destroy(error, done) {
      outflow.close(this, lossReason(where, error), error !== null)
      done(error)
    },
  })
}

/** Refuses what is no stage (`NOT_A_STAGE`), and what takes no events (`NOT_A_CONSUMER`). */
function checkConsumer(where: string, ref: ConsumerRef<never>): void {
  addressOf(ref)
  if (ref.type === 'consumer' || ref.type === 'producerConsumer') return
  throw new GenStageError('NOT_A_CONSUMER', `${where}: ${show(ref.name ?? ref.id)} is a ${ref.type}: it takes no events`, {
    stage: ref.name ?? ref.id,
  })
}

/** What the consumer is told when the stream is closed before its end: that is no good end, also when nobody has given an error. */
function lossReason(where: string, error: Error | null): Reason {
  const text = `${where}: the stream was destroyed before its end`
  return { type: 'error', error: error ?? new GenStageError('STOPPED', text) }
}
