import {
  broadcastDispatcher,
  demandDispatcher,
  type Dispatched,
  type DispatcherFactory,
  none,
  partitionDispatcher,
} from '@genstage/core'
import type { Ledger } from '../ledger.ts'
import { plannedPartition, plannedPartitions, type ProducingPlan } from '../topology-plan.ts'

/** Makes the dispatcher of a plan over. */
export type ChangeDispatcher = (make: DispatcherFactory<number>) => DispatcherFactory<number>

/** The dispatcher of a plan, with its messages entered in the ledger. */
export function plannedDispatcher(
  { dispatcher, sparing = false }: ProducingPlan,
  ledger: Ledger,
  change: ChangeDispatcher = make => make,
): DispatcherFactory<number> {
  const made = factory(dispatcher)
  return noted(change(sparing ? sparingly(made) : made), ledger)
}

function factory(kind: ProducingPlan['dispatcher']): DispatcherFactory<number> {
  if (kind === 'demand') return demandDispatcher()
  if (kind === 'broadcast') return broadcastDispatcher()
  return partitionDispatcher({ partitions: plannedPartitions, hash: (event: number) => plannedPartition(event) ?? none })
}

/** The same dispatcher, with its messages entered in the ledger. */
function noted(make: DispatcherFactory<number>, ledger: Ledger): DispatcherFactory<number> {
  return context => {
    const dispatcher = make(context)
    const note = (outcome: Dispatched): Dispatched => {
      for (const { to, events } of outcome.deliveries ?? [])
        if (events.length > 0) ledger.subscriptions.get(to.subscriptionId)?.messages.push(events.length)
      return outcome
    }
    const { ask, dispatch } = dispatcher
    dispatcher.ask = (to, demand) => note(ask.call(dispatcher, to, demand))
    dispatcher.dispatch = events => note(dispatch.call(dispatcher, events))
    return dispatcher
  }
}

/** Takes two events in a millisecond at most: what is left over while there is demand waits in the stage's buffer. */
function sparingly(make: DispatcherFactory<number>): DispatcherFactory<number> {
  return context => {
    const dispatcher = make(context)
    const { subscribe, ask, cancel, dispatch } = dispatcher
    let last: Dispatched = { allowance: 0 }
    let usedAt = -Infinity
    const keep = (outcome: Dispatched): Dispatched => {
      last = { allowance: outcome.allowance, hold: outcome.hold }
      return outcome
    }
    dispatcher.subscribe = (to, options) => keep(subscribe.call(dispatcher, to, options))
    dispatcher.ask = (to, demand) => keep(ask.call(dispatcher, to, demand))
    dispatcher.cancel = to => keep(cancel.call(dispatcher, to))
    dispatcher.wake = () => last
    dispatcher.dispatch = events => {
      const now = context.now()
      if (usedAt === now) return { ...last, leftover: events, wakeAt: now + 1 }
      usedAt = now
      const outcome = keep(dispatch.call(dispatcher, events.slice(0, 2)))
      if (events.length <= 2) return outcome
      return { ...outcome, leftover: [...(outcome.leftover ?? []), ...events.slice(2)], wakeAt: now + 1 }
    }
    return dispatcher
  }
}
