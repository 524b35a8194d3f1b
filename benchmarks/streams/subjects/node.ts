/** Node streams: the same sources and sinks joined by `pipeline`, and by stages. */
import { createRuntime, producerConsumer, start } from '@genstage/core'
import { asDuplex, asReadable, asWritable, fromReadable, throughDuplex, toWritable } from '@genstage/streams/node'
import { closeSync, createReadStream, ftruncateSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Duplex, PassThrough, Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import type { Comparison, Subject } from '../subject.ts'

const chunkSize = 65_536
const mostChunks = 65_536
const mostObjects = 4_000_000

/** Demand for chunks of bytes: 1 MiB on the way. */
const ofBytes = { maxDemand: 16 }
const ofObjects = { maxDemand: 1_000 }

const runtime = createRuntime({ logger: { debug() {}, info() {}, warn: console.warn, error: console.error } })

/** A file full of holes: reading it costs what reading costs, and no disk takes part. Removed with the process. */
const file = { path: '' }

function bytes(count: number): Readable {
  if (file.path === '') {
    const folder = mkdtempSync(join(tmpdir(), 'benchmark-'))
    process.once('exit', () => rmSync(folder, { recursive: true }))
    file.path = join(folder, 'holes')
    const descriptor = openSync(file.path, 'w')
    ftruncateSync(descriptor, mostChunks * chunkSize)
    closeSync(descriptor)
  }
  return createReadStream(file.path, { end: count * chunkSize - 1 })
}

function objects(count: number): Readable {
  let next = 0
  return new Readable({
    objectMode: true,
    read() {
      this.push(next < count ? { value: next++ } : null)
    },
  })
}

/** Adds up what it gets. */
class Sum extends Writable {
  sum = 0
  readonly #weigh: (chunk: never) => number

  constructor(objectMode: boolean, weigh: (chunk: never) => number) {
    super({ objectMode })
    this.#weigh = weigh
  }

  override _write(chunk: never, _encoding: BufferEncoding, done: () => void): void {
    this.sum += this.#weigh(chunk)
    done()
  }
}

const byteSum = (): Sum => new Sum(false, (chunk: Buffer) => chunk.length)
const objectSum = (): Sum => new Sum(true, (event: { readonly value: number }) => event.value)
const zippedSum = (): Sum => new Sum(false, () => 0)

// Steps that are long enough for a run whose code is not compiled yet to tell nothing
const byteFormula = { expected: (count: number) => count * chunkSize, step: 2_048, most: mostChunks }
const objectFormula = { expected: (count: number) => (count * (count - 1)) / 2, step: 100_000, most: mostObjects }

type Task = Omit<Comparison, 'what'>
type Demand = typeof ofBytes
type Middle = () => Duplex

async function joined(streams: readonly (Readable | Duplex | Sum)[], sink: Sum): Promise<number> {
  await pipeline([...streams, sink])
  return sink.sum
}

/** In at one end, out at the other, with streams in the middle or none. */
function ends(
  source: (count: number) => Readable,
  sum: () => Sum,
  demand: Demand,
  formula: typeof byteFormula,
  middle?: Middle,
): Task {
  return {
    ...formula,
    direct: count => joined([source(count), ...(middle === undefined ? [] : [middle()])], sum()),
    async stages(count) {
      const sink = sum()
      const first = start(fromReadable(source(count)), { runtime })
      const last =
        middle === undefined ? first : start(throughDuplex(middle), { runtime, subscribeTo: [{ to: first, ...demand }] })
      await start(toWritable(sink), { runtime, subscribeTo: [{ to: last, ...demand }] }).done
      return sink.sum
    },
  }
}

/** A stage that is read as a stream. */
function read(source: (count: number) => Readable, sum: () => Sum, demand: Demand, formula: typeof byteFormula): Task {
  const objectMode = demand === ofObjects
  return {
    ...formula,
    direct: count => joined([source(count)], sum()),
    stages: count => joined([asReadable(start(fromReadable(source(count)), { runtime }), { ...demand, objectMode })], sum()),
  }
}

/** A stage that is written to as a stream. */
function written(source: (count: number) => Readable, sum: () => Sum, demand: Demand, formula: typeof byteFormula): Task {
  const objectMode = demand === ofObjects
  return {
    ...formula,
    direct: count => joined([source(count)], sum()),
    async stages(count) {
      const sink = sum()
      const last = start(toWritable(sink), { runtime })
      await pipeline(source(count), asWritable(last, { ...demand, objectMode }))
      await last.done
      return sink.sum
    },
  }
}

const Relay = producerConsumer(() => ({ handleEvents: (events: readonly unknown[]) => events }))

export const subject: Subject = {
  title: 'Node streams',
  packages: ['streams'],
  comparisons: {
    bytes: { what: 'fromReadable, toWritable: chunks of 64 KiB', ...ends(bytes, byteSum, ofBytes, byteFormula) },
    bytesRead: { what: 'asReadable: chunks of 64 KiB', ...read(bytes, byteSum, ofBytes, byteFormula) },
    bytesWritten: { what: 'asWritable: chunks of 64 KiB', ...written(bytes, byteSum, ofBytes, byteFormula) },
    gzip: {
      what: 'throughDuplex: gzip of chunks of 64 KiB',
      ...ends(bytes, zippedSum, ofBytes, { ...byteFormula, expected: () => 0 }, () => createGzip({ level: 1 })),
    },
    objects: { what: 'fromReadable, toWritable: objects', ...ends(objects, objectSum, ofObjects, objectFormula) },
    objectsRead: { what: 'asReadable: objects', ...read(objects, objectSum, ofObjects, objectFormula) },
    objectsWritten: { what: 'asWritable: objects', ...written(objects, objectSum, ofObjects, objectFormula) },
    objectsThrough: {
      what: 'throughDuplex: objects',
      ...ends(objects, objectSum, ofObjects, objectFormula, () => new PassThrough({ objectMode: true })),
    },
    objectsBetween: {
      what: 'asDuplex: objects',
      ...objectFormula,
      direct: count => joined([objects(count), new PassThrough({ objectMode: true })], objectSum()),
      stages: count => joined([objects(count), asDuplex(Relay, { runtime, ...ofObjects })], objectSum()),
    },
  },
}
