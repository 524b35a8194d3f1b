import type { SubscriptionOptions } from '@genstage/core'

/** What a dispatcher promises beyond the contract that holds for all. */
export interface DispatcherCapabilities<Event = number> {
  /** The event with a number, each one different from the others. Default: the number itself. */
  readonly event?: (number: number) => Event
  /** How many may be subscribed at once. Default 4. */
  readonly seats?: number
  /** The subscription options of the one on a seat. Default none. */
  readonly options?: (seat: number) => SubscriptionOptions
  /** Every recipient gets each event. Default false: each event goes to one. */
  readonly broadcasts?: boolean
  /** It keeps events inside, and has `held`. Default false. */
  readonly holdsEvents?: boolean
  /**
   * Where an event goes, by its number: to the seat with that number; undefined if it is discarded. Default: anybody may get any
   * event.
   */
  readonly seatOf?: (number: number) => number | undefined
  /** How urgent an event is, by its number: the smaller, the sooner. Default: the order of emission. */
  readonly rank?: (number: number) => number
  /** How many events it asks for beyond what consumers have asked for, to have a choice. Default 0. */
  readonly asksAhead?: number
}

/** The capabilities with their defaults. */
export interface Subject {
  readonly event: (number: number) => unknown
  readonly seats: number
  readonly options: (seat: number) => SubscriptionOptions
  readonly broadcasts: boolean
  readonly holdsEvents: boolean
  readonly seatOf: ((number: number) => number | undefined) | undefined
  readonly rank: ((number: number) => number) | undefined
  readonly asksAhead: number
}

export function subjectOf(capabilities: DispatcherCapabilities<unknown>): Subject {
  return {
    event: capabilities.event ?? (number => number),
    seats: capabilities.seats ?? 4,
    options: capabilities.options ?? (() => ({})),
    broadcasts: capabilities.broadcasts ?? false,
    holdsEvents: capabilities.holdsEvents ?? false,
    seatOf: capabilities.seatOf,
    rank: capabilities.rank,
    asksAhead: capabilities.asksAhead ?? 0,
  }
}
