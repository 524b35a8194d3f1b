import { JobsError } from '../../errors.ts'
import type { Inserted, NewJob, Unique } from '../../store.ts'
import type { JobTable } from './job-table.ts'
import { MemoryJob } from './memory-job.ts'
import type { Uniques } from './uniques.ts'

/** One call of `insert`: jobs are stored in their order, all or none. */
export class Insertion {
  readonly #table: JobTable
  readonly #uniques: Uniques
  readonly #now: number
  /** How to take back what has been done, last first. */
  readonly #undo: (() => void)[] = []

  constructor(table: JobTable, uniques: Uniques, now: number) {
    this.#table = table
    this.#uniques = uniques
    this.#now = now
  }

  /** Throws `ID_CONFLICT`, having stored none. */
  run(jobs: readonly NewJob[]): readonly Inserted[] {
    try {
      return jobs.map((job, index) => this.#insert(job, index))
    } catch (error) {
      for (const step of this.#undo.toReversed()) step()
      throw error
    }
  }

  #insert(job: NewJob, index: number): Inserted {
    const known = this.#table.get(job.id)
    if (known !== undefined) {
      if (!known.isSameAs(job)) throw idConflict(job, index)
      return { id: job.id, outcome: 'duplicate' }
    }
    const { unique } = job
    const runAt = job.runAt ?? this.#now + job.delayMs
    const hold = unique && this.#uniques.holdOf(unique.key, this.#now)
    if (unique === undefined || hold === undefined) return this.#store(job, runAt, this.#now)

    const holder = hold.job
    if (unique.conflict === 'replace' && this.#canReplace(holder, job)) return this.#replace(holder, job, runAt)
    const storesNext = unique.conflict === 'next' && !hold.isNext && typeof hold.until === 'number'
    if (storesNext) return this.#store(job, hold.endsAt, hold.endsAt, true)
    const isElsewhere = !holder.isRemoved && holder.queue !== job.queue
    return { id: holder.id, outcome: 'duplicate', ...(isElsewhere && { queue: holder.queue }) }
  }

  /** The window of its key, if it has one, begins at `from`. */
  #store(job: NewJob, runAt: number, from: number, isNext: boolean = false): Inserted {
    const isNewQueue = this.#table.findQueue(job.queue) === undefined
    const stored = new MemoryJob(this.#table.nextSeq(), job, this.#now, runAt)
    this.#table.add(stored, this.#now)
    this.#undo.push(() => {
      this.#table.remove(stored)
      if (isNewQueue) this.#table.removeQueue(job.queue)
    })
    if (job.unique !== undefined) this.#hold(stored, job.unique, from, isNext)
    return { id: job.id, outcome: 'inserted' }
  }

  #hold(job: MemoryJob, unique: Unique, from: number, isNext: boolean): void {
    const before = this.#uniques.entry(unique.key)
    this.#uniques.take(job, unique, from, this.#now, isNext)
    this.#undo.push(() => this.#uniques.restore(unique.key, before))
  }

  /** One that has not started, by a job of the same kind for the same queue: args of another kind would not fit. */
  #canReplace(holder: MemoryJob, job: NewJob): boolean {
    const hasNotStarted = holder.state === 'delayed' || holder.state === 'waiting'
    return !holder.isRemoved && hasNotStarted && holder.queue === job.queue && holder.kind === job.kind
  }

  #replace(holder: MemoryJob, job: NewJob, at: number): Inserted {
    const { version, args, priority, maxAttempts, timeoutMs, tags, runAt, state, attempt, crashes, progress } = holder
    this.#undo.push(() => {
      Object.assign(holder, { version, args, priority, maxAttempts, timeoutMs, tags, runAt, attempt, crashes, progress })
      this.#table.move(holder, state)
    })
    holder.takeOver(job)
    this.#table.schedule(holder, at, this.#now)
    return { id: holder.id, outcome: 'replaced' }
  }
}

function idConflict({ id, queue, kind }: NewJob, index: number): JobsError {
  const message = `job ${id} is there already, with another queue, kind, version or args; give each job an id of its own`
  return new JobsError('ID_CONFLICT', message, { job: id, queue, kind, index })
}
