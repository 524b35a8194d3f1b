import type { DiscardReason } from '@genstage/core'
import type { Cargo, Packing } from './cargo.ts'
import type { WireError, WireReason } from './wire.ts'

// What the two sides of a stage on a thread say to each other. "Here" is the side that has the ref and the subscriptions, "there" the
// thread, with the callbacks. Both directions keep their order.

/** With what a thread begins. */
export interface Opening {
  /** Says that this is data of ours. */
  readonly genstage: 'stage on a thread'
  readonly module: string
  readonly export: string
  readonly type: 'consumer' | 'producerConsumer'
  readonly arg: unknown
  /** Name or id of the stage, for messages and the log. */
  readonly label: string
  readonly name: string | undefined
  readonly restartCount: number
  readonly packing: Packing
}

/** Asked of the thread; each is answered by `done` with the same number. */
export type Request =
  | { readonly type: 'events'; readonly subscription: string; readonly cargo: Cargo; readonly redeliveries: number }
  | {
      readonly type: 'subscribe'
      readonly subscription: string
      readonly producer: Peer
      readonly options: Readonly<Record<string, unknown>>
    }
  | { readonly type: 'cancelled'; readonly subscription: string; readonly kind: 'cancel' | 'down'; readonly reason: WireReason }
  | { readonly type: 'call'; readonly request: unknown }
  | { readonly type: 'cast'; readonly message: unknown }
  | { readonly type: 'info'; readonly message: unknown }

/** A stage, as the other side names it. */
export interface Peer {
  readonly id: string
  readonly name: string | undefined
}

/** What is said to the thread. */
export type ToThread =
  | (Request & { readonly number: number })
  /** A stop has been requested: `ctx.stopping` is aborted there too. */
  | { readonly type: 'stopping' }
  /** The last message: `terminate`, and the end. */
  | { readonly type: 'stop'; readonly reason: WireReason }

/** What the thread says. */
export type FromThread =
  /** The setup is done; these callbacks are there. */
  | { readonly type: 'started'; readonly as: 'started' | 'ignored'; readonly callbacks: readonly string[] }
  /** A request has been dealt with: with the events that a batch gave, or how a subscription is to be asked. */
  | { readonly type: 'done'; readonly number: number; readonly cargo?: Cargo; readonly mode?: 'automatic' | 'manual' }
  | { readonly type: 'reply'; readonly number: number; readonly value: unknown }
  /** Events that any other callback gave. */
  | { readonly type: 'emitted'; readonly cargo: Cargo }
  | { readonly type: 'discarded'; readonly cargo: Cargo; readonly reason: DiscardReason | undefined }
  /** What the callbacks did with a subscription. */
  | { readonly type: 'ask'; readonly subscription: string; readonly demand: number }
  | { readonly type: 'cancel'; readonly subscription: string; readonly reason: WireReason }
  | {
      readonly type: 'log'
      readonly level: 'debug' | 'info' | 'warn' | 'error'
      readonly text: string
      readonly fields: WireFields | undefined
    }
  /** Something was thrown that nobody caught. Most likely the thread dies of it. */
  | { readonly type: 'uncaught'; readonly error: WireError }
  /** The stage there has ended. `asked`: because it was told to, and for that very reason. */
  | { readonly type: 'exited'; readonly reason: WireReason; readonly asked: boolean }

/** Fields of a line of the log. */
export type WireFields = Readonly<Record<string, { readonly thrown: WireError } | { readonly plain: unknown }>>
