import { isProcessDead, type ProcessIdentity } from './own-process.ts'

/** What the file says of a runner's life. */
export interface Pulse extends ProcessIdentity {
  readonly number: number
  readonly pid: number
  readonly leaseMs: number
  /** Rises with every heartbeat. */
  readonly beats: number
}

/**
 * Judges which runners are dead, without any date. One whose process has ended is dead at once, where the system tells. Any other is
 * dead when this store has seen its beats stand still for a lease of its own monotonic clock: so no jump of a wall clock ends a lease.
 */
export class LeaseWatch {
  readonly #own: ProcessIdentity
  /** By runner: its beats, and when they were first seen like that. */
  readonly #seen = new Map<number, { readonly beats: number; readonly since: number }>()

  constructor(own: ProcessIdentity) {
    this.#own = own
  }

  /** A runner was registered, whose beats are 0. What was seen under its number was not durable. */
  begin(number: number, time: number): void {
    this.#seen.set(number, { beats: 0, since: time })
  }

  /** The beats of a runner, seen at a time of the monotonic clock. */
  see({ number, beats }: Pick<Pulse, 'number' | 'beats'>, time: number): number {
    const seen = this.#seen.get(number)
    if (seen?.beats === beats) return seen.since
    this.#seen.set(number, { beats, since: time })
    return time
  }

  isDead(pulse: Pulse, time: number): boolean {
    const since = this.see(pulse, time)
    if (time - since >= pulse.leaseMs) return true
    return pulse.place !== undefined && pulse.place === this.#own.place && isProcessDead(pulse.pid, pulse.born)
  }

  forget(number: number): void {
    this.#seen.delete(number)
  }
}
