import { AsyncLocalStorage } from 'node:async_hooks'
import process from 'node:process'

/** Whoever can be told of an error that a handler left behind. */
export interface Attributable {
  strayed(error: unknown): void
}

/** Who wants to know of stray errors: each runner that catches them. Following the handlers costs something, so without one none is followed. */
const watchers = new Set<(error: unknown) => void>()
const owners = new AsyncLocalStorage<Attributable>()

/** Calls `work` so that what it starts, timers and promises, is known to belong to `owner`. */
export function runAttributed<T>(owner: Attributable, work: () => T): T {
  return watchers.size === 0 ? work() : owners.run(owner, work)
}

/**
 * Catches what handlers throw outside of their promises: in a timer, in a promise nobody awaits (F13). Such an error ends the attempt
 * it belongs to (`STRAY_ERROR`), and `onStray` is told, because a process in which that happened can no longer be trusted. Any other
 * error ends the process as it would without us. Returns how to end it.
 */
export function catchStrayErrors(onStray: (error: unknown) => void): () => void {
  if (watchers.size === 0) {
    process.on('uncaughtException', caught)
    process.on('unhandledRejection', caught)
  }
  watchers.add(onStray)
  return () => {
    if (!watchers.delete(onStray) || watchers.size > 0) return
    process.off('uncaughtException', caught)
    process.off('unhandledRejection', caught)
  }
}

function caught(error: unknown): void {
  const owner = owners.getStore()
  if (owner === undefined) return endAsUsual(error)
  owner.strayed(error)
  for (const onStray of watchers) onStray(error)
}

/** An error that is no job's: where nobody else listens, the process ends with it, as Node does by default. */
function endAsUsual(error: unknown): void {
  const others = [...process.listeners('uncaughtException'), ...process.listeners('unhandledRejection')].filter(
    each => each !== caught,
  )
  if (others.length > 0) return
  console.error(error)
  process.exit(1)
}
