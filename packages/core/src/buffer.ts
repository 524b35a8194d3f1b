import { BatchQueue } from './batch-queue.ts'
import { Queue } from './queue.ts'

/** What a store gave up: nothing, in most cases. */
export interface Stored {
  /** Events that did not fit, oldest first. */
  readonly discarded: readonly unknown[]
  /** Infos whose event was pushed out: their turn has come (GS-B9). */
  readonly infos: readonly unknown[]
}

/** What a take brought: events, and the infos that follow the last of them. */
export interface Taken {
  readonly events: readonly unknown[]
  readonly infos: readonly unknown[]
}

interface WaitingInfo {
  /** Number of the event that it follows. */
  readonly after: number
  readonly message: unknown
}

const nothing: readonly unknown[] = Object.freeze([])
const storedAll: Stored = Object.freeze({ discarded: nothing, infos: nothing })

/**
 * Events that nobody wanted yet, in order, with infos in between (GS-B1 to GS-B12, X19). An info belongs to the event before it:
 * it never counts, is never discarded, and comes out right behind its event.
 */
export class Buffer {
  readonly size: number
  readonly keep: 'first' | 'last'
  readonly #events = new BatchQueue<unknown>()
  /** Events that came back to be delivered once more, before all others; made for the first of them. */
  #returned: BatchQueue<unknown> | undefined
  /** Whether the last take was of events that had come back. */
  #tookReturned = false
  /** Made for the first info: most buffers never see one. */
  #infos: Queue<WaitingInfo> | undefined
  /** Number of the oldest event in here: events are numbered as they come, so an info needs no place among them. */
  #first = 0

  constructor(size: number, keep: 'first' | 'last') {
    this.size = size
    this.keep = keep
  }

  /** How many events wait (GS-B11). */
  get length(): number {
    return this.#returned === undefined ? this.#events.length : this.#returned.length + this.#events.length
  }

  /** Puts events behind all others; what does not fit is given up at the end that `keep` does not protect (GS-B3, GS-B4). */
  store(events: readonly unknown[]): Stored {
    const over = this.#events.length + events.length - this.size
    if (over <= 0) {
      this.#events.push(events)
      return storedAll
    }
    if (this.keep === 'first') {
      const fit = events.length - over
      this.#events.push(events.slice(0, Math.max(0, fit)))
      return { discarded: events.slice(Math.max(0, fit)), infos: nothing }
    }
    const oldest = this.#take(over)
    const newcomersLost = over - oldest.length
    this.#events.push(newcomersLost === 0 ? events : events.slice(newcomersLost))
    this.#first += newcomersLost
    return { discarded: newcomersLost === 0 ? oldest : [...oldest, ...events.slice(0, newcomersLost)], infos: this.#dueInfos() }
  }

  /** Puts events that came back before all others. They count for no bound, and are never given up (X21). */
  putBack(events: readonly unknown[]): void {
    this.#returned ??= new BatchQueue()
    this.#returned.unshift(events)
  }

  /** Attaches an info to the last event; false if there is none to wait for (GS-B8). */
  attach(message: unknown): boolean {
    if (this.length === 0) return false
    this.#infos ??= new Queue()
    this.#infos.push({ after: this.#first + this.#events.length - 1, message })
    return true
  }

  /** Takes up to `count` events from the front, but stops right after one that has infos (GS-B5). */
  take(count: number): Taken {
    const returned = this.#returned
    if (returned !== undefined && returned.length > 0) {
      this.#tookReturned = true
      return { events: returned.take(count), infos: this.#dueInfos() }
    }
    this.#tookReturned = false
    const info = this.#infos?.at(0)
    const limit = info === undefined ? count : Math.min(count, info.after - this.#first + 1)
    return { events: this.#take(limit), infos: this.#dueInfos() }
  }

  /** Puts events that were taken back to the front, and with them the infos that follow them. */
  giveBack(events: readonly unknown[], infos: readonly unknown[]): void {
    if (this.#tookReturned) this.putBack(events)
    else {
      this.#events.unshift(events)
      this.#first -= events.length
    }
    if (infos.length === 0) return
    this.#infos ??= new Queue()
    const after = this.#tookReturned ? this.#first - 1 : this.#first + events.length - 1
    for (const message of infos.toReversed()) this.#infos.unshift({ after, message })
  }

  #take(count: number): readonly unknown[] {
    const events = this.#events.take(count)
    this.#first += events.length
    return events
  }

  /** Infos whose event has left. */
  #dueInfos(): readonly unknown[] {
    let info = this.#infos?.at(0)
    if (info === undefined || info.after >= this.#first || (this.#returned?.length ?? 0) > 0) return nothing
    const due: unknown[] = []
    while (info !== undefined && info.after < this.#first) {
      due.push(info.message)
      this.#infos?.shift()
      info = this.#infos?.at(0)
    }
    return due
  }
}
