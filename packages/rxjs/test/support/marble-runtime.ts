import { createRuntime, type Runtime } from '@genstage/core'
import type { TestScheduler } from 'rxjs/testing'

/** A runtime that lives in the virtual time of a marble test: every turn of a stage is an action of its scheduler. */
export function marbleRuntime(scheduler: TestScheduler): Runtime {
  const soon = (work: () => void): void => void scheduler.schedule(work)
  return createRuntime({
    scheduler: { schedule: soon, yieldTo: soon },
    clock: {
      now: () => scheduler.now(),
      wallTime: () => scheduler.now(),
      setTimer(ms, callback) {
        const action = scheduler.schedule(callback, ms)
        return { [Symbol.dispose ?? Symbol.for('Symbol.dispose')]: () => action.unsubscribe() } as Disposable
      },
    },
    logger: { debug() {}, info() {}, warn() {}, error() {} },
  })
}
