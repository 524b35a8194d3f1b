import { realpathSync, type Stats, statSync } from 'node:fs'
import type { Clock } from '@genstage/core'
import { JobsError } from '../../errors.ts'

/**
 * Between two looks at the log. One costs 1 µs itself, but Linux then writes down a new time for the next write, in the journal of the
 * file system: with one before every commit each takes 50 µs more.
 */
const logEveryMs = 50

/** A file, by its name, and as the system knew it when it was opened. */
interface Watched {
  readonly name: string
  readonly dev: number
  readonly ino: number
}

/**
 * Sees whether the names of an open file still mean that file. SQLite goes on with what it has opened: where a name means another file
 * now, or none, all that it writes is lost when the process ends.
 */
export class FileWatch {
  readonly #path: string
  readonly #clock: Clock
  readonly #file: Watched | undefined
  readonly #log: Watched | undefined
  #logSeenAt = -Infinity
  #loss: string | undefined

  /** Called when the file is open, and its log is there. */
  constructor(path: string, clock: Clock) {
    this.#path = path
    this.#clock = clock
    const name = realNameOf(path)
    // A driver of the user's own may keep it elsewhere: there is nothing to watch then
    if (name === undefined) return
    this.#file = watched(name)
    this.#log = watched(`${name}-wal`)
  }

  /** Whether a file was found to be another. It stays so. */
  get isLost(): boolean {
    return this.#loss !== undefined
  }

  /** Looks at the file, about 1 µs, and now and then at its log. */
  look(): void {
    if (this.#file !== undefined && isAnother(this.#file, lookAt(this.#file.name))) this.#loss ??= 'the file was'
    if (this.#clock.now() - this.#logSeenAt >= logEveryMs) this.lookAtLog()
  }

  /** Answers how long the log is, in bytes. */
  lookAtLog(): number {
    if (this.#log === undefined) return 0
    this.#logSeenAt = this.#clock.now()
    const log = lookAt(this.#log.name)
    if (isAnother(this.#log, log)) this.#loss ??= 'its write-ahead log was'
    return log?.size ?? 0
  }

  /** Throws `STORE_UNAVAILABLE` if a file was found to be another. */
  refuse(): void {
    if (this.#loss === undefined) return
    throw new JobsError(
      'STORE_UNAVAILABLE',
      `sqliteStore: ${this.#path}: ${this.#loss} removed or replaced while it was open: nothing is written any more. Start this process again`,
    )
  }
}

/** The log stands beside the file itself, not beside a link to it. */
function realNameOf(path: string): string | undefined {
  try {
    return realpathSync(path)
  } catch {
    return undefined
  }
}

function watched(name: string): Watched | undefined {
  const stats = lookAt(name)
  return stats ? { name, dev: stats.dev, ino: stats.ino } : undefined
}

/** Answers `undefined` where nothing is there, `null` where this process may not look. */
function lookAt(name: string): Stats | undefined | null {
  try {
    return statSync(name, { throwIfNoEntry: false })
  } catch {
    return null
  }
}

function isAnother(file: Watched, now: Stats | undefined | null): boolean {
  if (now === null) return false
  return now === undefined || now.ino !== file.ino || now.dev !== file.dev
}
