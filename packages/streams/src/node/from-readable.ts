import { type Context, producer, type ProducerCallbacks, type ProducerDefinition, type Reason } from '@genstage/core'
import { oneOf, ownOptions, refuseUnknown } from '@genstage/core/adapters'
import type { Readable } from 'node:stream'
import { end, type Ending, Failure, lossOf, whenKilled } from '../endings.ts'
import { Intake } from './intake.ts'
import { checkReadable, type Made, made } from './node-streams.ts'
import { StreamEnd } from './stream-end.ts'

/** Options of `fromReadable`. */
export interface FromReadableOptions {
  /** `stop`: ends when its last consumer has gone. Default `continue`: it waits for the next one, and goes on where it stopped. */
  readonly onCancel?: 'continue' | 'stop'
}

/** Chunks have arrived. */
const arrived: unique symbol = Symbol('arrived')

type Callbacks<T> = ProducerCallbacks<T, never, unknown, never, typeof arrived | Ending>

/**
 * A producer of the chunks of a Node `Readable`: objects, bytes or text, each as it comes. It takes as many as are asked for; what the
 * stream reads ahead of that is bounded by its own `highWaterMark`. A chunk is an event, so with chunks of bytes subscribe with a
 * `maxDemand` of a few: a thousand of 64 KiB are 64 MB.
 *
 * It ends `normal` behind the last chunk. An error of the stream, and one that it was closed too early (`ERR_STREAM_PREMATURE_CLOSE`), ends
 * it with that very error, behind the chunks before it. When the stage ends first, it destroys the stream and waits until that is closed.
 *
 * Refuses with `BAD_SOURCE` what is no `Readable`, or one that is destroyed, has failed or ended, or is being read by somebody else: a
 * stream at the call, what a function makes at the start (as the failure of the stage). Throws `BAD_OPTION`.
 *
 * ```ts
 * import { Readable } from 'node:stream'
 *
 * const letters = start(fromReadable<string>(() => Readable.from(['a', 'b', 'c'])))
 * for await (const letter of letters.stream({ cancel: 'transient' })) console.log(letter)
 * // => a
 * // => b
 * // => c
 * ```
 */
export function fromReadable<T = unknown>(source: Made<Readable>, options?: FromReadableOptions): ProducerDefinition<T> {
  const where = 'fromReadable'
  const own = ownOptions(where, options)
  refuseUnknown(where, own, ['onCancel'])
  const onCancel = oneOf(where, own, 'onCancel', ['continue', 'stop'], 'continue')
  if (typeof source !== 'function') checkReadable(where, source)
  return producer((_: void, ctx): ProducerCallbacks<T, never, unknown, never, never> => {
    const readable: unknown = made(source)
    checkReadable(where, readable)
    let consumers = 0
    return {
      ...readOnDemand<T>(readable, ctx),
      handleSubscribe() {
        consumers++
      },
      handleCancel() {
        consumers--
        if (consumers === 0 && onCancel === 'stop') ctx.stop()
      },
    } satisfies Callbacks<T>
  })
}

function readOnDemand<T>(readable: Readable, ctx: Context): Callbacks<T> {
  const intake = new Intake(readable, () => ctx.self.send(arrived))
  const streamEnd = new StreamEnd(readable, { writable: false }, error => {
    intake.close()
    // Behind the message that chunks have arrived, if there is one, and behind what nobody has asked for
    ctx.self.send(error === undefined ? end : new Failure(error))
  })

  async function close(reason: Reason): Promise<void> {
    intake.close()
    ctx.discard(intake.handOn(), lossOf(reason))
    await streamEnd.destroy()
  }

  let isEnding = false
  whenKilled(ctx, close)
  return {
    handleDemand(demand) {
      intake.want(demand)
    },
    handleInfo(message) {
      if (message === arrived) return intake.handOn() as readonly T[]
      if (!isEnding) {
        // Once more, to keep its place behind what is in the buffer
        isEnding = true
        return ctx.self.asyncInfo(message)
      }
      if (message instanceof Failure) throw message.error
      ctx.stop()
    },
    terminate: close,
  }
}
