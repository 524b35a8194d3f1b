import type { Clock } from '@genstage/core'
import { clearTimer } from '../timers.ts'

/** A time after which nothing is waited for any more: a store that never answers does not keep a runner from stopping. */
export class Deadline {
  readonly #passed: Promise<boolean>
  readonly #timer: Disposable

  constructor(clock: Clock, ms: number) {
    let pass = (): void => {}
    this.#passed = new Promise(resolve => (pass = () => resolve(false)))
    this.#timer = clock.setTimer(ms, pass)
  }

  /** Whether the work was over in time. Rejects as it does; what becomes of it later is nobody's any more. */
  wait(work: Promise<unknown>): Promise<boolean> {
    return Promise.race([work.then(() => true), this.#passed])
  }

  clear(): void {
    clearTimer(this.#timer)
  }
}
