/**
 * `@genstage/streams`: what the platform has for data that comes bit by bit, as stages, and stages as that. No part of this entry needs
 * Node; its streams are in `@genstage/streams/node`.
 *
 * The names tell the direction: `fromX` makes a producer of a foreign source, `toX` a consumer that writes into a foreign sink,
 * `throughX` a producer-consumer whose events pass through a foreign thing, `asX` shows a running stage as a foreign thing.
 *
 * To read the sources begin with web/: endings.ts has the words for how the two sides end each other, chunk-reader.ts reads a stream for
 * from-readable-stream.ts, write-all.ts writes one for to-writable-stream.ts, and passage.ts does both for through-transform-stream.ts.
 * stage-reader.ts and inlet.ts are the same for a stage: as-readable-stream.ts reads one, as-writable-stream.ts writes to one,
 * as-transform-stream.ts is both. emitters/ begins with listen.ts.
 */

// web streams
export { fromReadableStream } from './web/from-readable-stream.ts'
export type { FromReadableStreamOptions } from './web/from-readable-stream.ts'
export { toWritableStream } from './web/to-writable-stream.ts'
export type { ToWritableStreamOptions } from './web/to-writable-stream.ts'
export { throughTransformStream } from './web/through-transform-stream.ts'
export type { Made, StreamPair } from './web/web-streams.ts'
export { asReadableStream } from './web/as-readable-stream.ts'
export type { AsReadableStreamOptions } from './web/as-readable-stream.ts'
export { asWritableStream } from './web/as-writable-stream.ts'
export type { AsWritableStreamOptions } from './web/as-writable-stream.ts'
export { asTransformStream } from './web/as-transform-stream.ts'
export type { AsTransformStreamOptions } from './web/as-transform-stream.ts'

// emitters
export { fromEventEmitter } from './emitters/from-event-emitter.ts'
export type { EmitterLike, FromEventEmitterOptions } from './emitters/from-event-emitter.ts'
export { fromEventTarget } from './emitters/from-event-target.ts'
export type { FromEventTargetOptions } from './emitters/from-event-target.ts'
export type { EventNames } from './emitters/listen.ts'

// Reactive Streams
export { asProcessor } from './reactive-streams/as-processor.ts'
export { asPublisher } from './reactive-streams/as-publisher.ts'
export type { AsPublisherOptions } from './reactive-streams/as-publisher.ts'
export { asSubscriber } from './reactive-streams/as-subscriber.ts'
export type { AsSubscriberOptions } from './reactive-streams/as-subscriber.ts'
export { fromPublisher } from './reactive-streams/from-publisher.ts'
export type { FromPublisherOptions, PublisherSource } from './reactive-streams/from-publisher.ts'
export { toSubscriber } from './reactive-streams/to-subscriber.ts'
export type { SubscriberSource } from './reactive-streams/to-subscriber.ts'
export type { Processor, Publisher, ReactiveSubscriber, ReactiveSubscription } from './reactive-streams/types.ts'
