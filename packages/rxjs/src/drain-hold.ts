import type { Context, ProducerRef } from '@genstage/core'
import { type Address, peerAddress, type ProtocolMessage } from '@genstage/core/protocol'

/**
 * Keeps a stage that drains from ending while it still has work outside its callbacks. A drain waits until every subscription to a
 * producer is over; so this is a producer, without events, that confirms its cancel only when it is let go.
 */
export class DrainHold {
  readonly #address: Address
  /** Who has subscribed, until that is over. */
  #held: { readonly from: Address; readonly subscription: string } | undefined
  #isLetGo = false

  constructor(ctx: Context) {
    const id = `results of ${ctx.self.id}`
    this.#address = peerAddress(ctx.runtime, { id, type: 'producer', post: message => this.#receive(message) })
  }

  /** To subscribe to. */
  get ref(): ProducerRef<never> {
    // Every ref has the methods of all kinds at run time; a peer's type is known only to whoever made it
    return this.#address.ref as unknown as ProducerRef<never>
  }

  /** The work is done. */
  letGo(): void {
    this.#isLetGo = true
    const held = this.#held
    this.#held = undefined
    held?.from.post({ type: 'cancelled', from: this.#address, subscription: held.subscription, reason: { type: 'normal' } })
  }

  #receive(message: ProtocolMessage): void {
    if (message.type === 'consumerDown') this.#held = undefined
    if (message.type !== 'subscribe') return
    this.#held = { from: message.from, subscription: message.subscription }
    if (this.#isLetGo) this.letGo()
  }
}
