import type { Clock } from '@genstage/core'
import { JobsError } from '../../errors.ts'
import type { Hint } from '../../store.ts'
import { claimLost } from './completing.ts'
import type { SqliteDriver } from './driver.ts'
import { Patience } from './patience.ts'
import type { Session } from './session.ts'
import { isBusy, storeError } from './sqlite-errors.ts'

/** A transaction ends when it has touched about so many jobs, or has lasted so long: the event loop gets its turn in between. */
const jobsAtOnce = 250
const msAtOnce = 5

/** What runs in a transaction, together with others. */
interface Operation {
  /** About how many jobs it touches. */
  readonly weight: number
  readonly writes: boolean
  readonly work: (session: Session) => unknown
  readonly resolve: (value: never) => void
  readonly reject: (error: unknown) => void
}

/** How an operation ended inside the transaction. */
interface Done {
  readonly operation: Operation
  readonly value: unknown
}

/** What the group commit needs of its store. */
export interface GroupCommitOptions {
  readonly driver: SqliteDriver
  readonly path: string
  readonly clock: Clock
  readonly busyTimeoutMs: number
  /** Told after the commit. */
  readonly tell: (hints: readonly Hint[]) => void
}

/**
 * Joins what is called in one turn of the event loop into one transaction: one write to the disk for all. Operations run in the order
 * of the calls, each sees what those before it did, and their promises settle when all of it is durable. One that is refused is undone
 * alone: the transaction is rolled back and run again without it, which is rare enough to cost nothing otherwise.
 */
export class GroupCommit {
  readonly #session: Session
  readonly #options: GroupCommitOptions
  #queue: Operation[] = []
  /** Runs from the first call until nothing is left. */
  #working: Promise<void> | undefined
  /** Of the file, when the book was last right. */
  #dataVersion: number | undefined

  constructor(session: Session, options: GroupCommitOptions) {
    this.#session = session
    this.#options = options
  }

  /** Runs the work in the next transaction. Resolves when it is durable; rejects with what it throws, or with the store's error. */
  write<Value>(weight: number, work: (session: Session) => Value): Promise<Value> {
    return this.#add(weight, true, work)
  }

  /** The same for work that changes nothing: it sees all that was called before. */
  read<Value>(work: (session: Session) => Value): Promise<Value> {
    return this.#add(1, false, work)
  }

  /** Resolves when nothing is left to do. */
  async idle(): Promise<void> {
    await this.#working
  }

  #add<Value>(weight: number, writes: boolean, work: (session: Session) => Value): Promise<Value> {
    return new Promise<Value>((resolve, reject) => {
      this.#queue.push({ weight, writes, work, resolve, reject })
      this.#working ??= this.#work()
    })
  }

  async #work(): Promise<void> {
    while (this.#queue.length > 0) {
      await nextTurn()
      const batch = this.#nextBatch()
      try {
        await this.#run(batch)
      } catch (error) {
        const reason = storeError(this.#options.driver, this.#options.path, error)
        for (const { reject } of batch) reject(reason)
      }
    }
    this.#working = undefined
  }

  /** The operations of the next transaction leave the queue. */
  #nextBatch(): Operation[] {
    let count = 0
    let weight = 0
    while (count < this.#queue.length && weight < jobsAtOnce) weight += this.#queue[count++]?.weight ?? 0
    return this.#queue.splice(0, count)
  }

  /** Runs a batch until it is durable. Rejects with what the driver throws: then none of it has happened. */
  async #run(batch: Operation[]): Promise<void> {
    const patience = new Patience(this.#options.clock, this.#options.busyTimeoutMs)
    while (batch.length > 0) {
      const refused = this.#tryOnce(batch)
      if (refused === undefined) return
      if (refused === 'again') continue
      if (refused === 'busy') {
        if (!(await patience.wait())) throw this.#locked()
        continue
      }
      batch.splice(batch.indexOf(refused.operation), 1)
      refused.operation.reject(refused.value)
    }
  }

  /** One transaction, from its begin to its end: nothing else has its turn in between. */
  #tryOnce(batch: Operation[]): Done | 'busy' | 'again' | undefined {
    try {
      this.#session.exec(batch.some(({ writes }) => writes) ? 'BEGIN IMMEDIATE' : 'BEGIN')
      return this.#attempt(batch)
    } catch (error) {
      if (isBusy(this.#options.driver, error)) return 'busy'
      throw error
    }
  }

  #locked(): JobsError {
    const { path, busyTimeoutMs } = this.#options
    return new JobsError('STORE_BUSY', `sqliteStore: ${path} has been locked by another process for ${busyTimeoutMs} ms`)
  }

  /** Answers the operation that was refused, with why, or `again` where what was remembered was old; the transaction is undone then. */
  #attempt(batch: Operation[]): Done | 'again' | undefined {
    const { clock, driver } = this.#options
    const session = this.#session
    const done: Done[] = []
    try {
      this.#checkVersion()
      session.now = clock.wallTime()
      session.time = clock.now()
      session.hints = []
      for (const operation of batch) {
        // What there is no time for comes first next time
        if (done.length > 0 && clock.now() - session.time > msAtOnce) break
        try {
          done.push({ operation, value: operation.work(session) })
        } catch (error) {
          if (driver.codeOf(error) !== undefined) throw error
          this.#undo()
          return error === claimLost ? 'again' : { operation, value: error }
        }
      }
      session.book.save()
      session.exec('COMMIT')
      session.claims.keep()
    } catch (error) {
      this.#undo()
      throw error
    }
    this.#queue.unshift(...batch.splice(done.length))
    // Each value is of the type that its promise has
    for (const { operation, value } of done) operation.resolve(value as never)
    this.#options.tell(session.hints)
    return undefined
  }

  /** Where another connection has written, the book is old. */
  #checkVersion(): void {
    const version = Number(this.#session.row('PRAGMA data_version')?.[0])
    if (version !== this.#dataVersion) this.#session.book.forget()
    this.#dataVersion = version
  }

  #undo(): void {
    this.#session.book.forget()
    this.#session.claims.forget()
    try {
      this.#session.exec('ROLLBACK')
    } catch {
      // SQLite has rolled back by itself, as it does when the disk is full
    }
  }
}

function nextTurn(): Promise<void> {
  return new Promise(resolve => void setImmediate(resolve))
}
