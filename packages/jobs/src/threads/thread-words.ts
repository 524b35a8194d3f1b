import type { MessagePort } from 'node:worker_threads'
import type { JobContext } from '../job-context.ts'
import type { LogEntry } from '../store.ts'
import type { WireOutcome, WireThrown } from './wire.ts'

/**
 * What a function on a thread gets besides the args: all of `JobContext` that can cross. Its signals are aborted over there too, and
 * `signal.aborted` tells so even to a loop that never lets the event loop of its thread go round.
 */
export type ThreadContext = Omit<JobContext, 'logger' | 'client'>

/** The part of it that is data. */
export type JobFacts = Omit<ThreadContext, 'signal' | 'stopping' | 'progress' | 'log'>

/** What piscina brings to a thread: everything is said through this port. */
export interface ThreadTask {
  readonly port: MessagePort
}

/** The first that is said through it. */
export interface Opening {
  readonly module: string
  readonly export: string
  readonly args: unknown
  readonly job: JobFacts
}

/** Said to the thread after that. */
export interface ToThread {
  readonly abort: 'signal' | 'stopping'
  readonly reason: WireThrown
}

/** How the function has ended. */
export type ThreadEnd =
  /** With a result, as JSON; undefined if it has none. */
  | { readonly type: 'returned'; readonly result: string | undefined }
  /** With one that JSON cannot carry, such as a `Date`: it may be that a schema of the kind can. */
  | { readonly type: 'copied'; readonly result: unknown }
  | { readonly type: 'decided'; readonly outcome: WireOutcome }
  | { readonly type: 'threw'; readonly thrown: WireThrown }

/** What the thread says. */
export type FromThread =
  /** As JSON. */
  | { readonly type: 'progress'; readonly progress: string }
  | { readonly type: 'log'; readonly message: string; readonly level: LogEntry['level'] }
  | ThreadEnd
