import { badOption, ownOptions, type OwnOptions, refuseUnknown } from '@genstage/core/adapters'
import { type CommonJobOptions, commonJobOptions, commonSettings, type JobSettings, shortText } from './job-settings.ts'
import type { Kind } from './kind-type.ts'
import { checkJobId } from './names.ts'
import { longestStoredDelayMs, numberIn, type Range } from './numbers.ts'
import {
  type DebounceOptions,
  debounceOf,
  type ThrottleOptions,
  throttleOf,
  type UniqueOptions,
  uniqueOf,
} from './unique-options.ts'

/** Options of one job. What is not given is as its kind has it. */
export interface EnqueueOptions extends CommonJobOptions {
  /** Not before that many milliseconds from now; 0 to 3,650 days. Not together with `runAt`. */
  readonly delayMs?: number
  /** Not before that date, up to the year 9999; a date that has passed is now. */
  readonly runAt?: Date
  /** Words to find it by: at most 32, of 1 to 128 bytes. */
  readonly tags?: readonly string[]
  /** Its id, a UUID. Enqueueing again with the same id, queue, kind, version and args stores nothing twice. Default: a new one. */
  readonly id?: string
  /** At most one job of the kind per key; a text is the key. */
  readonly unique?: string | UniqueOptions
  /** The last of several calls counts. Not together with a time. */
  readonly debounce?: DebounceOptions
  /** At most one job per window. */
  readonly throttle?: ThrottleOptions
}

const known = [...commonJobOptions, 'delayMs', 'runAt', 'tags', 'id', 'unique', 'debounce', 'throttle']
/** The last millisecond of the year 9999. Later dates have no text that everything can read. */
const latest = 253_402_300_799_999
const maxTags = 32
const delays: Range = { min: 0, max: longestStoredDelayMs, what: 'milliseconds', beyond: 'runAt' }

/**
 * What a job is stored with: the options of the call over the defaults of its kind. Without options it is the kind's own object, so that
 * nothing is made. Refuses with `BAD_OPTION` and `BAD_NAME` (BAD-91 to 99).
 */
export function enqueueSettings(kind: Kind, options: EnqueueOptions | undefined): JobSettings {
  if (options === undefined) return kind.defaults
  const where = `enqueue ${kind.name}`
  const own = ownOptions(where, options)
  refuseUnknown(where, own, known)
  refuseTogether(where, own, ['delayMs', 'runAt', 'debounce'])
  refuseTogether(where, own, ['unique', 'debounce', 'throttle'])
  const { id, tags } = own
  return {
    ...commonSettings(where, own, kind.defaults),
    ...timeOf(where, own),
    ...(tags === undefined ? {} : { tags: tagsOf(where, tags) }),
    ...(id === undefined ? {} : { id: checkJobId(where, id) }),
    ...keyOf(where, kind.name, own),
  }
}

/** A time given as one of two options: `delayMs`, or `runAt` (BAD-92, 93). */
export function timeOf(where: string, own: OwnOptions): { readonly delayMs: number; readonly runAt?: number } {
  const { runAt } = own
  if (runAt === undefined) return { delayMs: numberIn(where, own, 'delayMs', 0, delays) }
  const time = runAt instanceof Date ? runAt.getTime() : Number.NaN
  // Not a number is on neither side
  if (!(time >= 0 && time <= latest)) throw badOption(where, 'runAt', dateText(runAt), 'a valid Date of the years 1970 to 9999')
  return { delayMs: 0, runAt: time }
}

/** Refuses options that exclude each other (BAD-22). */
export function refuseTogether(where: string, own: OwnOptions, options: readonly string[]): void {
  const [first, second] = options.filter(option => own[option] !== undefined)
  if (first !== undefined && second !== undefined) throw badOption(where, second, own[second], `left out where there is ${first}`)
}

function tagsOf(where: string, tags: unknown): readonly string[] {
  if (!Array.isArray(tags) || tags.length > maxTags) throw badOption(where, 'tags', tags, `an array of at most ${maxTags} texts`)
  return tags.map((tag, index) => shortText(where, `tags[${index}]`, tag, 128))
}

function keyOf(where: string, kind: string, own: OwnOptions): Pick<JobSettings, 'unique'> & { readonly delayMs?: number } {
  const { unique, debounce, throttle } = own
  if (unique !== undefined) return { unique: uniqueOf(where, kind, unique) }
  if (debounce !== undefined) return debounceOf(where, kind, debounce)
  if (throttle === undefined) return {}
  const window = throttleOf(where, kind, throttle)
  // The next window begins when this one ends, not when somebody likes
  if (window.conflict === 'next') refuseTogether(where, { ...own, 'throttle.next': true }, ['throttle.next', 'delayMs', 'runAt'])
  return { unique: window }
}

function dateText(value: unknown): unknown {
  return value instanceof Date ? value.toString() : value
}
