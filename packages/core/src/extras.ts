import type { StageContext } from './context.ts'
import type { Clock } from './clock.ts'
import type { Draining } from './draining.ts'
import { disposeSymbol } from './platform.ts'
import type { Reply } from './protocol.ts'
import type { Reason } from './reason.ts'
import type { Guardian, Supervising } from './supervision/roles.ts'

/** A stage that is linked to another. */
export interface Linked {
  unlink(other: Linked): void
  /** The other one has failed. */
  failWith(reason: Reason): void
}

/** What only few stages ever have, made when it is needed, so that an idle stage costs little (WL-11). */
export class Extras {
  /** Set once the callbacks use timers, watches or signals of theirs. */
  context: StageContext | undefined
  /** Set while the stage finishes what is on its way before it ends. */
  draining: Draining | undefined
  /** Takes the listener off the signal that was given to `start`. */
  unfollow: (() => void) | undefined
  /** Stages that a failure of this one ends, and the other way round (GS-J4). */
  linked: Set<Linked> | undefined
  /** Looks after its children, if it may have any. */
  supervising: Supervising | undefined
  /** The supervisor that started it, if one did. */
  guardian: Guardian | undefined
  /** To be called at the end, by whoever wants to know of it without being one who watches. */
  atEnd: Set<() => void> | undefined
  /** Calls that have not been answered: the end of the stage answers them. */
  unanswered: Set<Reply> | undefined
  #deadline: Disposable | undefined
  #deadlineAt: number = Infinity

  /** A call has come. It is kept until nobody waits for the answer any more. */
  owe(reply: Reply): void {
    const unanswered = (this.unanswered ??= new Set())
    unanswered.add(reply)
    reply.release = () => unanswered.delete(reply)
  }

  /** Past the earliest deadline that anybody gave, the stage is killed. */
  armDeadline(clock: Clock, timeout: number, kill: () => void): void {
    const at = clock.now() + timeout
    if (at >= this.#deadlineAt) return
    this.#deadlineAt = at
    this.#deadline?.[disposeSymbol]()
    this.#deadline = clock.setTimer(timeout, kill)
  }

  /** The stage has ended: nothing may call it any more, and its children go with it. */
  callOff(): void {
    this.context?.close()
    this.unfollow?.()
    this.supervising?.abandon()
    this.#deadline?.[disposeSymbol]()
  }
}
