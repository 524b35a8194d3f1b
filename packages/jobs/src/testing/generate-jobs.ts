import { ownOptions, refuseUnknown, wholeNumber } from '@genstage/core/adapters'
import { seededRandom } from '@genstage/testing'
import { kind, type Kind } from '../kind.ts'

/** What a generated job does: takes its time, and fails in its first attempts. */
export interface GeneratedArgs {
  /** From 1. */
  readonly number: number
  readonly durationMs: number
  /** How many attempts throw before one returns. */
  readonly failures: number
}

/** A job to be enqueued: `client.enqueue(kind, args, options)`. */
export interface GeneratedJob {
  readonly kind: Kind<GeneratedArgs, number>
  readonly args: GeneratedArgs
  readonly options: { readonly priority: number; readonly delayMs: number; readonly queue: string }
}

/** How jobs are generated. */
export interface GenerateJobsOptions {
  /** The same seed gives the same jobs. Default 1. */
  readonly seed?: number
  /** Default `'default'` alone. */
  readonly queues?: readonly string[]
  /** The longest delay; two jobs of three have none. Default 1,000. */
  readonly maxDelayMs?: number
  /** The longest that a handler takes. Default 10. */
  readonly maxDurationMs?: number
}

/** Waits so long; `undefined` where nothing is to be waited for. */
type Wait = (ms: number) => Promise<void>

/** Names of the kinds of generated jobs. */
const kindNames = ['generated.report', 'generated.mail', 'generated.image'] as const

/**
 * The kinds of generated jobs, with handlers that take their time (by `wait`, default: none), fail as often as their args say, and
 * return their number.
 *
 * ```ts
 * console.log(generatedKinds().map(({ name }) => name).join(' ')) // => generated.report generated.mail generated.image
 * ```
 */
export function generatedKinds(wait: Wait = async () => {}): readonly Kind<GeneratedArgs, number>[] {
  return kindNames.map(name =>
    kind(name, async ({ number, durationMs, failures }: GeneratedArgs, job) => {
      await wait(durationMs)
      if (job.attempt <= failures) throw new Error(`job ${number} fails in attempt ${job.attempt}, as generated`)
      return number
    }),
  )
}

/**
 * So many random jobs of several kinds, with priorities, delays and durations, for tests and demonstrations (ROW-S13). The same
 * options give the same jobs. Refuses bad options with `BAD_OPTION`.
 *
 * ```ts
 * import { generatedKinds, generateJobs, testRunner } from '@genstage/jobs/testing'
 *
 * const runner = testRunner({ kinds: generatedKinds() })
 * for (const { kind, args, options } of generateJobs(50)) await runner.enqueue(kind, args, options)
 * const { completed } = await runner.drain({ withDelayed: true })
 * console.log(completed) // => 50
 * await runner.close()
 * ```
 */
export function generateJobs(count: number, options?: GenerateJobsOptions): readonly GeneratedJob[] {
  const where = 'generateJobs'
  const own = ownOptions(where, options)
  refuseUnknown(where, own, ['seed', 'queues', 'maxDelayMs', 'maxDurationMs'])
  const total = wholeNumber(where, { count }, 'count', 0, { min: 0 })
  const random = seededRandom(wholeNumber(where, own, 'seed', 1, { min: 0 }))
  const maxDelayMs = wholeNumber(where, own, 'maxDelayMs', 1_000, { min: 0 })
  const maxDurationMs = wholeNumber(where, own, 'maxDurationMs', 10, { min: 0 })
  const { queues = ['default'] } = options ?? {}
  const kinds = generatedKinds()
  const upTo = (max: number): number => Math.floor(random() * (max + 1))
  const oneOf = <T>(choices: readonly T[], fallback: T): T => choices[Math.floor(random() * choices.length)] ?? fallback
  const [first] = kinds
  if (first === undefined) return []
  return Array.from({ length: total }, (_, index) => ({
    kind: oneOf(kinds, first),
    args: { number: index + 1, durationMs: upTo(maxDurationMs), failures: oneOf([0, 0, 0, 0, 1, 2], 0) },
    options: {
      queue: oneOf(queues, 'default'),
      priority: upTo(4) - 2,
      delayMs: random() < 2 / 3 ? 0 : upTo(maxDelayMs),
    },
  }))
}
