/**
 * The demand of a consumer supervisor on one producer (X15): so much is asked for that `max` children run, once `min` or fewer do.
 * `running + pending <= max` holds as long as the producer sends no more than it was asked for.
 */
export class ChildDemand {
  readonly max: number
  readonly min: number
  /** Children of events of this producer. One that waits for its restart counts as well (GS-V8). */
  running = 0
  /** Asked for and not yet arrived. */
  pending = 0

  constructor(max: number, min: number) {
    this.max = max
    this.min = min
  }

  /** Counts events that have arrived; answers how many of them nobody had asked for (GS-V18). */
  arrive(count: number): number {
    const excess = Math.max(0, count - this.pending)
    this.pending -= count - excess
    return excess
  }

  /** How many to ask for now, which then counts as asked for; 0 for none. */
  request(): number {
    if (this.running > this.min) return 0
    const ask = this.max - this.running - this.pending
    if (ask <= 0) return 0
    this.pending += ask
    return ask
  }
}
