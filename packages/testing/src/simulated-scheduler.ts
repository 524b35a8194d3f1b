import type { Choice, Scheduler } from '@genstage/core'

/** Decides what happens next: the index of one of the choices. */
export type Chooser = (choices: readonly Choice[]) => number

/**
 * A scheduler that runs nothing by itself: the test does one step after the other, and `chooser` decides which message of all legal
 * ones is next (GS-A2). The choices made are kept, so that a run can be repeated.
 */
export class SimulatedScheduler implements Scheduler {
  readonly #chooser: Chooser
  readonly #work: (() => void)[] = []
  readonly #later: (() => void)[] = []
  /** Which of how many was chosen, step by step. */
  readonly made: { readonly index: number; readonly of: number }[] = []

  /** Told of every message: to which stage, and by whom. */
  readonly posted: (stage: string, sender: string) => void

  constructor(chooser: Chooser, posted: (stage: string, sender: string) => void = () => {}) {
    this.#chooser = chooser
    this.posted = posted
  }

  schedule(work: () => void): void {
    this.#work.push(work)
  }

  yieldTo(work: () => void): void {
    this.#later.push(work)
  }

  choose(choices: readonly Choice[]): number {
    const index = this.#chooser(choices)
    this.made.push({ index, of: choices.length })
    return index
  }

  /** Whether a step could be done now. */
  get isIdle(): boolean {
    return this.#work.length === 0 && this.#later.length === 0
  }

  /** Does the next step: one message of one stage. False if there is none. */
  step(): boolean {
    const work = this.#work.shift() ?? this.#later.shift()
    work?.()
    return work !== undefined
  }
}
