import type { AttemptRecord, ClaimedJob, Failure, StoredJob } from '../../store.ts'
import type { Line } from './book.ts'
import type { SqlRow } from './driver.ts'
import { completed, delayed, noToken, stateName, waiting } from './schema.ts'
import { fromText, numberOf, textOf } from './texts.ts'

/** So many records of attempts a job keeps. */
const keptRecords = 25

/** Both rows of a job. The order of the join is ours: SQLite is not to begin with the payloads. */
export const wholeJobs = 'jobs CROSS JOIN payloads USING (seq)'

/** The same for those who look for an id. */
export const jobsById = 'payloads CROSS JOIN jobs USING (seq)'

/** The id of the runner that holds the job, or held it last. */
export const runnerId = '(SELECT runner_ids.id FROM runner_ids WHERE number = holder)'

/** What a claim reads. */
export const claimColumns: string =
  'seq, id, line, version, args, priority, attempt, max_attempts, crashes, timeout_ms, progress, enqueued_at, run_at, unique_key'

/** A row of `claimColumns`, as it is after the claim. */
export function claimedJob(row: SqlRow, { queue, kind }: Line, token: number, claimedAt: number): ClaimedJob {
  return {
    seq: Number(row[0]),
    token,
    id: String(row[1]),
    queue,
    kind,
    version: Number(row[3]),
    args: String(row[4]),
    priority: Number(row[5]),
    attempt: Number(row[6]) + 1,
    maxAttempts: Number(row[7]),
    crashes: Number(row[8]),
    timeoutMs: numberOf(row[9]),
    progress: textOf(row[10]),
    enqueuedAt: Number(row[11]),
    runAt: Number(row[12]),
    claimedAt,
  }
}

/** What is shown of a job. */
export const jobColumns: string =
  'seq, id, line, version, args, priority, attempt, max_attempts, crashes, timeout_ms, progress, enqueued_at, run_at, unique_key, ' +
  `state, tags, started_at, finished_at, ${runnerId}, result, failure, cancel_reason, history, token`

/** A row of `jobColumns`. A delayed job whose time has come waits, even if no claim has come by yet. */
export function storedJob(row: SqlRow, { queue, kind }: Line, now: number): StoredJob {
  const state = Number(row[14])
  const runAt = Number(row[12])
  return {
    id: String(row[1]),
    seq: Number(row[0]),
    queue,
    kind,
    version: Number(row[3]),
    args: String(row[4]),
    state: stateName(state === delayed && runAt <= now ? waiting : state),
    priority: Number(row[5]),
    attempt: Number(row[6]),
    maxAttempts: Number(row[7]),
    crashes: Number(row[8]),
    timeoutMs: numberOf(row[9]),
    tags: row[15] === null ? [] : (JSON.parse(String(row[15])) as string[]),
    uniqueKey: row[13] === null ? undefined : fromText(row[13]),
    enqueuedAt: Number(row[11]),
    runAt,
    startedAt: row[23] === noToken ? undefined : Number(row[16]),
    finishedAt: state < completed ? undefined : Number(row[17]),
    runner: textOf(row[18]),
    result: textOf(row[19]),
    progress: textOf(row[10]),
    failure: row[20] === null ? undefined : (JSON.parse(String(row[20])) as Failure),
    cancelReason: row[21] === null ? undefined : fromText(row[21]),
    history: historyOf(textOf(row[22])),
  }
}

/** The text of the column `history` with one more record. */
export function withRecord(history: string | undefined, record: AttemptRecord): string {
  return JSON.stringify([...historyOf(history).slice(1 - keptRecords), record])
}

function historyOf(text: string | undefined): readonly AttemptRecord[] {
  return text === undefined ? [] : (JSON.parse(text) as AttemptRecord[])
}
