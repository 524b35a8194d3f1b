import { GenStageError } from '@genstage/core'
import { show } from '@genstage/core/adapters'

/** Something, or a function that makes it: with a function, a restart begins anew. */
export type Made<Thing> = Thing | (() => Thing)

/** Two ends that belong together: those of a `TransformStream`, a `CompressionStream`, a `TextDecoderStream`, of a stage. */
export interface StreamPair<In, Out> {
  readonly writable: WritableStream<In>
  readonly readable: ReadableStream<Out>
}

export function made<Thing>(source: Made<Thing>): Thing {
  return typeof source === 'function' ? (source as () => Thing)() : source
}

/** Refuses what is no readable stream, or has a reader already (`BAD_SOURCE`). Streams of another realm, or of a library, are fine. */
export function checkReadable(where: string, what: string, stream: unknown): void {
  if (!has(stream, 'getReader'))
    throw new GenStageError('BAD_SOURCE', `${where}: ${what} must be a ReadableStream, not ${show(stream)}`)
  if (isLocked(stream)) {
    const text = `${where}: ${what} must be free, not locked: it has a reader, and what that reads is lost for others`
    throw new GenStageError('BAD_SOURCE', text)
  }
}

/** Refuses what is no writable stream, or has a writer already (`BAD_SINK`). */
export function checkWritable(where: string, what: string, stream: unknown): void {
  if (!has(stream, 'getWriter'))
    throw new GenStageError('BAD_SINK', `${where}: ${what} must be a WritableStream, not ${show(stream)}`)
  if (isLocked(stream)) {
    throw new GenStageError('BAD_SINK', `${where}: ${what} must be free, not locked: it has a writer`)
  }
}

function has(value: unknown, method: string): boolean {
  if (typeof value !== 'object' || value === null) return false
  return typeof (value as Readonly<Record<string, unknown>>)[method] === 'function'
}

function isLocked(stream: unknown): boolean {
  return (stream as { readonly locked?: unknown }).locked === true
}
