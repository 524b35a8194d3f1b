import type { NewJob, Unique } from '../../../store.ts'
import { isOpen, type ModelJob } from './model-job.ts'

interface ModelHold {
  readonly job: ModelJob
  readonly until: Unique['until']
  readonly endsAt: number
  /** Stored by `next`, and never claimed since. */
  isPending: boolean
}

/** What an insert has to do about a key. */
export type Verdict =
  | { readonly type: 'store'; readonly at?: number }
  | { readonly type: 'replace'; readonly holder: ModelJob }
  | { readonly type: 'duplicate'; readonly holder: ModelJob }

/** Keys of the model: all that were ever taken, asked one by one whether they still are. */
export class ModelUniques {
  readonly #holds = new Map<string, ModelHold>()

  copy(): Map<string, ModelHold> {
    return new Map(this.#holds)
  }

  restore(holds: ReadonlyMap<string, ModelHold>): void {
    this.#holds.clear()
    for (const [key, hold] of holds) this.#holds.set(key, hold)
  }

  verdict({ unique, queue, kind }: NewJob, now: number, isThere: (job: ModelJob) => boolean): Verdict {
    const hold = unique && this.#holds.get(unique.key)
    if (unique === undefined || hold === undefined) return { type: 'store' }
    if (!hold.isPending && hold.endsAt <= now) return { type: 'store' }
    const holder = hold.job
    if (unique.conflict === 'replace' && isThere(holder) && isOpen(holder) && holder.queue === queue && holder.kind === kind) {
      return { type: 'replace', holder }
    }
    if (unique.conflict === 'next' && !hold.isPending && typeof hold.until === 'number') return { type: 'store', at: hold.endsAt }
    return { type: 'duplicate', holder }
  }

  take(job: ModelJob, { key, until }: Unique, from: number, isPending: boolean): void {
    this.#holds.set(key, { job, until, endsAt: typeof until === 'number' ? from + until : Infinity, isPending })
  }

  started(job: ModelJob): void {
    this.#let(job, 'started')
  }

  ended(job: ModelJob): void {
    this.#let(job, 'started', 'finished')
  }

  #let(job: ModelJob, ...until: readonly Unique['until'][]): void {
    for (const [key, hold] of this.#holds) {
      if (hold.job !== job) continue
      hold.isPending = false
      if (until.includes(hold.until)) this.#holds.delete(key)
    }
  }
}
