import type { Unique } from '../../store.ts'
import type { Session } from './session.ts'
import { numberOf, toText } from './texts.ts'

/** A key that is taken. */
export interface Hold {
  /** Id of the job that holds it, which may be removed meanwhile. */
  readonly job: string
  /** When its window ends; undefined where the key is held until something happens. */
  readonly endsAt: number | undefined
  /** The job was stored for the window after another one, and has not started: it holds the key until then, also past its window. */
  readonly isNext: boolean
}

/** Who holds a key now. */
export function holdOf(session: Session, key: string): Hold | undefined {
  const row = session.row('SELECT job, ends_at, is_next FROM uniques WHERE key = ?', toText(key))
  if (row === undefined) return undefined
  const hold: Hold = { job: String(row[0]), endsAt: numberOf(row[1]), isNext: row[2] === 1 }
  return hold.isNext || hold.endsAt === undefined || session.now < hold.endsAt ? hold : undefined
}

/** The job takes its key; a window begins at `from`. */
export function takeKey(session: Session, job: string, { key, until }: Unique, from: number, isNext: boolean): void {
  const [sort, endsAt] = typeof until === 'number' ? ['window', from + until] : [until, null]
  session.run('INSERT OR REPLACE INTO uniques VALUES (?, ?, ?, ?, ?)', toText(key), job, sort, endsAt, Number(isNext))
}

/** A job with a key has been claimed. `keyText` is what its column says. */
export function keyStarted(session: Session, job: string, keyText: string): void {
  session.run("DELETE FROM uniques WHERE key = ? AND job = ? AND until = 'started'", keyText, job)
  session.run('UPDATE uniques SET is_next = 0 WHERE key = ? AND job = ? AND is_next = 1', keyText, job)
}

/** A job with a key has finished, or is removed. */
export function keyEnded(session: Session, job: string, keyText: string): void {
  session.run('DELETE FROM uniques WHERE key = ? AND job = ? AND ends_at IS NULL', keyText, job)
  session.run('UPDATE uniques SET is_next = 0 WHERE key = ? AND job = ? AND is_next = 1', keyText, job)
}

/** Forgets some windows that are over. */
export function pruneKeys(session: Session, limit: number): void {
  session.run(
    'DELETE FROM uniques WHERE key IN (SELECT key FROM uniques WHERE ends_at <= ? AND is_next = 0 LIMIT ?)',
    session.now,
    limit,
  )
}
