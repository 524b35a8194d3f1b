import type { Clock } from '@genstage/core'
import type { Held, LogEntry, Report, Store } from '../store.ts'
import { clearTimer } from '../timers.ts'
import type { StoreHealth } from './store-health.ts'

/** Between two writes of progress. */
const everyMs = 100

interface Kept {
  progress: string | undefined
  logs: LogEntry[]
}

/**
 * Writes what handlers report, in batches: the newest progress of each job and all lines of its log. What a job has reported is written
 * before its end is.
 */
export class Reporter {
  readonly #store: Store
  readonly #clock: Clock
  readonly #health: StoreHealth
  #kept = new Map<Held, Kept>()
  #timer: Disposable | undefined
  /** The write under way, and the one that follows it: one after the other, so that the newest progress stays. */
  #writing: Promise<void> | undefined
  #next: Promise<void> | undefined

  constructor(store: Store, clock: Clock, health: StoreHealth) {
    this.#store = store
    this.#clock = clock
    this.#health = health
  }

  progress(job: Held, text: string): void {
    this.#of(job).progress = text
  }

  log(job: Held, entry: LogEntry): void {
    this.#of(job).logs.push(entry)
  }

  /** Whether everything is written. */
  get isEmpty(): boolean {
    return this.#kept.size === 0 && (this.#next ?? this.#writing) === undefined
  }

  /** Resolves when all of it is written. Never rejects: what cannot be written is given up, for the job itself matters more. */
  flush(): Promise<void> {
    clearTimer(this.#timer)
    this.#timer = undefined
    if (this.#kept.size > 0)
      this.#next ??= Promise.resolve(this.#writing).then(() => {
        this.#next = undefined
        this.#writing = this.#write()
        return this.#writing
      })
    return this.#next ?? Promise.resolve(this.#writing)
  }

  async #write(): Promise<void> {
    const reports: Report[] = []
    for (const [{ seq, token }, { progress, logs }] of this.#kept)
      reports.push({ seq, token, ...(progress === undefined ? {} : { progress }), ...(logs.length === 0 ? {} : { logs }) })
    this.#kept = new Map()
    try {
      await this.#store.report(reports)
    } catch (error) {
      this.#health.failed('report', error)
    }
    this.#writing = undefined
  }

  #of(job: Held): Kept {
    const known = this.#kept.get(job)
    if (known !== undefined) return known
    const kept: Kept = { progress: undefined, logs: [] }
    this.#kept.set(job, kept)
    this.#timer ??= this.#clock.setTimer(everyMs, () => void this.flush())
    return kept
  }
}
