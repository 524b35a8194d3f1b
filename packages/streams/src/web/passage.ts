import {
  type AnyMessages,
  type AnySubscription,
  type Context,
  type Ended,
  normal,
  type ProducerConsumerRef,
  type Reason,
  type Subscription,
} from '@genstage/core'
import { PeerProducer } from '../peer-producer.ts'
import { Inputs } from '../inputs.ts'
import { ChunkReader } from './chunk-reader.ts'
import { closed, end, type Ending, errorOf, Failure, lossOf } from '../endings.ts'
import { writeAll } from './write-all.ts'

/** The demand for chunks that come out. So many may wait in the inbox of the stage, and as many in its buffer. */
const readAhead = 8

/**
 * The way of events through a foreign pair of streams: the callbacks of a stage in the middle. In: a batch is asked for again when all
 * of it has been written. Out: a producer that is no stage leads out of the pair, and the stage is subscribed to it. So chunks wait until
 * they are wanted, and a drain waits for the last of them.
 */
export class Passage<In, Out> {
  readonly #ctx: Context<unknown, ProducerConsumerRef<In, Out, AnyMessages>>
  readonly #writer: WritableStreamDefaultWriter<In>
  readonly #chunks: ChunkReader<Out>
  readonly #outlet: PeerProducer
  /** The subscription to the outlet. */
  readonly #output: Subscription
  /** The others, and what came over them. */
  readonly #inputs = new Inputs<In>()
  #isWriting = false
  /** Whether no more input is to come when what there is has been written. */
  #isEnding = false
  #isInputClosed = false
  #failure: Failure | undefined
  #endedAs: Reason | undefined

  constructor(
    ctx: Context<unknown, ProducerConsumerRef<In, Out, AnyMessages>>,
    writer: WritableStreamDefaultWriter<In>,
    reader: ReadableStreamDefaultReader<Out>,
  ) {
    this.#ctx = ctx
    this.#writer = writer
    this.#chunks = new ChunkReader(reader, {
      arrived: () => this.#deliver(),
      lost: chunk => ctx.discard([chunk], lossOf(this.#endedAs ?? normal)),
    })
    this.#outlet = new PeerProducer(ctx.runtime, 'transform', {
      asked: demand => this.#chunks.want(demand),
      // The stage is draining: it gets what is still to come
      cancelRequested: () => {
        this.#isEnding = true
        this.#closeInput()
      },
      consumerDown() {},
    })
    this.#output = ctx.self.subscribe({ to: this.#outlet.ref, maxDemand: readAhead, cancel: 'temporary' })
  }

  // ── the callbacks

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
    // The rest has to come out before the stage follows: a drain takes care of that
    if (!stopping.aborted && isLast) this.#ctx.stop(ended.reason, { drain: true })
    else this.#closeInput()
  }

  handleInfo(message: Ending): void {
    if (message instanceof Failure) throw message.error
    this.#ctx.stop()
  }

  /** Ends both streams, unless they have ended, and lets go of them. */
  async terminate(reason: Reason): Promise<void> {
    this.#endedAs = reason
    const lost = [...this.#inputs.giveUp(), ...this.#chunks.handOn()]
    this.#ctx.discard(lost, lossOf(reason))
    const failure = errorOf(reason)
    const cancelled = this.#chunks.close(reason)
    // That waits for what the pair has in hand, which may be long: it is given up anyhow
    this.#writer.abort(failure).then(undefined, () => {})
    this.#writer.releaseLock()
    // The two sides of a pair tell each other
    const closing = cancelled.catch((trouble: unknown) => (trouble === failure ? undefined : Promise.reject(trouble)))
    await closed(this.#ctx, reason, closing)
  }

  // ── in

  async #write(): Promise<void> {
    this.#isWriting = true
    try {
      for (let batch = this.#inputs.next; batch !== undefined; batch = this.#inputs.next) {
        await writeAll(this.#writer, batch.events)
        this.#inputs.written(batch)
      }
    } catch (error) {
      // A pair may want no more, and end well: that is for its other side to tell
      return this.#chunks.expectNoMore(error)
    }
    this.#isWriting = false
    this.#closeInput()
  }

  #closeInput(): void {
    if (!this.#isEnding || !this.#inputs.isEmpty || this.#isWriting || this.#isInputClosed) return
    this.#isInputClosed = true
    this.#writer.close().then(undefined, (error: unknown) => this.#chunks.expectNoMore(error))
  }

  // ── out

  #deliver(): void {
    const { ending } = this.#chunks
    this.#outlet.deliver(this.#chunks.handOn())
    if (ending === end) this.#outlet.cancelled(normal)
    else if (ending !== undefined) {
      this.#failure = ending
      this.#ctx.self.asyncInfo(ending)
    }
  }
}
