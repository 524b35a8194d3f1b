import type { Clock } from '@genstage/core'
import { JobsError } from '../../errors.ts'
import type { Hint } from '../../store.ts'
import { CallQueue, type Operation } from './call-queue.ts'
import { claimLost } from './completing.ts'
import type { SqliteDriver } from './driver.ts'
import { LockedTime } from './patience.ts'
import type { Session } from './session.ts'
import { isBusy, storeError } from './sqlite-errors.ts'

/** A transaction ends when it has lasted so long: the event loop gets its turn in between. */
const msAtOnce = 5

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
  readonly #locked: LockedTime
  readonly #queue = new CallQueue()
  /** Runs from the first call until nothing is left. */
  #working: Promise<void> | undefined
  /** Of the file, when the book was last right. */
  #dataVersion: number | undefined

  constructor(session: Session, options: GroupCommitOptions) {
    this.#session = session
    this.#options = options
    this.#locked = new LockedTime(options.clock)
  }

  /**
   * Runs the work in the next transaction. Resolves when it is durable; rejects with what it throws, or with the store's error:
   * `STORE_BUSY` where other processes have kept it waiting for `busyTimeoutMs`, whatever else was waiting before it.
   */
  write<Value>(weight: number, work: (session: Session) => Value): Promise<Value> {
    return this.#add('write', weight, work)
  }

  /** The same for work that changes nothing: it sees all that was called before. Another process that writes does not keep it waiting. */
  read<Value>(work: (session: Session) => Value): Promise<Value> {
    return this.#add('read', 1, work)
  }

  /** The same for work that no transaction may be around: it comes between two of them. */
  alone<Value>(work: (session: Session) => Value): Promise<Value> {
    return this.#add('alone', 1, work)
  }

  /** Resolves when nothing is left to do. */
  async idle(): Promise<void> {
    await this.#working
  }

  #add<Value>(mode: Operation['mode'], weight: number, work: (session: Session) => Value): Promise<Value> {
    return new Promise<Value>((resolve, reject) => {
      this.#queue.add({ mode, weight, work, lockedBefore: this.#locked.ms, resolve, reject })
      this.#working ??= this.#work()
    })
  }

  async #work(): Promise<void> {
    while (this.#queue.first !== undefined) {
      await nextTurn()
      const batch = this.#queue.takeBatch()
      if (this.#run(batch) === 'busy') {
        this.#queue.putBack(batch)
        await this.#waitForLock()
      } else this.#locked.passed()
    }
    this.#locked.passed()
    this.#working = undefined
  }

  /** Runs a batch until it is durable, or was refused; or answers that another process holds the lock: then none of it has happened. */
  #run(batch: Operation[]): 'busy' | undefined {
    try {
      while (batch.length > 0) {
        const refused = this.#tryOnce(batch)
        if (refused === undefined || refused === 'busy') return refused
        if (refused === 'again') continue
        batch.splice(batch.indexOf(refused.operation), 1)
        refused.operation.reject(refused.value)
      }
    } catch (error) {
      const reason = storeError(this.#options.driver, this.#options.path, error)
      for (const { reject } of batch) reject(reason)
    }
    return undefined
  }

  /** One transaction, from its begin to its end: nothing else has its turn in between. */
  #tryOnce(batch: Operation[]): Done | 'busy' | 'again' | undefined {
    const [first] = batch
    try {
      if (first?.mode === 'alone') return this.#runAlone(first)
      this.#session.exec(first?.mode === 'write' ? 'BEGIN IMMEDIATE' : 'BEGIN')
      return this.#attempt(batch)
    } catch (error) {
      if (isBusy(this.#options.driver, error)) return 'busy'
      throw error
    }
  }

  #runAlone({ work, resolve }: Operation): undefined {
    // The value is of the type that its promise has
    resolve(work(this.#session) as never)
  }

  /** Refuses those whose patience is over, and waits a little where any are left. */
  async #waitForLock(): Promise<void> {
    const { busyTimeoutMs } = this.#options
    this.#locked.met()
    const { ms } = this.#locked
    for (const { lockedBefore, reject } of this.#queue.takeLate(ms, busyTimeoutMs)) reject(this.#busy(ms - lockedBefore))
    const { first } = this.#queue
    if (first !== undefined) await this.#locked.pause(Math.max(0, busyTimeoutMs - (ms - first.lockedBefore)))
  }

  #busy(waitedMs: number): JobsError {
    const message = `sqliteStore: ${this.#options.path} was locked by another process for ${Math.round(waitedMs)} ms while this call waited`
    return new JobsError('STORE_BUSY', message)
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
    this.#queue.putBack(batch.splice(done.length))
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
