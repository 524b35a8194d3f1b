import type { Clock } from '@genstage/core'
import { clearTimer } from '../../timers.ts'
import type { SqliteConnection, SqliteStatement } from './driver.ts'
import type { FileWatch } from './file-watch.ts'

/** A longer log is emptied. SQLite writes one that is all in the file again from its beginning, after 4 MB, but only while nobody reads it. */
const longLog = 32 * 2 ** 20
/** From a commit to a look at the log, and between two tries. */
const pauseMs = 200
/** So many pages of others may be left in the log: to move them takes milliseconds, during which nobody else writes. */
const fewPages = 1_000

/**
 * Keeps the write-ahead log short. With several processes on the file, or one that reads for long, the moment never comes at which SQLite
 * begins it anew by itself: it would grow without end, and keep its length.
 */
export class LogLimit {
  readonly #connection: SqliteConnection
  readonly #watch: FileWatch
  readonly #clock: Clock
  #timer: Disposable | undefined
  #move: SqliteStatement | undefined
  #empty: SqliteStatement | undefined

  constructor(connection: SqliteConnection, watch: FileWatch, clock: Clock) {
    this.#connection = connection
    this.#watch = watch
    this.#clock = clock
  }

  /** Called after a commit: looks at the log soon, between two transactions, and again as long as it is too long. */
  look(): void {
    this.#timer ??= this.#clock.setTimer(pauseMs, () => {
      this.#timer = undefined
      const bytes = this.#watch.lookAtLog()
      if (bytes <= longLog || this.#watch.isLost) return
      this.#shorten()
      this.look()
    })
  }

  stop(): void {
    clearTimer(this.#timer)
    this.#timer = undefined
  }

  /** Where others are in the way, or the disk is full, the log stays, and the next try comes. */
  #shorten(): void {
    try {
      this.#move ??= this.#connection.prepare('PRAGMA wal_checkpoint(PASSIVE)')
      const [, pages, moved] = (this.#move.get([]) ?? []).map(Number)
      // More is left: somebody reads what is older, and to wait for him would be in vain
      if (pages === undefined || moved === undefined || pages - moved > fewPages) return
      this.#empty ??= this.#connection.prepare('PRAGMA wal_checkpoint(TRUNCATE)')
      this.#empty.get([])
    } catch {
      // What was acknowledged is safe in the log
    }
  }
}
