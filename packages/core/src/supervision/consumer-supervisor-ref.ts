import { GenStageError, show } from '../errors.ts'
import type { Reply } from '../protocol.ts'
import type { ConsumerRef } from '../refs.ts'
import type { Stage } from '../stage.ts'
import { Ref } from '../stage-ref.ts'
import type { ChildInfo } from './child-info.ts'
import type { EventChildren } from './event-children.ts'

/** The handle of a running consumer supervisor. */
export interface ConsumerSupervisorRef<in Event> extends ConsumerRef<Event> {
  /**
   * Begins one more child, for an event that comes from no producer (GS-V9): it counts for no `maxDemand`. Resolves when it has
   * begun; rejects if a stage could not start, or with `STOPPED` if the supervisor is ending.
   */
  startChild(event: Event): Promise<ChildInfo>
  /** Ends one child, as `shutdown` says, and resolves when it is gone (GS-V15). Rejects with `UNKNOWN_CHILD` if there is none, or not any more. */
  terminateChild(id: string): Promise<void>
  /** The children that there are now, oldest first. */
  children(): readonly ChildInfo[]
}

/** The same, at run time. */
export class EventSupervisorRef extends Ref {
  readonly #stage: Stage
  readonly #children: () => EventChildren

  constructor(stage: Stage, children: () => EventChildren) {
    super(stage)
    this.#stage = stage
    this.#children = children
  }

  startChild(event: unknown): Promise<ChildInfo> {
    return this.#inTurn(reply => this.#children().start(event, reply))
  }

  terminateChild(id: string): Promise<void> {
    if (typeof id === 'string') return this.#inTurn(reply => this.#children().terminate(id, reply))
    const { label } = this.#stage
    throw new GenStageError('BAD_OPTION', `stage ${show(label)}: terminateChild takes the id of a child, not ${show(id)}`, {
      stage: label,
      option: 'id',
    })
  }

  children(): readonly ChildInfo[] {
    return this.#children().infos()
  }

  /** Does something in a turn of the stage, for whoever waits for it: the process lives as long as that takes. */
  async #inTurn<T>(work: (reply: Reply) => void): Promise<T> {
    const stage = this.#stage
    const release = stage.runtime.holdWhile()
    try {
      return await new Promise<T>((resolve, reject) => {
        const reply: Reply = { resolve: value => resolve(value as T), reject }
        stage.post({
          type: 'later',
          work: () => work(reply),
          abandon: reason => reject(stage.stopped(stage.endedAs ?? reason)),
        })
      })
    } finally {
      release()
    }
  }
}
