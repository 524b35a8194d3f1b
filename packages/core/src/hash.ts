/** Events with a built-in stable hash. */
export type Hashable = string | number | bigint | boolean

const float = new Float64Array(1)
const halves = new Uint32Array(float.buffer)

/** Spreads the upper half of a float, which for small whole numbers is all there is. */
const highHalf = 0x9e3779b1

/**
 * A stable hash of a plain value, 32 bits without sign: equal values hash equal in every run and on every machine (GS-J15).
 * Numbers by the bits of their float, everything else by its text (FNV-1a over UTF-16 units), mixed as murmur3 ends.
 * Undefined for anything that is no plain value.
 */
export function stableHash(value: unknown): number | undefined {
  if (typeof value === 'number') {
    if (Number.isNaN(value)) return mix(Math.imul(0x7ff80000, highHalf)) // a NaN may have any of many bit patterns
    float[0] = value + 0 // -0 becomes 0: they are equal, so they hash equal
    return mix((halves[0] ?? 0) ^ Math.imul(halves[1] ?? 0, highHalf))
  }
  if (typeof value === 'string') return mix(hashText(value, 0x811c9dc5))
  if (typeof value === 'bigint') return mix(hashText(value.toString(), 0x2f0b4c47))
  if (typeof value === 'boolean') return mix(value ? 0x5bd1e995 : 0x1b873593)
  return undefined
}

function hashText(text: string, seed: number): number {
  let hash = seed
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  return hash
}

/** The last steps of murmur3: every bit of the input touches every bit of the result. */
function mix(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
