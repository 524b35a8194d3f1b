import type { UpstreamLink } from '../links.ts'
import { ChildDemand } from './child-demand.ts'

/** A producer of events, as its consumer supervisor sees it. */
export class EventSource {
  readonly link: UpstreamLink
  readonly demand: ChildDemand
  /** Whether the subscription is still there; without it the ends of children release nothing (GS-V16). */
  isOpen = true

  constructor(link: UpstreamLink) {
    const { max, min } = link.demand
    this.link = link
    this.demand = new ChildDemand(max, link.options.minDemand === undefined ? max - 1 : min)
  }

  /** A child of one of its events has begun. Until it has ended, the event counts as in flight. */
  began(): void {
    this.demand.running++
    this.link.handled--
  }

  ended(): void {
    this.demand.running--
    this.link.handled++
  }

  /** Asks for as many events as it is time to ask for. */
  ask(): void {
    if (!this.isOpen) return
    const ask = this.demand.request()
    if (ask > 0) this.link.post(ask)
  }
}
