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
import type { Writable } from 'node:stream'
import { Failure, whenKilled } from '../endings.ts'
import { failureOf } from './failure.ts'
import { Feed } from './feed.ts'
import { checkWritable, type Made, made } from './node-streams.ts'
import { StreamEnd } from './stream-end.ts'

/** Options of `toWritable`. */
export interface ToWritableOptions {
  /**
   * Whether the stream ends with the stage: `end()` at a graceful end, `destroy(error)` at a failure. With false it is left open in both
   * cases, for whoever writes next; so for `process.stdout`. Default true.
   */
  readonly end?: boolean
}

/**
 * A consumer that writes its events into a Node `Writable`. When `write` answers false it waits for `drain`, also behind the last event of
 * a batch: a slow stream slows the producer down. A chunk is an event, so with chunks of bytes subscribe with a `maxDemand` of a few.
 *
 * A graceful end of the stage ends the stream, and waits until that has taken all and is closed. A failure destroys it with the error. An
 * error of the stream ends the stage with that very error, also while nothing is written; so does a close before the end
 * (`ERR_STREAM_PREMATURE_CLOSE`).
 *
 * Refuses with `BAD_SINK` what is no `Writable`, or one that is destroyed, has failed or ended: a stream at the call, what a function makes
 * at the start (as the failure of the stage). An event that is `null` fails the stage with `BAD_SINK`, one that the stream does not take
 * with the error of the stream (`ERR_INVALID_ARG_TYPE`: an object for a stream of bytes). Throws `BAD_OPTION`.
 *
 * ```ts
 * import { Writable } from 'node:stream'
 *
 * const sink = new Writable({
 *   objectMode: true,
 *   write(word, _encoding, done) {
 *     console.log(word)
 *     done()
 *   },
 * })
 * await start(toWritable(sink), { subscribeTo: [start(fromIterable(['one', 'two']))] }).done
 * // => one
 * // => two
 * console.log(sink.writableFinished) // => true
 * ```
 */
export function toWritable<T = unknown>(sink: Made<Writable>, options?: ToWritableOptions): ConsumerDefinition<T> {
  const where = 'toWritable'
  const own = ownOptions(where, options)
  refuseUnknown(where, own, ['end'])
  const { end = true } = own
  if (typeof end !== 'boolean') throw badOption(where, 'end', end, 'true or false')
  if (typeof sink !== 'function') checkWritable(where, sink)
  return consumer((_: void, ctx): ConsumerCallbacks<T, never, unknown, never, never> => {
    const writable: unknown = made(sink)
    checkWritable(where, writable)
    return writeInTurn<T>(where, writable, ctx, end) satisfies ConsumerCallbacks<T, never, unknown, never, Failure>
  })
}

function writeInTurn<T>(
  where: string,
  writable: Writable,
  ctx: Context,
  ends: boolean,
): ConsumerCallbacks<T, never, unknown, never, Failure> {
  const feed = new Feed(where, writable)
  const streamEnd = new StreamEnd(writable, { readable: false }, error => {
    const failure = error ?? endedByOthers(where)
    feed.fail(failure)
    ctx.self.send(new Failure(failure))
  })

  function close(reason: Reason): Promise<void> | void {
    feed.close()
    if (!ends) return streamEnd.release()
    return isGraceful(reason) ? streamEnd.end() : streamEnd.destroy(failureOf(reason))
  }

  whenKilled(ctx, async reason => close(reason))
  return {
    handleEvents: events => feed.write(events),
    handleInfo({ error }) {
      throw error
    },
    terminate: close,
  }
}

function endedByOthers(where: string): GenStageError {
  return new GenStageError('BAD_SINK', `${where}: somebody else has ended the stream; nothing can be written any more`)
}
