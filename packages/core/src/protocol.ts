import type { Reason } from './reason.ts'
import type { StageRef } from './refs.ts'
import type { DemandMode } from './types.ts'

/**
 * What stages say to each other (GS-A6): plain data, posted to an address. Whoever speaks this is a valid peer (GS-A7), in this
 * thread or elsewhere. `from` is the sender, `subscription` the id that its consumer made.
 */
export type ProtocolMessage = ToProducer | ToConsumer

/** What a consumer says to its producer. */
export type ToProducer =
  | SubscribeMessage
  | AskMessage
  | {
      /** Requests the end of a subscription; the answer is `cancelled` (GS-K9). */
      readonly type: 'cancel'
      readonly from: Address
      readonly subscription: string
      readonly reason: Reason
    }
  | {
      /** The consumer of a subscription has ended. */
      readonly type: 'consumerDown'
      readonly from: Address
      readonly subscription: string
      readonly reason: Reason
      /** With `redeliver`: the events that it had not done, in the order in which they came. */
      readonly undone?: readonly Undone[] | undefined
    }

/** Events that come back to their producer, or go out once more: a run of them with the same history (X21). */
export interface Undone {
  readonly events: readonly unknown[]
  /** How often they have been delivered to a callback already. */
  readonly redeliveries: number
}

/** A request to become a consumer. From now on the end of either side is told to the other. */
export interface SubscribeMessage {
  readonly type: 'subscribe'
  readonly from: Address
  readonly subscription: string
  readonly options: Readonly<Record<string, unknown>>
  /** Cancel this subscription first (GS-S9). */
  readonly current: { readonly subscription: string; readonly reason: Reason } | undefined
}

/** `demand` more events are wanted. */
export interface AskMessage {
  readonly type: 'ask'
  readonly from: Address
  readonly subscription: string
  readonly demand: number
}

/** What a producer says to its consumer. */
export type ToConsumer =
  | EventsMessage
  | {
      /** The producer has accepted. */
      readonly type: 'subscribed'
      readonly from: Address
      readonly subscription: string
    }
  | {
      /** The subscription is over: confirmed, refused or ended by the producer. */
      readonly type: 'cancelled'
      readonly from: Address
      readonly subscription: string
      readonly reason: Reason
    }
  | {
      /** The producer of a subscription has ended. */
      readonly type: 'producerDown'
      readonly from: Address
      readonly subscription: string
      readonly reason: Reason
    }

/** A batch, never larger than what was asked for. The array is handed over: nobody changes it any more. */
export interface EventsMessage {
  readonly type: 'events'
  readonly from: Address
  readonly subscription: string
  readonly events: readonly unknown[]
  /** How often they had been delivered before, if they had. */
  readonly redeliveries?: number
}

/** Where messages are posted to. Posting never blocks and never fails; to what has ended, it does nothing (GS-A4). */
export interface Address {
  /** The id of the stage there. */
  readonly id: string
  /** The handle that callbacks get to see as `from.producer` or `from.consumer`. */
  readonly ref: StageRef
  post(message: ProtocolMessage): void
}

/** What refs and the runtime say to a stage, besides the protocol. */
export type StageMessage =
  | ProtocolMessage
  | { readonly type: 'setup' }
  | { readonly type: 'call'; readonly request: unknown; readonly reply: Reply }
  | { readonly type: 'cast'; readonly message: unknown }
  | { readonly type: 'info'; readonly message: unknown }
  | { readonly type: 'queueInfo'; readonly message: unknown; readonly reply: Reply | undefined }
  | { readonly type: 'tick'; readonly tick: Tick }
  | { readonly type: 'setDemandMode'; readonly mode: DemandMode }
  | { readonly type: 'query'; readonly query: 'demandMode' | 'estimate' | 'inspect'; readonly reply: Reply }
  | { readonly type: 'settle' }
  | { readonly type: 'refill'; readonly subscription: string; readonly demand: number }
  | { readonly type: 'cancelSubscriber'; readonly subscription: string; readonly reason: Reason }
  | { readonly type: 'wake' }
  /** Something has become of a child: it waits until it is the turn of the stage whose child that is. */
  | { readonly type: 'childNews'; readonly from: Address; readonly work: () => void }
  | { readonly type: 'later'; readonly work: () => void; readonly abandon?: (reason: Reason) => void }

/** Who waits for an answer. Both do nothing once it has been given. */
export interface Reply {
  resolve(value: unknown): void
  reject(error: unknown): void
  /** Called when nobody waits any more, for whatever reason. */
  release?: () => void
}

/** A message for `handleInfo` that may have been called off while it waited: of a timer, or of a monitor. */
export interface Tick {
  /** The message, or undefined if it was called off. */
  take(): { readonly message: unknown } | undefined
}
