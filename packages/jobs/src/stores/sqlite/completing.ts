import type { Settlement } from '../../store.ts'
import type { Claim } from './claims.ts'
import { identityOf, jobEnded } from './ending.ts'
import { inPieces } from './pieces.ts'
import { completed, running } from './schema.ts'
import type { Session } from './session.ts'

export type Completion = Extract<Settlement, { to: 'completed' }>

/** The more values come out of the JSON, the dearer it is: so a result only where there is one. */
const complete = (values: string): string => `
  UPDATE jobs SET ${values}, started_at = j.value ->> 2, state = ${completed}, finished_at = ?, cancel_reason = NULL
  FROM json_each(?) AS j WHERE jobs.seq = j.value ->> 0 AND token = j.value ->> 1 AND state = ${running}`
const withResults = complete('result = j.value ->> 3')
const withoutResults = complete('result = NULL')

/** Thrown where a claim that is remembered holds no more: the transaction has to be undone, and run again with nothing remembered. */
export const claimLost: Error = new Error('a claim that was remembered holds no more')

/** What nearly all attempts do, many in one statement; each job comes once. Answers the seqs of those that were held. */
export function completeAll(session: Session, completions: readonly Completion[]): ReadonlySet<number> {
  const pieces = inPieces(completions, ({ result }) => result?.length ?? 0)
  return new Set(pieces.flatMap(piece => completePiece(session, piece)))
}

function completePiece(session: Session, completions: readonly Completion[]): readonly number[] {
  const hasResults = completions.some(({ result }) => result !== undefined)
  const sql = hasResults ? withResults : withoutResults
  const entries = completions.map(({ seq, token, ranMs, result = null }) => {
    const startedAt = session.now - ranMs
    return hasResults ? [seq, token, startedAt, result] : [seq, token, startedAt]
  })
  const params = [session.now, JSON.stringify(entries)] as const
  const claims = completions.map(({ seq, token }) => session.claims.get(seq, token))
  if (claims.every(claim => claim !== undefined)) {
    // The statement looks at each token itself. That it has changed all rows is cheaper to know than which
    if (session.run(sql, ...params) < completions.length) throw claimLost
    for (const claim of claims) isCompleted(session, claim)
    return completions.map(({ seq }) => seq)
  }
  const rows = session
    .rows(`${sql} RETURNING jobs.seq, line`, ...params)
    .map(([seq, line]) => ({ seq: Number(seq), line: Number(line) }))
  for (const row of rows) isCompleted(session, { ...row, ...identityOf(session, row.seq) })
  return rows.map(({ seq }) => seq)
}

function isCompleted(session: Session, job: Omit<Claim, 'token'>): void {
  const { book, claims } = session
  claims.remove(job.seq)
  book.move(book.lineById(job.line), running, completed)
  jobEnded(session, job, 'completed')
}
