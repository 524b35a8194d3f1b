import { isGraceful, type ProducerRef, type Reason, type Runtime } from '@genstage/core'
import type { OwnOptions } from '@genstage/core/adapters'
import { type Address, addressOf, peerAddress, type ProtocolMessage } from '@genstage/core/protocol'
import type { Readable } from 'node:stream'
import { failureOf } from './failure.ts'
import { nullEvent } from './feed.ts'
import type { Demand } from './subscription-options.ts'

let count = 0

/**
 * A consumer that is no stage: it gives the events of a producer to a Readable, as that asks for them. It speaks the protocol itself, and
 * subscribes when the stream is first read.
 */
export class Inflow {
  readonly #where: string
  readonly #ref: ProducerRef<unknown>
  readonly #options: OwnOptions
  readonly #demand: Demand
  readonly #runtime: Runtime
  readonly #id: string
  readonly #address: Address
  readonly #producer: Address
  #phase: 'new' | 'open' | 'over' = 'new'
  #hasAsked = false
  /** The stream, while it wants more. */
  #reader: Readable | undefined
  /** What has arrived and has not been given on, message by message; of the first, from `#position`. */
  readonly #batches: (readonly unknown[])[] = []
  #position = 0
  /** Given on, and not asked for again. */
  #done = 0
  /** How the producer ended the subscription: told behind the last event. */
  #ended: Reason | undefined
  #isGiving = false
  /** While the stream waits for events somebody waits, and the process has to live. */
  #hold: Disposable | undefined

  constructor(where: string, ref: ProducerRef<unknown>, options: OwnOptions, demand: Demand) {
    this.#where = where
    this.#ref = ref
    this.#options = options
    this.#demand = demand
    this.#runtime = ref.runtime
    this.#id = `${where}-${++count}`
    this.#producer = addressOf(ref)
    this.#address = peerAddress(ref.runtime, { id: this.#id, type: 'consumer', post: message => this.#receive(message) })
  }

  /** Subscribes, if it has not. Nothing is asked for before the stream is read. */
  open(): void {
    if (this.#phase !== 'new') return
    this.#phase = 'open'
    const from = this.#address
    this.#producer.post({ type: 'subscribe', from, subscription: this.#id, options: this.#options, current: undefined })
    this.#ref.setDemandMode('forward')
  }

  /** Gives on what there is, and what is to come until the stream has enough. */
  read(reader: Readable): void {
    this.#reader = reader
    this.open()
    if (!this.#hasAsked) this.#ask(this.#demand.max)
    this.#give()
  }

  /** The stream is closed: nothing is wanted any more. */
  close(reason: Reason): void {
    this.#release()
    this.#reader = undefined
    this.#batches.length = 0
    if (this.#phase === 'open') this.#producer.post({ type: 'cancel', from: this.#address, subscription: this.#id, reason })
    this.#phase = 'over'
  }

  #ask(demand: number): void {
    this.#hasAsked = true
    this.#producer.post({ type: 'ask', from: this.#address, subscription: this.#id, demand })
  }

  #receive(message: ProtocolMessage): void {
    if (this.#phase !== 'open') return
    if (message.type === 'events') this.#batches.push(message.events)
    else if (message.type === 'cancelled' || message.type === 'producerDown') {
      this.#ended = message.reason
      this.#phase = 'over'
    } else return
    this.#give()
  }

  /** What is given on may make the stream ask for more at once. */
  #give(): void {
    if (this.#isGiving) return
    this.#isGiving = true
    for (let reader = this.#reader; reader !== undefined && this.#batches.length > 0; reader = this.#reader) this.#giveOne(reader)
    this.#isGiving = false
    if (this.#batches.length === 0 && this.#ended !== undefined) this.#end(this.#ended)
    else if (this.#batches.length > 0 || this.#reader === undefined) this.#release()
    else this.#hold ??= this.#runtime.keepAlive()
  }

  #giveOne(reader: Readable): void {
    const batch = this.#batches[0] ?? []
    const event = batch[this.#position++]
    if (this.#position >= batch.length) {
      this.#batches.shift()
      this.#position = 0
    }
    this.#done++
    if (this.#done >= this.#demand.chunk && this.#phase === 'open') {
      this.#ask(this.#done)
      this.#done = 0
    }
    if (event === null) reader.destroy(nullEvent(this.#where))
    else if (!reader.push(event) && this.#reader === reader) this.#reader = undefined
  }

  #end(reason: Reason): void {
    this.#release()
    const reader = this.#reader
    this.#reader = undefined
    if (isGraceful(reason)) reader?.push(null)
    else reader?.destroy(failureOf(reason))
  }

  #release(): void {
    this.#hold?.[Symbol.dispose]()
    this.#hold = undefined
  }
}
