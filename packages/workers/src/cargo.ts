import { GenStageError } from '@genstage/core'
import { isCloneable } from './wire.ts'

/** How events cross the port. */
export interface Packing {
  /** `clone`: by the structured clone of the platform. `json`: as one text. */
  readonly encoding: 'clone' | 'json'
  /** Whether the memory of typed arrays goes over instead of being copied. */
  readonly transfer: 'none' | 'buffers'
}

/** Events in a message: an array, or the text of one. */
export type Cargo = readonly unknown[] | string

/** Events, packed, with the buffers that go over with them. */
export interface Packed {
  readonly cargo: Cargo
  readonly buffers: readonly ArrayBuffer[]
}

const noBuffers: readonly ArrayBuffer[] = []

export function pack(events: readonly unknown[], { encoding, transfer }: Packing): Packed {
  if (encoding === 'json') return { cargo: JSON.stringify(events), buffers: noBuffers }
  return { cargo: events, buffers: transfer === 'buffers' ? buffersOf(events) : noBuffers }
}

export function unpack(cargo: Cargo): readonly unknown[] {
  return typeof cargo === 'string' ? (JSON.parse(cargo) as readonly unknown[]) : cargo
}

/**
 * The memory of these events, each once: of the events themselves, and of the properties of events that are objects. A view of a part
 * of a buffer is copied, for the rest belongs to somebody else (as with a small `Buffer` of Node).
 */
function buffersOf(events: readonly unknown[]): readonly ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>()
  const add = (value: unknown): boolean => {
    if (value instanceof ArrayBuffer) buffers.add(value)
    else if (!ArrayBuffer.isView(value)) return false
    else if (value.buffer instanceof ArrayBuffer && value.byteLength === value.buffer.byteLength) buffers.add(value.buffer)
    return true
  }
  for (const event of events) {
    if (typeof event !== 'object' || event === null || add(event)) continue
    for (const part of Object.values(event)) add(part)
  }
  return [...buffers]
}

/** What is told when the platform has refused to send `what`: for events, which of them it was (F61). */
export function notCloneable(
  label: string,
  what: string,
  cause: unknown,
  events?: readonly unknown[],
  packing?: Packing,
): GenStageError {
  const index = events?.findIndex(event => !canCross(event, packing)) ?? -1
  const which = events === undefined || index < 0 ? what : `event ${index + 1} of ${events.length} ${what}`
  const why = cause instanceof Error ? cause.message : String(cause)
  return new GenStageError('NOT_CLONEABLE', `stage ${JSON.stringify(label)}: ${which} cannot cross to another thread: ${why}`, {
    stage: label,
    cause,
  })
}

function canCross(event: unknown, packing: Packing | undefined): boolean {
  if (packing?.encoding !== 'json') return isCloneable(event)
  try {
    JSON.stringify(event)
    return true
  } catch {
    return false
  }
}
