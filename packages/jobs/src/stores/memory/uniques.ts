import type { Unique } from '../../store.ts'
import type { MemoryJob } from './memory-job.ts'

/** A key that is taken. */
export interface Hold {
  readonly job: MemoryJob
  readonly until: Unique['until']
  /** The end of the window; infinite where the key is held until something happens. */
  readonly endsAt: number
  /** The job was stored for the window after another one, and has not started: it holds the key until then, also past its window. */
  isNext: boolean
}

/** Which job holds which key. */
export class Uniques {
  readonly #holds = new Map<string, Hold>()
  /** So many holds may be there before those that are over are looked for. */
  #sweepAt = 1_024

  /** The hold of a key that is taken now. */
  holdOf(key: string, now: number): Hold | undefined {
    const hold = this.#holds.get(key)
    return hold !== undefined && (hold.isNext || now < hold.endsAt) ? hold : undefined
  }

  /** The job takes its key; a window begins at `from`. */
  take(job: MemoryJob, { key, until }: Unique, from: number, now: number, isNext = false): void {
    if (this.#holds.size >= this.#sweepAt) this.#sweep(now)
    this.#holds.set(key, { job, until, endsAt: typeof until === 'number' ? from + until : Infinity, isNext })
  }

  /** What is in the place of a key, to be put back by `restore`. */
  entry(key: string): Hold | undefined {
    return this.#holds.get(key)
  }

  restore(key: string, hold: Hold | undefined): void {
    if (hold === undefined) this.#holds.delete(key)
    else this.#holds.set(key, hold)
  }

  /** The job has been claimed. */
  started(job: MemoryJob): void {
    const hold = this.#holdBy(job)
    if (hold === undefined) return
    hold.isNext = false
    if (hold.until === 'started') this.#release(job)
  }

  /** The job has finished, or is removed. */
  ended(job: MemoryJob): void {
    const hold = this.#holdBy(job)
    if (hold === undefined) return
    hold.isNext = false
    if (typeof hold.until !== 'number') this.#release(job)
  }

  #holdBy(job: MemoryJob): Hold | undefined {
    const hold = job.uniqueKey === undefined ? undefined : this.#holds.get(job.uniqueKey)
    return hold?.job === job ? hold : undefined
  }

  #release(job: MemoryJob): void {
    if (job.uniqueKey !== undefined) this.#holds.delete(job.uniqueKey)
  }

  /** Windows end without anything happening: what is over goes each time that the number of holds has doubled. */
  #sweep(now: number): void {
    for (const key of this.#holds.keys()) if (this.holdOf(key, now) === undefined) this.#holds.delete(key)
    this.#sweepAt = Math.max(1_024, 2 * this.#holds.size)
  }
}
