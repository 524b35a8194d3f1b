/** What a program does while it has nothing to do. */
import type { Clock } from '@genstage/core'

/** A clock that counts the timers that fire. */
export interface CountingClock extends Clock {
  readonly fired: number
}

export function countingClock(clock: Clock): CountingClock {
  let fired = 0
  return {
    now: () => clock.now(),
    wallTime: () => clock.wallTime(),
    setTimer: (ms, callback) =>
      clock.setTimer(ms, () => {
        fired++
        callback()
      }),
    get fired() {
      return fired
    },
  }
}

/** A stretch of time in which nothing came. */
export interface Idle {
  readonly ms: number
  readonly polls: number
  /** Timers of stages that fired. */
  readonly timers: number
  /** Processor time of the whole process, servers included. */
  readonly processorMs: number
}

/** What is counted all the time. */
export interface Counts {
  readonly polls: number
  readonly timers: number
  /** Numbers that have come so far. */
  readonly numbers: number
}

/** Looks at the clock and at the counts. Returns what tells how much has been done since; undefined if something has come meanwhile. */
export function measureIdle(read: () => Counts): () => Idle | undefined {
  const before = read()
  const started = performance.now()
  const usage = process.cpuUsage()
  return () => {
    const after = read()
    if (after.numbers !== before.numbers) return undefined
    const { user, system } = process.cpuUsage(usage)
    return {
      ms: performance.now() - started,
      polls: after.polls - before.polls,
      timers: after.timers - before.timers,
      processorMs: (user + system) / 1_000,
    }
  }
}
