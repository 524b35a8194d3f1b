import { badOption, type OwnOptions, type Where } from '../options.ts'
import { shutdown } from '../reason.ts'
import type { Stage } from '../stage.ts'

/** How a child is ended: given so many ms (default 5,000), given all the time it wants, or killed at once. */
export type Shutdown = number | 'infinity' | 'brutal_kill'

/** How long a child that is to finish what is on its way may take, if its `shutdown` does not say so. */
const drainTimeout = 5_000

/** The option `shutdown`, checked. */
export function shutdownOf(where: Where, options: OwnOptions, fallback: Shutdown): Shutdown {
  const value = options['shutdown']
  if (value === undefined) return fallback
  if (value === 'infinity' || value === 'brutal_kill') return value
  if (typeof value === 'number' && value >= 0 && value !== Infinity) return value
  throw badOption(where, 'shutdown', value, "a number of milliseconds from 0, 'infinity' or 'brutal_kill'")
}

/** Tells a child to end, for `shutdown`. That it has ended is told by its guardian. Safe at any time and twice. */
export function endChild(child: Stage, how: Shutdown): void {
  if (how === 'brutal_kill') child.kill()
  else child.requestStop(shutdown(), how === 'infinity' ? Infinity : how, undefined)
}

/** Tells a child to finish what is on its way, together with all stages around it, and then to end. One to be killed gets 5,000 ms. */
export function drainChild(child: Stage, how: Shutdown): void {
  const timeout = how === 'infinity' ? Infinity : how === 'brutal_kill' ? drainTimeout : how
  child.requestStop(shutdown(), timeout, 'together')
}
