/**
 * A file of 200 MB through every path there is for streams of bytes, each in a process of its own with a heap of 64 MB: how fast, and how much memory at
 * most. `node --import tsx --conditions=@genstage/source benchmarks/streams/large-file.ts`
 */
import { createRuntime, type ProducerRef, producerConsumer, start } from '@genstage/core'
import { asDuplex, asReadable, asWritable, fromReadable, throughDuplex, toWritable } from '@genstage/streams/node'
import {
  asPublisher,
  asReadableStream,
  asTransformStream,
  asWritableStream,
  fromPublisher,
  fromReadableStream,
  throughTransformStream,
  toWritableStream,
} from '@genstage/streams'
import { throughOperators } from '@genstage/rxjs'
import { spawnSync } from 'node:child_process'
import { closeSync, createReadStream, createWriteStream, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { createGunzip, createGzip } from 'node:zlib'
import { map, type Observable } from 'rxjs'
import { number, table } from '../harness/table.ts'

const megabyte = 1_000_000
const size = 200 * megabyte
const heapMegabytes = 64
const demand = { maxDemand: 16 }
const bytes = { ...demand, objectMode: false }

const logger = { debug() {}, info() {}, warn: console.warn, error: console.error }

const paths: Readonly<Record<string, (from: string, to: string) => Promise<unknown>>> = {
  'pipeline, without stages': (from, to) => pipeline(createReadStream(from), createWriteStream(to)),
  'fromReadable, toWritable': (from, to) => written(start(fromReadable(createReadStream(from)), { runtime }), to),
  asReadable: (from, to) =>
    pipeline(asReadable(start(fromReadable(createReadStream(from)), { runtime }), bytes), createWriteStream(to)),
  async asWritable(from, to) {
    const sink = start(toWritable(createWriteStream(to)), { runtime })
    await pipeline(createReadStream(from), asWritable(sink, bytes))
    await sink.done
  },
  asDuplex: (from, to) => pipeline(createReadStream(from), asDuplex(Relay, { ...bytes, runtime }), createWriteStream(to)),
  async 'throughDuplex, gzip and gunzip'(from, to) {
    const source = start(fromReadable(createReadStream(from)), { runtime })
    const zip = start(
      throughDuplex(() => createGzip({ level: 1 })),
      { runtime, subscribeTo: [{ to: source, ...demand }] },
    )
    const back = start(
      throughDuplex(() => createGunzip()),
      { runtime, subscribeTo: [{ to: zip, ...demand }] },
    )
    await written(back, to)
  },
  'pipeTo, without stages': (from, to) => webFrom(from).pipeTo(webTo(to)),
  'fromReadableStream, toWritableStream': (from, to) => writtenToWeb(webSource(from), to),
  asReadableStream: (from, to) => asReadableStream(webSource(from), demand).pipeTo(webTo(to)),
  async asWritableStream(from, to) {
    const sink = start(toWritableStream(webTo(to)), { runtime })
    await webFrom(from).pipeTo(asWritableStream(sink, demand))
    await sink.done
  },
  asTransformStream: (from, to) =>
    webFrom(from)
      .pipeThrough(asTransformStream(WebRelay, { ...demand, runtime }))
      .pipeTo(webTo(to)),
  async 'throughTransformStream, gzip and gunzip'(from, to) {
    const zip = start(
      throughTransformStream(() => new CompressionStream('gzip')),
      { runtime, subscribeTo: [{ to: webSource(from), ...demand }] },
    )
    const back = start(
      throughTransformStream(() => new DecompressionStream('gzip')),
      { runtime, subscribeTo: [{ to: zip, ...demand }] },
    )
    await writtenToWeb(back, to)
  },
  'fromPublisher of asPublisher': (from, to) =>
    written(start(fromPublisher(asPublisher(start(fromReadable(createReadStream(from)), { runtime }), demand)), { runtime }), to),
  'rxjs, throughOperators': (from, to) => {
    const source = start(fromReadable(createReadStream(from)), { runtime })
    const relayed = throughOperators((chunks: Observable<unknown>) => chunks.pipe(map(chunk => chunk)))
    return written(start(relayed, { runtime, subscribeTo: [{ to: source, ...demand }] }), to)
  },
}

const Relay = producerConsumer(() => ({ handleEvents: (chunks: readonly unknown[]) => chunks }))
const WebRelay = producerConsumer(() => ({ handleEvents: (chunks: readonly BufferSource[]) => chunks }))
const runtime = createRuntime({ logger })

const webFrom = (path: string) => Readable.toWeb(createReadStream(path)) as ReadableStream<BufferSource>
const webTo = (path: string) => Writable.toWeb(createWriteStream(path)) as WritableStream<BufferSource>
const webSource = (path: string) => start(fromReadableStream(webFrom(path)), { runtime })

function writtenToWeb(last: ProducerRef<BufferSource>, to: string): Promise<void> {
  return start(toWritableStream(webTo(to)), { runtime, subscribeTo: [{ to: last, ...demand }] }).done
}

function written(last: ProducerRef<unknown>, to: string): Promise<void> {
  return start(toWritable(createWriteStream(to)), { runtime, subscribeTo: [{ to: last, ...demand }] }).done
}

/** What one process tells. */
interface Passage {
  readonly seconds: number
  readonly peakMegabytes: number
  readonly peakHeapMegabytes: number
}

async function pass(path: string, from: string, to: string): Promise<Passage> {
  let peakHeap = 0
  const sampling = setInterval(() => {
    peakHeap = Math.max(peakHeap, process.memoryUsage().heapUsed)
  }, 5)
  const began = performance.now()
  await paths[path]?.(from, to)
  const seconds = (performance.now() - began) / 1_000
  clearInterval(sampling)
  if (statSync(to).size !== size) throw new Error(`${path}: ${statSync(to).size} bytes came out, of ${size}`)
  const peakMegabytes = (process.resourceUsage().maxRSS * 1_024) / megabyte
  return { seconds, peakMegabytes, peakHeapMegabytes: peakHeap / megabyte }
}

/** Text that does not repeat itself soon. */
function writeLargeFile(path: string): void {
  const file = openSync(path, 'w')
  for (let done = 0, block = 0; done < size; block++) {
    const lines = Array.from(
      { length: 2_000 },
      (_, line) => `${block} ${line} ${Math.imul(block * 2_000 + line, 2_654_435_761)}\n`,
    )
    const part = Buffer.from(lines.join('')).subarray(0, size - done)
    done += writeSync(file, part)
  }
  closeSync(file)
}

function runAll(): void {
  const folder = mkdtempSync(join(tmpdir(), 'large-file-'))
  try {
    const from = join(folder, 'in')
    writeLargeFile(from)
    const flags = [`--max-old-space-size=${heapMegabytes}`, ...process.execArgv, fileURLToPath(import.meta.url)]
    const rows = Object.keys(paths).map(path => {
      const { status, stdout, stderr } = spawnSync(process.execPath, [...flags, path, from, join(folder, 'out')], {
        encoding: 'utf8',
      })
      if (status !== 0) throw new Error(`${path} ended with ${status}: ${stderr}`)
      const { seconds, peakMegabytes, peakHeapMegabytes } = JSON.parse(stdout) as Passage
      return [path, ...[size / megabyte / seconds, peakMegabytes, peakHeapMegabytes].map(number)]
    })
    console.log(table(['path', 'MB/s', 'peak RSS, MB', 'peak heap, MB'], rows))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const [path, from = '', to = ''] = process.argv.slice(2)
if (path === undefined) runAll()
else console.log(JSON.stringify(await pass(path, from, to)))
