import { badOption, isOptions, ownOptions, refuseUnknown, type Where, wholeNumber, within } from './options.ts'
import type { Undone } from './protocol.ts'

/**
 * The option `redeliver`, checked: how often a batch may be delivered before it is discarded; 0 without the option. Throws
 * `BAD_OPTION`.
 */
export function deliveryLimit(where: Where, value: unknown): number {
  if (value === undefined) return 0
  if (value === true) return Infinity
  if (!isOptions(value)) throw badOption(where, 'redeliver', value, 'true, or { limit }')
  const inside = within(where, 'redeliver')
  const own = ownOptions(inside, value)
  refuseUnknown(inside, own, ['limit'])
  return wholeNumber(inside, own, 'limit', Infinity, { min: 1, infinity: true })
}

/**
 * How often events that came back have been delivered, from the time they come back until they leave again. A dispatcher cuts and
 * mixes as it likes, so this is kept per event. Equal values cannot be told apart, and need not be: the one that came back first is
 * taken to leave first.
 */
export class Redeliveries {
  readonly #counts = new Map<unknown, number[]>()

  get isEmpty(): boolean {
    return this.#counts.size === 0
  }

  add({ events, redeliveries }: Undone): void {
    if (redeliveries === 0) return
    for (const event of events) {
      const counts = this.#counts.get(event)
      if (counts === undefined) this.#counts.set(event, [redeliveries])
      else counts.push(redeliveries)
    }
  }

  /** Events that leave, cut where the count changes. */
  take(events: readonly unknown[]): readonly Undone[] {
    if (this.isEmpty) return [{ events, redeliveries: 0 }]
    const runs: { events: unknown[]; redeliveries: number }[] = []
    let run: (typeof runs)[number] | undefined
    for (const event of events) {
      const redeliveries = this.#takeOne(event)
      if (run?.redeliveries === redeliveries) run.events.push(event)
      else {
        run = { events: [event], redeliveries }
        runs.push(run)
      }
    }
    return runs
  }

  #takeOne(event: unknown): number {
    const counts = this.#counts.get(event)
    const redeliveries = counts?.shift() ?? 0
    if (counts?.length === 0) this.#counts.delete(event)
    return redeliveries
  }
}
