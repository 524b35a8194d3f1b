import type { Backoff } from './backoff.ts'
import type { JobSettings } from './job-settings.ts'
import type { PayloadRules } from './kind-payloads.ts'

/**
 * A kind of job: a name, and all that holds for jobs of that name. Made by `kind`. `Args` is what is given to enqueue one, `Result` what
 * whoever awaits one gets. `Kind` without types is any kind.
 */
export interface Kind<in Args = never, out Result = unknown> extends PayloadRules {
  /** Undefined: it can be enqueued, but not handled here. */
  readonly handler: AnyHandler | undefined
  readonly backoff: Backoff
  /** What its jobs are enqueued with where the call says nothing else. */
  readonly defaults: JobSettings
  /** How long an attempt may take, for jobs that were stored without it. */
  readonly timeoutMs: number | undefined
  /** Only a type. */
  readonly [types]?: { readonly takes: (args: Args) => void; readonly gives: Result }
}

declare const types: unique symbol

/** A handler of whatever kind. What it takes is known to `kind` alone, which also is the one that can call it. */
export type AnyHandler = (args: never, job: never) => unknown
