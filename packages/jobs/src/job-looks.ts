import type { Clock, Logger } from '@genstage/core'
import { codeOf } from './engine/store-health.ts'
import { JobsError } from './errors.ts'
import type { Store, StoredJob } from './store.ts'
import { clearTimer } from './timers.ts'

/** Who wants to know how jobs stand. */
export interface Watch {
  isAwaited(id: string): boolean
  /** The jobs it waits for. They may come and go while this is iterated. */
  awaited(): Iterator<string>
  found(id: string, job: StoredJob | undefined): void
  /** The store cannot be read, and no other look would do better. */
  unreadable(ids: readonly string[], error: unknown): void
}

/** What a store reads in a few milliseconds. */
const mostAtOnce = 250
/** A read that is not answered for so long is given up for lost. */
const longestReadMs = 30_000
/** These do not pass by themselves. Other failures may: rights are given back, disks get room, servers return. */
const lasting: readonly string[] = ['STORE_CORRUPT', 'SCHEMA_TOO_NEW', 'BAD_CONFIG']

/**
 * Reads jobs that somebody waits for, one slice after another, with a turn of the event loop in between: as many as there may be, nothing
 * else waits for them.
 */
export class JobLooks {
  readonly #store: Store
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #watch: Watch
  /** Jobs that go first: somebody has just asked for them, or they have finished. */
  readonly #soon = new Set<string>()
  /** What is left of a look at all jobs. */
  #rest: Iterator<string> | undefined
  /** All jobs are to be looked at, once more where they just are. */
  #isDue = false
  /** The look under way: a name of its own, so that one that was given up does not go on. */
  #look: object | undefined
  /** The turn of the event loop that it waits for, or the time that the store has. */
  #timer: Disposable | undefined
  /** The last read has failed. */
  #isFailing = false

  constructor(store: Store, clock: Clock, logger: Logger, watch: Watch) {
    this.#store = store
    this.#clock = clock
    this.#logger = logger
    this.#watch = watch
  }

  /** Looks at this job before others. */
  lookAt(id: string): void {
    this.#soon.add(id)
    this.#begin()
  }

  lookAtAll(): void {
    this.#isDue = true
    this.#begin()
  }

  /** Nobody waits any more. */
  stop(): void {
    this.#soon.clear()
    this.#rest = undefined
    this.#isDue = false
    this.#end()
  }

  #begin(): void {
    if (this.#look !== undefined) return
    const look = {}
    this.#look = look
    // What is asked for in the same turn goes into one read
    queueMicrotask(() => void this.#run(look))
  }

  #end(): void {
    this.#look = undefined
    clearTimer(this.#timer)
    this.#timer = undefined
  }

  async #run(look: object): Promise<void> {
    while (this.#look === look) {
      const ids = this.#nextSlice()
      if (ids.length === 0) return this.#end()
      await this.#read(look, ids)
      if (ids.length === mostAtOnce && this.#look === look) await this.#turn()
    }
  }

  #nextSlice(): readonly string[] {
    const ids: string[] = []
    for (const id of this.#soon) {
      if (ids.length === mostAtOnce) return ids
      this.#soon.delete(id)
      if (this.#watch.isAwaited(id)) ids.push(id)
    }
    if (this.#rest === undefined && this.#isDue) {
      this.#isDue = false
      this.#rest = this.#watch.awaited()
    }
    while (this.#rest !== undefined && ids.length < mostAtOnce) {
      const next = this.#rest.next()
      if (next.done === true) this.#rest = undefined
      else ids.push(next.value)
    }
    return ids
  }

  async #read(look: object, ids: readonly string[]): Promise<void> {
    this.#timer = this.#clock.setTimer(longestReadMs, () =>
      this.#failed(
        new JobsError('STORE_UNAVAILABLE', `the store "${this.#store.name}" has not answered for ${longestReadMs} ms`),
      ),
    )
    try {
      const jobs = await this.#store.find(ids)
      if (this.#look === look) clearTimer(this.#timer)
      this.#worked()
      for (const [index, id] of ids.entries()) this.#watch.found(id, jobs[index])
    } catch (error) {
      if (this.#look !== look) return
      clearTimer(this.#timer)
      if (lasting.includes(codeOf(error))) this.#watch.unreadable(ids, error)
      else this.#failed(error)
    }
  }

  #turn(): Promise<void> {
    return new Promise(resolve => {
      this.#timer = this.#clock.setTimer(0, resolve)
    })
  }

  /** The look ends; the next one goes on behind what could not be read. */
  #failed(error: unknown): void {
    this.#end()
    if (this.#isFailing) return
    this.#isFailing = true
    const fields = { code: codeOf(error), operation: 'result', error }
    this.#logger.error('the store failed (result); it is tried again', fields)
  }

  #worked(): void {
    if (!this.#isFailing) return
    this.#isFailing = false
    this.#logger.info('the store works again')
  }
}
