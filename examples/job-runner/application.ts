/** The application: a store, its runner, and what is asked of them. */
import type { Logger } from '@genstage/core'
import { startRunner } from '@genstage/jobs'
import type { Job, JobClient, JobRunner, Middleware, QueueOptions, Store } from '@genstage/jobs'
import type { FileCount } from './count-file.ts'
import { CountFile, handledKinds, ScanFolder } from './kinds.ts'
import type { Folder, TextFile } from './kinds.ts'
import { idOf } from './plan.ts'
import { activeIn, sumOf } from './state.ts'
import { Totals } from './totals.ts'

export interface ApplicationOptions {
  readonly store: Store
  readonly logger: Logger
  /** Handlers at once, in each queue but that of the scan. */
  readonly concurrency: number
  /** Without disk troubles. */
  readonly calm: boolean
  readonly middleware?: readonly Middleware[]
}

/** Starts the runner: from now on it does what is in the store, whoever has put it there. */
export function startApplication({ store, logger, concurrency, calm, middleware = [] }: ApplicationOptions): JobRunner {
  // Nothing is claimed ahead: what is seen as running does run, and another runner may have the rest
  const queue: QueueOptions = { concurrency, prefetchMs: 0 }
  return startRunner({
    store,
    logger,
    middleware,
    name: 'words',
    kinds: handledKinds({ calm }),
    queues: { scan: 1, small: queue, large: queue, slow: queue },
    // The results are what it is all for
    retention: false,
  })
}

/** Asks for a folder to be counted. Asking twice is asking once: the id says which folder it is. */
export async function enqueueFolder(client: JobClient, folder: Folder): Promise<void> {
  await client.enqueue(ScanFolder, folder, { id: idOf('scan', folder.folder) })
}

/** The folder that this store is about, if there is one. */
export async function folderOf(client: JobClient): Promise<string | undefined> {
  const { jobs } = await client.list({ kinds: [ScanFolder.name], limit: 1 })
  // What a job of this kind was enqueued with
  return (jobs[0]?.args as Folder | undefined)?.folder
}

/** Resolves when there is nothing left to do, now or later. */
export async function finished(client: JobClient, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const stats = await client.stats()
    if (activeIn(sumOf(stats)) === 0) return
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}

/** Puts jobs that failed for good back into their queues. Answers how many. */
export async function retryFailed(client: JobClient): Promise<number> {
  let count = 0
  for await (const { id } of allJobs(client, ['failed'])) if ((await client.retry(id)) === 'retried') count++
  return count
}

/** What the files have that were counted. */
export async function totalsOf(client: JobClient): Promise<Totals> {
  const totals = new Totals()
  for await (const job of allJobs(client, ['completed'])) {
    if (job.kind !== CountFile.name) continue
    const { folder, path } = job.args as TextFile
    totals.add(`${folder}/${path}`, job.result as FileCount)
  }
  return totals
}

/** Jobs that were given up, with all that is known of why: the newest first, at most so many. */
export async function givenUp(client: JobClient, limit: number): Promise<readonly Job[]> {
  const { jobs } = await client.list({ states: ['failed', 'discarded'], limit })
  return jobs
}

/** Page by page: never all of them in memory. */
async function* allJobs(client: JobClient, states: readonly ('completed' | 'failed')[]): AsyncGenerator<Job> {
  let before: number | undefined
  do {
    const { jobs, next } = await client.list({ states, limit: 100, ...(before === undefined ? {} : { before }) })
    yield* jobs
    before = next
  } while (before !== undefined)
}
