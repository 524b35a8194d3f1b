import { ownOptions, refuseUnknown } from '@genstage/core/adapters'
import type { Job } from '../job.ts'
import { isKind, type Kind } from '../kind.ts'

/** Which jobs are meant. What is left out does not matter. */
export interface EnqueuedFilter {
  readonly queue?: string
  readonly priority?: number
  /** One of its tags. */
  readonly tag?: string
  /** Not before so many milliseconds from now: up to 1,000 less or more are let pass. */
  readonly delayMs?: number
  /** How many there are to be, for `assertEnqueued`. Default: at least one. */
  readonly count?: number
}

/** Two times this near are the same. */
const nearMs = 1_000

/** What `args` has to be part of: objects may have more members, everything else has to be the same. */
function isPartOf(part: unknown, whole: unknown): boolean {
  if (typeof part !== 'object' || part === null) return Object.is(part, whole)
  if (typeof whole !== 'object' || whole === null || Array.isArray(part) !== Array.isArray(whole)) return false
  if (Array.isArray(part) && Array.isArray(whole) && part.length !== whole.length) return false
  return Object.keys(part).every(key => Object.hasOwn(whole, key) && isPartOf(Reflect.get(part, key), Reflect.get(whole, key)))
}

/** Those of the jobs that are meant. */
export function chosenJobs(
  jobs: readonly Job[],
  kind: Kind | string | undefined,
  args: unknown,
  filter: EnqueuedFilter | undefined,
  now: number,
): readonly Job[] {
  const where = 'enqueued'
  const own = ownOptions(where, filter)
  refuseUnknown(where, own, ['queue', 'priority', 'tag', 'delayMs', 'count'])
  const { queue, priority, tag, delayMs } = filter ?? {}
  const name = isKind(kind) ? kind.name : kind
  return jobs.filter(
    job =>
      (name === undefined || job.kind === name) &&
      (args === undefined || isPartOf(args, job.args)) &&
      (queue === undefined || job.queue === queue) &&
      (priority === undefined || job.priority === priority) &&
      (tag === undefined || job.tags.includes(tag)) &&
      (delayMs === undefined || Math.abs(job.runAt - now - delayMs) <= nearMs),
  )
}

/** What was looked for and what is there, for people. */
export function enqueuedText(
  jobs: readonly Job[],
  kind: Kind | string,
  args: unknown,
  filter: EnqueuedFilter | undefined,
  now: number,
): string {
  const name = typeof kind === 'string' ? kind : kind.name
  const wanted = [
    `kind ${name}`,
    ...(args === undefined ? [] : [`args ${JSON.stringify(args)}`]),
    ...Object.entries(filter ?? {}).map(([option, value]) => `${option} ${String(value)}`),
  ]
  const lines = jobs.slice(0, 20).map(job => `  ${jobText(job, now)}`)
  const rest = jobs.length > 20 ? [`  … and ${jobs.length - 20} more`] : []
  return `${wanted.join(', ')}\nenqueued ${jobs.length === 1 ? 'is' : 'are'}${jobs.length === 0 ? ' none' : ':'}\n${[...lines, ...rest].join('\n')}`.trimEnd()
}

function jobText({ kind, queue, args, priority, runAt }: Job, now: number): string {
  const later = runAt > now ? `, in ${runAt - now} ms` : ''
  return `${kind} ${JSON.stringify(args).slice(0, 200)} (queue ${queue}, priority ${priority}${later})`
}
