import { genstageRecorded } from './genstage-recorded.ts'
import type { PeerId } from './peers/index.ts'
import type { Results, Time } from './results.ts'
import type { RateId } from './workloads.ts'

/** A level that genstage should reach, by the figures of one run. */
export interface Goal {
  /** What is compared: `WL-1, share of the limit`. */
  readonly name: string
  readonly sense: 'at least' | 'at most'
  readonly good?: number
  readonly moonshot?: number
  /** Compared with a record from elsewhere: printed, and decides nothing. */
  readonly quoted: boolean
  /** Undefined if what it needs was not run. */
  value(results: Results): number | undefined
}

interface Levels {
  readonly good?: number
  readonly moonshot?: number
}

type Value = Goal['value']

const atLeast = (name: string, value: Value, levels: Levels): Goal => ({
  name,
  sense: 'at least',
  quoted: false,
  value,
  ...levels,
})

const atMost = (name: string, value: Value, levels: Levels): Goal => ({ name, sense: 'at most', quoted: false, value, ...levels })

const ofLimit = (id: RateId, levels: Levels) =>
  atLeast(`${id}, share of the limit`, results => results.ratio('genstage', 'limit', id), levels)

const timesPeer = (id: RateId, peer: PeerId, name: string, levels: Levels) =>
  atLeast(`${id}, times ${name}`, results => results.ratio('genstage', peer, id), levels)

const timesRecorded = (id: RateId, levels: Levels): Goal => ({
  name: `${id}, times GenStage (quoted)`,
  sense: 'at least',
  quoted: true,
  value: results => timesGenstage(results, id),
  ...levels,
})

/** Ours divided by GenStage's recorded figure. In WL-7 the wall clock is the fair one: one event at a time, it mostly waits for its schedulers. */
export function timesGenstage(results: Results, id: RateId): number | undefined {
  const time: Time = id === 'WL-7' ? 'wall' : 'processor'
  const own = results.rate('genstage', id, time)
  const recorded = genstageRecorded[id]
  return own && recorded && own.median / recorded[time]
}

const ofOwn = (id: RateId, levels: Levels) => atLeast(`${id}, share of WL-1`, results => shareOfOwn(results, id, 'WL-1'), levels)

function shareOfOwn(results: Results, id: RateId, base: RateId): number | undefined {
  const part = results.rate('genstage', id)
  const whole = results.rate('genstage', base)
  return part && whole && part.median / whole.median
}

/** "Level with": rates closer than 1.25 are a tie. */
const tie = 0.8

