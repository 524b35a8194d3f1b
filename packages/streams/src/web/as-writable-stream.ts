import { type ConsumerRef, GenStageError, isGraceful, type Reason, type SubscriptionOptions } from '@genstage/core'
import { abortSignal, oneOf, optionsWithout, type OwnOptions, ownOptions, refuseUnknown } from '@genstage/core/adapters'
import { addressOf } from '@genstage/core/protocol'
import { errorOf } from '../endings.ts'
import { type Inlet, openInlet } from './inlet.ts'
import { checkDemand, strategyOf, whenAborted } from './stream-options.ts'

/** Options of `asWritableStream`: those of the subscription that the stage makes, and those of the stream's own queue. */
export interface AsWritableStreamOptions<in In> extends Pick<SubscriptionOptions, 'maxDemand' | 'minDemand' | 'cancel'> {
  /** Up to which size chunks wait in the stream's own queue for the stage to ask. Default 1. */
  readonly highWaterMark?: number
  /** The size of a chunk in that queue. Default 1. */
  size?(chunk: In): number
  /** Aborts the stream, and errors it with the signal's reason. */
  readonly signal?: AbortSignal
}

/** Names of the options. */
const known = ['maxDemand', 'minDemand', 'cancel', 'highWaterMark', 'size', 'signal']

/**
 * A running consumer as a web `WritableStream`: what is written becomes its events. The stage subscribes at the first write; a write is
 * done when the stage has asked for an event, so a slow stage slows the writer down.
 *
 * Closing ends the subscription behind what was written, and resolves when the stage has handled all of it. Aborting ends it with
 * the error of the abort. What then becomes of the stage is told by `cancel`, as with any producer: a `permanent` consumer, the
 * default, ends with the stream, a `temporary` one lives on. A stage that ends first errors the stream, with the very error if it has
 * failed, with `STOPPED` otherwise.
 *
 * Throws `BAD_OPTION`, and `NOT_A_STAGE` or `NOT_A_CONSUMER` for what takes no events.
 *
 * ```ts
 * const Print = consumer(() => ({
 *   handleEvents(texts: readonly string[]) {
 *     for (const text of texts) console.log(text)
 *   },
 * }))
 * const printer = start(Print)
 * const texts = new Blob(['one text']).stream().pipeThrough(new TextDecoderStream())
 * await texts.pipeTo(asWritableStream(printer)) // => one text
 * console.log((await printer.exited).type) // => normal
 * ```
 */
export function asWritableStream<In>(ref: ConsumerRef<In>, options?: AsWritableStreamOptions<In>): WritableStream<In> {
  return writableInto('asWritableStream', ref, ownOptions('asWritableStream', options), () => {}).stream
}

/** A writable stream, and the way to error it from behind. */
export interface WritableInto<in In> {
  readonly stream: WritableStream<In>
  error(reason: unknown): void
}

/** The same, and tells when all has been written and taken. */
export function writableInto<In>(where: string, ref: ConsumerRef<In>, own: OwnOptions, onClosed: () => void): WritableInto<In> {
  refuseUnknown(where, own, known)
  const { type } = addressOf(ref).ref
  if (type !== 'consumer' && type !== 'producerConsumer') {
    throw new GenStageError('NOT_A_CONSUMER', `${where}: the stage must be a consumer, not a ${type}`)
  }
  const strategy = strategyOf<In>(where, own, 1)
  const signal = abortSignal(where, own)
  checkDemand(where, own)
  oneOf(where, own, 'cancel', ['permanent', 'transient', 'temporary'], 'permanent')
  const subscription = optionsWithout(own, 'highWaterMark', 'size', 'signal')
  let controller: WritableStreamDefaultController | undefined
  let inlet: Inlet<In> | undefined
  /** Whether it has been closed: what becomes of that, the close tells. */
  let isClosing = false
  let unfollow = (): void => {}

  // It may end before it has been written to: then there is no subscription that would tell
  const watch = ref.monitor(({ reason }) => error(goneFor(where, reason)))

  /** The stage subscribes when there is something to tell it. */
  function open(): Inlet<In> {
    if (inlet !== undefined) return inlet
    watch.cancel()
    inlet = openInlet(ref, subscription)
    void inlet.ended.then(reason => isClosing || error(goneFor(where, reason)))
    return inlet
  }

  function error(reason: unknown): void {
    unfollow()
    controller?.error(reason)
    inlet?.fail(reason)
  }

  function abort(reason: unknown): void {
    unfollow()
    open().fail(reason ?? new DOMException('the stream was aborted', 'AbortError'))
  }

  const stream = new WritableStream<In>(
    {
      start(given) {
        controller = given
        // A write that waits would hold the abort up
        given.signal.addEventListener('abort', () => inlet?.fail(given.signal.reason), { once: true })
        unfollow = whenAborted(signal, reason => {
          given.error(reason)
          abort(reason)
        })
      },
      write: chunk => open().write(chunk),
      async close() {
        isClosing = true
        open().end()
        const reason = await open().ended
        unfollow()
        if (!isGraceful(reason)) throw errorOf(reason)
        onClosed()
      },
      abort,
    },
    strategy,
  )
  return { stream, error }
}

/** What the writer is told when the stage is not there any more. */
function goneFor(where: string, reason: Reason): unknown {
  if (!isGraceful(reason)) return errorOf(reason)
  return new GenStageError('STOPPED', `${where}: the stage takes no more events, its subscription has ended`, { reason })
}
