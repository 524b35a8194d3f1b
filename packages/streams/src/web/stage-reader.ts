import { normal, type ProducerRef, type Reason } from '@genstage/core'
import type { OwnOptions } from '@genstage/core/adapters'
import { type Address, addressOf, peerAddress, type ProtocolMessage } from '@genstage/core/protocol'

/** Who reads: is given one event, or told how the stage has ended. */
export interface Taker<in T> {
  event(event: T): void
  ended(reason: Reason): void
}

/** `Symbol.dispose`, also where the platform does not have it yet. */
const disposeSymbol: typeof Symbol.dispose = (Symbol.dispose ?? Symbol.for('Symbol.dispose')) as typeof Symbol.dispose

let count = 0

/**
 * A consumer that is no stage: it takes the events of a producer one by one, when somebody wants one. It speaks the protocol itself, and
 * subscribes with the first. An event that is there costs no promise.
 */
export class StageReader<T> {
  readonly #ref: ProducerRef<T>
  readonly #options: OwnOptions
  readonly #max: number
  /** So many taken are asked for again at once. */
  readonly #chunk: number
  readonly #id: string
  readonly #address: Address
  readonly #producer: Address
  #phase: 'new' | 'open' | 'closing' | 'over' = 'new'
  /** What has arrived, message by message; of the first, from `#position`. */
  readonly #batches: (readonly unknown[])[] = []
  #position = 0
  /** Taken, and not asked for again. */
  #taken = 0
  /** How the producer has ended the subscription: told behind the last event. */
  #endedAs: Reason | undefined
  /** Looks again, for somebody who waits. */
  #wake: () => void = () => {}

  constructor(where: string, ref: ProducerRef<T>, options: OwnOptions, demand: { readonly max: number; readonly min: number }) {
    this.#ref = ref
    this.#options = options
    this.#max = demand.max
    this.#chunk = demand.max - demand.min
    this.#id = `${where}-${++count}`
    this.#producer = addressOf(ref)
    this.#address = peerAddress(ref.runtime, { id: this.#id, type: 'consumer', post: message => this.#receive(message) })
  }

  /** Gives the next event, or the end: now, or when the promise resolves. */
  next(taker: Taker<T>): Promise<void> | undefined {
    if (this.#phase === 'new') this.#open()
    // Who comes back for the next one has handled those before
    if (this.#taken >= this.#chunk && this.#phase === 'open') this.#ask(this.#taken)
    return this.#give(taker) ? undefined : this.#giveLater(taker)
  }

  /** Cancels the subscription; resolves when that has been confirmed. What has arrived is dropped, and who waits waits no more. */
  async close(): Promise<void> {
    const wasOpen = this.#phase === 'open'
    this.#phase = wasOpen ? 'closing' : 'over'
    this.#batches.length = 0
    this.#wake()
    if (!wasOpen) return
    this.#post({ type: 'cancel', from: this.#address, subscription: this.#id, reason: normal })
    while (this.#isClosing()) await this.#news()
  }

  #open(): void {
    this.#phase = 'open'
    const from = this.#address
    this.#post({ type: 'subscribe', from, subscription: this.#id, options: this.#options, current: undefined })
    this.#ask(this.#max)
    this.#ref.setDemandMode('forward')
  }

  #give(taker: Taker<T>): boolean {
    const batch = this.#batches[0]
    if (batch === undefined) {
      if (this.#endedAs === undefined) return this.#phase !== 'open'
      taker.ended(this.#endedAs)
      return true
    }
    const event = batch[this.#position++] as T
    if (this.#position >= batch.length) {
      this.#batches.shift()
      this.#position = 0
    }
    this.#taken++
    taker.event(event)
    return true
  }

  async #giveLater(taker: Taker<T>): Promise<void> {
    do await this.#news()
    while (!this.#give(taker))
  }

  #isClosing(): boolean {
    return this.#phase === 'closing'
  }

  /** Resolves when something has come. Somebody waits, so the process has to live. */
  async #news(): Promise<void> {
    const hold = this.#ref.runtime.keepAlive()
    await new Promise<void>(resolve => (this.#wake = resolve))
    hold[disposeSymbol]()
  }

  #ask(demand: number): void {
    this.#taken = 0
    this.#post({ type: 'ask', from: this.#address, subscription: this.#id, demand })
  }

  #post(message: ProtocolMessage): void {
    this.#producer.post(message)
  }

  #receive(message: ProtocolMessage): void {
    if (message.type === 'events') {
      if (this.#phase === 'open' && message.events.length > 0) this.#batches.push(message.events)
    } else if (message.type === 'cancelled' || message.type === 'producerDown') {
      if (this.#phase === 'open') this.#endedAs = message.reason
      this.#phase = 'over'
    } else return
    this.#wake()
  }
}
