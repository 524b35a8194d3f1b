import { type ConsumerRef, GenStageError, type ProducerRef, type Reason, type Subscription } from '@genstage/core'
import { type Address, addressOf, peerAddress, type ProtocolMessage } from '@genstage/core/protocol'
import type { FromThread, Peer } from '../messages.ts'
import { wireReason } from '../wire.ts'

/** So much is never used up, so it is asked for once. The other side asks for what is really wanted. */
const endless = 2 ** 52

interface Source {
  readonly address: Address
  /** The subscription of the stage on this thread. */
  readonly link: Subscription
}

/**
 * The producers of the stage, as they are seen on this thread: each is a peer that delivers what the other side has got from the real
 * one, and passes on what the callbacks ask and cancel. The stage follows none of them: that is decided on the other side.
 */
export class Sources {
  readonly #stage: ConsumerRef<unknown>
  readonly #tell: (message: FromThread) => void
  /** By the subscription of the other side. */
  readonly #sources = new Map<string, Source>()

  constructor(stage: ConsumerRef<unknown>, tell: (message: FromThread) => void) {
    this.#stage = stage
    this.#tell = tell
  }

  /** Subscribes the stage on this thread, as the one on the other side has been. */
  subscribe(subscription: string, { id, name }: Peer, options: Readonly<Record<string, unknown>>): Subscription {
    const post = (message: ProtocolMessage, self: Address): void => this.#heard(subscription, message, self)
    const address = peerAddress(this.#stage.runtime, { id, name, type: 'producer', post })
    const to = address.ref as ProducerRef<unknown>
    const link = this.#stage.subscribe({ ...options, to, maxDemand: endless, minDemand: 0, cancel: 'temporary' })
    this.#sources.set(subscription, { address, link })
    return link
  }

  deliver(subscription: string, events: readonly unknown[], redeliveries: number): void {
    const source = this.#sources.get(subscription)
    if (source === undefined) return
    const { address: from, link } = source
    addressOf(this.#stage).post({ type: 'events', from, subscription: link.id, events, redeliveries })
  }

  /** The subscription on the other side has ended. */
  end(subscription: string, kind: 'cancel' | 'down', reason: Reason): void {
    const source = this.#sources.get(subscription)
    if (source === undefined) return
    this.#sources.delete(subscription)
    const { address: from, link } = source
    addressOf(this.#stage).post({ type: kind === 'down' ? 'producerDown' : 'cancelled', from, subscription: link.id, reason })
  }

  /** What the stage on this thread says to a producer. */
  #heard(subscription: string, message: ProtocolMessage, self: Address): void {
    if (message.type === 'ask' && message.demand !== endless) {
      this.#tell({ type: 'ask', subscription, demand: message.demand })
    } else if (message.type === 'cancel') {
      this.#tell({ type: 'cancel', subscription, reason: wireReason(message.reason) })
    } else if (message.type === 'subscribe') this.#answer(message, self)
  }

  /** A request that `subscribe` has not made was made by the callbacks, and leads nowhere. */
  #answer({ from, subscription }: Extract<ProtocolMessage, { type: 'subscribe' }>, self: Address): void {
    const isOurs = [...this.#sources.values()].some(({ link }) => link.id === subscription)
    if (isOurs) return from.post({ type: 'subscribed', from: self, subscription })
    const error = new GenStageError(
      'BAD_OPTION',
      'a stage on a thread is subscribed to producers on the other side, by its ref there',
    )
    from.post({ type: 'cancelled', from: self, subscription, reason: { type: 'error', error } })
  }
}
