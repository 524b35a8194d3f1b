import { randomFillSync } from 'node:crypto'
import { defaultRuntime, type Runtime } from '@genstage/core'
import { v7 } from 'uuid'

/** Random bytes, fetched for many ids at once: one by one they cost more than all the rest of an id. */
const pool = new Uint8Array(16 * 256)
let used = pool.length

/** A new id: a UUID of version 7, which begins with its time. In a runtime of a test it follows from the test's clock and chance. */
export function newId(runtime: Runtime): string {
  if (runtime === defaultRuntime) return v7({ random: nextBytes() })
  const random = Uint8Array.from({ length: 16 }, () => Math.floor(runtime.random() * 256))
  return v7({ msecs: runtime.clock.wallTime(), random })
}

function nextBytes(): Uint8Array {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += 16
  return pool.subarray(used - 16, used)
}
