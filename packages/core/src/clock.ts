import { startTimer } from './platform.ts'

/** Time. Durations come from `now`, dates from `wallTime`. Tests put a virtual one in its place. */
export interface Clock {
  /** Monotonic milliseconds. */
  now(): number
  /** Milliseconds since 1970. */
  wallTime(): number
  /** Calls back once after `ms`, unless disposed before. */
  setTimer(ms: number, callback: () => void): Disposable
}

/** The clock of the machine. Its timers keep no process alive. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallTime: () => Date.now(),
  setTimer: startTimer,
}
