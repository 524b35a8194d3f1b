import {
  GenStageError,
  normal,
  type ProducerConsumerDefinition,
  type ProducerConsumerRef,
  type Reason,
  type Runtime,
  start,
} from '@genstage/core'
import { abortSignal, ownOptions, type OwnOptions, refuseUnknown, show } from '@genstage/core/adapters'
import { addressOf } from '@genstage/core/protocol'
import { Duplex, type Writable } from 'node:stream'
import { Inflow } from './inflow.ts'
import { Outflow } from './outflow.ts'
import { checkDemand, type Demand, streamPart } from './subscription-options.ts'

/** Options of `asDuplex`: those of both subscriptions, and of the stream. */
export interface AsDuplexOptions {
  /** The most events in flight on either side of the stage, at least 1. Default 1,000. */
  readonly maxDemand?: number
  /** Either side asks again when demand is at or below this. Default half of `maxDemand`, rounded down. */
  readonly minDemand?: number
  /** False for streams of bytes on both sides. Default true. */
  readonly objectMode?: boolean
  readonly readableObjectMode?: boolean
  readonly writableObjectMode?: boolean
  /** Of both sides: events, or bytes. Default that of Node. */
  readonly highWaterMark?: number
  readonly readableHighWaterMark?: number
  readonly writableHighWaterMark?: number
  /** Destroys the stream with an `AbortError`. */
  readonly signal?: AbortSignal
  /** Where a definition is started. Default: `defaultRuntime`. */
  readonly runtime?: Runtime
}

const flags = ['objectMode', 'readableObjectMode', 'writableObjectMode']
const sizes = ['highWaterMark', 'readableHighWaterMark', 'writableHighWaterMark']

/**
 * A stage in the middle as a Node `Duplex`, for `pipeline(readable, asDuplex(stage), writable)`. What is written are its events, what it
 * emits is read. Back-pressure holds through it: a slow reader slows the stage, and that makes `write` answer false.
 *
 * A definition is started when the stream is first used, and lives as long as the stream. A running stage may be given as well.
 * After `end()` the stage is drained: it finishes what it has, the rest comes out, it ends, and so does the stream. Destroyed before that,
 * a stage of its own is stopped; one that was given fails with the error of the stream, or, without an error, just loses both
 * subscriptions. When the stage fails, the stream is destroyed with the original error; when it ends well before `end()`, what it gave can
 * still be read, then the stream is closed.
 *
 * Throws `NOT_A_STAGE` for what is neither a ref nor a definition, `NOT_A_PRODUCER` for a stage that is not in the middle, `BAD_OPTION`.
 *
 * ```ts
 * import { Readable } from 'node:stream'
 *
 * const Double = producerConsumer(() => ({
 *   handleEvents: (numbers: readonly number[]) => numbers.map(number => number * 2),
 * }))
 * console.log(await Readable.from([1, 2, 3]).compose(asDuplex(Double)).toArray()) // => [ 2, 4, 6 ]
 * ```
 */
export function asDuplex(
  stage: ProducerConsumerDefinition<never, unknown> | ProducerConsumerRef<never, unknown>,
  options?: AsDuplexOptions,
): Duplex {
  const own = ownOptions(where, options)
  refuseUnknown(where, own, ['maxDemand', 'minDemand', ...flags, ...sizes, 'signal', 'runtime'])
  const demand = checkDemand(where, own)
  const signal = abortSignal(where, own)
  const stream = streamPart(where, own, { flags, sizes })
  const bridge = new Bridge(opener(stage, own), isDefinition(stage), demand)
  return new Duplex({
    objectMode: true,
    ...stream,
    ...(signal === undefined ? {} : { signal }),
    read() {
      bridge.inflow.read(this)
    },
    write(chunk, _encoding, done) {
      bridge.outflow.write(this, chunk, done)
    },
    writev(written, done) {
      bridge.outflow.writeAll(
        this,
        written.map(({ chunk }): unknown => chunk),
        done,
      )
    },
    final(done) {
      bridge.end(this, done)
    },
    destroy(error, done) {
      bridge.close(this, error)
      done(error)
    },
  })
}

const where = 'asDuplex'

function isDefinition(
  stage: ProducerConsumerDefinition<never, unknown> | ProducerConsumerRef<never, unknown>,
): stage is ProducerConsumerDefinition<never, unknown> {
  return !('subscribe' in stage)
}

/** Checks the stage, and answers how to get at it when the stream is used. */
function opener(
  stage: ProducerConsumerDefinition<never, unknown> | ProducerConsumerRef<never, unknown>,
  { runtime }: OwnOptions,
): () => ProducerConsumerRef<never, unknown> {
  if (typeof stage !== 'object' || stage === null)
    throw new GenStageError('NOT_A_STAGE', `${where}: ${show(stage)} is neither a stage nor the definition of one`)
  if (isDefinition(stage)) {
    checkMiddle(stage.type)
    return () => start(stage, runtime === undefined ? {} : { runtime: runtime as Runtime })
  }
  addressOf(stage)
  checkMiddle(stage.type)
  return () => stage
}

function checkMiddle(type: unknown): void {
  if (type !== 'producerConsumer')
    throw new GenStageError('NOT_A_PRODUCER', `${where}: the stage must be one in the middle, not ${show(type)}`)
}

/** A stage with both of its ends in a stream. */
class Bridge {
  readonly #open: () => ProducerConsumerRef<never, unknown>
  readonly #isOwn: boolean
  readonly #demand: Demand
  #opened: { readonly stage: ProducerConsumerRef<never, unknown>; readonly inflow: Inflow; readonly outflow: Outflow } | undefined

  constructor(open: () => ProducerConsumerRef<never, unknown>, isOwn: boolean, demand: Demand) {
    this.#open = open
    this.#isOwn = isOwn
    this.#demand = demand
  }

  get inflow(): Inflow {
    return this.#use().inflow
  }

  get outflow(): Outflow {
    return this.#use().outflow
  }

  end(writer: Duplex, done: (error?: Error | null) => void): void {
    const { stage, outflow } = this.#use()
    outflow.end(writer, error => {
      // What it still has leaves, then it ends, and with it the side that is read
      if (error === undefined || error === null) void stage.stop('normal', { drain: true, timeout: Infinity })
      done(error)
    })
  }

  close(writer: Duplex, error: Error | null): void {
    // Not used yet: there is nothing to close, and only a stage that runs already has to be told of a failure
    if (this.#opened === undefined && (this.#isOwn || error === null)) return
    const { stage, inflow, outflow } = this.#use()
    const reason: Reason = error === null ? normal : { type: 'error', error }
    if (this.#isOwn) void stage.stop(reason)
    inflow.close(reason)
    outflow.close(writer, reason, error !== null)
  }

  #use() {
    if (this.#opened !== undefined) return this.#opened
    const stage = this.#open()
    // Whoever holds the stream is told of its end by the stream
    if (this.#isOwn) stage.monitor(() => {})
    const { max, chunk } = this.#demand
    const inflow = new Inflow(where, stage, { maxDemand: max, minDemand: max - chunk }, this.#demand)
    // Now, because the stage may end before anybody reads
    inflow.open()
    const outflow = new Outflow(where, stage, this.#demand, 'transient', closeWhenRead)
    this.#opened = { stage, inflow, outflow }
    return this.#opened
  }
}

/** The stage takes nothing more, but what it gave before it ended can still be read. */
function closeWhenRead(stream: Writable): void {
  if (stream instanceof Duplex && !stream.readableEnded) stream.once('end', () => stream.destroy())
  else stream.destroy()
}
