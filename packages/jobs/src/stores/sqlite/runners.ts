import type { Cancellation, Heartbeat, Held, NewRunner, QueueFigures, RunnerFigures, StoredRunner } from '../../store.ts'
import type { SqlRow } from './driver.ts'
import type { LeaseWatch, Pulse } from './lease-watch.ts'
import type { ProcessIdentity } from './own-process.ts'
import { running } from './schema.ts'
import type { Session } from './session.ts'
import { release, runningColumns, runningJob } from './settling.ts'
import { fromText, numberOf, textOf } from './texts.ts'

/** The number of a runner that lives. */
function numberOfRunner(session: Session, id: string): number | undefined {
  return numberOf(session.row('SELECT number FROM runners WHERE id = ? AND is_dead = 0', id)?.[0])
}

/**
 * Enters a runner of the process that `identity` is of. Who comes under the id of another has taken its place: that one holds nothing any more. Answers its number.
 */
export function registerRunner(session: Session, runner: NewRunner, leaseMs: number, { place, born }: ProcessIdentity): number {
  session.run('UPDATE runners SET is_dead = 1 WHERE id = ?', runner.id)
  const queues = runner.queues.map(({ name, concurrency }) => ({ name, concurrency, running: 0, processed: 0 }))
  const number = Number(session.row('INSERT INTO runner_ids VALUES (NULL, ?) RETURNING number', runner.id)?.[0])
  session.run(
    'INSERT INTO runners VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 0, ?, ?, ?, ?)',
    number,
    runner.id,
    runner.name ?? null,
    runner.host,
    runner.pid,
    place ?? null,
    born ?? null,
    leaseMs,
    session.now,
    session.now,
    JSON.stringify(queues),
    runner.metadata ?? null,
  )
  return number
}

/** One more beat. Answers it too, so that whoever watches knows it. */
export function beat(
  session: Session,
  id: string,
  leaseMs: number,
  figures?: RunnerFigures,
): Heartbeat & { readonly pulse?: Pick<Pulse, 'number' | 'beats'> } {
  const row = session.row(
    `UPDATE runners SET beats = beats + 1, seen_at = ?, lease_ms = ?, queues = coalesce(?, queues)
     WHERE id = ? AND is_dead = 0 RETURNING number, beats`,
    session.now,
    leaseMs,
    figures === undefined ? null : JSON.stringify(figures.queues),
    id,
  )
  if (row === undefined) return { alive: false, cancellations: [] }
  return { alive: true, cancellations: cancellationsOf(session, id), pulse: { number: Number(row[0]), beats: Number(row[1]) } }
}

/** The runner leaves: what it held waits again. */
export function unregisterRunner(session: Session, id: string): void {
  const number = numberOfRunner(session, id)
  if (number === undefined) return
  const rows = session.rows(`SELECT ${runningColumns} FROM jobs WHERE holder = ? AND state = ${running} ORDER BY seq`, number)
  for (const row of rows) release(session, runningJob(session, row))
  session.run('DELETE FROM runners WHERE number = ?', number)
}

export function cancellationsOf(session: Session, id: string): readonly Cancellation[] {
  const number = numberOfRunner(session, id)
  if (number === undefined) return []
  const sql = `SELECT seq, token, cancel_reason FROM jobs WHERE holder = ? AND state = ${running} AND cancel_reason IS NOT NULL`
  return session.rows(`${sql} ORDER BY token`, number).map(([seq, token, reason]) => ({
    seq: Number(seq),
    token: Number(token),
    reason: fromText(reason),
  }))
}

export function holdingsOf(session: Session, id: string): readonly Held[] {
  const number = numberOfRunner(session, id)
  if (number === undefined) return []
  const rows = session.rows(`SELECT seq, token FROM jobs WHERE holder = ? AND state = ${running} ORDER BY token`, number)
  return rows.map(([seq, token]) => ({ seq: Number(seq), token: Number(token) }))
}

const pulseColumns = 'number, pid, place, born, lease_ms, beats, id'

/** Those that live. Whose death nobody has found yet is told by what only looks: the last beat is older than the lease. */
export function storedRunners(session: Session, watch: LeaseWatch): readonly StoredRunner[] {
  const rows = session.rows(
    `SELECT ${pulseColumns}, name, host, started_at, seen_at, queues, metadata FROM runners
     WHERE is_dead = 0 AND seen_at + lease_ms > ? ORDER BY number`,
    session.now,
  )
  return rows
    .filter(row => !watch.isDead(pulseOf(row), session.time))
    .map(([, pid, , , , , id, name, host, startedAt, seenAt, queues, metadata]) => ({
      id: String(id),
      name: textOf(name),
      host: String(host),
      pid: Number(pid),
      startedAt: Number(startedAt),
      seenAt: Number(seenAt),
      queues: JSON.parse(String(queues)) as QueueFigures[],
      metadata: textOf(metadata),
    }))
}

function pulseOf([number, pid, place, born, leaseMs, beats]: SqlRow): Pulse {
  return {
    number: Number(number),
    pid: Number(pid),
    place: textOf(place),
    born: textOf(born),
    leaseMs: Number(leaseMs),
    beats: Number(beats),
  }
}

/**
 * Declares those dead that are, except the one that asks. What they held is left for `rescueJobs`. The watch has to know of them until this
 * is durable: if it is undone, they are to be found dead again.
 */
export function buryDead(
  session: Session,
  watch: LeaseWatch,
  asking: string,
): readonly { readonly number: number; readonly id: string }[] {
  const rows = session.rows(`SELECT ${pulseColumns} FROM runners WHERE is_dead = 0 AND id <> ? ORDER BY number`, asking)
  const dead = rows
    .filter(row => watch.isDead(pulseOf(row), session.time))
    .map(([number, , , , , , id]) => ({ number: Number(number), id: String(id) }))
  for (const { number } of dead) session.run('UPDATE runners SET is_dead = 1 WHERE number = ?', number)
  return dead
}

/** Makes this runner the leader where there is none that lives. */
export function leadBy(session: Session, watch: LeaseWatch, id: string): boolean {
  if (numberOfRunner(session, id) === undefined) return false
  const leader = textOf(session.row('SELECT leader FROM meta')?.[0])
  if (leader === id) return true
  const row =
    leader === undefined ? undefined : session.row(`SELECT ${pulseColumns} FROM runners WHERE id = ? AND is_dead = 0`, leader)
  if (row !== undefined && !watch.isDead(pulseOf(row), session.time)) return false
  session.run('UPDATE meta SET leader = ?', id)
  return true
}

/** Sees the beats of all runners, so that those who stop are found as early as can be. */
export function watchBeats(session: Session, watch: LeaseWatch, time: number): void {
  for (const [number, beats] of session.rows('SELECT number, beats FROM runners WHERE is_dead = 0'))
    watch.see({ number: Number(number), beats: Number(beats) }, time)
}
