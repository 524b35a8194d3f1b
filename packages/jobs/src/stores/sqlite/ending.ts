import type { TerminalState } from '../../store.ts'
import type { Identity } from './claims.ts'
import type { Session } from './session.ts'
import { textOf } from './texts.ts'
import { keyEnded } from './uniques.ts'

export function identityOf(session: Session, seq: number): Identity {
  const [id, keyText] = session.row('SELECT id, unique_key FROM payloads WHERE seq = ?', seq) ?? []
  return { id: String(id), keyText: textOf(keyText) }
}

/** A job has come to its end: its key is free, who waits for it is told. */
export function jobEnded(session: Session, { id, keyText }: Identity, state: TerminalState): void {
  if (keyText !== undefined) keyEnded(session, id, keyText)
  session.hints.push({ type: 'finished', id, state })
}
