import type { ConsumerRef, ProducerRef, Runtime } from '@genstage/core'

/** Something that makes a producer out of an input: an iterable, a stream, an emitter, a port. */
export interface SourceAdapter {
  readonly kind: 'source'
  /** For the names of the cases: `fromIterable over an async iterator`. */
  readonly name: string
  /** Starts the adapter in `runtime`, over a fresh input that the suite controls. `signal` is given where the adapter takes one. */
  open(runtime: Runtime, signal?: AbortSignal): OpenSource
  /**
   * Starts it over an input that is of no use, one for each way there is: destroyed, locked, closed. Each throws, or answers a
   * producer that ends at once.
   */
  readonly unusable?: Readonly<Record<string, (runtime: Runtime) => ProducerRef<unknown>>>
}

/** A source that runs, with its input in the hands of the suite. */
export interface OpenSource {
  readonly ref: ProducerRef<unknown>
  /** Puts events into the input, as one chunk where it knows chunks. They may wait there until they are wanted. */
  push(events: readonly unknown[]): void
  /** The input has come to its end; what was put in is still taken. */
  end(): void
  /** The input fails, behind what was put in. */
  fail(error: Error): void
  /** How many events have been taken out of the input, where that can be told. */
  taken?(): number
  /** How often the input was told that no more is wanted: by return, cancel, destroy, unsubscribe. */
  released(): number
}

/** Something that hands events of a producer to an output: a reader, a writable stream, a port. */
export interface SinkAdapter {
  readonly kind: 'sink'
  readonly name: string
  /** Connects a fresh output to `producer`, with a subscription that ends with its producer. */
  open(producer: ProducerRef<unknown>, options: SinkOptions): OpenSink
}

/** How an output is to be connected. */
export interface SinkOptions {
  readonly runtime: Runtime
  readonly maxDemand: number
  readonly signal?: AbortSignal
}

/** A sink that runs, with its output in the hands of the suite. */
export interface OpenSink {
  /** The stage that consumes, where there is one. */
  readonly ref?: ConsumerRef<unknown>
  /** What has come out, in order. */
  received(): readonly unknown[]
  /** Makes the output slow: nothing is taken until `resume`. */
  pause?(): void
  resume?(): void
  /** The output's own side wants no more: leaves the loop, closes, unsubscribes. */
  close(): void
  /** The output fails, where it can. */
  fail?(error: Error): void
  /** Resolves when it is over: with the failure that the output was told of, or undefined after a good end. Never rejects. */
  readonly finished: Promise<unknown>
}

/** What an adapter can do; what it cannot is not asked of it. */
export interface AdapterCapabilities {
  /** Whether an event is handed on as it is: the same object. False where events are copied or encoded. Default true. */
  readonly keepsIdentity?: boolean
  /** What an event that cannot be handed on is refused with, where there are such events: its failure has this `code`. */
  readonly refusesUncloneable?: string
  /** Events that it cannot carry at all, such as `null` in streams of objects. Default: it carries all. */
  carries?(event: unknown): boolean
  /** How many events it may take ahead of demand. `Infinity` for push sources. Default 0. */
  readonly lookAhead?: number
  /** Whether the input is released also when the source is killed, so that `terminate` does not run. Default true. */
  readonly releasesWhenKilled?: boolean
  /** Whether it takes a signal. Default false. */
  readonly takesSignal?: boolean
  /** Real milliseconds after which a case that does not come to its end has failed. Default 2,000. */
  readonly timeoutMs?: number
}
