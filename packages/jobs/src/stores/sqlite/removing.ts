import type { Session } from './session.ts'
import { keyEnded } from './uniques.ts'

const among = 'seq IN (SELECT value FROM json_each(?))'

/**
 * Removes jobs that a condition chooses, with their logs, keys and counts. Nothing that runs may be among them. Answers how many
 * there were. `condition` is ours: what varies in it comes as `params`.
 */
export function removeWhere(session: Session, condition: string, ...params: readonly (string | number)[]): number {
  const rows = session.rows(`DELETE FROM jobs WHERE ${condition} RETURNING seq, line, state`, ...params)
  if (rows.length === 0) return 0
  for (const [, line, state] of rows) session.book.move(session.book.lineById(Number(line)), Number(state), undefined)
  const seqs = JSON.stringify(rows.map(([seq]) => seq))
  for (const [id, key] of session.rows(`DELETE FROM payloads WHERE ${among} RETURNING id, unique_key`, seqs)) {
    if (key !== null) keyEnded(session, String(id), String(key))
  }
  session.run(`DELETE FROM logs WHERE ${among}`, seqs)
  return rows.length
}
