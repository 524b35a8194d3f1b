/**
 * `@genstage/stages`: the stages that everybody would otherwise write, and `pipe`, which makes a chain of them.
 *
 * Each stage is a short definition, made with nothing but `@genstage/core`: take one as a model for yours. Begin with sources/polling.ts,
 * sinks/collect.ts and middle/batch.ts. in-the-middle.ts tells how a stage ends behind its last event, per-event.ts (with work.ts and
 * slots.ts) how a function is called for each event. pipe/pipe.ts starts a chain, pipe/pipeline.ts is its life.
 */

// sources
export { polling, pollingBatches } from './sources/polling.ts'
export type { PollingBatchesOptions, PollingMessages, PollingOptions } from './sources/polling.ts'
export { interval } from './sources/interval.ts'
export type { IntervalOptions } from './sources/interval.ts'
export { buffering } from './sources/buffering.ts'
export type { BufferingMessages, BufferingOptions } from './sources/buffering.ts'

// in the middle
export { map } from './middle/map.ts'
export { filter } from './middle/filter.ts'
export { flatMap } from './middle/flat-map.ts'
export { scan } from './middle/scan.ts'
export { tap } from './middle/tap.ts'
export { take } from './middle/take.ts'
export { batch } from './middle/batch.ts'
export type { BatchOptions } from './middle/batch.ts'
export { debounce } from './middle/debounce.ts'
export { rateLimited } from './middle/rate-limited.ts'
export type { RateLimitedOptions } from './middle/rate-limited.ts'

// sinks
export { forEach } from './sinks/for-each.ts'
export { collect } from './sinks/collect.ts'
export { fold } from './sinks/fold.ts'
export { resultOf } from './results.ts'
export type { ResultDefinition, ResultRef } from './results.ts'

// words
export type { ConcurrencyOptions } from './per-event.ts'
export type { OnCancel } from './sources/consumers.ts'
export type { Work } from './work.ts'

// chains
export { pipe } from './pipe/pipe.ts'
export type { Pipe, PipeMiddle, PipeOptions, PipeSink, PipeSource } from './pipe/pipe-types.ts'
export type { Pipeline } from './pipe/pipeline.ts'
export { via } from './pipe/via.ts'
export type { Via, ViaOptions } from './pipe/via.ts'
