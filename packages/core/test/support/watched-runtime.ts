/** A runtime of which a test sees everything: its log, its time, and what would have become an uncaught error. */
import { createRuntime, type GenStageError, type LogFields, type Logger, type Runtime } from '@genstage/core'
import { disposeSymbol } from '../../src/platform.ts'
import { systemScheduler } from '../../src/scheduler.ts'
import { ManualClock } from './manual-clock.ts'
import { settle } from './turns.ts'

/** A line of the log, as it arrived. */
interface Line {
  readonly level: keyof Logger
  readonly text: string
  readonly fields: LogFields
}

interface WatchedRuntime {
  readonly runtime: Runtime
  readonly lines: Line[]
  /** What `onUncaught` was told. */
  readonly uncaught: GenStageError[]
  /** What would have been an uncaught error of the process. */
  readonly raised: unknown[]
  /** How many timers are set. */
  timers(): number
  /** Lets everything happen that needs no time. */
  settle(): Promise<void>
  /** Moves time on. */
  advance(ms: number): void
  /** Moves time on, then settles. */
  pass(ms: number): Promise<void>
}

export function watchedRuntime(): WatchedRuntime {
  const clock = new CountingClock()
  const lines: Line[] = []
  const uncaught: GenStageError[] = []
  const raised: unknown[] = []
  const line = (level: keyof Logger) => (text: string, fields?: object) => {
    lines.push({ level, text, fields: fields as LogFields })
  }
  const runtime = createRuntime({
    clock,
    logger: { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') },
    scheduler: catchingScheduler(raised),
    onUncaught: error => uncaught.push(error),
  })
  return {
    runtime,
    lines,
    uncaught,
    raised,
    timers: () => clock.timers,
    settle: () => settle(runtime),
    advance: ms => clock.advance(ms),
    pass(ms) {
      clock.advance(ms)
      return settle(runtime)
    },
  }
}

/** The scheduler of the machine, but what is thrown in it is kept. */
export function catchingScheduler(raised: unknown[]): typeof systemScheduler {
  const catching = (work: () => void) => () => {
    try {
      work()
    } catch (error) {
      raised.push(error)
    }
  }
  return {
    schedule: work => systemScheduler.schedule(catching(work)),
    yieldTo: work => systemScheduler.yieldTo(catching(work)),
  }
}

class CountingClock extends ManualClock {
  timers = 0

  override setTimer(ms: number, callback: () => void): Disposable {
    let set = true
    const unset = (): void => {
      if (set) this.timers--
      set = false
    }
    this.timers++
    const timer = super.setTimer(ms, () => {
      unset()
      callback()
    })
    const dispose = (): void => {
      unset()
      timer[disposeSymbol]()
    }
    return { [disposeSymbol]: dispose }
  }
}

/** What the call threw, or undefined. */
export function thrownBy(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  return undefined
}

/** What the promise was rejected with, or undefined. */
export async function rejectionOf(promise: PromiseLike<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  return undefined
}

/** A value where its type is not allowed: what comes from plain JavaScript. */
export function wrong(value: unknown): never {
  return value as never
}
