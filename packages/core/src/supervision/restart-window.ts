import { GenStageError } from '../errors.ts'
import { badOption, delay, ownOptions, type OwnOptions, refuseUnknown, type Where, wholeNumber, within } from '../options.ts'
import { Queue } from '../queue.ts'

/**
 * How many failures a supervisor puts up with. At more than `maxRestarts` restarts within `maxSeconds` it gives up: it ends its
 * children and stops with `shutdown` (GS-V12, INV-20).
 */
export interface RestartIntensity {
  /** Default 3; `Infinity` never gives up. */
  readonly maxRestarts?: number
  /** Whole seconds, at least 1. Default 5; `Infinity` counts the whole life of the supervisor. */
  readonly maxSeconds?: number
  /** Wait before a restart; doubles up to `maxDelayMs`. Default: no wait. */
  readonly backoff?: BackoffOptions
}

/** How long to wait before a restart: `minDelayMs` (above 0) the first time, then twice as long each time, up to `maxDelayMs`. */
export interface BackoffOptions {
  readonly minDelayMs: number
  readonly maxDelayMs: number
}

/** The names of the options, for whoever checks that there are no others. */
export const restartIntensityOptions: readonly string[] = ['maxRestarts', 'maxSeconds', 'backoff']

/** The same, checked, with its defaults. */
export interface RestartSettings {
  readonly maxRestarts: number
  /** `maxSeconds`, in milliseconds. */
  readonly windowMs: number
  readonly backoff: BackoffOptions | undefined
}

/** Checks the options of a restart intensity. Throws `BAD_OPTION` (BAD-23, BAD-24, BAD-26). */
export function restartSettings(where: Where, options: OwnOptions): RestartSettings {
  return {
    maxRestarts: wholeNumber(where, options, 'maxRestarts', 3, { min: 0, infinity: true }),
    windowMs: wholeNumber(where, options, 'maxSeconds', 5, { min: 1, infinity: true }) * 1_000,
    backoff: 'backoff' in options ? backoffOf(where, options['backoff']) : undefined,
  }
}

function backoffOf(where: Where, value: unknown): BackoffOptions {
  const inside = within(where, 'backoff')
  if (typeof value !== 'object' || value === null) throw badOption(where, 'backoff', value, '{ minDelayMs, maxDelayMs }')
  const own = ownOptions(inside, value)
  refuseUnknown(inside, own, ['minDelayMs', 'maxDelayMs'])
  const minDelayMs = delay(inside, own, 'minDelayMs')
  const maxDelayMs = delay(inside, own, 'maxDelayMs')
  if (minDelayMs <= maxDelayMs) return { minDelayMs, maxDelayMs }
  const text = `${inside.toString()}: minDelayMs (${minDelayMs}) must not be above maxDelayMs (${maxDelayMs})`
  throw new GenStageError('BAD_OPTION', text, { stage: where.label, option: 'minDelayMs' })
}

/**
 * Counts restarts, and says when there have been too many. A window includes both of its edges: restarts that are exactly
 * `maxSeconds` apart fall into one (GS-V12). Time is given from outside: monotonic milliseconds, never going back.
 */
export class RestartWindow {
  readonly #settings: RestartSettings
  /** When the restarts were made that may still count: oldest first, at most `maxRestarts`. */
  readonly #times = new Queue<number>()

  constructor(settings: RestartSettings) {
    this.#settings = settings
  }

  /** Whether one more restart, or try of one, is allowed at `now`. If so, it is counted; if not, it is time to give up. */
  allows(now: number): boolean {
    const { maxRestarts, windowMs } = this.#settings
    if (maxRestarts === Infinity) return true
    for (let oldest = this.#times.at(0); oldest !== undefined && now - oldest > windowMs; oldest = this.#times.at(0))
      this.#times.shift()
    if (this.#times.length >= maxRestarts) return false
    this.#times.push(now)
    return true
  }
}

/**
 * How long to wait before the next restart of one child. The wait doubles with each restart, and begins anew when the child has
 * then held out for longer than the window of the restart intensity. Without `backoff` there is no wait.
 */
export class Backoff {
  readonly #settings: RestartSettings
  /** The last wait; 0 before the first. */
  #delayMs = 0
  /** When the last wait was over: from then on it was up to the child. */
  #restartAt = 0

  constructor(settings: RestartSettings) {
    this.#settings = settings
  }

  /** A failure at `now`: milliseconds to wait before the restart. */
  next(now: number): number {
    const { backoff, windowMs } = this.#settings
    if (backoff === undefined) return 0
    const isFirst = this.#delayMs === 0 || now - this.#restartAt > windowMs
    this.#delayMs = isFirst ? backoff.minDelayMs : Math.min(this.#delayMs * 2, backoff.maxDelayMs)
    this.#restartAt = now + this.#delayMs
    return this.#delayMs
  }
}
