import type { DispatcherFactory } from '@genstage/core'
import type { PlantedBug } from './options.ts'

/** Every so many deliveries something goes wrong. */
const every = 5

/** A dispatcher with a bug, to see that it is found. */
export function planted(bug: PlantedBug): (make: DispatcherFactory<number>) => DispatcherFactory<number> {
  return make => context => {
    const dispatcher = make(context)
    const { dispatch } = dispatcher
    let calls = 0
    dispatcher.dispatch = events => {
      const outcome = dispatch.call(dispatcher, events)
      if (++calls % every !== 0) return outcome
      const deliveries = (outcome.deliveries ?? []).map(each => ({ ...each, events: spoilt(bug, each.events) }))
      return { ...outcome, deliveries: deliveries.filter(delivery => delivery.events.length > 0) }
    }
    return dispatcher
  }
}

function spoilt(bug: PlantedBug, events: readonly unknown[]): readonly unknown[] {
  if (bug === 'lost-event') return events.slice(0, -1)
  if (bug === 'repeated-event') return [...events.slice(0, -1), ...events.slice(0, 1)]
  return [...events].reverse()
}
