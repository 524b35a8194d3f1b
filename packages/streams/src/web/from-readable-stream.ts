import { type Context, normal, producer, type ProducerCallbacks, type ProducerDefinition, type Reason } from '@genstage/core'
import { oneOf, ownOptions, refuseUnknown } from '@genstage/core/adapters'
import { ChunkReader } from './chunk-reader.ts'
import { closed, end, type Ending, Failure, lossOf, whenKilled } from '../endings.ts'
import { checkReadable, type Made, made } from './web-streams.ts'

/** Options of `fromReadableStream`. */
export interface FromReadableStreamOptions {
  /** `stop`: ends when its last consumer has gone. Default `continue`: it waits for the next one, and goes on where it stopped. */
  readonly onCancel?: 'continue' | 'stop'
}

/** Chunks have arrived. */
const arrived: unique symbol = Symbol('arrived')

type Callbacks<T> = ProducerCallbacks<T, never, unknown, never, typeof arrived | Ending>

/**
 * A producer of the chunks of a web `ReadableStream`, of bytes or of anything. It never reads more than is asked for, hands on what
 * has come, and ends `normal` behind the last chunk. An error of the stream ends it with that very error.
 *
 * When the stage ends first, the stream is cancelled, with the error if the stage has failed; in any case the lock is released. A
 * stream that somebody has read a part of goes on behind that part.
 *
 * Refuses what is no `ReadableStream`, and one that is locked, with `BAD_SOURCE`: a stream at the call, what a function makes at the
 * start (as the failure of the stage).
 *
 * ```ts
 * const body = start(fromReadableStream(() => new Blob(['one ', 'two']).stream().pipeThrough(new TextDecoderStream())))
 * let text = ''
 * for await (const chunk of body.stream({ cancel: 'transient' })) text += chunk
 * console.log(text) // => one two
 * ```
 */
export function fromReadableStream<T>(
  source: Made<ReadableStream<T>>,
  options?: FromReadableStreamOptions,
): ProducerDefinition<T> {
  const where = 'fromReadableStream'
  const own = ownOptions(where, options)
  refuseUnknown(where, own, ['onCancel'])
  const onCancel = oneOf(where, own, 'onCancel', ['continue', 'stop'], 'continue')
  if (typeof source !== 'function') checkReadable(where, 'the source', source)
  return producer((_: void, ctx): ProducerCallbacks<T, never, unknown, never, never> => {
    const stream = made(source)
    checkReadable(where, 'the source', stream)
    let consumers = 0
    return {
      ...readOnDemand(stream.getReader(), ctx),
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

function readOnDemand<T>(reader: ReadableStreamDefaultReader<T>, ctx: Context): Callbacks<T> {
  let endedAs: Reason | undefined
  const chunks = new ChunkReader(reader, {
    arrived: () => ctx.self.send(arrived),
    lost: chunk => ctx.discard([chunk], lossOf(endedAs ?? normal)),
  })
  // What has been read is handed on by a drain
  ctx.stopping.addEventListener('abort', () => chunks.pause(), { once: true })

  function close(reason: Reason): Promise<void> {
    endedAs = reason
    ctx.discard(chunks.handOn(), lossOf(reason))
    return closed(ctx, reason, chunks.close(reason))
  }

  whenKilled(ctx, close)
  return {
    handleDemand: demand => chunks.want(demand),
    handleInfo(message) {
      if (message instanceof Failure) throw message.error
      if (message === end) return ctx.stop()
      if (chunks.ending !== undefined) ctx.self.asyncInfo(chunks.ending)
      return chunks.handOn()
    },
    terminate: close,
  }
}
