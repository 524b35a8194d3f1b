import type { Dispatched, Dispatcher } from './dispatcher.ts'
import { GenStageError, show } from './errors.ts'
import { commonOf, type Host } from './host.ts'
import type { DownstreamLink, LocalPeer } from './links.ts'
import { StagePlace } from './options.ts'
import type { Undone } from './protocol.ts'
import { deliveryLimit, type Redeliveries } from './redelivery.ts'

// What a producing stage does for `redeliver` (X21): it takes back batches that consumers leave undone, and delivers them again.

const nothingUndone: readonly Undone[] = Object.freeze([])

/** Reads the option of a subscription; true if batches come back. They do so only where the dispatcher can take them. */
export function takesBack(host: Host, dispatcher: Dispatcher, link: DownstreamLink): boolean {
  if (link.options.redeliver === undefined) return false // without asking for the label, which would be made for it (WL-11)
  link.deliveryLimit = deliveryLimit(new StagePlace(host.label), link.options.redeliver)
  if (link.deliveryLimit === 0) return false
  if (dispatcher.giveBack !== undefined) {
    if ('hasEnded' in link.consumerAddress) link.peer = link.consumerAddress as LocalPeer
    return true
  }
  const text = `stage ${show(host.label)}: its dispatcher cannot take back events, so redeliver is refused; leave it out, or use a dispatcher with giveBack`
  throw new GenStageError('REDELIVERY_REFUSED', text, { stage: host.label, option: 'redeliver' })
}

/** What comes back, without the batches that have been delivered too often; and with what was sent after the end. */
export function notGivenUp(
  host: Host,
  { deliveryLimit: limit, bounced = [] }: DownstreamLink,
  undone: readonly Undone[],
): readonly Undone[] {
  if (undone.length === 0 && bounced.length === 0) return nothingUndone
  const all = [...undone, ...bounced]
  const givenUp = all.filter(({ redeliveries }) => redeliveries >= limit).flatMap(({ events }) => events)
  // A peer may give back what nobody had asked it to
  if (givenUp.length > 0 && limit === 0) host.discard('consumer_crash', givenUp)
  else if (givenUp.length > 0) tellLimit(host, limit, givenUp)
  return all.filter(({ redeliveries }) => redeliveries < limit)
}

function tellLimit(host: Host, limit: number, events: readonly unknown[]): void {
  const n = events.length
  host.discard('redelivery_limit', events)
  host.log('discarded', `${n} events discarded: delivered as often as redeliver allows (limit ${limit})`, { n })
}

/**
 * Ends a subscription whose consumer has not done these events: the dispatcher gives them to others, or holds them, or leaves them for
 * the buffer.
 */
export function giveBack(
  dispatcher: Dispatcher,
  events: readonly unknown[],
  link: DownstreamLink,
  isAccumulating: boolean,
): Dispatched {
  // While accumulating nothing goes out (X17): what the dispatcher cannot hold waits at the front of the buffer
  const staysHere = isAccumulating && dispatcher.held === undefined
  if (dispatcher.giveBack !== undefined && !staysHere) return dispatcher.giveBack(events, link)
  return { ...dispatcher.cancel(link), leftover: events }
}

/** Delivers with the history of the events: those that came back go in messages of their own. */
export function deliverCounted(
  host: Host,
  link: DownstreamLink,
  events: readonly unknown[],
  redeliveries: Redeliveries | undefined,
): void {
  const { consumerAddress, id: subscription } = link
  const { telemetry } = host.runtime
  for (const run of redeliveries?.take(events) ?? [{ events, redeliveries: 0 }]) {
    // Looked at each time: whoever is told of a redelivery may end it
    if (link.peer?.hasEnded === true) {
      link.bounced ??= []
      link.bounced.push(run)
      continue
    }
    consumerAddress.post({ type: 'events', from: host.address, subscription, ...run })
    if (run.redeliveries > 0 && telemetry.active)
      telemetry.tell('redelivered', { ...commonOf(host), subscription, count: run.events.length })
  }
}
