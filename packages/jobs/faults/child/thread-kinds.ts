import type { Worker } from 'node:worker_threads'
import type { JobClient, Kind } from '../../src/index.ts'
import { inThread, threadPool } from '../../src/threads/index.ts'
import type { PoolFigures } from './commands.ts'
import { type Surroundings, witnessedKind } from './kinds.ts'
import type { meet, mortal } from './mortal.ts'

/** The least that lets a thread do its work, so that the memory of one that hoards is full soon. */
const resourceLimits = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 4 }

/** Kinds whose handlers run on threads (F14). */
export interface ThreadKinds {
  readonly kinds: readonly Kind[]
  /** Terminates the threads of those that are to be ended from outside. */
  listen(client: JobClient): void
  pool(): PoolFigures
}

/** With a pool of so many threads. Loaded by those only who need it: a thousand other processes have no threads. */
export function threadKinds(surroundings: Surroundings, threads: number): ThreadKinds {
  // The sources are bundled: see bundle.ts
  const module = new URL('./mortal.js', import.meta.url)
  const pool = threadPool({ threads, resourceLimits })
  const living = new Map<number, Worker>()
  process.on('worker', worker => {
    const { threadId } = worker
    living.set(threadId, worker)
    worker.once('exit', () => living.delete(threadId))
  })
  return {
    kinds: [
      witnessedKind('mortal', inThread<typeof mortal>(module, { pool, export: 'mortal' }), surroundings),
      witnessedKind('meet', inThread<typeof meet>(module, { pool, export: 'meet' }), surroundings),
    ],
    listen(client) {
      client.events.on('progress', ({ progress }) => void living.get(Number(progress))?.terminate())
    },
    pool: () => ({ running: pool.running, waiting: pool.waiting }),
  }
}
