/**
 * `@genstage/jobs/threads`: handlers that run in a pool of worker threads, because they compute. The threads are piscina's, which has to be
 * installed beside this package.
 *
 * To read the sources: in-thread.ts (what a kind gets for a handler), thread-call.ts (one call, on this side), thread-words.ts and wire.ts
 * (what the two sides say, and how errors and outcomes cross). Then worker.ts, what a thread runs for each call, with thread-job.ts (the job
 * over there). thread-pool.ts keeps the threads.
 */
export { inThread } from './in-thread.ts'
export type { InThreadOptions, ThreadArgs, ThreadFunction } from './in-thread.ts'
export type { ThreadContext } from './thread-words.ts'
export { threadPool } from './thread-pool.ts'
export type { ThreadPool } from './pool.ts'
export type { ThreadPoolOptions } from './thread-pool-options.ts'
