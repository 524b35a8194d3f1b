import { afterEventLoop } from './platform.ts'

/** When work runs. */
export interface Scheduler {
  /** Run `work` soon, never inside this call. */
  schedule(work: () => void): void
  /** Run `work` after timers and I/O have had their turn. */
  yieldTo(work: () => void): void
  /**
   * For simulation: the index of what happens next among all that may (GS-A2). With it every message is a step of its own, and
   * messages of different senders may overtake each other. Without it they are handled in the order in which they were posted.
   */
  choose?(choices: readonly Choice[]): number
  /** For simulation: told of every message that is posted to the mailbox of `stage`, with its sender as `Choice` names it. */
  posted?(stage: string, sender: string): void
}

/** One thing that may happen next: a stage takes the oldest message of one sender, or goes on with the message in hand. */
export interface Choice {
  /** Id of the stage. */
  readonly stage: string
  /** Id of the sender; `outside` for whoever is no stage. */
  readonly sender: string
  /** What kind of message it is; `continue` for the one in hand. */
  readonly message: string
}

/** The scheduler of the machine: microtasks, and the event loop in between. */
export const systemScheduler: Scheduler = {
  schedule: work => queueMicrotask(work),
  yieldTo: afterEventLoop,
}
