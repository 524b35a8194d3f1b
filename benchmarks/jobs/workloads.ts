/** Jobs are added. */
export interface EnqueueWorkload {
  readonly kind: 'enqueue'
  readonly title: string
  /** Callers that each wait for their job to be stored before they add the next. */
  readonly callers: number
  /** Jobs in one call. */
  readonly batch: number
}

/** Jobs that wait are processed. */
export interface ProcessWorkload {
  readonly kind: 'process'
  readonly title: string
  readonly concurrency: number
}

/** Something else than a rate. */
export interface OtherWorkload {
  readonly kind: 'latency' | 'backlog' | 'import' | 'fresh-machine'
  readonly title: string
}

/** What is measured, in the order of the tables. */
export const workloads = {
  'enqueue-1': { kind: 'enqueue', title: 'one by one', callers: 1, batch: 1 },
  'enqueue-50': { kind: 'enqueue', title: '50 callers', callers: 50, batch: 1 },
  'enqueue-bulk': { kind: 'enqueue', title: 'bulk of 1,000', callers: 1, batch: 1_000 },
  'process-1': { kind: 'process', title: 'c=1', concurrency: 1 },
  'process-10': { kind: 'process', title: 'c=10', concurrency: 10 },
  'process-100': { kind: 'process', title: 'c=100', concurrency: 100 },
  'process-1000': { kind: 'process', title: 'c=1,000', concurrency: 1_000 },
  'idle-latency': { kind: 'latency', title: 'idle latency' },
  backlog: { kind: 'backlog', title: 'with a backlog' },
  import: { kind: 'import', title: 'import' },
  'fresh-machine': { kind: 'fresh-machine', title: 'fresh machine' },
} as const satisfies Record<string, EnqueueWorkload | ProcessWorkload | OtherWorkload>

export type WorkloadId = keyof typeof workloads
export type RateId = Extract<WorkloadId, `enqueue-${string}` | `process-${string}`>

/** What a job runner is measured at. */
export const everyRunner = [
  'enqueue-1',
  'enqueue-50',
  'enqueue-bulk',
  'process-1',
  'process-10',
  'process-100',
  'idle-latency',
  'backlog',
] as const satisfies readonly WorkloadId[]

export const workloadIds = Object.keys(workloads) as readonly WorkloadId[]

export function isRate(id: WorkloadId): id is RateId {
  const { kind } = workloads[id]
  return kind === 'enqueue' || kind === 'process'
}
