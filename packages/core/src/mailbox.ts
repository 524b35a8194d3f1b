import type { StageMessage } from './protocol.ts'
import { Queue } from './queue.ts'
import type { Scheduler } from './scheduler.ts'

/** Messages that wait for a stage. Unbounded (GS-A8): what arrives is limited by demand. */
export interface Mailbox {
  readonly length: number
  push(message: StageMessage): void
  shift(): StageMessage | undefined
}

/** The mailbox of everyday: in the order of arrival (GS-A1). */
export class FifoMailbox extends Queue<StageMessage> implements Mailbox {}

/** Whoever is no stage. */
const outside = 'outside'

/**
 * The mailbox of simulation: one queue per sender, because only messages between one pair keep their order (GS-A2). Which sender's
 * message is next is decided from outside.
 */
export class ChannelMailbox implements Mailbox {
  readonly #channels = new Map<string, Queue<StageMessage>>()
  readonly #owner: { readonly id: string }
  readonly #scheduler: Scheduler | undefined
  /** The sender to take from at the next `shift`. */
  next: string | undefined
  /** The setup, which comes before everything else (GS-L1). */
  #setup: StageMessage | undefined

  constructor(owner: { readonly id: string }, scheduler?: Scheduler) {
    this.#owner = owner
    this.#scheduler = scheduler
  }

  get length(): number {
    let length = this.#setup === undefined ? 0 : 1
    for (const channel of this.#channels.values()) length += channel.length
    return length
  }

  /** Senders that wait, each with the kind of its oldest message. */
  waiting(): readonly { readonly sender: string; readonly message: string }[] {
    if (this.#setup !== undefined) return [{ sender: outside, message: this.#setup.type }]
    return [...this.#channels].map(([sender, channel]) => ({ sender, message: channel.at(0)?.type ?? '' }))
  }

  push(message: StageMessage): void {
    const sender = message.type === 'setup' ? outside : this.#senderOf(message)
    this.#scheduler?.posted?.(this.#owner.id, sender)
    if (message.type === 'setup') {
      this.#setup = message
      return
    }
    const channel = this.#channels.get(sender) ?? new Queue<StageMessage>()
    channel.push(message)
    this.#channels.set(sender, channel)
  }

  shift(): StageMessage | undefined {
    const setup = this.#setup
    const sender = this.next ?? this.#channels.keys().next().value
    this.#setup = undefined
    this.next = undefined
    if (setup !== undefined) return setup
    const channel = sender === undefined ? undefined : this.#channels.get(sender)
    const message = channel?.shift()
    if (sender !== undefined && channel?.length === 0) this.#channels.delete(sender)
    return message
  }

  #senderOf(message: StageMessage): string {
    if ('from' in message) return message.from.id
    const own =
      message.type === 'settle' || message.type === 'refill' || message.type === 'cancelSubscriber' || message.type === 'wake'
    return own ? this.#owner.id : outside
  }
}
