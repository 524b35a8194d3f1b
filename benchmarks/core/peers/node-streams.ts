/** Node streams in object mode, with a hand-written `read()`: the fastest form that they have. */
import { Readable, Transform, Writable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import { branches, branchOf, concurrency, double, isMultipleOfThree } from '../events.ts'
import type { Flow, Peer } from '../peer.ts'
import { Tally, tallies, total } from '../tally.ts'

const highWaterMark = 1_000

function numbers(count: number, mark = highWaterMark): Readable {
  let next = 0
  return new Readable({
    objectMode: true,
    highWaterMark: mark,
    read() {
      while (next < count) if (!this.push(next++)) return
      this.push(null)
    },
  })
}

function map(change: (event: number) => number): Transform {
  return new Transform({
    objectMode: true,
    highWaterMark,
    transform: (event: number, _encoding, done) => done(null, change(event)),
  })
}

function filter(keep: (event: number) => boolean): Transform {
  return new Transform({
    objectMode: true,
    highWaterMark,
    transform: (event: number, _encoding, done) => (keep(event) ? done(null, event) : done()),
  })
}

function summing(sink: Tally, mark = highWaterMark): Writable {
  return new Writable({
    objectMode: true,
    highWaterMark: mark,
    write(event: number, _encoding, done) {
      sink.add(event)
      done()
    },
  })
}

/** Writes each event to the writable of its branch, and waits for the one that is full. */
function router(targets: readonly Writable[]): Writable {
  return new Writable({
    objectMode: true,
    highWaterMark,
    write(event: number, _encoding, done) {
      const target = targets[branchOf(event)]
      if (target === undefined || target.write(event)) done()
      else target.once('drain', done)
    },
    final(done) {
      for (const target of targets) target.end()
      done()
    },
  })
}

/** Waits 1 ms for each 100 events. */
function slow(flow: Flow): Writable {
  return new Writable({
    objectMode: true,
    highWaterMark: 100,
    write(event: number, _encoding, done) {
      flow.use(1)
      if (event % 100 === 99) setTimeout(done, 1)
      else done()
    },
  })
}

function counted(flow: Flow): Readable {
  let next = 0
  return new Readable({
    objectMode: true,
    highWaterMark: 100,
    read() {
      flow.make(1)
      this.push(next++)
    },
  })
}

async function sumOf(count: number, mark = highWaterMark): Promise<number> {
  const sink = new Tally()
  await pipeline(numbers(count, mark), summing(sink, mark))
  return sink.sum
}

export const nodeStreams: Peer = {
  label: 'Node streams',
  rates: {
    'WL-1': count => sumOf(count),
    async 'WL-2'(count) {
      const sink = new Tally()
      await pipeline(numbers(count), map(double), filter(isMultipleOfThree), summing(sink))
      return sink.sum
    },
    async 'WL-3'(count) {
      const sinks = tallies(branches)
      const source = numbers(count)
      const targets = sinks.map(sink => source.pipe(summing(sink)))
      await Promise.all(targets.map(target => finished(target)))
      return total(sinks)
    },
    async 'WL-4'(count) {
      const sinks = tallies(branches)
      const targets = sinks.map(sink => summing(sink))
      await Promise.all([pipeline(numbers(count), router(targets)), ...targets.map(target => finished(target))])
      return total(sinks)
    },
    async 'WL-6'(count) {
      const sink = new Tally()
      const target = summing(sink)
      target.setMaxListeners(0)
      const sources = Array.from({ length: branches }, () => numbers(count / branches))
      for (const source of sources) source.pipe(target, { end: false })
      await Promise.all(sources.map(source => finished(source)))
      target.end()
      await finished(target)
      return sink.sum
    },
    'WL-7': count => sumOf(count, 1),
    async 'WL-8a'(count) {
      const sink = new Tally()
      const target = new Writable({
        objectMode: true,
        highWaterMark,
        write: (event: number, _encoding, done) => void sink.addLater(event).then(() => done(), done),
      })
      await pipeline(numbers(count), target)
      return sink.sum
    },
    async 'WL-8b'(count) {
      const sink = new Tally()
      await numbers(count).forEach((event: number) => sink.addNextTurn(event), { concurrency })
      return sink.sum
    },
  },
  backlog: flow => pipeline(counted(flow), slow(flow)),
  idlePairs(count) {
    return Array.from({ length: count }, () => {
      const source = new Readable({ objectMode: true, highWaterMark, read() {} })
      source.pipe(summing(new Tally()))
      return source
    })
  },
}
