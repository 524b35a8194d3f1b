/**
 * The limit: arrays passed by direct calls through the same functions, with no demand, no error handling, no scheduling.
 * What has a mailbox cannot be faster.
 */
import { branches, branchOf, concurrency, doubleAll, integers, multiplesOfThree } from '../events.ts'
import type { Peer } from '../peer.ts'
import { Tally, tallies, total } from '../tally.ts'

const batchSize = 1_000

function forEachBatch(count: number, size: number, take: (events: readonly number[]) => void): void {
  for (let first = 0; first < count; first += size) take(integers(first, size))
}

function toOneSink(count: number, size: number): number {
  const sink = new Tally()
  forEachBatch(count, size, events => sink.addAll(events))
  return sink.sum
}

function partition(events: readonly number[]): readonly (readonly number[])[] {
  const parts: number[][] = [[], [], [], []]
  for (const event of events) parts[branchOf(event)]?.push(event)
  return parts
}

/** A hand-written loop over slots: the next event is begun by the end of another. */
function inSlots(count: number, work: (event: number) => Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    let next = 0
    let running = 0
    const fill = () => {
      while (running < concurrency && next < count) {
        running++
        work(next++).then(done, reject)
      }
      if (running === 0) resolve()
    }
    const done = () => {
      running--
      fill()
    }
    fill()
  })
}

export const limit: Peer = {
  label: 'plain loop over arrays (the limit)',
  rates: {
    'WL-1': count => toOneSink(count, batchSize),
    'WL-2'(count) {
      const sink = new Tally()
      forEachBatch(count, batchSize, events => sink.addAll(multiplesOfThree(doubleAll(events))))
      return sink.sum
    },
    'WL-3'(count) {
      const sinks = tallies(branches)
      forEachBatch(count, batchSize, events => {
        for (const sink of sinks) sink.addAll(events)
      })
      return total(sinks)
    },
    'WL-4'(count) {
      const sinks = tallies(branches)
      forEachBatch(count, batchSize, events => {
        for (const [index, part] of partition(events).entries()) sinks[index]?.addAll(part)
      })
      return total(sinks)
    },
    'WL-5'(count) {
      const sinks = tallies(branches)
      let turn = 0
      forEachBatch(count, batchSize, events => sinks[turn++ % branches]?.addAll(events))
      return total(sinks)
    },
    'WL-6'(count) {
      const sink = new Tally()
      for (let first = 0; first < count / branches; first += batchSize) {
        for (let source = 0; source < branches; source++) sink.addAll(integers(first, batchSize))
      }
      return sink.sum
    },
    'WL-7': count => toOneSink(count, 1),
    async 'WL-8a'(count) {
      const sink = new Tally()
      for (let first = 0; first < count; first += batchSize) {
        for (const event of integers(first, batchSize)) await sink.addLater(event)
      }
      return sink.sum
    },
    async 'WL-8b'(count) {
      const sink = new Tally()
      await inSlots(count, event => sink.addNextTurn(event))
      return sink.sum
    },
  },
}
