import type { StageMessage } from './protocol.ts'
import type { Reason } from './reason.ts'
import type { Supervising } from './supervision/roles.ts'

/**
 * How a stage finishes what is on its way: alone, it cancels its subscriptions; together with all others, it waits until they have
 * ended one after the other from the sources down.
 */
export type Drain = 'alone' | 'together'

/** The info that comes back when everything emitted before a drain has left. */
export const drained: unique symbol = Symbol('drained')

/** A stage that drains: what it does with the producers and consumers it has, and with its children. */
export interface DrainingStage {
  readonly consuming: { drain(reason: Reason, together: boolean): void; readonly isDrained: boolean } | undefined
  readonly producing: { info(message: unknown): void } | undefined
  post(message: StageMessage): void
  attend(): void
  /** Nothing is left: the stage ends, as it was asked to. */
  endDrained(reason: Reason): void
}

/**
 * The time in which a stage finishes what is on its way, before it ends. It is announced, then under way; when what is on its way has
 * arrived and been handled, the last events are leaving.
 */
export class Draining {
  readonly reason: Reason
  readonly #stage: DrainingStage
  readonly #supervising: Supervising | undefined
  #phase: 'announced' | 'under way' | 'leaving' = 'announced'

  constructor(stage: DrainingStage, supervising: Supervising | undefined, reason: Reason) {
    this.#stage = stage
    this.#supervising = supervising
    this.reason = reason
  }

  /** In the order of the mailbox: what was sent before is still taken in. */
  begin(drain: Drain): void {
    const stage = this.#stage
    this.#supervising?.drain()
    stage.post({
      type: 'later',
      work: () => {
        this.#phase = 'under way'
        stage.attend()
        stage.consuming?.drain(this.reason, drain === 'together')
      },
    })
  }

  /** When nothing is on its way any more, what was emitted has to leave; then the stage ends. False if there is nothing to do yet. */
  continue(): boolean {
    const { consuming, producing } = this.#stage
    if (this.#phase !== 'under way' || consuming?.isDrained === false) return false
    if (this.#supervising?.isEmpty === false) return false
    this.#phase = 'leaving'
    if (producing === undefined) this.#stage.endDrained(this.reason)
    else producing.info(drained)
    return true
  }
}
