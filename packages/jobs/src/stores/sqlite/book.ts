import type { Statements } from './statements.ts'
import { completed, delayed, discarded, failed, running, stateNames, waiting } from './schema.ts'

/** The jobs of one kind in one queue. */
export interface Line {
  readonly id: number
  readonly queue: string
  readonly kind: string
  /** How many jobs it has in each state, at the number of the state. */
  readonly counts: number[]
  /** The counts differ from those in the file. */
  isChanged: boolean
}

/** No state has these numbers. */
const belowFirst: readonly number[] = Array.from({ length: delayed }, () => 0)

const columns = `id, queue, kind, ${stateNames.join(', ')}`
const drawLine = `INSERT INTO lines VALUES (NULL, ?, ?, 0, 0, 0, 0, 0, 0, 0) RETURNING ${columns}`
const saveLine = `UPDATE lines SET ${stateNames.map(name => `${name} = ?`).join(', ')} WHERE id = ?`

/**
 * The counts of jobs, the last numbers given and the settings of queues: what nearly every operation reads and changes. They are kept in
 * memory during a transaction and written once at its end. Between transactions they stay as they are, until another connection has
 * written, or a transaction was undone: then all is forgotten, and read again where it is needed.
 */
export class Book {
  readonly #statements: Statements
  readonly #lines = new Map<number, Line>()
  /** By queue, and there by kind; only queues that were read whole. */
  readonly #queues = new Map<string, Map<string, Line>>()
  readonly #paused = new Map<string, boolean>()
  readonly #changed = new Set<Line>()
  /** The one row of `meta`. */
  #meta: { lastSeq: number; lastToken: number; processed: number; failed: number } | undefined
  #isMetaChanged = false

  constructor(statements: Statements) {
    this.#statements = statements
  }

  /** The lines of a queue, by kind. */
  linesOf(queue: string): ReadonlyMap<string, Line> {
    return this.#openQueue(queue)
  }

  /** The line of a kind in a queue, which is drawn if it is not there. */
  line(queue: string, kind: string): Line {
    const lines = this.#openQueue(queue)
    let line = lines.get(kind)
    if (line === undefined) {
      line = this.#take(this.#statements.row(drawLine, queue, kind) ?? [])
      lines.set(kind, line)
    }
    return line
  }

  lineById(id: number): Line {
    const known = this.#lines.get(id)
    if (known !== undefined) return known
    return this.#take(this.#statements.row(`SELECT ${columns} FROM lines WHERE id = ?`, id) ?? [])
  }

  /** So many jobs of a line went from one state to another; undefined: they came, or are gone. */
  move(line: Line, from: number | undefined, to: number | undefined, count = 1): void {
    if (count === 0) return
    if (from !== undefined) line.counts[from] = (line.counts[from] ?? 0) - count
    if (to !== undefined) line.counts[to] = (line.counts[to] ?? 0) + count
    if (!line.isChanged) {
      line.isChanged = true
      this.#changed.add(line)
    }
    if (to === undefined || to < completed) return
    const meta = this.#openMeta()
    if (to === completed) meta.processed += count
    else if (to === failed || to === discarded) meta.failed += count
  }

  /** The first of so many numbers for new jobs, rising, never given before. */
  takeSeqs(count: number): number {
    const meta = this.#openMeta()
    meta.lastSeq += count
    return meta.lastSeq - count + 1
  }

  /** The first of so many tokens, rising, never given before. */
  takeTokens(count: number): number {
    const meta = this.#openMeta()
    meta.lastToken += count
    return meta.lastToken - count + 1
  }

  totals(): { readonly processed: number; readonly failed: number } {
    const { processed, failed: failures } = this.#readMeta()
    return { processed, failed: failures }
  }

  isPaused(queue: string): boolean {
    let paused = this.#paused.get(queue)
    if (paused === undefined) {
      paused = this.#statements.row('SELECT paused FROM queues WHERE name = ?', queue)?.[0] === 1
      this.#paused.set(queue, paused)
    }
    return paused
  }

  /** A queue that is not paused need not be known. */
  setPaused(queue: string, paused: boolean): void {
    if (paused) this.#statements.run('INSERT OR REPLACE INTO queues VALUES (?, 1)', queue)
    else this.#statements.run('UPDATE queues SET paused = 0 WHERE name = ?', queue)
    this.#paused.set(queue, paused)
  }

  /** Forgets a queue and its lines, which are empty. */
  removeQueue(queue: string): void {
    for (const line of this.linesOf(queue).values()) {
      this.#lines.delete(line.id)
      this.#changed.delete(line)
    }
    this.#queues.delete(queue)
    this.#paused.delete(queue)
    this.#statements.run('DELETE FROM lines WHERE queue = ?', queue)
    this.#statements.run('DELETE FROM queues WHERE name = ?', queue)
  }

  /** Writes what has changed. */
  save(): void {
    for (const line of this.#changed) {
      this.#statements.run(saveLine, ...line.counts.slice(delayed), line.id)
      line.isChanged = false
    }
    this.#changed.clear()
    if (!this.#isMetaChanged) return
    const { lastSeq, lastToken, processed, failed: failures } = this.#readMeta()
    this.#statements.run(
      'UPDATE meta SET last_seq = ?, last_token = ?, processed = ?, failed = ?',
      lastSeq,
      lastToken,
      processed,
      failures,
    )
    this.#isMetaChanged = false
  }

  /** The file is the truth again. */
  forget(): void {
    this.#lines.clear()
    this.#queues.clear()
    this.#paused.clear()
    this.#changed.clear()
    this.#meta = undefined
    this.#isMetaChanged = false
  }

  #openQueue(queue: string): Map<string, Line> {
    let lines = this.#queues.get(queue)
    if (lines === undefined) {
      const rows = this.#statements.rows(`SELECT ${columns} FROM lines WHERE queue = ?`, queue)
      lines = new Map(rows.map(row => this.#take(row)).map(line => [line.kind, line]))
      this.#queues.set(queue, lines)
    }
    return lines
  }

  #openMeta(): { lastSeq: number; lastToken: number; processed: number; failed: number } {
    this.#isMetaChanged = true
    return this.#readMeta()
  }

  #readMeta(): { lastSeq: number; lastToken: number; processed: number; failed: number } {
    if (this.#meta !== undefined) return this.#meta
    const [lastSeq, lastToken, processed, failures] =
      this.#statements.row('SELECT last_seq, last_token, processed, failed FROM meta') ?? []
    return (this.#meta = {
      lastSeq: Number(lastSeq),
      lastToken: Number(lastToken),
      processed: Number(processed),
      failed: Number(failures),
    })
  }

  /** A row of `lines`: the line we have, if we have it, is newer. */
  #take([id, queue, kind, ...counts]: readonly (number | string | null)[]): Line {
    const known = this.#lines.get(Number(id))
    if (known !== undefined) return known
    const line = {
      id: Number(id),
      queue: String(queue),
      kind: String(kind),
      counts: [...belowFirst, ...counts.map(Number)],
      isChanged: false,
    }
    this.#lines.set(line.id, line)
    return line
  }
}

/** How many jobs of a line have not finished. */
export function unfinished({ counts }: Line): number {
  return (counts[delayed] ?? 0) + (counts[waiting] ?? 0) + (counts[running] ?? 0)
}
