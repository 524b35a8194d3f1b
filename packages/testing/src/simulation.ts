import { createRuntime, type GenStageError, type Logger, type Runtime } from '@genstage/core'
import { promiseTurns } from './promise-turns.ts'
import { seededRandom } from './seeded-random.ts'
import { type Chooser, SimulatedScheduler } from './simulated-scheduler.ts'
import { VirtualClock } from './virtual-clock.ts'

/** A line of the log. */
export interface LogLine {
  readonly level: keyof Logger
  readonly message: string
  /** When, by the clock of the simulation. */
  readonly at: number
  readonly fields: Readonly<Record<string, unknown>>
}

/** How a simulation is made. */
export interface SimulationOptions {
  /** Everything that is left to chance follows from it. Default 1. */
  readonly seed?: number
  /** Choices to repeat (`simulation.choices` of an earlier run); what comes after them is left to chance. */
  readonly choices?: readonly number[]
  /** Decides what happens next, in place of `choices` and of chance. */
  readonly chooser?: Chooser
  /** Default: a clock of its own. */
  readonly clock?: VirtualClock
  /** Chance as stages get it, in place of the seed's. */
  readonly random?: () => number
}

/** The most steps of one `run`: more means that it never becomes quiet. */
const defaultLimit = 100_000

/**
 * A world of its own for whole topologies: virtual time, seeded chance, and a scheduler that lets any legal message be the next. The
 * same seed gives the same run, message by message.
 *
 * ```ts
 * const simulation = new Simulation({ seed: 42 })
 * const numbers = start(fromIterable([1, 2, 3]), { runtime: simulation.runtime })
 * const seen: number[] = []
 * const Sink = consumer(() => ({
 *   handleEvents(events: readonly number[]) {
 *     seen.push(...events)
 *   },
 * }))
 * start(Sink, { runtime: simulation.runtime, subscribeTo: [numbers] })
 * await simulation.run()
 * console.log(seen.join(' ')) // => 1 2 3
 * ```
 */
export class Simulation {
  readonly seed: number
  readonly clock: VirtualClock
  readonly runtime: Runtime
  /** Numbers from 0 up to 1, for the test's own decisions. */
  readonly random: () => number
  /** Lines that stages wrote. */
  readonly log: LogLine[] = []
  /** Failures that nobody watched. */
  readonly uncaught: GenStageError[] = []
  readonly #scheduler: SimulatedScheduler
  readonly #postListeners: ((stage: string, sender: string) => void)[] = []
  /** Delays that have not passed. */
  #delays = 0

  constructor(options: SimulationOptions = {}) {
    this.seed = options.seed ?? 1
    this.random = seededRandom(this.seed)
    this.clock = options.clock ?? new VirtualClock()
    this.#scheduler = new SimulatedScheduler(
      options.chooser ?? chooser(options.choices ?? [], seededRandom(this.seed ^ 0x5bd1e995)),
      (stage, sender) => {
        for (const listener of this.#postListeners) listener(stage, sender)
      },
    )
    const line =
      (level: keyof Logger): Logger[typeof level] =>
      (message, fields = {}) => {
        this.log.push({ level, message, at: this.clock.now(), fields })
      }
    this.runtime = createRuntime({
      clock: this.clock,
      scheduler: this.#scheduler,
      random: options.random ?? seededRandom(this.seed ^ 0x1b873593),
      logger: { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') },
      onUncaught: error => this.uncaught.push(error),
    })
  }

  /** Which of the possible steps were taken, to be given to another simulation as `choices`. */
  get choices(): readonly number[] {
    return this.#scheduler.made.map(({ index }) => index)
  }

  /** How many steps have been taken. */
  get steps(): number {
    return this.#scheduler.made.length
  }

  /** Calls `listener` for every message that is posted, with the id of the stage it is for, and that of its sender. */
  onPost(listener: (stage: string, sender: string) => void): void {
    this.#postListeners.push(listener)
  }

  /** How many timers are set, besides those of `delay`. */
  get timers(): number {
    return this.clock.pending - this.#delays
  }

  /** Whether no step could be taken now. */
  get isIdle(): boolean {
    return this.#scheduler.isIdle
  }

  /** Lets every promise settle that can, without taking a step. */
  flush(): Promise<void> {
    return promiseTurns()
  }

  /** Takes one step: one message of one stage. False if there is none now. */
  step(): boolean {
    return this.#scheduler.step()
  }

  /** A promise that resolves after `ms` of virtual time: for handlers that take their time. */
  delay(ms: number): Promise<void> {
    this.#delays++
    return new Promise(resolve => {
      this.clock.setTimer(ms, () => {
        this.#delays--
        resolve()
      })
    })
  }

  /**
   * Takes steps until none is left, with promises given their turn in between; timers do not fire. `onStep` is called after each.
   * Throws when there is no end to it.
   */
  async settle(onStep?: () => void, limit: number = defaultLimit): Promise<void> {
    for (let steps = 0; ;) {
      while (this.step()) {
        onStep?.()
        if (++steps > limit) throw new Error(`seed ${this.seed}: not quiet after ${limit} steps`)
      }
      await promiseTurns()
      if (this.#scheduler.isIdle) return
    }
  }

  /** Settles, moves on to the next timer, settles again, until nothing is left at all. Not for topologies with a timer that repeats. */
  async run(onStep?: () => void, limit: number = defaultLimit): Promise<void> {
    for (let timers = 0; ; timers++) {
      await this.settle(onStep, limit)
      if (!this.clock.fireNext()) return
      if (timers > limit) throw new Error(`seed ${this.seed}: timers without end`)
    }
  }

  /** Moves the clock on by `ms`, timer by timer, and settles after each. */
  async advance(ms: number, onStep?: () => void): Promise<void> {
    const until = this.clock.now() + ms
    await this.settle(onStep)
    while (this.clock.nextAt !== undefined && this.clock.nextAt <= until) {
      this.clock.fireNext()
      await this.settle(onStep)
    }
    this.clock.advance(until - this.clock.now())
  }
}

/** The choices given, then chance. */
function chooser(given: readonly number[], random: () => number): Chooser {
  let next = 0
  return choices => {
    const index = given[next++]
    return index !== undefined && index < choices.length ? index : Math.floor(random() * choices.length)
  }
}
