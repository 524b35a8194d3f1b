import type { Store } from '../../src/store.ts'
import { type FaultPlan, faultyStore, type StoreCall } from '../../src/testing/faulty-store.ts'
import type { SqliteConnection, SqliteDriver } from '../../src/stores/sqlite/driver.ts'
import type { FatalCall } from './opening.ts'

/** Ends this process at once: nothing of it runs any more, and nobody is told. */
export function die(): void {
  process.kill(process.pid, 'SIGKILL')
}

/** The process dies in one call of its store: around it, or inside its transaction. */
export class Fatality {
  readonly #call: FatalCall
  /** The call has been made. */
  #isArmed = false
  #statements = 0
  #withJobs = 0

  constructor(call: FatalCall) {
    this.#call = call
  }

  /** The store, in which the process dies outside of transactions. */
  around(store: Store): Store {
    const { method, nth, place, withJobs = false } = this.#call
    const plan: FaultPlan = {
      before: call => {
        if (call.method !== method || call.nth < nth || withJobs) return
        if (place === 'before') die()
        this.#isArmed = true
      },
      after: (call, answer) => {
        if (withJobs && place === 'answered' && bringsJobs(call, answer) && ++this.#withJobs === nth) die()
        if (!withJobs && place === 'answered' && call.method === method && call.nth === nth) die()
      },
    }
    return faultyStore(store, plan)
  }

  /** The driver, in which it dies inside. */
  inside(driver: SqliteDriver): SqliteDriver {
    // What opening a file needs is done before the first call of a method returns
    if (this.#call.method === 'open') this.#isArmed = true
    return { ...driver, open: path => this.#connection(driver.open(path)) }
  }

  #connection({ exec, prepare, close }: SqliteConnection): SqliteConnection {
    const struck = <Value>(sql: string, work: () => Value): Value => {
      this.#before(sql)
      const value = work()
      if (this.#isArmed && this.#call.place === 'after commit' && isCommit(sql)) die()
      return value
    }
    return {
      exec: sql => struck(sql, () => exec(sql)),
      prepare: sql => {
        const statement = prepare(sql)
        return {
          run: params => struck(sql, () => statement.run(params)),
          get: params => struck(sql, () => statement.get(params)),
          all: params => struck(sql, () => statement.all(params)),
        }
      },
      close,
    }
  }

  #before(sql: string): void {
    if (!this.#isArmed) return
    const { place, statements = 1 } = this.#call
    if (place === 'inside' && ++this.#statements >= statements) die()
    if (place === 'before commit' && isCommit(sql)) die()
  }
}

function isCommit(sql: string): boolean {
  return /^\s*COMMIT/i.test(sql)
}

function bringsJobs({ method }: StoreCall, answer: unknown): boolean {
  if (typeof answer !== 'object' || answer === null) return false
  const claimed: unknown = method === 'claim' ? answer : method === 'settle' && 'claimed' in answer ? answer.claimed : undefined
  return (
    typeof claimed === 'object' && claimed !== null && 'jobs' in claimed && Array.isArray(claimed.jobs) && claimed.jobs.length > 0
  )
}
