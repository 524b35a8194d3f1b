import type { Session } from './session.ts'

/** A transaction ends when it has touched about so many jobs. */
const jobsAtOnce = 250

/** What was called, and waits for its transaction. */
export interface Operation {
  /** `alone` comes between two transactions, in none. */
  readonly mode: 'read' | 'write' | 'alone'
  /** About how many jobs it touches. */
  readonly weight: number
  readonly work: (session: Session) => unknown
  /** How long other processes had kept us waiting when it was called, in milliseconds. */
  readonly lockedBefore: number
  readonly resolve: (value: never) => void
  readonly reject: (error: unknown) => void
}

/** What was called and has not been done, in the order of the calls. */
export class CallQueue {
  #operations: Operation[] = []

  /** The one whose turn it is. */
  get first(): Operation | undefined {
    return this.#operations[0]
  }

  add(operation: Operation): void {
    this.#operations.push(operation)
  }

  /** The operations of the next transaction leave the queue. */
  takeBatch(): Operation[] {
    const [first] = this.#operations
    let count = 0
    let weight = 0
    for (const operation of this.#operations) {
      if (weight >= jobsAtOnce || (operation !== first && !joins(operation, first))) break
      weight += operation.weight
      count++
    }
    return this.#operations.splice(0, count)
  }

  /** They come first next time. */
  putBack(batch: readonly Operation[]): void {
    this.#operations.unshift(...batch)
  }

  /** Takes out those that met the lock and have been kept waiting for so long, or longer, when others have done so for `lockedMs` in all. */
  takeLate(lockedMs: number, timeoutMs: number): readonly Operation[] {
    const { first } = this
    // A read behind a write waits for that alone: it has its turn when the write is refused
    const isLate = ({ mode, lockedBefore }: Operation): boolean =>
      (mode !== 'read' || first?.mode === 'read') && lockedMs - lockedBefore >= timeoutMs
    if (first === undefined || !isLate(first)) return []
    const late = this.#operations.filter(isLate)
    this.#operations = this.#operations.filter(operation => !isLate(operation))
    return late
  }
}

/** Whether an operation may go into the transaction that begins with `first`. Reads before the first write have one without the lock. */
function joins({ mode }: Operation, first: Operation | undefined): boolean {
  return first?.mode === 'write' ? mode !== 'alone' : first?.mode === 'read' && mode === 'read'
}
