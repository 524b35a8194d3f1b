import {
  consumer,
  type ConsumerCallbacks,
  type ConsumerDefinition,
  type Context,
  GenStageError,
  isGraceful,
  type Reason,
} from '@genstage/core'
import { badOption, ownOptions, refuseUnknown } from '@genstage/core/adapters'
import { errorOf, Failure, whenKilled } from '../endings.ts'
import { checkWritable, type Made, made } from './web-streams.ts'
import { writeAll } from './write-all.ts'

/** Options of `toWritableStream`. */
export interface ToWritableStreamOptions {
  /**
   * Whether the stream ends with the stage: closed at a graceful end, aborted at a failure. With false it is left open in both cases,
   * for whoever writes next. Default true.
   */
  readonly end?: boolean
}

/**
 * A consumer that writes its events into a web `WritableStream`. It writes when the stream is ready and never past its `desiredSize`;
 * a batch is handled when the stream has taken all of it, so a slow stream slows the producer down.
 *
 * The stream is closed at a graceful end of the stage, which then waits for that; at a failure it is aborted with the error. In any
 * case the lock is released. An error of the stream ends the stage with that very error, also while nothing is written.
 *
 * Refuses what is no `WritableStream`, and one that is locked or closed, with `BAD_SINK`: a stream at the call, what a function makes
 * at the start (as the failure of the stage). Throws `BAD_OPTION`.
 *
 * ```ts
 * const written: number[] = []
 * const sink = new WritableStream<number>({ write: chunk => void written.push(chunk), close: () => console.log('closed') })
 *
 * const numbers = start(fromIterable([1, 2, 3]))
 * await start(toWritableStream(sink), { subscribeTo: [numbers] }).done // => closed
 * console.log(written) // => [ 1, 2, 3 ]
 * ```
 */
export function toWritableStream<T>(sink: Made<WritableStream<T>>, options?: ToWritableStreamOptions): ConsumerDefinition<T> {
  const where = 'toWritableStream'
  const own = ownOptions(where, options)
  refuseUnknown(where, own, ['end'])
  const { end = true } = own
  if (typeof end !== 'boolean') throw badOption(where, 'end', end, 'true or false')
  if (typeof sink !== 'function') checkWritable(where, 'the sink', sink)
  return consumer((_: void, ctx): ConsumerCallbacks<T, never, unknown, never, never> => {
    const stream = made(sink)
    checkWritable(where, 'the sink', stream)
    return writeInTurn(stream.getWriter(), ctx, end) satisfies ConsumerCallbacks<T, never, unknown, never, Failure>
  })
}

function writeInTurn<T>(
  writer: WritableStreamDefaultWriter<T>,
  ctx: Context,
  ends: boolean,
): ConsumerCallbacks<T, never, unknown, never, Failure> {
  let phase: 'open' | 'closing' | 'over' = 'open'

  async function close(reason: Reason): Promise<void> {
    // A kill interrupts a close that is under way
    if (phase === 'over' || (phase === 'closing' && reason.type !== 'killed')) return
    phase = 'closing'
    try {
      // The lock is kept until that is done: a kill aborts it
      if (ends && isGraceful(reason)) await writer.close()
      else if (ends) abort(errorOf(reason))
    } finally {
      phase = 'over'
      writer.releaseLock()
    }
  }

  /** Not waited for: that would take as long as the write in hand. Trouble with it must not hide the failure. */
  function abort(error: unknown): void {
    writer.abort(error).then(undefined, (trouble: unknown) => {
      if (trouble !== error) ctx.logger.warn('toWritableStream: the stream could not be aborted', { error: trouble })
    })
  }

  function finished(error: unknown): void {
    if (phase === 'open') ctx.self.send(new Failure(error))
  }

  // A stream may fail while nobody writes. One that is closed has been so before: from now on nobody else can close it
  writer.closed.then(
    () => finished(new GenStageError('BAD_SINK', 'toWritableStream: the sink must be open, but it is closed')),
    finished,
  )
  whenKilled(ctx, close)
  return {
    handleEvents: events => writeAll(writer, events),
    handleInfo({ error }) {
      throw error
    },
    terminate: close,
  }
}
