import { JobsError } from '../../errors.ts'
import type { JobState } from '../../store.ts'
import type { SqliteConnection } from './driver.ts'

/** Marks the file as ours, in its header: "gstg". */
const applicationId = 0x67737467

/** States of a job as the file knows them, in the order of their numbers. */
export const stateNames = ['delayed', 'waiting', 'running', 'completed', 'failed', 'discarded', 'cancelled'] as const
/**
 * The numbers are in indexes and files: they never change. The first is 2, because SQLite keeps 0 and 1 in no byte at all, and a row is
 * not to grow.
 */
export const delayed = 2
export const waiting = 3
export const running = 4
export const completed = 5
export const failed = 6
export const discarded = 7
export const cancelled = 8

export function stateName(state: number): JobState {
  return stateNames[state - delayed] ?? 'waiting'
}

export function stateOf(name: JobState): number {
  return stateNames.indexOf(name) + delayed
}

/** The token of a job that was never claimed; the first that is given is the next. It takes as many bytes as any that follows. */
export const noToken: number = 2 ** 40
/** The holder of a job that was never claimed. Runners have the numbers after it, which take as many bytes. */
export const nobody: number = 2 ** 24

/**
 * One step each, in order; a file has the version of the last one that was applied. Steps are never changed once released.
 *
 * - `meta` is one row: the last numbers that were given, what was ever processed, who leads.
 * - A `line` is the jobs of one kind in one queue, with the count of each state. Claims go line by line, so that kinds which a runner
 *   does not know cost it nothing; statistics are sums over lines.
 * - The `holder` of a job that is running is the number of its runner: one who registers again under an old id is another holder.
 * - A job is two rows: in `payloads` what stays as it was enqueued, in `jobs` what changes. A claim and a completion write only the latter,
 *   a hundred of which are two pages, however large the args are.
 * - What a claim and a completion set has a value of the same width before: the row stays where it is in its page. Otherwise it grows, and
 *   in pages that were filled by inserts every growth moves the others and splits pages. The values before mean nothing: who was never
 *   claimed has `noToken`, and `finished_at` counts in states of the end only. `runner_ids` has the ids of runners for jobs that tell who
 *   held them, which outlive the runners.
 * - Each index of `jobs` holds only the rows of the states that it serves, in exactly the order in which they are taken.
 */
