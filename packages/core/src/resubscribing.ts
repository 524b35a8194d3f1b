import { describeReason, type GenStageError, show } from './errors.ts'
import type { Host } from './host.ts'
import type { UpstreamLink } from './links.ts'
import { disposeSymbol } from './platform.ts'
import type { Reason } from './reason.ts'
import { refusal } from './subscription-end.ts'
import type { Ended } from './types.ts'

/** Subscriptions of a stage that wait to be made anew after a failure, each with its timer (X22). */
export class Resubscribing {
  readonly #host: Host
  readonly #subscribe: (link: UpstreamLink) => void
  readonly #timers = new Map<UpstreamLink, Disposable>()

  /** `subscribe` is called in a turn of the stage, when a subscription has waited long enough. */
  constructor(host: Host, subscribe: (link: UpstreamLink) => void) {
    this.#host = host
    this.#subscribe = subscribe
  }

  /** Lets a subscription wait for its next try. */
  add(link: UpstreamLink, reason: Reason, { attempt, delayMs }: { readonly attempt: number; readonly delayMs: number }): void {
    const name = show(link.producerName)
    this.#host.log('resubscribing', `subscribes to ${name} again in ${delayMs} ms (try ${attempt}): ${describeReason(reason)}`, {
      producer: link.producerName,
      n: attempt,
      delayMs,
      reason,
    })
    const work = (): void => this.#subscribeAgain(link)
    const timer = this.#host.runtime.clock.setTimer(delayMs, () => this.#host.post({ type: 'later', work }))
    this.#timers.set(link, timer)
  }

  /** A subscription waits no longer: it is over. False if it was not waiting. */
  stop(link: UpstreamLink, ended: Ended): boolean {
    const timer = this.#timers.get(link)
    if (timer === undefined) return false
    timer[disposeSymbol]()
    this.#timers.delete(link)
    link.finish(ended, () => refusal(link, ended))
    return true
  }

  stopAll(ended: Ended): void {
    for (const link of this.#timers.keys()) this.stop(link, ended)
  }

  /** The stage has ended: none of them will be made. */
  close(reason: Reason, refused: () => GenStageError): void {
    for (const [link, timer] of this.#timers) {
      timer[disposeSymbol]()
      link.finish({ kind: 'down', reason }, refused)
    }
    this.#timers.clear()
  }

  #subscribeAgain(link: UpstreamLink): void {
    if (this.#host.isStopping || !this.#timers.delete(link)) return
    this.#subscribe(link.endedAs === undefined ? link : this.#host.renew(link))
  }
}
