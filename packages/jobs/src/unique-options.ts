import { badOption, flag, oneOf, ownOptions, refuseUnknown, within } from '@genstage/core/adapters'
import { shortText } from './job-settings.ts'
import { longestStoredDelayMs, millisecondsIn } from './numbers.ts'
import type { Unique } from './store.ts'

/** At most one job of the kind per key. */
export interface UniqueOptions {
  /** 1 to 512 bytes. Other kinds may use the same. */
  readonly key: string
  /** How long the key is held: until the job has `'finished'` (default), or until it has `'started'`. */
  readonly until?: 'finished' | 'started'
  /** What becomes of another one meanwhile: `'keep'` the one that is there (default), or let the new one `'replace'` its args and time if it has not started. */
  readonly conflict?: 'keep' | 'replace'
}

/** The last of several calls counts, once there was none for `ms`. */
export interface DebounceOptions {
  readonly key: string
  /** How long to wait for another call. 1 to 3,650 days. */
  readonly ms: number
}

/** At most one job per window. */
export interface ThrottleOptions {
  readonly key: string
  /** How long the window is that the first call opens. 1 to 3,650 days. */
  readonly ms: number
  /** Whether another call meanwhile is kept for the next window (one of them), or not stored at all (default). */
  readonly next?: boolean
}

const longestKey = 512

/** Reads the option `unique`; a text is the key. */
export function uniqueOf(where: string, kind: string, value: unknown): Unique {
  if (typeof value === 'string') return { key: keyOf(where, 'unique', kind, value), until: 'finished', conflict: 'keep' }
  const inside = insideOf(where, 'unique', value)
  const own = ownOptions(inside, value)
  refuseUnknown(inside, own, ['key', 'until', 'conflict'])
  return {
    key: keyOf(inside, 'key', kind, own['key']),
    until: oneOf(inside, own, 'until', ['finished', 'started'], 'finished'),
    conflict: oneOf(inside, own, 'conflict', ['keep', 'replace'], 'keep'),
  }
}

/** Reads the option `debounce`: a delay, which the next call begins anew as long as the job has not started. */
export function debounceOf(where: string, kind: string, value: unknown): { readonly unique: Unique; readonly delayMs: number } {
  const inside = insideOf(where, 'debounce', value)
  const own = ownOptions(inside, value)
  refuseUnknown(inside, own, ['key', 'ms'])
  const key = keyOf(inside, 'key', kind, own['key'])
  return {
    unique: { key, until: 'started', conflict: 'replace' },
    delayMs: millisecondsIn(inside, own, 'ms', undefined, longestStoredDelayMs),
  }
}

/** Reads the option `throttle`. */
export function throttleOf(where: string, kind: string, value: unknown): Unique {
  const inside = insideOf(where, 'throttle', value)
  const own = ownOptions(inside, value)
  refuseUnknown(inside, own, ['key', 'ms', 'next'])
  const key = keyOf(inside, 'key', kind, own['key'])
  return {
    key,
    until: millisecondsIn(inside, own, 'ms', undefined, longestStoredDelayMs),
    conflict: flag(inside, own, 'next') ? 'next' : 'keep',
  }
}

/** No name of a kind has a colon in it, so that keys of two kinds are never the same. */
function keyOf(where: string, option: string, kind: string, key: unknown): string {
  return `${kind}:${shortText(where, option, key, longestKey)}`
}

function insideOf(where: string, option: string, value: unknown): string {
  if (typeof value !== 'object' || value === null) throw badOption(where, option, value, 'a key, or options with one')
  return within(where, option).toString()
}
