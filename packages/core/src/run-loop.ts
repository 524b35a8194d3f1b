import type { Clock } from './clock.ts'
import type { ChannelMailbox, Mailbox } from './mailbox.ts'
import { Queue } from './queue.ts'
import type { Choice, Scheduler } from './scheduler.ts'

/** Something that has turns: a stage. */
export interface Runnable {
  readonly id: string
  readonly mailbox: Mailbox
  /** Whether it goes on with what it has in hand before it looks at its mailbox. */
  readonly hasWorkInHand: boolean
  /** Handles up to `steps` messages. True if it wants another turn at once. */
  turn(steps: number): boolean
}

/** Messages that one stage may handle before it is another's turn (GS-J1). */
const stepsPerTurn = 32

/** The clock is looked at once in so many turns (a power of two): a look costs as much as a message. */
const turnsPerLook = 16

/** Turns in a slice whatever the clock says, so that a clock that stands still cannot keep the event loop out. */
const turnsPerSlice = 16_384

/**
 * Gives stages their turns, one after the other. A slice of work ends after some milliseconds, and goes on when the event loop has
 * had its turn: timers and I/O are never held off (GS-J1, U27).
 */
export class RunLoop {
  readonly #clock: Clock
  readonly #scheduler: Scheduler
  readonly #sliceMs: number
  readonly #ready = new Queue<Runnable>()
  /** Whether a run is under way or has been scheduled. */
  #active = false
  /** Whether a slice is open: it began in this turn of the event loop, which has not come round since. */
  #sliceOpen = false
  #sliceStart = 0
  #turnsInSlice = 0
  /** Whether the slice was used up, so that the run goes on when the event loop comes round. */
  #paused = false

  constructor(clock: Clock, scheduler: Scheduler, sliceMs: number) {
    this.#clock = clock
    this.#scheduler = scheduler
    this.#sliceMs = sliceMs
  }

  /** Gives `runnable` a turn soon. It must not be waiting for one already. */
  wake(runnable: Runnable): void {
    this.#ready.push(runnable)
    if (this.#active) return
    this.#active = true
    this.#scheduler.schedule(this.#scheduler.choose === undefined ? this.#run : this.#chosenStep)
  }

  readonly #run = (): void => {
    if (!this.#sliceOpen) this.#openSlice()
    const ready = this.#ready
    for (let next = ready.shift(); next !== undefined; next = ready.shift()) {
      if (next.turn(stepsPerTurn)) ready.push(next)
      this.#turnsInSlice++
      if ((this.#turnsInSlice & (turnsPerLook - 1)) === 0 && this.#isSliceOver()) {
        this.#paused = true
        return
      }
    }
    this.#active = false
  }

  #openSlice(): void {
    this.#sliceOpen = true
    this.#sliceStart = this.#clock.now()
    this.#turnsInSlice = 0
    this.#scheduler.yieldTo(this.#closeSlice)
  }

  #isSliceOver(): boolean {
    return this.#turnsInSlice >= turnsPerSlice || this.#clock.now() - this.#sliceStart >= this.#sliceMs
  }

  readonly #closeSlice = (): void => {
    this.#sliceOpen = false
    if (!this.#paused) return
    this.#paused = false
    this.#run()
  }

  /** One step of a simulation: whoever is to be next is chosen among all that could be. */
  readonly #chosenStep = (): void => {
    const stages = this.#ready.take(this.#ready.length)
    const choices: Choice[] = []
    const runnables: Runnable[] = []
    for (const stage of stages) {
      for (const { sender, message } of waitingFor(stage)) {
        choices.push({ stage: stage.id, sender, message })
        runnables.push(stage)
      }
    }
    const index = choices.length === 0 ? -1 : (this.#scheduler.choose?.(choices) ?? 0)
    const chosen = runnables[index]
    const choice = choices[index]
    for (const stage of stages) {
      if (stage !== chosen) {
        if (runnables.includes(stage)) this.#ready.push(stage)
        else stage.turn(1) // nothing to do: it goes to sleep
      }
    }
    if (chosen !== undefined && choice !== undefined) {
      if (!chosen.hasWorkInHand) (chosen.mailbox as ChannelMailbox).next = choice.sender
      if (chosen.turn(1)) this.#ready.push(chosen)
    }
    if (this.#ready.length === 0) this.#active = false
    else this.#scheduler.schedule(this.#chosenStep)
  }
}

function waitingFor(stage: Runnable): readonly { readonly sender: string; readonly message: string }[] {
  if (stage.hasWorkInHand) return [{ sender: stage.id, message: 'continue' }]
  return (stage.mailbox as ChannelMailbox).waiting()
}
