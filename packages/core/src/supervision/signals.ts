import { systemClock } from '../clock.ts'
import { GenStageError, show } from '../errors.ts'
import { duration, flag, ownOptions, refuseUnknown, StagePlace } from '../options.ts'
import { disposeSymbol, onSignals } from '../platform.ts'
import { isRef, RefBase } from '../ref-base.ts'
import type { StageRef } from '../refs.ts'
import { Stage } from '../stage.ts'
import type { StopOptions } from '../types.ts'

/** With npm in between, one Ctrl-C comes twice: from the terminal, and from npm, which passes it on. */
const echoMs = 200

/**
 * Stops `ref` in order when the process is asked to end (SIGINT, SIGTERM), and kills it when it is asked again. Returns how to undo
 * that. It listens until the stage has ended, and does not keep the process alive, nor does it count as watching the stage.
 *
 * The exit code is left alone: after the stop a process that has nothing else to do ends by itself, with 0. If something else still
 * keeps it alive, the next signal ends it as usual. Where there are no signals, as in browsers, nothing is listened to. Refuses bad
 * options (`BAD_OPTION`), and what is no ref (`NOT_A_STAGE`).
 *
 * ```ts
 * const app = start(supervisor([]), { name: 'app' })
 * const listening = stopOnSignals(app, { timeout: 10_000, drain: true })
 * // process.kill(process.pid, 'SIGTERM') would now stop it
 * listening[Symbol.dispose]()
 * await app.stop()
 * ```
 */
export function stopOnSignals(ref: StageRef, options?: StopOptions): Disposable {
  const stage = isRef(ref) ? RefBase.addressOf(ref) : undefined
  if (!(stage instanceof Stage)) {
    throw new GenStageError('NOT_A_STAGE', `stopOnSignals takes the ref of a stage, not ${show(ref)}`)
  }
  const where = new StagePlace(stage.label, 'stopOnSignals')
  const own = ownOptions(where, options)
  refuseUnknown(where, own, ['timeout', 'drain'])
  duration(where, 'timeout', own['timeout'], true, Infinity)
  flag(where, own, 'drain')
  let stoppingSince: number | undefined
  const unlisten = onSignals(['SIGINT', 'SIGTERM'], () => {
    const now = systemClock.now()
    if (stoppingSince === undefined) {
      stoppingSince = now
      void stage.stop('shutdown', own, false)
    } else if (now - stoppingSince >= echoMs) stage.kill()
  })
  const forget = stage.whenEnded(unlisten)
  return {
    [disposeSymbol]: () => {
      unlisten()
      forget()
    },
  } as Disposable
}
