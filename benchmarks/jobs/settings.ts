/** How much one cell does. */
export interface JobsSettings {
  /** Jobs of one run, where they are added one by one, or by many callers. */
  readonly enqueued: number
  /** Jobs of one run, where they are added in bulk. */
  readonly enqueuedInBulk: number
  /** Jobs that wait when processing begins. */
  readonly processed: number
  /** A run that has not ended after so long is cut off; its rate is that of what was done. */
  readonly mostMs: number
  readonly latencySamples: number
  readonly backlog: BacklogSettings
  /** How often a package is imported, each time in a process of its own. */
  readonly imports: number
}

export interface BacklogSettings {
  /** Jobs that wait behind those that are processed: ours, and those of everybody else. */
  readonly own: number
  readonly peers: number
  /** Jobs that are processed in a run, with and without the backlog. */
  readonly processed: number
  readonly runs: number
}

export const fullSettings: JobsSettings = {
  enqueued: 5_000,
  enqueuedInBulk: 50_000,
  processed: 20_000,
  mostMs: 5_000,
  latencySamples: 200,
  backlog: { own: 1_000_000, peers: 200_000, processed: 10_000, runs: 3 },
  imports: 5,
}

export const quickSettings: JobsSettings = {
  ...fullSettings,
  enqueued: 1_000,
  enqueuedInBulk: 10_000,
  mostMs: 2_000,
  latencySamples: 50,
}
