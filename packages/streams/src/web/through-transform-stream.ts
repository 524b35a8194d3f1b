import { producerConsumer, type ProducerConsumerCallbacks, type ProducerConsumerDefinition } from '@genstage/core'
import { type Ending, whenKilled } from '../endings.ts'
import { Passage } from './passage.ts'
import { checkReadable, checkWritable, type Made, made, type StreamPair } from './web-streams.ts'

/**
 * A producer-consumer whose events go through a web `TransformStream`, or any pair of a writable and a readable stream, such as a
 * `CompressionStream` or a `TextDecoderStream`. Give a function that makes it: then a restart begins anew.
 *
 * It writes when there is room (`desiredSize`), and asks for a batch again when all of it has been written. Chunks are read as they are
 * asked for downstream; at most 16 wait in the stage, and in the streams what their strategies allow.
 *
 * When a permanent subscription ends well, or the last transient one, the writable side is closed, the rest comes out, and the stage ends
 * behind that. A drain does so too. A pair that ends on its own ends the stage well.
 *
 * An error of either stream ends the stage with that very error. When the stage ends first, both are ended with its error. A pair that
 * is locked ends it with `BAD_SINK` or `BAD_SOURCE`.
 *
 * ```ts
 * const texts = start(fromIterable(['a text ', 'to compress']))
 * const bytes = start(throughTransformStream(() => new TextEncoderStream()), { subscribeTo: [texts] })
 * const gzip = throughTransformStream(() => new CompressionStream('gzip'))
 * const small = start(gzip, { subscribeTo: [bytes] })
 *
 * const again = asReadableStream(small).pipeThrough(new DecompressionStream('gzip'))
 * console.log(await new Response(again).text()) // => a text to compress
 * ```
 */
export function throughTransformStream<In, Out>(pair: Made<StreamPair<In, Out>>): ProducerConsumerDefinition<In, Out> {
  const where = 'throughTransformStream'
  if (typeof pair !== 'function') checkPair(where, pair)
  return producerConsumer.of<In, Out>()((_: void, ctx): ProducerConsumerCallbacks<In, Out, never, unknown, never, never> => {
    const streams = made(pair)
    checkPair(where, streams)
    const passage = new Passage<In, Out>(ctx, streams.writable.getWriter(), streams.readable.getReader())
    whenKilled(ctx, reason => passage.terminate(reason))
    return passage satisfies ProducerConsumerCallbacks<In, Out, never, unknown, never, Ending>
  })
}

function checkPair(where: string, pair: Partial<StreamPair<never, unknown>> | undefined): void {
  checkWritable(where, 'the writable side', pair?.writable)
  checkReadable(where, 'the readable side', pair?.readable)
}
