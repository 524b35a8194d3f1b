import type { Clock, Logger } from '@genstage/core'
import type { Hint } from '../../store.ts'
import { clearTimer } from '../../timers.ts'

/** What the hints need of their store. */
export interface HintsOptions {
  readonly clock: Clock
  readonly logger: Logger
  readonly pollMs: number
  /** A number that rises when another connection has written; undefined if it cannot be read now. */
  readonly dataVersion: () => number | undefined
  /** Another connection has written. Called before the listeners are told. */
  readonly changed: () => void
}

/** Tells the listeners what has changed: what this store did, and, as long as somebody listens, that others did something. */
export class Hints {
  readonly #options: HintsOptions
  readonly #listeners: Set<(hint: Hint) => void>
  #version: number | undefined
  #timer: Disposable | undefined

  constructor(options: HintsOptions, listeners: Set<(hint: Hint) => void>) {
    this.#options = options
    this.#listeners = listeners
    this.watch()
  }

  /** Begins to look for changes of others, if somebody listens and it does not look already. */
  watch(): void {
    if (this.#timer !== undefined || this.#listeners.size === 0) return
    this.#version ??= this.#options.dataVersion()
    this.#timer = this.#options.clock.setTimer(this.#options.pollMs, () => {
      this.#timer = undefined
      this.#look()
      this.watch()
    })
  }

  tell(hints: readonly Hint[]): void {
    if (this.#listeners.size === 0 || hints.length === 0) return
    const told = withoutRepeats(hints)
    for (const listener of this.#listeners) for (const hint of told) this.#tellOne(listener, hint)
  }

  stop(): void {
    clearTimer(this.#timer)
    this.#timer = undefined
    this.#listeners.clear()
  }

  #look(): void {
    const version = this.#options.dataVersion()
    if (version === undefined || version === this.#version) return
    this.#version = version
    this.#options.changed()
    this.tell([{ type: 'changed' }])
  }

  #tellOne(listener: (hint: Hint) => void, hint: Hint): void {
    try {
      listener(hint)
    } catch (error) {
      this.#options.logger.error('a listener of the store has thrown', { hint: hint.type, error })
    }
  }
}

/** A hundred jobs that wait again in one queue are one hint. */
function withoutRepeats(hints: readonly Hint[]): readonly Hint[] {
  if (hints.length === 1) return hints
  const told = new Set<string>()
  return hints.filter(hint => {
    if (hint.type === 'finished') return true
    const name = hint.type === 'waiting' || hint.type === 'queue' ? `${hint.type} ${hint.queue}` : hint.type
    return !told.has(name) && told.add(name)
  })
}
