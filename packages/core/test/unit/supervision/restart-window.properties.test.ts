import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Backoff, type RestartSettings, RestartWindow } from '../../../src/supervision/restart-window.ts'

/** When children fail: monotonic, often at the same time, now and then at the edge of a window. */
const times = fc
  .array(fc.oneof(fc.nat(3), fc.nat(3_000), fc.constantFrom(999, 1_000, 1_001, 5_000)), { maxLength: 60 })
  .map(steps => {
    let now = 0
    return steps.map(step => (now += step))
  })
const limits = fc.record({ maxRestarts: fc.nat(6), windowMs: fc.constantFrom(1_000, 2_000, 5_000, Infinity) })

describe('RestartWindow', () => {
  it('INV-20 has at most maxRestarts in any window, and refuses only what would be one more', () => {
    fc.assert(
      fc.property(limits, times, ({ maxRestarts, windowMs }, failures) => {
        const window = new RestartWindow({ maxRestarts, windowMs, backoff: undefined })
        const allowed: number[] = []
        for (const now of failures) {
          const inWindow = allowed.filter(time => now - time <= windowMs).length
          expect(window.allows(now)).toBe(inWindow < maxRestarts)
          if (inWindow < maxRestarts) allowed.push(now)
        }
        for (const begin of allowed)
          expect(allowed.filter(time => time >= begin && time - begin <= windowMs).length).toBeLessThanOrEqual(maxRestarts)
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('Backoff', () => {
  it('waits between minDelayMs and maxDelayMs, and each time twice as long, or as short as it gets', () => {
    const delays = fc.tuple(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 0, max: 5_000 }))
    fc.assert(
      fc.property(delays, limits, times, ([minDelayMs, more], limit, steps) => {
        const backoff = { minDelayMs, maxDelayMs: minDelayMs + more }
        const settings: RestartSettings = { ...limit, backoff }
        const wait = new Backoff(settings)
        let last = 0
        let due = -Infinity
        for (const step of steps) {
          const now = Math.max(step, due)
          const delay = wait.next(now)
          const isQuiet = now - due > limit.windowMs
          const expected = last === 0 || isQuiet ? minDelayMs : Math.min(last * 2, backoff.maxDelayMs)
          expect(delay).toBe(expected)
          last = delay
          due = now + delay
        }
      }),
      { numRuns: 1_000 },
    )
  })
})
