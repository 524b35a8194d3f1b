import { JobsError } from './errors.ts'
import { PayloadEncoder, type PayloadLimits } from './payload-encoder.ts'

/** The bounds that hold where none are named. */
const defaultPayloadLimits: PayloadLimits = { maxBytes: 256 * 1024, maxDepth: 200 }

/**
 * A value as JSON text that reads back deeply equal, or a refusal that names the place (JOB-17): `BAD_PAYLOAD` for whatever JSON would
 * change or drop, `PAYLOAD_TOO_LARGE` for what is above `maxBytes`. `where` is what the value is called in messages: `args`.
 *
 * Taken are text, numbers (-0 too), true and false, null, arrays without holes, and plain objects, also those without a prototype
 * (which come back with one). Refused are: `undefined` in any place; NaN and the infinities; whole numbers above 2^53 - 1, which have
 * lost digits; text with a NUL or half a surrogate pair, which not every store can hold; dates, maps, sets, buffers and all other
 * instances of classes; functions, symbols, bigints; cycles. Each property is read once.
 */
export function encodePayload(value: unknown, where: string, limits: PayloadLimits = defaultPayloadLimits): string {
  const encoder = new PayloadEncoder(where, limits)
  const text = encoder.encode(value)
  // No character takes more than three bytes per code unit
  if (text.length * 3 > limits.maxBytes && Buffer.byteLength(text) > limits.maxBytes) throw encoder.tooLarge()
  return text
}

/** The value of a JSON text that `encodePayload` made. Keys such as `__proto__` become own properties like all others (BAD-84). */
export function decodePayload(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Without the cause, whose message shows a part of the text
    throw new JobsError('BAD_PAYLOAD', `a stored payload of ${text.length} characters is no JSON`)
  }
}

/** The text of no args at all. Args that are `null` are refused, so that nothing else has this text. */
const noArgs = 'null'

/** Args as text. `undefined` is no args; see `encodePayload` for the rest. */
export function encodeArgs(args: unknown): string {
  if (args === undefined) return noArgs
  if (args === null)
    throw new JobsError('BAD_PAYLOAD', 'args must not be null; leave them out where there are none', { path: 'args' })
  return encodePayload(args, 'args')
}

/** The args of a text that `encodeArgs` made. */
export function decodeArgs(text: string): unknown {
  return text === noArgs ? undefined : decodePayload(text)
}
