import type { ClaimedJob, Store } from '../src/store.ts'
import { faultyStore } from '../src/testing/faulty-store.ts'
import { times } from './simulated-runner.ts'
import type { VirtualProcess } from './virtual-process.ts'
import type { Spoilers, World } from './world.ts'

/** Bugs that can be planted, to see that they are found. */
export const plantedBugs = [
  'lost-settlement',
  'double-claim',
  'lying-heart',
  'hot-retry',
  'late-retry',
  'greedy-pruning',
] as const
export type PlantedBug = (typeof plantedBugs)[number]

export function planted(bug: PlantedBug): Spoilers {
  switch (bug) {
    case 'lost-settlement':
      return { own: losesSettlements }
    case 'double-claim':
      return { shared: claimsTwice() }
    case 'lying-heart':
      return { own: beatsForTheDead }
    case 'hot-retry':
      return { own: retriesAfter(() => 0) }
    case 'late-retry':
      return { own: retriesAfter(inMs => 20 * inMs) }
    case 'greedy-pruning':
      return { shared: prunesAll }
  }
}

/** A completer that loses one end in seven: the runner takes it for written. */
function losesSettlements(store: Store): Store {
  let settlements = 0
  return {
    ...store,
    settle: async (given, next) => {
      const kept = given.map(() => ++settlements % 7 !== 0)
      const places = [...kept.keys()].filter(index => kept[index])
      const settled = await store.settle(
        given.filter((_, index) => kept[index]),
        next,
      )
      const accepted = kept.map(() => true)
      for (const [index, answer] of settled.accepted.entries()) accepted[places[index] ?? -1] = answer
      const overruled = settled.overruled?.map(each => ({ ...each, index: places[each.index] ?? -1 }))
      return { ...settled, accepted, overruled }
    },
  }
}

/** A store that gives one job in five to the next one who asks as well. */
function claimsTwice(): (store: Store) => Store {
  return store => {
    let claims = 0
    let again: ClaimedJob | undefined
    const doubled = (jobs: readonly ClaimedJob[], limit: number): readonly ClaimedJob[] => {
      const twice = again !== undefined && jobs.length < limit ? [again, ...jobs] : jobs
      again = jobs.length > 0 && ++claims % 5 === 0 ? jobs[0] : undefined
      return twice
    }
    return {
      // An object of its own, with all the methods
      ...faultyStore(store, {}),
      claim: async request => {
        const claimed = await store.claim(request)
        return { ...claimed, jobs: doubled(claimed.jobs, request.limit) }
      },
    }
  }
}

/** A heart that goes on when its runner is dead, as a thread would that nobody ends. */
function beatsForTheDead(store: Store, process: VirtualProcess, world: World): Store {
  return {
    ...store,
    register: async (runner, leaseMs) => {
      await store.register(runner, leaseMs)
      const beat = (): void => {
        // Ends by itself some time, so that the world can become quiet
        if (world.clock.now() - process.diedAt > 120_000 || world.isConcluded) return
        void world.witness.store.heartbeat(runner.id, leaseMs)
        world.clock.setTimer(times.heartbeatMs, beat)
      }
      beat()
    },
  }
}

/** A back-off that is not heeded: failed jobs come back at other times. */
function retriesAfter(spoilt: (inMs: number) => number): (store: Store) => Store {
  return store => ({
    ...store,
    settle: (given, next) =>
      store.settle(
        given.map(each => (each.to === 'retry' ? { ...each, inMs: spoilt(each.inMs) } : each)),
        next,
      ),
  })
}

/** A store that removes whatever has finished, where only what is old was to go. */
function prunesAll(store: Store): Store {
  const olderThanMs = { completed: -1, failed: -1, discarded: -1, cancelled: -1 }
  return { ...faultyStore(store, {}), prune: ({ limit }) => store.prune({ olderThanMs, limit }) }
}
