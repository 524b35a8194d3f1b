import { JobsError } from './errors.ts'
import type { Inserted, NewJob, Store } from './store.ts'

interface Waiting {
  readonly job: NewJob
  readonly resolve: (inserted: Inserted) => void
  readonly reject: (error: unknown) => void
}

/** More than this goes into another write. */
const mostPerWrite = 1_000

/** Makes one write of all jobs that are enqueued in the same turn, and answers each call once that is durable. */
export class InsertBatcher {
  readonly #store: Store
  /** Until then jobs are collected, and nothing is written. */
  readonly #opened: Promise<void>
  #waiting: Waiting[] = []
  /** Writes under way. */
  #writing = 0
  #whenIdle: (() => void)[] = []

  constructor(store: Store, opened: Promise<void>) {
    this.#store = store
    this.#opened = opened
  }

  insert(job: NewJob): Promise<Inserted> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ job, resolve, reject })
      if (this.#waiting.length === 1) queueMicrotask(() => this.#flush())
      else if (this.#waiting.length === mostPerWrite) this.#flush()
    })
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    while (this.#writing > 0 || this.#waiting.length > 0) await new Promise<void>(resolve => this.#whenIdle.push(resolve))
  }

  #flush(): void {
    const batch = this.#waiting
    if (batch.length === 0) return
    this.#waiting = []
    this.#writing++
    void this.#write(batch).then(() => {
      this.#writing--
      const waiting = this.#whenIdle
      this.#whenIdle = []
      for (const resolve of waiting) resolve()
    })
  }

  async #write(batch: readonly Waiting[]): Promise<void> {
    let inserted: readonly Inserted[]
    try {
      await this.#opened
      inserted = await this.#store.insert(batch.map(({ job }) => job))
    } catch (error) {
      // One job that is refused is no reason to refuse what others enqueued in the same turn
      if (batch.length > 1 && error instanceof JobsError && error.code === 'ID_CONFLICT') {
        await Promise.all(batch.map(each => this.#write([each])))
        return
      }
      for (const { reject } of batch) reject(error)
      return
    }
    for (const [index, { resolve, reject }] of batch.entries()) {
      const answer = inserted[index]
      if (answer === undefined)
        reject(new JobsError('STORE_FAILED', `the store "${this.#store.name}" did not answer for every job`))
      else resolve(answer)
    }
  }
}
