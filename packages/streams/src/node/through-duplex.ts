import {
  type AnyMessages,
  type AnySubscription,
  type Context,
  type Ended,
  isGraceful,
  producerConsumer,
  type ProducerConsumerCallbacks,
  type ProducerConsumerDefinition,
  type ProducerConsumerRef,
  type Reason,
  type Subscription,
} from '@genstage/core'
import type { Duplex } from 'node:stream'
import { end, type Ending, Failure, lossOf, whenKilled } from '../endings.ts'
import { failureOf } from './failure.ts'
import { Feed } from './feed.ts'
import { Intake } from './intake.ts'
import { checkReadable, checkWritable, type Made, made } from './node-streams.ts'
import { PeerProducer } from '../peer-producer.ts'
import { Inputs } from '../inputs.ts'
import { StreamEnd } from './stream-end.ts'

/**
 * The demand for chunks out of the stream: of bytes, which may be large, and of objects. Half as many again may wait, in the buffer, when
 * fewer are wanted than are in the last batch.
 */
const readAhead = { bytes: 16, objects: 64 }

/**
 * A stage in the middle that sends its events through a Node `Duplex`: `zlib.createGzip()`, a cipher, a parser, a socket that answers. What
 * comes out of the stream are its events, as many or few as the stream makes of them.
 *
 * Both directions are throttled. Events go in when the stream has room (`write`, `drain`), and are asked for again when they are in. Chunks
 * are taken out as they are asked for downstream; at most 24 (of a stream of objects 96) wait in the stage, and in the stream what its
 * `highWaterMark` allows.
 *
 * When a permanent subscription ends well, or the last transient one, the stream is ended; the rest comes out, then the stage ends for the
 * same reason. A stop with `drain` does so too. A stop without destroys the stream, what is still in it is given up; a failure of the stage
 * destroys it with the error. An error of the stream ends the stage with that very error, behind what came out before. When the stream ends
 * its own output first, so does the stage.
 *
 * Refuses what cannot be read (`BAD_SOURCE`) or written (`BAD_SINK`): a stream at the call, what a function makes at the start. An event that
 * is `null` fails the stage with `BAD_SINK`. Give a function where the stage may be started again: a stream can be used once.
 *
 * ```ts
 * import { createGzip, gunzipSync } from 'node:zlib'
 *
 * const text = start(fromIterable(['one ', 'two ', 'three']))
 * const gzip = start(throughDuplex<string, Buffer>(() => createGzip()), { subscribeTo: [text] })
 * const chunks: Buffer[] = []
 * for await (const chunk of gzip.stream({ cancel: 'transient' })) chunks.push(chunk)
 * console.log(gunzipSync(Buffer.concat(chunks)).toString()) // => one two three
 * ```
 */
export function throughDuplex<In = unknown, Out = unknown>(source: Made<Duplex>): ProducerConsumerDefinition<In, Out> {
  if (typeof source !== 'function') checkDuplex(source)
  return producerConsumer.of<In, Out>()((_: void, ctx): ProducerConsumerCallbacks<In, Out, never, unknown, never, never> => {
    const duplex: unknown = made(source)
    checkDuplex(duplex)
    return new Passage<In, Out>(duplex, ctx) satisfies ProducerConsumerCallbacks<In, Out, never, unknown, never, Ending>
  })
}

const where = 'throughDuplex'

function checkDuplex(stream: unknown): asserts stream is Duplex {
  checkReadable(where, stream)
  checkWritable(where, stream)
}

/**
 * The way through the stream. Out of it leads a producer that is no stage, to which the stage is subscribed: so chunks wait in the inbox
 * until they are wanted, and a drain waits for the last one.
 */
class Passage<In, Out> {
  readonly #ctx: Context<unknown, ProducerConsumerRef<In, Out, AnyMessages>>
  readonly #duplex: Duplex
  readonly #feed: Feed
  readonly #intake: Intake
  readonly #streamEnd: StreamEnd
  readonly #outlet: PeerProducer
  /** The subscription to the outlet. */
  readonly #output: Subscription
  /** The others, and what came over them. */
  readonly #inputs = new Inputs<unknown>()
  #isWriting = false
  /** Whether no more input is to come when what there is has been written. */
  #isEnding = false
  #failure: Failure | undefined

