import { GenStageError } from '@genstage/core'
import { show } from '@genstage/core/adapters'
import type { Readable, Writable } from 'node:stream'

/** Something, or a function that makes it: with a function, a restart begins anew. */
export type Made<Thing> = Thing | (() => Thing)

export function made<Thing>(source: Made<Thing>): Thing {
  return typeof source === 'function' ? (source as () => Thing)() : source
}

const readableMethods = ['read', 'on', 'off', 'pause', 'resume', 'isPaused', 'destroy']
const writableMethods = ['write', 'end', 'on', 'off', 'destroy']

/**
 * Refuses what cannot be read any more, or is read by somebody else (`BAD_SOURCE`). Told by its methods, so that streams of the package
 * readable-stream are fine.
 */
export function checkReadable(where: string, stream: unknown): asserts stream is Readable {
  const refuse = (what: string, cause?: unknown): GenStageError =>
    new GenStageError('BAD_SOURCE', `${where}: the source must be a Readable${what}`, { cause })
  if (!hasAll(stream, readableMethods)) throw refuse(`, not ${show(stream)}`)
  const { errored, destroyed, readableEnded, readable, readableFlowing } = stream as unknown as Readable
  if (errored !== undefined && errored !== null) throw refuse(' that works, but it has failed', errored)
  if (destroyed) throw refuse(' that is open, but it is destroyed')
  if (readableEnded) throw refuse(' with something to read, but it has ended')
  if (!readable) throw refuse(' that can be read, but it cannot')
  const readers =
    (stream as unknown as Readable).listenerCount('readable') + (stream as unknown as Readable).listenerCount('data')
  if (readableFlowing === true || readers > 0)
    throw refuse(' that nobody reads, but somebody does (pipe, resume, or a listener): each would get a part')
}

/** Refuses what cannot be written to any more (`BAD_SINK`). */
export function checkWritable(where: string, stream: unknown): asserts stream is Writable {
  const refuse = (what: string, cause?: unknown): GenStageError =>
    new GenStageError('BAD_SINK', `${where}: the sink must be a Writable${what}`, { cause })
  if (!hasAll(stream, writableMethods)) throw refuse(`, not ${show(stream)}`)
  const { errored, destroyed, writableEnded, writable } = stream as unknown as Writable
  if (errored !== undefined && errored !== null) throw refuse(' that works, but it has failed', errored)
  if (destroyed) throw refuse(' that is open, but it is destroyed')
  if (writableEnded) throw refuse(' that is open, but it has ended')
  if (!writable) throw refuse(' that can be written to, but it cannot')
}

function hasAll(value: unknown, methods: readonly string[]): boolean {
  return typeof value === 'object' && value !== null && methods.every(method => typeof Reflect.get(value, method) === 'function')
}