const migrations: readonly string[] = [
  `
  CREATE TABLE migrations (version INTEGER PRIMARY KEY, applied_at INTEGER NOT NULL);
  CREATE TABLE meta (
    last_seq INTEGER NOT NULL, last_token INTEGER NOT NULL, processed INTEGER NOT NULL, failed INTEGER NOT NULL, leader TEXT
  );
  INSERT INTO meta VALUES (0, ${noToken}, 0, 0, NULL);
  CREATE TABLE queues (name TEXT PRIMARY KEY, paused INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE lines (
    id INTEGER PRIMARY KEY, queue TEXT NOT NULL, kind TEXT NOT NULL,
    delayed INTEGER NOT NULL, waiting INTEGER NOT NULL, running INTEGER NOT NULL, completed INTEGER NOT NULL,
    failed INTEGER NOT NULL, discarded INTEGER NOT NULL, cancelled INTEGER NOT NULL,
    UNIQUE (queue, kind)
  );
  CREATE TABLE payloads (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL, version INTEGER NOT NULL, max_attempts INTEGER NOT NULL, timeout_ms INTEGER,
    enqueued_at INTEGER NOT NULL, unique_key TEXT, tags TEXT, args TEXT NOT NULL
  );
  CREATE UNIQUE INDEX payloads_by_id ON payloads (id);
  CREATE TABLE jobs (
    seq INTEGER PRIMARY KEY, line INTEGER NOT NULL, state INTEGER NOT NULL, priority INTEGER NOT NULL, run_at INTEGER NOT NULL,
    attempt INTEGER NOT NULL DEFAULT 0, crashes INTEGER NOT NULL DEFAULT 0, begun INTEGER NOT NULL DEFAULT 0,
    token INTEGER NOT NULL, holder INTEGER NOT NULL, started_at INTEGER NOT NULL, finished_at INTEGER NOT NULL,
    cancel_reason TEXT, progress TEXT, result TEXT, failure TEXT, history TEXT
  );
  CREATE INDEX jobs_delayed ON jobs (line, run_at, seq) WHERE state = ${delayed};
  CREATE INDEX jobs_waiting ON jobs (line, priority, run_at, seq) WHERE state = ${waiting};
  CREATE INDEX jobs_running ON jobs (holder) WHERE state = ${running};
  CREATE INDEX jobs_finished ON jobs (state, finished_at) WHERE state >= ${completed};
  CREATE INDEX jobs_failed ON jobs (state, seq) WHERE state > ${completed};
  CREATE INDEX jobs_cancelling ON jobs (holder) WHERE state = ${running} AND cancel_reason IS NOT NULL;
  CREATE TABLE uniques (
    key TEXT PRIMARY KEY, job TEXT NOT NULL, until TEXT NOT NULL, ends_at INTEGER, is_next INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX uniques_ending ON uniques (ends_at) WHERE ends_at IS NOT NULL;
  CREATE TABLE logs (seq INTEGER NOT NULL, number INTEGER NOT NULL, level TEXT NOT NULL, message TEXT NOT NULL, at REAL NOT NULL,
    PRIMARY KEY (seq, number)) WITHOUT ROWID;
  CREATE TABLE runners (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL, name TEXT, host TEXT NOT NULL, pid INTEGER NOT NULL, place TEXT, born TEXT,
    lease_ms INTEGER NOT NULL, beats INTEGER NOT NULL, is_dead INTEGER NOT NULL, started_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL, queues TEXT NOT NULL, metadata TEXT
  );
  CREATE INDEX runners_by_id ON runners (id);
  CREATE TABLE runner_ids (number INTEGER PRIMARY KEY, id TEXT);
  INSERT INTO runner_ids VALUES (${nobody}, NULL);
  `,
]

/** The version that this code reads and writes. */
export const schemaVersion: number = migrations.length

/**
 * Brings the file to our version, in one transaction: of many processes that try at once, one does it, the others find it done
 * (JOB-20). Throws `SCHEMA_TOO_NEW` for a file of a newer release, `BAD_CONFIG` for the file of another application.
 */
export function migrate(connection: SqliteConnection, path: string, now: number): void {
  // One look in one transaction: in between another process may make the file what it is to be
  connection.exec('BEGIN')
  try {
    if (versionOf(connection, path) === schemaVersion) return
  } finally {
    connection.exec('ROLLBACK')
  }
  connection.exec('BEGIN IMMEDIATE')
  try {
    for (let version = versionOf(connection, path); version < schemaVersion; version++) {
      connection.exec(migrations[version] ?? '')
      connection.prepare('INSERT INTO migrations VALUES (?, ?)').run([version + 1, now])
    }
    connection.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${schemaVersion}`)
    connection.exec('COMMIT')
  } catch (error) {
    connection.exec('ROLLBACK')
    throw error
  }
}

/** The version of the file; 0 for one that is new. */
function versionOf(connection: SqliteConnection, path: string): number {
  const version = numberFrom(connection, 'PRAGMA user_version')
  const application = numberFrom(connection, 'PRAGMA application_id')
  const isEmpty = numberFrom(connection, 'SELECT count(*) FROM sqlite_schema') === 0
  if (isEmpty && version === 0) return 0
  if (application !== applicationId)
    throw new JobsError(
      'BAD_CONFIG',
      `sqliteStore: ${path} is the database of another application: the store wants a file of its own`,
    )
  if (version > schemaVersion)
    throw new JobsError(
      'SCHEMA_TOO_NEW',
      `sqliteStore: ${path} was written by a newer release: its schema has version ${version}, this one knows up to ${schemaVersion}`,
    )
  return version
}

function numberFrom(connection: SqliteConnection, sql: string): number {
  return Number(connection.prepare(sql).get([])?.[0] ?? 0)
}
