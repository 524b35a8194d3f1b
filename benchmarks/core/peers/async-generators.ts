/** Async generators and `for await`, one event at a time. */
import { setTimeout as sleep } from 'node:timers/promises'
import { branches, concurrency, double, isMultipleOfThree } from '../events.ts'
import type { Peer } from '../peer.ts'
import { Tally, tallies, total } from '../tally.ts'

async function* numbers(count: number): AsyncGenerator<number> {
  for (let next = 0; next < count; next++) yield next
}

async function* map<In, Out>(source: AsyncIterable<In>, change: (event: In) => Out): AsyncGenerator<Out> {
  for await (const event of source) yield change(event)
}

async function* filter<Event>(source: AsyncIterable<Event>, keep: (event: Event) => boolean): AsyncGenerator<Event> {
  for await (const event of source) if (keep(event)) yield event
}

async function drain(source: AsyncIterable<number>, sink: Tally): Promise<void> {
  for await (const event of source) sink.add(event)
}

async function sumOf(source: AsyncIterable<number>): Promise<number> {
  const sink = new Tally()
  await drain(source, sink)
  return sink.sum
}

/** Reads without closing it for the others, which leaving a `for await` loop would do. */
async function share(source: AsyncIterator<number>, sink: Tally): Promise<void> {
  for (;;) {
    const { done, value } = await source.next()
    if (done) return
    sink.add(value)
  }
}

/** One of several workers that share a source. */
async function workOff(source: AsyncIterator<number>, work: (event: number) => Promise<void>): Promise<void> {
  for (;;) {
    const { done, value } = await source.next()
    if (done) return
    await work(value)
  }
}

/** A source that waits for ever; `waiting` is what would wake it, and so what keeps it alive. */
async function* silent(waiting: ((event: number) => void)[]): AsyncGenerator<number> {
  yield await new Promise<number>(resolve => waiting.push(resolve))
}

export const asyncGenerators: Peer = {
  label: 'async generators',
  rates: {
    'WL-1': count => sumOf(numbers(count)),
    'WL-2': count => sumOf(filter(map(numbers(count), double), isMultipleOfThree)),
    async 'WL-5'(count) {
      const source = numbers(count)
      const sinks = tallies(branches)
      await Promise.all(sinks.map(sink => share(source, sink)))
      return total(sinks)
    },
    async 'WL-6'(count) {
      const sink = new Tally()
      await Promise.all(Array.from({ length: branches }, () => drain(numbers(count / branches), sink)))
      return sink.sum
    },
    'WL-7': count => sumOf(numbers(count)),
    async 'WL-8a'(count) {
      const sink = new Tally()
      for await (const event of numbers(count)) await sink.addLater(event)
      return sink.sum
    },
    async 'WL-8b'(count) {
      const source = numbers(count)
      const sink = new Tally()
      const work = (event: number) => sink.addNextTurn(event)
      await Promise.all(Array.from({ length: concurrency }, () => workOff(source, work)))
      return sink.sum
    },
  },
  async backlog(flow) {
    const counted = map(numbers(Infinity), event => {
      flow.make(1)
      return event
    })
    for await (const event of counted) {
      if (event % 100 === 99) await sleep(1)
      flow.use(1)
    }
  },
  idlePairs(count) {
    const waiting: ((event: number) => void)[] = []
    for (let pair = 0; pair < count; pair++) void drain(silent(waiting), new Tally())
    return waiting
  },
}
