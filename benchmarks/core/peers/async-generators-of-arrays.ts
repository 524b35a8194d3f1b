/** Async generators whose events are arrays of 1000: batches, but no demand. */
import { branches, doubleAll, integers, multiplesOfThree } from '../events.ts'
import type { Peer } from '../peer.ts'
import { Tally, tallies, total } from '../tally.ts'

const batchSize = 1_000

type Batch = readonly number[]

async function* batches(count: number, size: number): AsyncGenerator<Batch> {
  for (let first = 0; first < count; first += size) yield integers(first, size)
}

async function* map(source: AsyncIterable<Batch>, change: (events: Batch) => Batch): AsyncGenerator<Batch> {
  for await (const events of source) yield change(events)
}

async function drain(source: AsyncIterable<Batch>, sink: Tally): Promise<void> {
  for await (const events of source) sink.addAll(events)
}

async function sumOf(source: AsyncIterable<Batch>): Promise<number> {
  const sink = new Tally()
  await drain(source, sink)
  return sink.sum
}

/** Reads without closing it for the others, which leaving a `for await` loop would do. */
async function share(source: AsyncIterator<Batch>, sink: Tally): Promise<void> {
  for (;;) {
    const { done, value } = await source.next()
    if (done) return
    sink.addAll(value)
  }
}

export const asyncGeneratorsOfArrays: Peer = {
  label: 'async generators of arrays of 1000',
  rates: {
    'WL-1': count => sumOf(batches(count, batchSize)),
    'WL-2': count => sumOf(map(map(batches(count, batchSize), doubleAll), multiplesOfThree)),
    async 'WL-5'(count) {
      const source = batches(count, batchSize)
      const sinks = tallies(branches)
      await Promise.all(sinks.map(sink => share(source, sink)))
      return total(sinks)
    },
    async 'WL-6'(count) {
      const sink = new Tally()
      await Promise.all(Array.from({ length: branches }, () => drain(batches(count / branches, batchSize), sink)))
      return sink.sum
    },
    'WL-7': count => sumOf(batches(count, 1)),
  },
}
