import { open } from 'node:fs/promises'
import { addAbortSignal } from 'node:stream'
import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { cutter } from './text.ts'

/** One reading of files: what has been done so far, and the wish to stop. */
export interface Reading {
  files: number
  /** Files and folders that could not be read, and binary files. */
  skipped: number
  /** Aborted: no more is read; what was read is complete up to there. */
  readonly signal: AbortSignal
}

const pieceBytes = 64 * 1024
/** A file with a NUL byte among its first bytes is binary. */
const headBytes = 8 * 1024

/** The text of many files, piece by piece; no piece ends inside a word. */
export async function* textsOfFiles(paths: AsyncIterable<string> | Iterable<string>, reading: Reading): AsyncGenerator<string> {
  for await (const path of paths) {
    yield* textsOf(piecesOfFile(path), reading)
    if (reading.signal.aborted) return
  }
}

/** The text of a stream, such as the standard input. */
export function textsOfStream(stream: Readable, reading: Reading): AsyncGenerator<string> {
  return textsOf(piecesOfStream(stream, reading.signal), reading)
}

async function* textsOf(pieces: AsyncIterable<Buffer>, reading: Reading): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8')
  const words = cutter()
  let begun = false
  try {
    for await (const piece of withWholeHead(pieces)) {
      if (!begun) {
        if (piece.subarray(0, headBytes).includes(0)) {
          reading.skipped++
          return
        }
        reading.files++
        begun = true
      }
      const text = words.push(decoder.write(piece))
      if (text) yield text
      // The word that was cut here stays uncounted: nobody knows how it goes on.
      if (reading.signal.aborted) return
    }
  } catch {
    reading.skipped++
    return
  }
  const rest = words.push(decoder.end()) + words.rest()
  if (rest) yield rest
}

async function* piecesOfFile(path: string): AsyncGenerator<Buffer> {
  const file = await open(path)
  try {
    // One buffer for all pieces: each is decoded before the next is read.
    const buffer = Buffer.allocUnsafe(pieceBytes)
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, pieceBytes)
      if (bytesRead === 0) return
      yield buffer.subarray(0, bytesRead)
    }
  } finally {
    await file.close()
  }
}

async function* piecesOfStream(stream: Readable, signal: AbortSignal): AsyncGenerator<Buffer> {
  try {
    yield* addAbortSignal(signal, stream)
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

/** The same bytes, the first piece long enough to tell text from binary, and there even if it is empty. */
async function* withWholeHead(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let head: Buffer | undefined = Buffer.alloc(0)
  for await (const piece of pieces) {
    if (!head) {
      yield piece
      continue
    }
    head = Buffer.concat([head, piece])
    if (head.length < headBytes) continue
    yield head
    head = undefined
  }
  if (head) yield head
}
