import type { Payload } from './payload.ts'
import type { ServerName } from './servers/server.ts'
import type { WorkloadId } from './workloads.ts'

/** One job runner in one configuration, written as its own documentation would. */
export interface JobSystem {
  /** Its name in tables. */
  readonly label: string
  /** The server it cannot do without. */
  readonly server?: ServerName
  /** The package that a program imports to use it, where its import is measured. */
  readonly module?: string
  /** The workloads it is measured at. */
  readonly has: readonly WorkloadId[]
  /** Opens it with nothing stored, under a name of its own. */
  open(): Promise<OpenJobSystem>
}

/** A place where jobs can be stored, and worked on. */
export interface OpenJobSystem {
  /** Stores one job; resolves when it is stored as safely as it will be. */
  add(job: Payload): Promise<unknown>
  /** Stores jobs in one call, in this order. */
  addMany(jobs: readonly Payload[]): Promise<unknown>
  /** After many jobs were stored: what their server would do by itself within a minute, so that its planner knows of them. */
  settle?(): Promise<unknown>
  /** Begins to work: calls `handle` for each job, so many at once. Resolves when it is at work; answers how to stop. */
  work(concurrency: number, handle: (job: Payload) => void): Promise<() => Promise<unknown>>
  /** Removes what still waits. Called while nobody works. */
  clear(): Promise<unknown>
  /** Removes everything and lets go. */
  close(): Promise<unknown>
}
