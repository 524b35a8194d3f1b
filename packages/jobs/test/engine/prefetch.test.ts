import { VirtualClock } from '@genstage/testing'
import { describe, expect, it } from 'vitest'
import { Prefetch } from '../../src/engine/prefetch.ts'

/** So many jobs per millisecond, for so long, looked at every 20 ms. Answers the last target. */
function feed(clock: VirtualClock, prefetch: Prefetch, perMs: number, ms: number): number {
  let target = 0
  for (let passed = 0; passed < ms; passed += 20) {
    clock.advance(20)
    prefetch.ended(perMs * 20)
    target = prefetch.target
  }
  return target
}

describe('prefetch', () => {
  it('is nothing at first, then what was lately ended in prefetchMs', () => {
    const clock = new VirtualClock()
    const prefetch = new Prefetch(clock, 50, 1_000)
    expect(prefetch.target).toBe(0)
    expect(feed(clock, prefetch, 10, 400)).toBeGreaterThanOrEqual(499)
    expect(feed(clock, prefetch, 2, 400)).toBeLessThanOrEqual(101)
  })

  it('is never more than allowed, and nothing where it is off', () => {
    const clock = new VirtualClock()
    expect(feed(clock, new Prefetch(clock, 50, 30), 10, 400)).toBe(30)
    expect(feed(clock, new Prefetch(clock, 0, 30), 10, 400)).toBe(0)
    expect(feed(clock, new Prefetch(clock, 50, 0), 10, 400)).toBe(0)
  })

  it('forgets: after a pause nothing is claimed ahead by what was before', () => {
    const clock = new VirtualClock()
    const prefetch = new Prefetch(clock, 50, 1_000)
    feed(clock, prefetch, 10, 400)
    clock.advance(1_000)
    expect(prefetch.target).toBe(0)
  })

  it('of jobs that take longer than prefetchMs, with few at once, none is claimed ahead', () => {
    const clock = new VirtualClock()
    const prefetch = new Prefetch(clock, 50, 1_000)
    for (let round = 0; round < 100; round++) {
      clock.advance(200)
      prefetch.ended(3)
      expect(prefetch.target).toBe(0)
    }
  })

  it('is the same whether it is asked often or seldom', () => {
    const clock = new VirtualClock()
    const often = new Prefetch(clock, 50, 1_000)
    const seldom = new Prefetch(clock, 50, 1_000)
    for (let passed = 0; passed < 400; passed++) {
      clock.advance(1)
      often.ended(5)
      seldom.ended(5)
      void often.target
    }
    expect(Math.abs(often.target - seldom.target)).toBeLessThanOrEqual(1)
  })
})
