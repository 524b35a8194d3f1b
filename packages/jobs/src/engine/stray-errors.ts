import { AsyncLocalStorage } from 'node:async_hooks'
import process from 'node:process'

/** Whoever can be told of an error that a handler left behind. */
export interface Attributable {
  strayed(error: unknown): void
}

/** Ends what must not go on behind a stray error; resolves when that is over. Never rejects. */
type OnStray = (error: unknown) => Promise<void>

/** Who wants to know of stray errors: each runner that catches them. Following the handlers costs something, so without one none is followed. */
const watchers = new Set<OnStray>()
const owners = new AsyncLocalStorage<Attributable>()

/** Calls `work` so that what it starts, timers and promises, is known to belong to `owner`. */
export function runAttributed<T>(owner: Attributable, work: () => T): T {
  return watchers.size === 0 ? work() : owners.run(owner, work)
}

/**
 * Catches what handlers throw outside of their promises: in a timer, in a promise nobody awaits (F13). Such an error ends the attempt
 * it belongs to (`STRAY_ERROR`). A process in which that happened can no longer be trusted: `onStray` is told, and when all who watch are
 * done, the process ends with 1. Any other error ends the process as it would without us. Returns how to end it.
 */
export function catchStrayErrors(onStray: OnStray): () => void {
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
  void Promise.all([...watchers].map(onStray => onStray(error))).then(() => process.exit(1))
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
