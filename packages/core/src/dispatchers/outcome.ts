import type { Delivery, Dispatched, DispatcherWarning, Recipient } from '../dispatcher.ts'
import type { Reason } from '../reason.ts'
import type { Discarded } from '../types.ts'

/**
 * The answer of our own dispatchers, one object used again for each operation: it has all fields at all times, which makes reading
 * it the cheapest thing there is (one hidden class for all dispatchers, measured with WL-7).
 */
export class Outcome implements Dispatched {
  allowance = 0
  hold = false
  deliveries: readonly Delivery[] | undefined = undefined
  leftover: readonly unknown[] | undefined = undefined
  asks: readonly { readonly to: Recipient; readonly demand: number }[] | undefined = undefined
  cancels: readonly { readonly to: Recipient; readonly reason: Reason }[] | undefined = undefined
  infos: readonly unknown[] | undefined = undefined
  discarded: readonly Discarded[] | undefined = undefined
  warnings: readonly DispatcherWarning[] | undefined = undefined
  wakeAt: number | undefined = undefined

  /** A fresh answer: what could be delivered now, and nothing to do. */
  with(allowance: number, hold: boolean = false): this {
    this.allowance = allowance
    this.hold = hold
    this.deliveries = undefined
    this.leftover = undefined
    this.asks = undefined
    this.cancels = undefined
    this.infos = undefined
    this.discarded = undefined
    this.warnings = undefined
    this.wakeAt = undefined
    return this
  }
}
