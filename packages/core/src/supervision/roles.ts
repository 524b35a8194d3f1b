import type { GenStageError } from '../errors.ts'
import type { Unfinished } from '../links.ts'
import type { LogCode } from '../logger.ts'
import type { Address, StageMessage } from '../protocol.ts'
import type { Reason } from '../reason.ts'
import type { StageRef } from '../refs.ts'
import type { RuntimeCore } from '../runtime.ts'
import type { DiscardReason } from '../types.ts'

/**
 * The supervisor, as one of its children knows it: one object for each life of a child. Whoever has it is not told of as a failure
 * that nobody watches, and does not log its own end: its supervisor does.
 */
export interface Guardian {
  /** Id of the supervisor. */
  readonly id: string
  /** How often the child has been restarted; 0 in its first life. */
  readonly restartCount: number
  /** The start went well. Called in a turn of the child: what follows is for the supervisor's own turn. */
  childStarted(): void
  /** The child has ended. Called at its exit, when its name is free again. */
  childEnded(reason: Reason): void
}

/** What a stage that has children does with them. The stage calls it, and goes on when it is told to. */
export interface Supervising {
  /** In place of a setup function: starts the first children. `host.setUpDone` says when all are there; what it throws fails the start. */
  setUp?(): void
  /** Whether no child is left. */
  readonly isEmpty: boolean
  /**
   * A stop with drain was asked for. Called at once, not in a turn, so that the stages of a whole tree know of it together: from now
   * on nothing is restarted, and every child finishes what is on its way. The stage ends when `isEmpty`, after some message.
   */
  drain(): void
  /** Ends all children; `done` in the turn in which the last one has gone. Messages are still handled meanwhile. */
  end(done: () => void): void
  /** The stage has ended: what is left of its children is killed, and whoever waits for something is told. */
  abandon(): void
  /** After that: events that children had not handled to the end, and that go back to their producer (X21). */
  undone?(): readonly Unfinished[]
}

/** What such a stage gives to the one who looks after its children. */
export interface SupervisingHost {
  readonly id: string
  /** Name or id. */
  readonly label: string
  readonly ref: StageRef
  readonly runtime: RuntimeCore
  /** Whether it has ended or is about to. */
  readonly isStopping: boolean
  /** Whether it finishes what is on its way, before it ends. */
  readonly isDraining: boolean
  readonly hasEnded: boolean
  readonly endedAs: Reason | undefined
  readonly address: Address
  post(message: StageMessage): void
  /** The first children are there: the start is over. Only for those with `setUp`. */
  setUpDone(): void
  /** Ends the stage after the current message, for a reason of its own. */
  stopByOwn(reason: Reason): void
  /** Ends the stage as if somebody outside had asked for it; with `drain`, when it has finished what is on its way. */
  requestStop(reason: Reason, timeout: number, drain: 'alone' | undefined): void
  /** The error of a call that comes too late. */
  stopped(reason: Reason): GenStageError
  log(code: LogCode, text: string, fields?: Readonly<Record<string, unknown>>): void
  /** Reports events that are given up. */
  discard(reason: DiscardReason, events: readonly unknown[]): void
}
