import {
  broadcastDispatcher,
  demandDispatcher,
  type Dispatched,
  type Dispatcher,
  type DispatcherFactory,
  fairDispatcher,
  none,
  partitionDispatcher,
  priorityDispatcher,
  rateLimit,
} from '@genstage/core'
import { ContractError, type DispatcherCapabilities, dispatcherContract } from '@genstage/testing/contracts'
import { describe, expect, it, vi } from 'vitest'

// Thousands of steps take their time on a busy machine
vi.setConfig({ testTimeout: 30_000 })

const seatOf = (number: number): number | undefined => (number % 4 === 3 ? undefined : number % 4)
const rank = (number: number): number => number % 3
const limit = { events: 5, perMs: 10 }

const partition = partitionDispatcher({ partitions: 3, hash: (event: number) => seatOf(event) ?? none })
const partitioned: DispatcherCapabilities = { seats: 3, options: seat => ({ partition: seat }), holdsEvents: true, seatOf }
const priority = priorityDispatcher({ priority: rank, maxQueued: 7 })
const prioritised: DispatcherCapabilities = { holdsEvents: true, rank, asksAhead: 7 }

const ours: readonly (readonly [name: string, factory: DispatcherFactory<number>, capabilities: DispatcherCapabilities])[] = [
  ['demandDispatcher', demandDispatcher(), {}],
  ['broadcastDispatcher', broadcastDispatcher(), { broadcasts: true }],
  ['partitionDispatcher', partition, partitioned],
  ['fairDispatcher', fairDispatcher(), { options: seat => ({ weight: seat + 1 }) }],
  ['priorityDispatcher', priority, prioritised],
  ['rateLimit(demandDispatcher)', rateLimit(demandDispatcher(), limit), {}],
  ['rateLimit(partitionDispatcher)', rateLimit(partition, limit), partitioned],
  ['rateLimit(broadcastDispatcher) with a burst', rateLimit(broadcastDispatcher(), { ...limit, burst: 2 }), { broadcasts: true }],
  ['rateLimit(priorityDispatcher)', rateLimit(priority, limit), prioritised],
  ['a rate limit around another', rateLimit(rateLimit(partition, limit), { events: 2, perMs: 3, burst: 4 }), partitioned],
]

describe.each(ours)('the contract of dispatchers: %s', (_name, factory, capabilities) => {
  for (const { ids, name, run } of dispatcherContract(factory, capabilities, { runs: 80 })) {
    it(`${ids.join(' ')} ${name}`, async () => {
      await run()
    })
  }

  it('takes events of any kind', async () => {
    if (capabilities.seatOf !== undefined || capabilities.rank !== undefined) return
    const objects = dispatcherContract(
      factory as DispatcherFactory,
      { ...capabilities, event: number => ({ number }) },
      { runs: 20 },
    )
    for (const { run } of objects) await run()
  })
})

/** A dispatcher of ours, with something wrong about it. */
function spoilt<Event>(
  factory: DispatcherFactory<Event>,
  spoil: (dispatcher: Dispatcher<Event>) => Partial<Dispatcher<Event>>,
): DispatcherFactory<Event> {
  return context => {
    const dispatcher = factory(context)
    const { subscribe, ask, cancel, dispatch, info, wake, giveBack, held, inspect } = dispatcher
    const whole: Dispatcher<Event> = {
      subscriptionOptions: dispatcher.subscriptionOptions ?? [],
      subscribe: subscribe.bind(dispatcher),
      ask: ask.bind(dispatcher),
      cancel: cancel.bind(dispatcher),
      dispatch: dispatch.bind(dispatcher),
      ...(info === undefined ? {} : { info: info.bind(dispatcher) }),
      ...(wake === undefined ? {} : { wake: wake.bind(dispatcher) }),
      ...(giveBack === undefined ? {} : { giveBack: giveBack.bind(dispatcher) }),
      ...(held === undefined ? {} : { held: held.bind(dispatcher) }),
      ...(inspect === undefined ? {} : { inspect: inspect.bind(dispatcher) }),
    }
    return { ...whole, ...spoil(whole) }
  }
}

