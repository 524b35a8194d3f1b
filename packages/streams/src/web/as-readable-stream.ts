import { isGraceful, type ProducerRef, type Reason, type SubscriptionOptions } from '@genstage/core'
import { abortSignal, optionsWithout, type OwnOptions, ownOptions, refuseUnknown } from '@genstage/core/adapters'
import { addressOf } from '@genstage/core/protocol'
import { errorOf } from '../endings.ts'
import { StageReader, type Taker } from './stage-reader.ts'
import { checkDemand, strategyOf, whenAborted } from './stream-options.ts'

/** Options of `asReadableStream`: those of the subscription, and those of the stream's own queue. */
export interface AsReadableStreamOptions<out Event> extends Omit<
  SubscriptionOptions<Event>,
  'cancel' | 'resubscribe' | 'redeliver'
> {
  /** Up to which size events wait in the stream's own queue before somebody reads. Default 0: nothing happens until somebody reads. */
  readonly highWaterMark?: number
  /** The size of an event in that queue: `chunk => chunk.byteLength`, say. Default 1. */
  size?(event: Event): number
  /** Cancels the subscription, and errors the stream with the signal's reason. */
  readonly signal?: AbortSignal
}

const known = ['maxDemand', 'minDemand', 'selector', 'partition', 'weight', 'highWaterMark', 'size', 'signal']

/** Options of other readers and of stages, which mean nothing here. What else is in the options is for the producer to judge. */
const notForStreams = ['cancel', 'resubscribe', 'redeliver', 'runtime', 'demand', 'producers']

/**
 * A running stage as a web `ReadableStream` of its events. It subscribes when it is first read, asks for more as it is read, and closes
 * when the stage has ended gracefully. A stage that fails errors it with the very error that it failed with.
 *
 * Cancelling the stream cancels the subscription and waits for the confirmation; the stage lives on. An abort of `signal` does the
 * same, and errors the stream with the signal's reason. Throws `BAD_OPTION`, and `NOT_A_STAGE` or `NOT_A_PRODUCER` for what has no
 * events.
 *
 * ```ts
 * const numbers = start(fromIterable(['one ', 'two ', 'three']))
 * const bytes = asReadableStream(numbers).pipeThrough(new TextEncoderStream())
 * console.log(await new Response(bytes).text()) // => one two three
 * ```
 */
export function asReadableStream<Out>(ref: ProducerRef<Out>, options?: AsReadableStreamOptions<Out>): ReadableStream<Out> {
  const where = 'asReadableStream'
  return readableFrom(where, ref, ownOptions(where, options), () => {})
}

/** The same, and tells when the stream was cancelled. */
export function readableFrom<Out>(
  where: string,
  ref: ProducerRef<Out>,
  own: OwnOptions,
  onCancel: (reason: unknown) => void,
): ReadableStream<Out> {
  addressOf(ref)
  for (const option of notForStreams) if (option in own) refuseUnknown(where, { [option]: own[option] }, known)
  const strategy = strategyOf<Out>(where, own, 0)
  const signal = abortSignal(where, own)
  const subscription = optionsWithout(own, 'highWaterMark', 'size', 'signal')
  // Checks the options, and that there is something to read
  ref.stream(subscription)
  const reader = new StageReader<Out>(where, ref, subscription, checkDemand(where, subscription))
  let unfollow = (): void => {}
  let isOver = false

  function leave(): Promise<void> {
    isOver = true
    unfollow()
    return reader.close()
  }

  function give(controller: ReadableStreamDefaultController<Out>, event: Out): void {
    try {
      controller.enqueue(event)
    } catch (error) {
      // `size` has thrown, which has errored the stream
      void leave()
      throw error
    }
  }

  /** Ends the stream as the stage has ended, also if that was before anybody read. */
  async function end(controller: ReadableStreamDefaultController<Out>, told: Reason): Promise<void> {
    const reason = told.type === 'noproc' ? await ref.exited : told
    if (isOver) return
    isOver = true
    unfollow()
    if (isGraceful(reason)) controller.close()
    else controller.error(errorOf(reason))
  }

  let taker: Taker<Out> | undefined
  return new ReadableStream<Out>(
    {
      start(controller) {
        taker = { event: event => give(controller, event), ended: reason => void end(controller, reason) }
        unfollow = whenAborted(signal, reason => {
          controller.error(reason)
          void leave()
        })
      },
      pull: () => taker && reader.next(taker),
      cancel(reason) {
        onCancel(reason)
        return leave()
      },
    },
    strategy,
  )
}
