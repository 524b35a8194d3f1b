import { badOption, ownOptions, type OwnOptions, refuseUnknown } from '@genstage/core/adapters'
import type { Job } from './job.ts'
import { wholeIn } from './numbers.ts'
import type { JobState, ListQuery } from './store.ts'

/** Which jobs to list. What is not given does not matter. */
export interface ListOptions {
  readonly queues?: readonly string[]
  readonly kinds?: readonly string[]
  readonly states?: readonly JobState[]
  readonly tag?: string
  /** `next` of the page before. */
  readonly before?: number
  /** 1 to 1,000; default 100. */
  readonly limit?: number
}

/** A page of jobs, newest first. */
export interface JobList<out Args = unknown, out Result = unknown> {
  readonly jobs: readonly Job<Args, Result>[]
  /** To be given as `before` for the next page; undefined after the last. */
  readonly next: number | undefined
}

/** All states, in the order of a job's life. */
const jobStates: readonly JobState[] = ['delayed', 'waiting', 'running', 'completed', 'failed', 'discarded', 'cancelled']

const where = 'list'

/** The names of the options. */
const listOptions = ['queues', 'kinds', 'states', 'tag', 'before', 'limit']

/** Reads the options of `list`, but those that are `given` already. Refuses with `BAD_OPTION`. */
export function listQuery(options: unknown, given: readonly string[] = []): ListQuery {
  const own = ownOptions(where, options)
  refuseUnknown(
    where,
    own,
    listOptions.filter(option => !given.includes(option)),
  )
  const states = textsOf(own, 'states')
  const unknown = states?.find(state => !jobStates.includes(state as JobState))
  if (unknown !== undefined) throw badOption(where, 'states', unknown, `of ${jobStates.join(', ')}`)
  const { tag } = own
  if (tag !== undefined && typeof tag !== 'string') throw badOption(where, 'tag', tag, 'a text')
  return {
    queues: textsOf(own, 'queues'),
    kinds: textsOf(own, 'kinds'),
    states: states as readonly JobState[] | undefined,
    tag,
    before: own['before'] === undefined ? undefined : wholeIn(where, own, 'before', undefined, 0, Number.MAX_SAFE_INTEGER),
    limit: wholeIn(where, own, 'limit', 100, 1, 1_000),
  }
}

function textsOf(own: OwnOptions, option: string): readonly string[] | undefined {
  const value = own[option]
  if (value === undefined) return undefined
  if (!Array.isArray(value) || value.some(each => typeof each !== 'string'))
    throw badOption(where, option, value, 'an array of texts')
  return value as string[]
}