const bugs: readonly (readonly [
  bug: string,
  found: string,
  factory: DispatcherFactory<number>,
  capabilities: DispatcherCapabilities,
])[] = [
  [
    'it forgets some of the demand',
    'lets nothing wait that somebody could take, also of who left',
    spoilt(demandDispatcher(), ({ ask }) => ({ ask: (to, demand) => ask(to, demand === 5 ? 4 : demand) })),
    {},
  ],
  [
    'it delivers one more than was asked for',
    'sends nobody more than was asked for',
    spoilt(demandDispatcher(), ({ ask }) => ({ ask: (to, demand) => ask(to, demand + 1) })),
    {},
  ],
  [
    'it goes on delivering to somebody who has left',
    'sends nothing to a subscription that is not there',
    spoilt(demandDispatcher(), ({ subscribe }) => {
      let last: Dispatched = { allowance: 0 }
      return { subscribe: (to, options) => (last = subscribe(to, options)), cancel: () => last }
    }),
    {},
  ],
  [
    'it loses what is left over',
    'loses nothing: an event is delivered, discarded, left over, or among those held',
    spoilt(demandDispatcher(), ({ dispatch }) => ({ dispatch: events => ({ ...dispatch(events), leftover: [] }) })),
    {},
  ],
  [
    'it hands the first event out twice',
    'sends no event twice, unless it was given back',
    spoilt(demandDispatcher(), ({ dispatch }) => ({
      dispatch: events => dispatch(events.length > 1 ? [events[0] ?? 0, ...events.slice(0, -1)] : events),
    })),
    {},
  ],
  [
    'it turns what is left over round',
    'keeps the order, also of what it leaves over',
    spoilt(demandDispatcher(), ({ dispatch }) => ({
      dispatch(events) {
        const { leftover = [], ...others } = dispatch(events)
        return { ...others, leftover: leftover.toReversed() }
      },
    })),
    {},
  ],
  [
    'it counts the demand of who has left',
    'tells how many it can take: not more than was asked for, never below 0, and takes them then',
    spoilt(demandDispatcher(), ({ cancel }) => ({
      cancel(to) {
        const outcome = cancel(to)
        return { ...outcome, allowance: outcome.allowance + 3 }
      },
    })),
    {},
  ],
  [
    'it leaves out one consumer of a broadcast',
    'sends everybody the same',
    spoilt(broadcastDispatcher(), ({ dispatch }) => ({
      dispatch(events) {
        const { deliveries = [], ...others } = dispatch(events)
        return { ...others, deliveries: deliveries.length > 2 ? deliveries.slice(1) : deliveries }
      },
    })),
    { broadcasts: true },
  ],
  [
    'it lets infos pass at once, though it holds events',
    'lets infos out in order, behind all events emitted before',
    spoilt(partition, ({ ask }) => ({
      info: message => ({ ...ask({ subscriptionId: 'x', consumerId: 'x' }, 1), infos: [message] }),
    })),
    partitioned,
  ],
  [
    'it hands out the least urgent first',
    'keeps the order, also of what it leaves over',
    priorityDispatcher({ priority: event => -rank(event), maxQueued: 7 }),
    prioritised,
  ],
  [
    'it turns round what comes back',
    'lets events that were given back leave before those that wait',
    spoilt(partition, ({ giveBack }) => ({
      giveBack(undone, from) {
        return giveBack?.(undone.toReversed(), from) ?? { allowance: 0 }
      },
    })),
    partitioned,
  ],
  [
    'it uses an array of events again',
    'changes no array that it was given or has handed out',
    spoilt(demandDispatcher(), ({ dispatch }) => {
      const array: number[] = []
      return {
        dispatch(events) {
          const { deliveries = [], ...others } = dispatch(events)
          const [first] = deliveries
          if (deliveries.length !== 1 || first === undefined) return { ...others, deliveries }
          array.splice(0, array.length, ...(first.events as number[]))
          return { ...others, deliveries: [{ to: first.to, events: array }] }
        },
      }
    }),
    {},
  ],
  [
    'it wants to be woken in the past for ever',
    'wants to be woken at times that come, and finds an end',
    spoilt(demandDispatcher(), ({ subscribe }) => {
      let last: Dispatched = { allowance: 0 }
      return {
        subscribe: (to, options) => (last = { ...subscribe(to, options), wakeAt: 0 }),
        wake: () => ({ ...last, allowance: 0, wakeAt: 0 }),
      }
    }),
    {},
  ],
  [
    'its dispatchers share their state',
    'knows nothing of the dispatchers made before it',
    (() => {
      let shared: Dispatcher<number> | undefined
      return context => (shared ??= demandDispatcher()(context))
    })(),
    {},
  ],
  [
    'it throws away the demand of its consumers when it is looked at',
    'is not changed by being looked at',
    spoilt(demandDispatcher(), ({ ask }) => {
      let looks = 0
      return { inspect: () => looks++, ask: (to, demand) => ask(to, looks > 0 ? 1 : demand) }
    }),
    {},
  ],
  [
    'it is random without the chance that it was given',
    'does the same in two runs with the same chance and time',
    (() => {
      let made = 0
      return spoilt(demandDispatcher(), ({ ask }) => {
        const odd = made++ % 2
        return { ask: (to, demand) => ask(to, odd === 1 && demand > 2 ? demand - 1 : demand) }
      })
    })(),
    {},
  ],
]

describe('the contract of dispatchers with something else', () => {
  it.each([
    ['a function around the factory', () => demandDispatcher(), /answered a function: give demandDispatcher\(\)/],
    ['an object without dispatch', () => ({ subscribe() {}, ask() {}, cancel() {} }), /has no method dispatch/],
    ['nothing', () => undefined, /has no method subscribe/],
  ])('says what is wrong with %s', (_what, factory, message) => {
    const [first] = dispatcherContract(factory as unknown as DispatcherFactory)
    expect(() => first?.run()).toThrow(message)
  })
})

describe('the contract of dispatchers with a planted bug', () => {
  it.each(bugs)('finds that %s', async (_bug, found, factory, capabilities) => {
    const suite = dispatcherContract(factory, capabilities, { runs: 300, seed: 1 })
    const finder = suite.find(({ name }) => name === found)
    await expect(async () => finder?.run()).rejects.toThrow(ContractError)
  })

  it('tells the shortest script that shows it, and how to repeat it', () => {
    const [, , factory = demandDispatcher(), capabilities] = bugs[1] ?? []
    const demand = dispatcherContract(factory, capabilities, { seed: 7 }).find(
      ({ name }) => name === 'sends nobody more than was asked for',
    )
    expect(() => demand?.run()).toThrow(
      /it sent 2 events to s0, which had asked for 1\n {2}after: subscribe 0, (ask 0 1, emit 2|emit 2, ask 0 1)\n {2}seed: 7/,
    )
  })
})
