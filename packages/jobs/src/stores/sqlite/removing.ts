import type { Session } from './session.ts'
import { textOf } from './texts.ts'
import { keyEnded } from './uniques.ts'

/**
 * Removes jobs that a condition chooses, with their logs, keys and counts. Nothing that runs may be among them. Answers how many
 * there were. `condition` is ours: what varies in it comes as `params`.
 */
export function removeWhere(session: Session, condition: string, ...params: readonly (string | number)[]): number {
  const rows = session.rows(`DELETE FROM jobs WHERE ${condition} RETURNING seq, id, line, state, unique_key`, ...params)
  for (const [seq, id, line, state, key] of rows) {
    const keyText = textOf(key)
    if (keyText !== undefined) keyEnded(session, String(id), keyText)
    session.run('DELETE FROM logs WHERE seq = ?', Number(seq))
    session.book.move(session.book.lineById(Number(line)), Number(state), undefined)
  }
  return rows.length
}
