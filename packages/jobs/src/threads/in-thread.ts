import { badOption, ownOptions, refuseUnknown } from '@genstage/core/adapters'
import type { JobContext } from '../job-context.ts'
import { longestDelayMs, numberIn } from '../numbers.ts'
import { callInThread } from './thread-call.ts'
import type { ThreadPool } from './pool.ts'
import { poolIn, sharedPool } from './thread-pool.ts'
import type { ThreadContext } from './thread-words.ts'

/** What a module for `inThread` exports: a handler without `logger` and `client`, which cannot cross. It may return a promise. */
export type ThreadFunction = (args: never, job: ThreadContext) => unknown

/** The args of such a function; `void` if it takes none. */
export type ThreadArgs<F extends ThreadFunction> = Parameters<F> extends readonly [] ? void : Parameters<F>[0]

/** Options of `inThread`. */
export interface InThreadOptions {
  /** Which export of the module is the function. Default `default`. */
  readonly export?: string
  /** The threads to run it on. Default: a pool that all share who name none, with the default options. It needs no closing. */
  readonly pool?: ThreadPool
  /**
   * How long the function may go on after its `signal` was aborted, before its thread is ended. From 0; default 4,000, which is below the
   * `abandonMs` of runners, so that the job has ended when its place would be given away.
   */
  readonly killAfterMs?: number
}

const where = 'inThread'

/**
 * A handler that runs a function on a thread of a pool, so that it may compute as long as it likes. `F` is the type of the function; the
 * types of args and result are those of the kind. The module is loaded on the thread only, once in each.
 *
 * ```ts no-run
 * export default function squareSum(numbers: readonly number[], job: ThreadContext) {
 *   let sum = 0
 *   for (const n of numbers) {
 *     job.signal.throwIfAborted()
 *     sum += n * n
 *   }
 *   return sum
 * }
 *
 * // elsewhere, with: import type squareSum from './square-sum.ts'
 * const SquareSum = kind('square-sum', inThread<typeof squareSum>(new URL('./square-sum.ts', import.meta.url)))
 * ```
 *
 * Args, `lastProgress` and results are copied, so the function changes nothing but its own. It may return outcomes, such as `retry()`. What
 * it throws arrives with its name, message, `code` and stack. A job whose thread ends under it (`process.exit`, an error that nobody caught,
 * no memory left) fails with `WORKER_THREAD_EXIT`; another thread takes the place of that one.
 *
 * ```ts
 * const module = 'data:text/javascript,export const double = n => 2 * n' // a file, in your program
 * const Double = kind('double', inThread<(n: number) => number>(module, { export: 'double' }))
 * const runner = startRunner({ store: memoryStore(), kinds: [Double], queues: { default: 1 } })
 * console.log(await (await runner.enqueue(Double, 21)).result()) // => 42
 * await runner.stop()
 * ```
 *
 * Throws `BAD_OPTION` for a module that is no URL, and for options. A module that cannot be loaded fails the job with the error of the
 * import, one without such a function with `BAD_OPTION`, args that cannot be copied with `BAD_PAYLOAD`.
 */
export function inThread<F extends ThreadFunction>(
  module: URL | string,
  options?: InThreadOptions,
): (args: ThreadArgs<F>, job: JobContext) => Promise<Awaited<ReturnType<F>>> {
  const own = ownOptions(where, options)
  refuseUnknown(where, own, ['export', 'pool', 'killAfterMs'])
  const { export: name = 'default' } = own
  if (typeof name !== 'string' || name === '') throw badOption(where, 'export', name, 'the name of an export')
  const pool = own['pool'] === undefined ? undefined : poolIn(where, own['pool'])
  const target = {
    module: moduleUrl(module),
    export: name,
    killAfterMs: numberIn(where, own, 'killAfterMs', 4000, { min: 0, max: longestDelayMs, what: 'milliseconds' }),
  }
  // Only the module knows what it returns: `F` is what the caller says of it
  return (args, job) => callInThread(pool ?? sharedPool(), target, args, job) as Promise<Awaited<ReturnType<F>>>
}

function moduleUrl(module: unknown): string {
  if (module instanceof URL) return module.href
  if (typeof module === 'string' && URL.canParse(module)) return module
  throw badOption(where, 'module', module, "a URL, as new URL('./handler.ts', import.meta.url) makes one")
}
