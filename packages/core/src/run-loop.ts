import type { Clock } from './clock.ts'
import type { ChannelMailbox, Mailbox } from './mailbox.ts'
import { Queue } from './queue.ts'
import { type Choice, type Scheduler, systemScheduler } from './scheduler.ts'

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

/**
 * The clock is looked at once in so many turns, at most: a look costs as much as a message. Turns that take long are few between
 * two looks, so that a slice of slow callbacks ends in time.
 */
const mostTurnsPerLook = 32

/** So much of a slice may pass between two looks. */
const slicePerLook = 1 / 8

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
  readonly #onSlice: (() => void) | undefined
  readonly #ready = new Queue<Runnable>()
  /** Whether a run is under way or has been scheduled. */
  #active = false
  /** Whether a slice is open: it began in this turn of the event loop, which has not come round since. */
  #sliceOpen = false
  /** Whether the scheduler has been asked to close it. */
  #isAwaited = false
  #sliceStart = 0
  #turnsInSlice = 0
  #lookedAt = 0
  #turnsPerLook = mostTurnsPerLook
  #turnsToLook = mostTurnsPerLook
  /** Whether the slice was used up, so that the run goes on when the event loop comes round. */
  #paused = false
  /** What there is to react to when the event loop has come round. */
  #reactions: (() => void)[] = []

  /** `onSlice` is called at the beginning of every slice, and of every step of a simulation. */
  constructor(clock: Clock, scheduler: Scheduler, sliceMs: number, onSlice?: () => void) {
    this.#clock = clock
    this.#scheduler = scheduler
    this.#sliceMs = sliceMs
    this.#onSlice = onSlice
  }

  /** Gives `runnable` a turn soon. It must not be waiting for one already. */
  wake(runnable: Runnable): void {
    this.#ready.push(runnable)
    if (this.#active) return
    this.#active = true
    this.#scheduler.schedule(this.#scheduler.choose === undefined ? this.#run : this.#chosenStep)
  }

  /**
   * Does `work`, which may wake somebody, and gives turns at once. Only for reactions to promises: no code of anybody is on the stack
   * then, and the microtask that a run would wait for is the one that is under way (WL-8b).
   */
  react(work: () => void): void {
    if (this.#active || this.#scheduler !== systemScheduler) return work()
    this.#active = true
    work()
    this.#run()
  }

  /**
   * The same, but if there have been turns already in this round of the event loop, when it is over: what else comes in it can then
   * be reacted to together.
   */
  reactTogether(work: () => void): void {
    if (this.#isAwaited && !this.#active) this.#reactions.push(work)
    else this.react(work)
  }

  readonly #run = (): void => {
    if (!this.#sliceOpen) this.#openSlice()
    const ready = this.#ready
    for (let next = ready.shift(); next !== undefined; next = ready.shift()) {
      if (next.turn(stepsPerTurn)) ready.push(next)
      this.#turnsToLook--
      if (this.#turnsToLook === 0 && this.#isSliceOver()) {
        this.#paused = true
        return this.#awaitEventLoop()
      }
    }
    this.#active = false
    this.#awaitEventLoop()
  }

  /** Asked for behind all that the turns have asked for: what comes of that in one round of the event loop is reacted to together. */
  #awaitEventLoop(): void {
    if (this.#isAwaited) return
    this.#isAwaited = true
    this.#scheduler.yieldTo(this.#closeSlice)
  }

  #openSlice(): void {
    this.#onSlice?.()
    this.#sliceOpen = true
    this.#sliceStart = this.#clock.now()
    this.#lookedAt = this.#sliceStart
    this.#turnsInSlice = 0
    this.#turnsToLook = this.#turnsPerLook
  }

  #isSliceOver(): boolean {
    const now = this.#clock.now()
    const wasLong = now - this.#lookedAt > this.#sliceMs * slicePerLook
    this.#lookedAt = now
    this.#turnsInSlice += this.#turnsPerLook
    this.#turnsPerLook = wasLong ? Math.max(1, this.#turnsPerLook >> 1) : Math.min(mostTurnsPerLook, this.#turnsPerLook << 1)
    this.#turnsToLook = this.#turnsPerLook
    return this.#turnsInSlice >= turnsPerSlice || now - this.#sliceStart >= this.#sliceMs
  }

  readonly #closeSlice = (): void => {
    this.#sliceOpen = false
    this.#isAwaited = false
    if (this.#reactions.length > 0) this.#reactNow()
    if (!this.#paused) return
    this.#paused = false
    this.#run()
  }

  #reactNow(): void {
    const reactions = this.#reactions
    this.#reactions = []
    this.react(() => {
      for (const work of reactions) work()
    })
  }

  /** One step of a simulation: whoever is to be next is chosen among all that could be. */
  readonly #chosenStep = (): void => {
    this.#onSlice?.()
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
        else if (stage.turn(1)) this.#ready.push(stage) // nothing to do: it goes to sleep, unless that ends a drain
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
