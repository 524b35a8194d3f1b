import type { Mailbox } from './mailbox.ts'
import type { StageMessage } from './protocol.ts'
import type { Runnable } from './run-loop.ts'
import type { RuntimeCore } from './runtime.ts'
import { isThenable } from './thenable.ts'

/** The half of a stage that has a mailbox and turns: one message at a time, also while a promise is pending (GS-A1). */
export abstract class Turns implements Runnable {
  abstract readonly id: string
  readonly runtime: RuntimeCore
  readonly mailbox: Mailbox
  /** Whether the stage has ended: then nothing is handled any more. */
  protected isOver = false
  /** Whether it is waiting for a turn, having one, or waiting for a promise: then a message that arrives need not wake it. */
  #busy = false
  /** Whether there may be something in hand, to be looked at before the mailbox. */
  #attention = false
  /** The promise it waits for, by the token of that wait: what comes later, or twice, is not listened to. */
  #waitingFor: object | undefined
  /** What the promise brought: the next thing to do. */
  #resume: (() => void) | undefined

  constructor(runtime: RuntimeCore) {
    this.runtime = runtime
    this.mailbox = runtime.newMailbox(this)
  }

  post(message: StageMessage): void {
    if (this.isOver) return this.handleLate(message)
    this.mailbox.push(message)
    this.wake()
  }

  turn(steps: number): boolean {
    for (let step = 0; step < steps && !this.isOver; step++) {
      try {
        const message = this.#attention ? undefined : this.mailbox.shift()
        if (message !== undefined) this.handle(message)
        else if (!this.#attention || !this.#step()) {
          this.#busy = false
          return false
        }
      } catch (error) {
        this.fail(error)
      }
      if (this.#waitingFor !== undefined) return false
    }
    return !this.isOver
  }

  get hasWorkInHand(): boolean {
    return this.#resume !== undefined || this.isWorkInHand
  }

  /** Says that there is something in hand, to be done before the next message. */
  attend(): void {
    this.#attention = true
  }

  /** Asks for a turn. */
  wake(): void {
    if (this.#busy) return
    this.#busy = true
    this.runtime.loop.wake(this)
  }

  whenDone(value: unknown, next: (value: unknown) => void): void {
    if (isThenable(value)) this.#waitFor(value, next)
    else next(value)
  }

  /** Listens to no promise any more. */
  protected forgetPromise(): void {
    this.#waitingFor = undefined
    this.#resume = undefined
  }

  protected abstract handle(message: StageMessage): void
  /** A message came after the end. */
  protected abstract handleLate(message: StageMessage): void
  /** Something threw. */
  protected abstract fail(error: unknown): void
  /** Whether something is in hand. */
  protected abstract get isWorkInHand(): boolean
  /** Does one step of what is in hand; false if there is nothing. */
  protected abstract workInHand(): boolean
  /** Whether to look for something in hand after every message, whether or not anybody says so. */
  protected abstract get isWatchful(): boolean

  /** Does the next thing: first what is in hand, then the next message. False if there is nothing to do now. */
  #step(): boolean {
    const resume = this.#resume
    if (resume !== undefined) {
      this.#resume = undefined
      resume()
      return true
    }
    if (this.workInHand()) return true
    // Nothing is in hand any more: from here on the mailbox is all there is to look at
    this.#attention = this.isWatchful
    const message = this.mailbox.shift()
    if (message === undefined) return false
    this.handle(message)
    return true
  }

  #waitFor(value: PromiseLike<unknown>, next: (value: unknown) => void): void {
    const wait = {}
    this.#waitingFor = wait
    const settled = (resume: () => void): void => {
      if (this.#waitingFor !== wait) return
      this.#waitingFor = undefined
      this.#resume = resume
      this.#attention = true
      this.runtime.loop.wake(this)
    }
    value.then(
      result => settled(() => next(result)),
      (error: unknown) =>
        settled(() => {
          throw error
        }),
    )
  }
}
