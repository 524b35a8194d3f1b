import { type ProducerRef, type Reason, type Runtime } from '@genstage/core'
import { type Address, peerAddress, type ProtocolMessage } from '@genstage/core/protocol'

/** What a peer that produces is told by its one consumer. */
export interface ProducerHooks {
  /** The consumer wants more. */
  asked(demand: number): void
  /** The consumer wants the subscription to end: answer with `cancelled`, at once or when the time has come. */
  cancelRequested(reason: Reason): void
  /** The consumer has ended. */
  consumerDown(reason: Reason): void
}

let count = 0

/** A producer for one consumer that is no stage: it speaks the protocol in the name of a foreign stream. */
export class PeerProducer {
  /** What the consumer subscribes to. */
  readonly ref: ProducerRef<never>
  readonly #address: Address
  readonly #hooks: ProducerHooks
  #link: { readonly consumer: Address; readonly subscription: string } | undefined
  /** What has to be said when the consumer has subscribed: it may be told of the end before it has begun. */
  #afterwards: (() => void) | undefined

  constructor(runtime: Runtime, name: string, hooks: ProducerHooks) {
    this.#hooks = hooks
    this.#address = peerAddress(runtime, { id: `${name}-${++count}`, type: 'producer', post: message => this.#receive(message) })
    this.ref = this.#address.ref as ProducerRef<never>
  }

  deliver(events: readonly unknown[]): void {
    if (events.length > 0) this.#say(subscription => ({ type: 'events', from: this.#address, subscription, events }))
  }

  /** Ends the subscription, as the consumer has asked for. */
  cancelled(reason: Reason): void {
    this.#say(subscription => ({ type: 'cancelled', from: this.#address, subscription, reason }))
  }

  /** Ends the subscription: there is no producer any more. */
  down(reason: Reason): void {
    this.#say(subscription => ({ type: 'producerDown', from: this.#address, subscription, reason }))
  }

  #say(message: (subscription: string) => ProtocolMessage): void {
    const link = this.#link
    if (link !== undefined) return link.consumer.post(message(link.subscription))
    const before = this.#afterwards
    this.#afterwards = () => {
      before?.()
      this.#say(message)
    }
  }

  #receive(message: ProtocolMessage): void {
    switch (message.type) {
      case 'subscribe':
        this.#link = { consumer: message.from, subscription: message.subscription }
        this.#say(subscription => ({ type: 'subscribed', from: this.#address, subscription }))
        this.#afterwards?.()
        this.#afterwards = undefined
        return
      case 'ask':
        return this.#hooks.asked(message.demand)
      case 'cancel':
        return this.#hooks.cancelRequested(message.reason)
      case 'consumerDown':
        return this.#hooks.consumerDown(message.reason)
      default: // what only consumers are told
    }
  }
}