/** Every goal in the order of the tables. */
export const goals: readonly Goal[] = [
  ofLimit('WL-1', { good: 0.5, moonshot: 0.62 }),
  timesRecorded('WL-1', { good: 9, moonshot: 12 }),
  timesPeer('WL-1', 'rxjs', 'rxjs', { good: 0.9, moonshot: 1.2 }),
  timesPeer('WL-1', 'effect', 'Effect', { good: 1.5 }),
  timesPeer('WL-1', 'node-streams', 'Node streams', { good: 13 }),
  timesPeer('WL-1', 'async-generators', 'async generators', { good: 25 }),
  timesPeer('WL-1', 'async-generators-of-arrays', 'async generators of arrays', { moonshot: 1.3 }),

  ofLimit('WL-2', { good: 0.42, moonshot: 0.6 }),
  timesRecorded('WL-2', { good: 8, moonshot: 12 }),
  timesPeer('WL-2', 'rxjs', 'rxjs', { good: 2.5, moonshot: 3.5 }),
  timesPeer('WL-2', 'effect', 'Effect', { good: 1.5, moonshot: 2 }),
  timesPeer('WL-2', 'node-streams', 'Node streams', { good: 12 }),
  timesPeer('WL-2', 'async-generators', 'async generators', { good: 25 }),
  timesPeer('WL-2', 'async-generators-of-arrays', 'async generators of arrays', { moonshot: 1 }),

  ofLimit('WL-3', { good: 0.45, moonshot: 0.6 }),
  timesRecorded('WL-3', { good: 10, moonshot: 14 }),
  timesPeer('WL-3', 'rxjs', 'rxjs Subject', { good: 10, moonshot: 13 }),
  timesPeer('WL-3', 'effect', 'Effect', { good: 4, moonshot: 5.5 }),

  ofLimit('WL-4', { good: 0.45, moonshot: 0.57 }),
  timesRecorded('WL-4', { good: 8, moonshot: 10 }),
  timesPeer('WL-4', 'rxjs', 'rxjs groupBy', { good: 4, moonshot: 5 }),
  timesPeer('WL-4', 'node-streams', 'a hand-written Node router', { good: 6, moonshot: 8 }),

  ofLimit('WL-5', { good: 0.5, moonshot: 0.63 }),
  timesRecorded('WL-5', { good: 11, moonshot: 14 }),
  timesPeer('WL-5', 'effect', "Effect's queue", { good: 8, moonshot: 11 }),

  ofLimit('WL-6', { good: 0.5, moonshot: 0.62 }),
  timesRecorded('WL-6', { good: 10, moonshot: 12 }),
  timesPeer('WL-6', 'rxjs', 'rxjs merge', { good: 5, moonshot: 6 }),

  atLeast('WL-7, M events/s', results => results.rate('genstage', 'WL-7')?.median, { good: 8, moonshot: 15 }),
  timesRecorded('WL-7', { good: 40, moonshot: 80 }),
  timesPeer('WL-7', 'async-generators', 'async generators', { good: 1.1, moonshot: 2 }),
  timesPeer('WL-7', 'node-streams', 'Node streams at highWaterMark 1', { moonshot: tie }),

  ofOwn('WL-1@100/50', { good: 0.6, moonshot: 0.75 }),
  ofOwn('WL-1@10/5', { good: 0.15, moonshot: 0.2 }),

  ofLimit('WL-8a', { good: 0.5, moonshot: 0.66 }),
  timesPeer('WL-8a', 'async-generators', 'async generators', { good: 1.5, moonshot: 2 }),
  timesPeer('WL-8a', 'p-queue', 'p-queue', { good: 20, moonshot: 30 }),
  timesRecorded('WL-8a', { moonshot: tie }),

  ofLimit('WL-8b', { good: 0.5, moonshot: 0.75 }),
  timesRecorded('WL-8b', { good: 4, moonshot: 6 }),
  timesPeer('WL-8b', 'rxjs', 'rxjs mergeMap', { good: 7, moonshot: 10 }),
  timesPeer('WL-8b', 'p-queue', 'p-queue', { good: 12, moonshot: 18 }),
  timesPeer('WL-8b', 'streaming-iterables', 'streaming-iterables', { good: 4, moonshot: 6 }),

  atMost('WL-9, backlog in events', results => results.backlog('genstage')?.mostWaiting, { good: 1_000, moonshot: 1_000 }),
  atMost('WL-9, live heap growth in MB', results => results.backlog('genstage')?.liveHeapGrowthMb, { good: 1, moonshot: 1 }),
  atMost('WL-9, peak heap growth in MB', results => results.backlog('genstage')?.peakHeapGrowthMb, { good: 5, moonshot: 2 }),

  atMost('WL-10, lateness p99 in ms', results => results.lateness('genstage')?.p99Ms, { good: 8, moonshot: 4 }),
  atMost('WL-10, lateness max in ms', results => results.lateness('genstage')?.maxMs, { good: 12, moonshot: 6 }),
  atLeast('WL-10, speed of WL-2 with yields against without', results => shareOfOwn(results, 'WL-2', 'WL-2@no-yield'), {
    good: 0.9,
    moonshot: 0.97,
  }),

  atMost('WL-11, μs per pair of 100,000', results => results.idle('genstage', 'WL-11@100000')?.processorUsEach, {
    good: 3,
    moonshot: 1,
  }),
  atMost('WL-11, bytes per pair of 100,000', results => results.idle('genstage', 'WL-11@100000')?.heapBytesEach, {
    good: 1_500,
    moonshot: 600,
  }),
]

/** Whether a level of a goal was reached; undefined if there is no such level, or what it needs was not run. */
export function isReached(goal: Goal, level: 'good' | 'moonshot', results: Results): boolean | undefined {
  const wanted = goal[level]
  const value = goal.value(results)
  if (wanted === undefined || value === undefined) return undefined
  return goal.sense === 'at least' ? value >= wanted : value <= wanted
}
