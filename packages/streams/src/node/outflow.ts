import {
  type CancelMode,
  type ConsumerRef,
  GenStageError,
  isGraceful,
  normal,
  type Reason,
  type Subscription,
} from '@genstage/core'
import { show } from '@genstage/core/adapters'
import type { Writable } from 'node:stream'
import { failureOf } from './failure.ts'
import { PeerProducer } from '../peer-producer.ts'
import type { Demand } from './subscription-options.ts'

type Done = (error?: Error | null) => void

/** Chunks that wait for demand, and whom to tell when they have left. */
interface Held {
  readonly chunks: readonly unknown[]
  readonly done: Done
}

/**
 * A producer that is no stage: what is written to a Writable it hands to a consumer as that asks for it. It subscribes the consumer when
 * the stream is first written to.
 */
export class Outflow {
  readonly #where: string
  readonly #consumer: ConsumerRef<never>
  readonly #options: { readonly maxDemand: number; readonly minDemand: number; readonly cancel: CancelMode }
  readonly #outlet: PeerProducer
  readonly #leftWell: (writer: Writable) => void
  #subscription: Subscription | undefined
  #writer: Writable | undefined
  #demand = 0
  #held: Held | undefined
  /** To be delivered at the end of this microtask: what is written at once arrives at once. */
  #batch: unknown[] = []
  #isFlushing = false
  /** Who waits for the consumer to have handled all. */
  #finished: Done | undefined
  /** How the consumer ended the subscription. */
  #left: Reason | undefined
  #isOver = false

  /** `leftWell` does what is to be done when the consumer wants no more, and nothing has failed. */
  constructor(
    where: string,
    consumer: ConsumerRef<never>,
    demand: Demand,
    cancel: CancelMode,
    leftWell: (writer: Writable) => void,
  ) {
    this.#where = where
    this.#leftWell = leftWell
    this.#consumer = consumer
    this.#options = { maxDemand: demand.max, minDemand: demand.max - demand.chunk, cancel }
    this.#outlet = new PeerProducer(consumer.runtime, where, {
      asked: more => {
        this.#demand += more
        this.#serve()
      },
      cancelRequested: reason => {
        this.#left = reason
        this.#flush()
        this.#outlet.cancelled(reason)
      },
      consumerDown: reason => {
        this.#left = reason
      },
    })
  }

  /** Calls `done` when it has left: at once if there is demand. */
  write(writer: Writable, chunk: unknown, done: Done): void {
    if (this.#demand === 0 || this.#isOver) return this.writeAll(writer, [chunk], done)
    this.#demand--
    this.#batch.push(chunk)
    this.#flushSoon()
    done()
  }

  /** Calls `done` when the last of them has left. */
  writeAll(writer: Writable, chunks: readonly unknown[], done: Done): void {
    this.#open(writer)
    this.#held = { chunks, done }
    this.#serve()
  }

  /** Ends the subscription behind the last event. Calls `done` when the consumer has handled all. */
  end(writer: Writable, done: Done): void {
    this.#open(writer)
    if (this.#isOver) return done(this.#leftEarly(this.#left ?? normal))
    this.#finished = done
    this.#flush()
    this.#outlet.down(normal)
  }

  /** The stream is closed: if that is not the end, the consumer is told why. So it is of a failure before the first write. */
  close(writer: Writable, reason: Reason, hasFailed: boolean): void {
    const held = this.#held
    this.#held = undefined
    // Later, because an error now would become that of the stream
    if (held !== undefined) writer.once('close', () => held.done(failureOf(reason)))
    if (this.#isOver) return
    if (hasFailed) this.#open(writer)
    this.#isOver = true
    this.#flush()
    if (this.#subscription !== undefined) this.#outlet.down(reason)
  }

  #open(writer: Writable): void {
    this.#writer = writer
    if (this.#subscription !== undefined) return
    this.#subscription = this.#consumer.subscribe({ to: this.#outlet.ref, ...this.#options })
    void this.#subscription.ended.then(({ reason }) => this.#ended(reason))
  }

  /** Hands over as much as there is demand for. */
  #serve(): void {
    const held = this.#held
    if (held === undefined || this.#demand === 0 || this.#isOver) return
    const { chunks, done } = held
    const count = Math.min(this.#demand, chunks.length)
    this.#demand -= count
    for (let index = 0; index < count; index++) this.#batch.push(chunks[index])
    this.#flushSoon()
    this.#held = count < chunks.length ? { chunks: chunks.slice(count), done } : undefined
    // It may write more at once
    if (this.#held === undefined) done()
  }

  #flushSoon(): void {
    if (this.#isFlushing) return
    this.#isFlushing = true
    queueMicrotask(this.#flush)
  }

  readonly #flush = (): void => {
    this.#isFlushing = false
    const events = this.#batch
    this.#batch = []
    this.#outlet.deliver(events)
  }

  /** The consumer's side of the subscription is over. */
  #ended(reason: Reason): void {
    if (this.#isOver) return
    this.#isOver = true
    const finished = this.#finished
    if (finished !== undefined) {
      if (this.#left === undefined && isGraceful(reason)) finished()
      else finished(this.#leftEarly(this.#left ?? reason))
    } else if (this.#writer !== undefined) {
      if (isGraceful(reason)) this.#leftWell(this.#writer)
      else this.#writer.destroy(failureOf(reason))
    }
  }

  #leftEarly(reason: Reason): Error {
    if (!isGraceful(reason)) return failureOf(reason)
    const { name, id } = this.#consumer
    const text = `${this.#where}: the consumer ${show(name ?? id)} has ended the subscription before it had handled everything`
    return new GenStageError('STOPPED', text, { stage: name ?? id, reason })
  }
}