  constructor(duplex: Duplex, ctx: Context<unknown, ProducerConsumerRef<In, Out, AnyMessages>>) {
    this.#ctx = ctx
    this.#duplex = duplex
    this.#feed = new Feed(where, duplex)
    // Chunks that come at once go out at once
    this.#intake = new Intake(duplex, () => queueMicrotask(this.#deliver))
    this.#streamEnd = new StreamEnd(duplex, {}, error => {
      if (error !== undefined) this.#fail(error)
    })
    duplex.on('end', this.#outputEnded)
    this.#outlet = new PeerProducer(ctx.runtime, 'duplex', {
      asked: demand => this.#intake.want(demand),
      // The stage is draining: it gets what is still to come
      cancelRequested: () => {
        this.#isEnding = true
        this.#endInput()
      },
      consumerDown() {},
    })
    const maxDemand = duplex.readableObjectMode ? readAhead.objects : readAhead.bytes
    this.#output = ctx.self.subscribe({ to: this.#outlet.ref, maxDemand, cancel: 'temporary' })
    whenKilled(ctx, reason => this.terminate(reason))
  }

  handleSubscribe(from: AnySubscription): 'manual' | void {
    if (from.role === 'consumer' || from.id === this.#output.id) return
    this.#inputs.add(from)
    return 'manual'
  }

  handleEvents(events: readonly In[], from: Subscription): readonly Out[] | void {
    if (from.id === this.#output.id) return events as readonly unknown[] as readonly Out[]
    if (this.#failure !== undefined) throw this.#failure.error
    this.#inputs.take(events, from)
    if (!this.#isWriting) void this.#write()
  }

  handleCancel(ended: Ended, from: AnySubscription): void {
    if (from.role === 'consumer') return
    const { stopping, self } = this.#ctx
    if (from.id === this.#output.id) {
      // Behind what nobody has asked for yet; a drain has its own way to that place
      if (!stopping.aborted) self.asyncInfo(end)
      return
    }
    const isLast = this.#inputs.remove(ended, from)
    // The rest has to come out before the stage follows; a drain takes care of that
    if (!stopping.aborted && isLast) this.#ctx.stop(ended.reason, { drain: true })
    else this.#endInput()
  }

  handleInfo(message: Ending): void {
    if (message instanceof Failure) throw message.error
    this.#ctx.stop()
  }

  async terminate(reason: Reason): Promise<void> {
    this.#duplex.off('end', this.#outputEnded)
    this.#feed.close()
    this.#intake.close()
    const lost = [...this.#inputs.giveUp(), ...this.#intake.handOn()]
    this.#ctx.discard(lost, lossOf(reason))
    await this.#streamEnd.destroy(isGraceful(reason) ? undefined : failureOf(reason))
  }

  async #write(): Promise<void> {
    this.#isWriting = true
    try {
      for (let batch = this.#inputs.next; batch !== undefined; batch = this.#inputs.next) {
        const room = this.#feed.write(batch.events)
        if (room !== undefined) await room
        this.#inputs.written(batch)
      }
    } catch (error) {
      this.#fail(error)
    }
    this.#isWriting = false
    this.#endInput()
  }

  #endInput(): void {
    if (this.#isEnding && this.#inputs.isEmpty && !this.#isWriting && this.#failure === undefined) this.#duplex.end()
  }

  readonly #deliver = (): void => this.#outlet.deliver(this.#intake.handOn())

  readonly #outputEnded = (): void => {
    this.#deliver()
    this.#outlet.cancelled({ type: 'normal' })
  }

  /** The stage fails behind what came out before. */
  #fail(error: unknown): void {
    if (this.#failure !== undefined) return
    this.#failure = new Failure(error)
    this.#feed.fail(error)
    this.#deliver()
    this.#ctx.self.asyncInfo(this.#failure)
  }
}
