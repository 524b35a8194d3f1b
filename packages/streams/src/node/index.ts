/**
 * `@genstage/streams/node`: Node streams as stages, and stages as Node streams.
 *
 * To read the sources: node-streams.ts tells what is taken and what is refused. Foreign streams as stages: stream-end.ts (how they end),
 * intake.ts (out of a Readable), feed.ts (into a Writable), and with these from-readable.ts, to-writable.ts, through-duplex.ts. Stages as
 * streams: peers that speak the protocol without being stages, peer-producer.ts, inflow.ts (a stage is read), outflow.ts (a stage is
 * written to), and with these as-readable.ts, as-writable.ts, as-duplex.ts.
 */

// foreign streams as stages
export { fromReadable, type FromReadableOptions } from './from-readable.ts'
export { toWritable, type ToWritableOptions } from './to-writable.ts'
export { throughDuplex } from './through-duplex.ts'
export type { Made } from './node-streams.ts'

// stages as streams
export { asReadable, type AsReadableOptions } from './as-readable.ts'
export { asWritable, type AsWritableOptions } from './as-writable.ts'
export { asDuplex, type AsDuplexOptions } from './as-duplex.ts'
export type { StreamSubscriptionOptions } from './subscription-options.ts'
