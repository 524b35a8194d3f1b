import type { GenStageError, StageRef } from '@genstage/core'
import type { Simulation } from '../simulation.ts'

/**
 * Sets up what is explored: starts stages in `simulation.runtime`, and answers what happens to them and what must hold. It is called
 * anew for every run, so everything that changes belongs inside it.
 */
export type Scene = (simulation: Simulation) => Play

/** What happens in a scene besides what its stages do, and what must hold. */
export interface Play {
  /** What somebody outside does: one after the other, each at any moment. Beginning and end of the run are such moments, too. */
  readonly actions?: readonly (PlayAction | (() => void))[]
  /** What is wrong now; asked after every step. */
  check?(): readonly string[]
  /** What is wrong at the end, when nothing is left to do. It may take further steps: they are taken in one order only. */
  end?(): readonly string[] | Promise<readonly string[]>
  /** Whether a failure that nobody watches is meant to be. Default: none is. */
  isExpected?(error: GenStageError): boolean
}

/** Something that somebody outside does. */
export interface PlayAction {
  run(): void
  /** For the steps of a counter-example. */
  readonly name?: string
  /** The one stage that it is done to: of `subscription.cancel()` its consumer. Known, it makes for far fewer states. */
  readonly of?: StageRef
}

/** How far an exploration goes. */
export interface ExploreOptions {
  /** More runs than that are not made; then the exploration is not complete. Default 100,000. */
  readonly maxRuns?: number
  /** A run with more steps is reported as one that never becomes quiet. Default 2,000. */
  readonly maxSteps?: number
  /**
   * Whether a run is left when it has come to a state that was seen before. Default true. It is sound when stages share nothing but
   * messages, and when what is checked is what each stage saw, not which of two stages was earlier; stages linked by `link` share
   * their end. With `false` every order of all steps is run: for very small scenes.
   */
  readonly prune?: boolean
  /**
   * When timers fire: `at rest`, when nothing else can happen (the default: messages are faster than time), or at `any time`. Those
   * that are due at one time fire in any order.
   */
  readonly timers?: 'at rest' | 'any time'
}

/** What came of an exploration. */
export interface Exploration {
  /** Runs made, and those of them that went on to the end: the others came to a state that was seen before. */
  readonly runs: number
  readonly endings: number
  /** States that differ. */
  readonly states: number
  /** Steps of the longest run. */
  readonly longestPath: number
  /** Whether everything that can happen has been seen. False when `maxRuns` was reached, or a counter-example found. */
  readonly complete: boolean
  readonly counterExample: CounterExample | undefined
  /** All of it in a sentence; it says so when the exploration is not complete. */
  readonly summary: string
}

/** A run in which something was wrong. */
export interface CounterExample {
  /** For `replay`: which of the things that could happen did, as often as there was more than one. Shortened; what follows is 0. */
  readonly choices: readonly number[]
  readonly violations: readonly string[]
  /** What happened, step by step. */
  readonly steps: readonly string[]
}
