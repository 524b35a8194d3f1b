import type { Held, LogEntry, Report } from '../../store.ts'
import { running } from './schema.ts'
import type { Session } from './session.ts'
import { fromText, toText } from './texts.ts'

/** Of the log lines of a job the newest so many are kept. */
const keptLogs = 1_000

const held = `WHERE seq = ? AND token = ? AND state = ${running}`

/** Marks suspects as really started. */
export function beginJobs(session: Session, jobs: readonly Held[]): readonly boolean[] {
  return jobs.map(({ seq, token }) => session.run(`UPDATE jobs SET begun = 1 ${held}`, seq, token) > 0)
}

/** Keeps progress and log lines of running jobs. */
export function reportJobs(session: Session, reports: readonly Report[]): readonly boolean[] {
  return reports.map(({ seq, token, progress, logs }) => {
    const isHeld =
      progress === undefined
        ? session.row(`SELECT 1 FROM jobs ${held}`, seq, token) !== undefined
        : session.run(`UPDATE jobs SET progress = ? ${held}`, progress, seq, token) > 0
    if (isHeld && logs !== undefined && logs.length > 0) keepLogs(session, seq, logs)
    return isHeld
  })
}

function keepLogs(session: Session, seq: number, lines: readonly LogEntry[]): void {
  let number = Number(session.row('SELECT max(number) FROM logs WHERE seq = ?', seq)?.[0] ?? 0)
  for (const { level, message, at } of lines.slice(-keptLogs)) {
    session.run('INSERT INTO logs VALUES (?, ?, ?, ?, ?)', seq, ++number, level, toText(message), at)
  }
  session.run('DELETE FROM logs WHERE seq = ? AND number <= ?', seq, number - keptLogs)
}

/** The log lines of a job, oldest first. */
export function logsOf(session: Session, id: string): readonly LogEntry[] {
  const sql = 'SELECT level, message, at FROM logs WHERE seq = (SELECT seq FROM payloads WHERE id = ?) ORDER BY number'
  return session.rows(sql, id).map(([level, message, at]) => ({
    level: level as LogEntry['level'],
    message: fromText(message),
    at: Number(at),
  }))
}
