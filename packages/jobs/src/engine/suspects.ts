import type { ClaimedJob } from '../store.ts'

/**
 * Jobs that have one crash left before they are given up begin one at a time in a runner: if the process dies again, it is known which of
 * them it was, and its neighbours are not given up with it.
 */
export class Suspects {
  /** The first one's turn it is; the others wait for theirs. */
  readonly #line = new Map<ClaimedJob, () => void>()

  /** Whether it is the turn of this job. Otherwise it has a place in the line, and is told when its turn has come. */
  enter(job: ClaimedJob, onTurn: () => void): boolean {
    if (!this.#line.has(job)) this.#line.set(job, onTurn)
    return this.#first === job
  }

  /** This job has ended, or waits no more. One that never was here changes nothing. */
  leave(job: ClaimedJob): void {
    const wasFirst = this.#first === job
    this.#line.delete(job)
    const next = this.#first
    if (wasFirst && next !== undefined) this.#line.get(next)?.()
  }

  get #first(): ClaimedJob | undefined {
    return this.#line.keys().next().value
  }
}
