import { AsyncLocalStorage } from 'node:async_hooks'
import process from 'node:process'

/** Which job it is about. */
export interface StrayJob {
  readonly id: string
  readonly kind: string
  readonly queue: string
}

/** Whoever can be told of an error that a handler left behind. */
export interface Attributable {
  readonly job: StrayJob
  strayed(error: unknown): void
}

/** Ends what must not go on behind a stray error; resolves when that is over. Never rejects. */
type OnStray = (error: unknown, job: StrayJob) => Promise<void>

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
 * done, the process ends with 1. With any other error Node does what it would do without us. Returns how to end it.
 */
export function catchStrayErrors(onStray: OnStray): () => void {
  if (watchers.size === 0) listen()
  watchers.add(onStray)
  return () => {
    if (watchers.delete(onStray) && watchers.size === 0) unlisten()
  }
}

function listen(): void {
  process.on('uncaughtExceptionMonitor', uncaught)
  // With `strict`, Node makes an exception of every rejection before it looks for listeners
  if (rejectionMode() !== 'strict') process.on('unhandledRejection', rejected)
}

function unlisten(): void {
  process.off('uncaughtExceptionMonitor', uncaught)
  process.off('unhandledRejection', rejected)
}

function strayed(owner: Attributable, error: unknown): void {
  owner.strayed(error)
  void Promise.all([...watchers].map(onStray => onStray(error, owner.job))).then(() => process.exit(1))
}

/** Who only monitors an exception leaves it as it is. One of a handler gets a listener, so that the process lives until its runners have stopped. */
function uncaught(error: unknown): void {
  const owner = owners.getStore()
  if (owner === undefined) return
  process.once('uncaughtException', () => {})
  strayed(owner, error)
}

/** Marks `rejected`, for all copies of this package in a process. */
const mark = Symbol.for('@genstage/jobs:rejected')

function rejected(error: unknown): void {
  const owner = owners.getStore()
  if (owner !== undefined) return strayed(owner, error)
  if (process.listeners('unhandledRejection').some(listener => !(mark in listener))) return
  const mode = rejectionMode()
  if (mode === 'none' || mode === 'warn') return // they do not depend on listeners
  // For Node a rejection with a listener is a handled one. So it gets this one again, while we do not listen: of several copies the last does it
  process.off('unhandledRejection', rejected)
  if (process.listenerCount('unhandledRejection') === 0) void Promise.reject(error)
  setImmediate(() => {
    if (watchers.size === 0) return
    process.off('unhandledRejection', rejected) // another runner may have come meanwhile
    process.on('unhandledRejection', rejected)
  })
}
Object.assign(rejected, { [mark]: true })

/** What Node does with rejections that nobody handles: the last `--unhandled-rejections` counts, those of the command line after the others. */
function rejectionMode(): string {
  const options = [process.env['NODE_OPTIONS'] ?? '', ...process.execArgv].join(' ')
  return [...options.matchAll(/--unhandled[-_]rejections[= ]"?([\w-]+)/g)].at(-1)?.[1] ?? 'throw'
}
