import { badOption } from '@genstage/core/adapters'
import { Pool, type ThreadPool } from './pool.ts'
import { type ThreadPoolOptions, threadPoolSettings } from './thread-pool-options.ts'

/**
 * Makes a pool of threads, for handlers made by `inThread`. It begins a thread when there is work for it, and ends it when it has had none for
 * `idleMs`. A thread does one job at a time; jobs for which none is free wait, while their time runs. So give their queue as many places as
 * the pool has threads. A pool that nobody closes keeps no process alive.
 *
 * ```ts
 * const pool = threadPool({ threads: 2, resourceLimits: { maxOldGenerationSizeMb: 256 } })
 * console.log(pool.threads, pool.running) // => 2 0
 * await pool.close()
 * ```
 *
 * Refuses bad options with `BAD_OPTION`.
 */
export function threadPool(options?: ThreadPoolOptions): ThreadPool {
  return new Pool(threadPoolSettings(options))
}

let shared: Pool | undefined

/** The pool of handlers that name none. Its threads end by themselves. */
export function sharedPool(): Pool {
  return (shared ??= new Pool(threadPoolSettings(undefined)))
}

/** A pool that `threadPool` made, as an option. */
export function poolIn(where: string, pool: unknown): Pool {
  if (pool instanceof Pool) return pool
  throw badOption(where, 'pool', pool, 'made by threadPool')
}
