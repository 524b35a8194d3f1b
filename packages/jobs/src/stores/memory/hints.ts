import type { Logger } from '@genstage/core'
import type { Hint } from '../../store.ts'

/** Collects what a call changes, and tells the listeners when the call is done: they may call the store at once. */
export class Hints {
  readonly #listeners = new Set<(hint: Hint) => void>()
  readonly #waiting = new Set<string>()
  #others: Hint[] = []

  listen(listener: (hint: Hint) => void): () => void {
    // A function of its own, so that one that listens twice is told twice and ends once
    const own = (hint: Hint): void => listener(hint)
    this.#listeners.add(own)
    return () => void this.#listeners.delete(own)
  }

  /** Jobs may wait in the queue: told once a call. */
  waiting(queue: string): void {
    this.#waiting.add(queue)
  }

  add(hint: Hint): void {
    if (this.#listeners.size > 0) this.#others.push(hint)
  }

  /** The call is undone: nothing has changed. */
  drop(): void {
    this.#waiting.clear()
    this.#others = []
  }

  tell(logger: Logger | undefined): void {
    if (this.#waiting.size === 0 && this.#others.length === 0) return
    const hints: Hint[] = this.#others
    for (const queue of this.#waiting) hints.push({ type: 'waiting', queue })
    this.drop()
    for (const listener of this.#listeners) for (const hint of hints) tellOne(listener, hint, logger)
  }

  clear(): void {
    this.#listeners.clear()
    this.drop()
  }
}

function tellOne(listener: (hint: Hint) => void, hint: Hint, logger: Logger | undefined): void {
  try {
    listener(hint)
  } catch (error) {
    logger?.error('a listener of the store has thrown', { hint: hint.type, error })
  }
}
