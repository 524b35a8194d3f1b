/** Peers that are no stages: the test itself speaks the protocol (GS-A7). */
import type { ConsumerRef, ProducerRef, Reason, Runtime, StageRef } from '@genstage/core'
import { addressOf, peerAddress } from '@genstage/core/protocol'
import type { Address, ProtocolMessage } from '@genstage/core/protocol'
import type { Item, Seen } from './stages.ts'

/** A message that a peer got, without the sender. */
type Received = readonly [type: ProtocolMessage['type'], content: unknown]

/** A consumer that the test drives by hand. What it gets is in `received`; events also in `seen`, to compare with stages. */
export class RawConsumer {
  readonly received: Received[] = []
  readonly address: Address
  readonly #subscription: string

  constructor(runtime: Runtime, id = 'peer', seen: Seen = []) {
    this.#subscription = `${id}-subscription`
    this.address = peerAddress(runtime, {
      id,
      type: 'consumer',
      post: message => {
        this.received.push([message.type, contentOf(message)])
        if (message.type === 'events') seen.push(['events', message.events as readonly Item[]])
      },
    })
  }

  subscribe(to: StageRef, options: Readonly<Record<string, unknown>> = {}): void {
    addressOf(to).post({ type: 'subscribe', from: this.address, subscription: this.#subscription, options, current: undefined })
  }

  ask(from: StageRef, demand: number): void {
    addressOf(from).post({ type: 'ask', from: this.address, subscription: this.#subscription, demand })
  }

  cancel(from: StageRef, reason: Reason = { type: 'normal' }): void {
    addressOf(from).post({ type: 'cancel', from: this.address, subscription: this.#subscription, reason })
  }

  /** Says that it has ended. */
  end(from: StageRef, reason: Reason): void {
    addressOf(from).post({ type: 'consumerDown', from: this.address, subscription: this.#subscription, reason })
  }

  /** All events that arrived, in order. */
  get items(): readonly Item[] {
    return this.received.flatMap(([type, content]) => (type === 'events' ? (content as readonly Item[]) : []))
  }
}

/** A producer that the test drives by hand: what it gets goes to `answer`. */
export class RawProducer {
  readonly received: Received[] = []
  readonly address: Address

  constructor(runtime: Runtime, answer: (message: ProtocolMessage, self: Address) => void = () => {}) {
    this.address = peerAddress(runtime, {
      id: 'raw-producer',
      type: 'producer',
      post: (message, self) => {
        this.received.push([message.type, contentOf(message)])
        answer(message, self)
      },
    })
  }

  /** As stages subscribe to it. */
  get ref(): ProducerRef<Item> {
    return this.address.ref as ProducerRef<Item>
  }

  emit(to: ConsumerRef<Item>, subscription: string, events: readonly Item[]): void {
    addressOf(to).post({ type: 'events', from: this.address, subscription, events })
  }

  cancel(to: ConsumerRef<Item>, subscription: string, reason: Reason): void {
    addressOf(to).post({ type: 'cancelled', from: this.address, subscription, reason })
  }
}

function contentOf(message: ProtocolMessage): unknown {
  if (message.type === 'events') return message.events
  if (message.type === 'ask') return message.demand
  if (message.type === 'subscribe') return message.options
  return 'reason' in message ? message.reason : undefined
}
