import type { MemoryJob } from './memory-job.ts'

/** Finished jobs in the order in which they ended: a chain through the jobs themselves, so that a million of them cost nothing. */
export class FinishedJobs {
  #first: MemoryJob | undefined = undefined
  #last: MemoryJob | undefined = undefined
  #size = 0

  get size(): number {
    return this.#size
  }

  add(job: MemoryJob): void {
    job.endedBefore = this.#last
    if (this.#last === undefined) this.#first = job
    else this.#last.endedAfter = job
    this.#last = job
    this.#size++
  }

  remove(job: MemoryJob): void {
    const { endedBefore, endedAfter } = job
    if (endedBefore === undefined) this.#first = endedAfter
    else endedBefore.endedAfter = endedAfter
    if (endedAfter === undefined) this.#last = endedBefore
    else endedAfter.endedBefore = endedBefore
    job.endedBefore = job.endedAfter = undefined
    this.#size--
  }

  /** Oldest first. The one that was given last may be removed meanwhile. */
  *[Symbol.iterator](): Generator<MemoryJob, void, void> {
    let next: MemoryJob | undefined
    for (let job = this.#first; job !== undefined; job = next) {
      next = job.endedAfter
      yield job
    }
  }
}
