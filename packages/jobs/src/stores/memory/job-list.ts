import type { MemoryJob } from './memory-job.ts'

/** Jobs in the order of seq. Those that are removed stay in it for a while: never more than there are others, and a few. */
export class JobList {
  #jobs: MemoryJob[] = []
  #removed = 0

  /** Jobs come in the order of seq. */
  add(job: MemoryJob): void {
    this.#jobs.push(job)
  }

  remove(job: MemoryJob): void {
    job.isRemoved = true
    this.#removed++
    if (this.#removed <= this.#jobs.length / 2 + 16) return
    this.#jobs = this.#jobs.filter(({ isRemoved }) => !isRemoved)
    this.#removed = 0
  }

  /** From the newest on, or from the newest below a seq on. */
  *newestFirst(before: number = Infinity): Generator<MemoryJob, void, void> {
    const jobs = this.#jobs
    for (let index = this.#countBelow(before) - 1; index >= 0; index--) {
      const job = jobs[index]
      if (job !== undefined && !job.isRemoved) yield job
    }
  }

  #countBelow(seq: number): number {
    let [low, high] = [0, this.#jobs.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#jobs[middle]?.seq ?? Infinity) < seq) low = middle + 1
      else high = middle
    }
    return low
  }
}
