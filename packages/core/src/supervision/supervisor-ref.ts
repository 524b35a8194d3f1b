import { badOption, StagePlace } from '../options.ts'
import type { StageRef } from '../refs.ts'
import type { Stage } from '../stage.ts'
import { Ref } from '../stage-ref.ts'
import type { ChildInfo } from './child-info.ts'
import { CheckedChild, type ChildSpec } from './child.ts'
import type { Children } from './children.ts'

/** The handle of a running supervisor. Its commands are messages: they are carried out once all children have been started. */
export interface SupervisorRef<out Refs> extends StageRef {
  /** The child as it runs now; undefined while it is down. Refs do not survive a restart, names do. */
  child<Id extends keyof Refs>(id: Id): Refs[Id] | undefined
  /** All children, in the order of their start. */
  children(): readonly ChildInfo[]
  /**
   * Starts one more child, after all others, and resolves with its ref when it is set up. Rejects with what its `ready` would reject
   * with; the child is then forgotten. A taken id is refused (`BAD_OPTION`). All commands reject with `STOPPED` at the end.
   */
  startChild<Ref extends StageRef>(spec: ChildSpec<string, Ref>): Promise<Ref>
  /** Ends a child in the way of its `shutdown`. It stays in the list, stopped; a temporary one goes. Rejects with `UNKNOWN_CHILD`. */
  terminateChild(id: string): Promise<void>
  /** Starts a child again that is stopped (else `BAD_OPTION`), and resolves when it is set up. Rejects with `UNKNOWN_CHILD`. */
  restartChild(id: string): Promise<void>
  /** Takes a child that is stopped (else `BAD_OPTION`) off the list. Rejects with `UNKNOWN_CHILD`. */
  deleteChild(id: string): Promise<void>
}

/** What a supervisor's ref is behind its types. */
export class RefOfSupervisor extends Ref implements SupervisorRef<Readonly<Record<string, StageRef>>> {
  readonly #label: string
  readonly #children: () => Children

  constructor(stage: Stage, children: () => Children) {
    super(stage)
    this.#label = stage.label
    this.#children = children
  }

  child(id: string): StageRef | undefined {
    return this.#children().refOf(id)
  }

  children(): readonly ChildInfo[] {
    return this.#children().infos()
  }

  startChild<Child extends StageRef>(spec: ChildSpec<string, Child>): Promise<Child> {
    if (!(spec instanceof CheckedChild)) {
      throw badOption(new StagePlace(this.#label, 'startChild'), 'spec', spec, 'made by child(…)')
    }
    return this.#children().commands.startChild(spec) as Promise<Child>
  }

  terminateChild(id: string): Promise<void> {
    return this.#children().commands.terminateChild(id)
  }

  restartChild(id: string): Promise<void> {
    return this.#children().commands.restartChild(id)
  }

  deleteChild(id: string): Promise<void> {
    return this.#children().commands.deleteChild(id)
  }
}
