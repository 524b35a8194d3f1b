import type { JobPage, JobState, ListQuery, StoredJob } from '../../store.ts'
import type { SqlRow, SqlValue } from './driver.ts'
import { dueByQueue, isDue, isNotDue, linesWithDelayed } from './due-jobs.ts'
import { jobColumns, jobsById, storedJob } from './job-rows.ts'
import { completed, stateOf } from './schema.ts'
import type { Session } from './session.ts'
import { toText } from './texts.ts'

export function findJobs(session: Session, ids: readonly string[]): readonly (StoredJob | undefined)[] {
  return ids.map(id => {
    const row = session.row(`SELECT ${jobColumns} FROM ${jobsById} WHERE id = ?`, id)
    return row && jobOf(session, row)
  })
}

/** A page of jobs, newest first. */
export function listJobs(session: Session, query: ListQuery): JobPage {
  session.book.save()
  const rows = rowsOf(session, query)
  const jobs = rows.slice(0, query.limit).map(row => jobOf(session, row))
  return { jobs, next: rows.length > query.limit ? jobs.at(-1)?.seq : undefined }
}

/** The rows of a page, and one more if there is one. State by state where states are asked for, as each has its index. */
function rowsOf(session: Session, query: ListQuery): SqlRow[] {
  const filter = filterOf(query)
  const select = (from: string, ...conditions: readonly Condition[]): SqlRow[] => {
    const all = [...conditions, ...filter]
    const where = all.length === 0 ? '' : `WHERE ${all.map(({ sql }) => sql).join(' AND ')}`
    return session.rows(
      `SELECT ${jobColumns} FROM ${from} CROSS JOIN payloads USING (seq) ${where} ORDER BY seq DESC LIMIT ?`,
      ...all.flatMap(({ params }) => params),
      query.limit + 1,
    )
  }
  if (query.states === undefined) return select('jobs')
  const parts = [...new Set(query.states)].flatMap(name => partsOf(session, name))
  return parts.flatMap(({ from, condition }) => select(from, condition)).sort((a, b) => Number(b[0]) - Number(a[0]))
}

/** A condition, and the values in it. */
interface Condition {
  readonly sql: string
  readonly params: readonly SqlValue[]
}

/** Some of the jobs of a state, and the table from which they are best read. */
interface Part {
  readonly from: string
  readonly condition: Condition
}

/** The jobs of a state, as they are now: the file may call those delayed that have become due. */
function partsOf(session: Session, name: JobState): readonly Part[] {
  const { now } = session
  const inFile = { sql: `state = ${stateOf(name)}`, params: [] }
  switch (name) {
    case 'delayed':
      return [part('jobs_delayed', countOf(session, name) - countDue(session), { sql: isNotDue, params: [now] })]
    case 'waiting':
      return [
        part('jobs_waiting', countOf(session, name), inFile),
        part('jobs_delayed', countDue(session), { sql: isDue, params: [now] }),
      ]
    case 'running':
      return [part('jobs_running', countOf(session, name), inFile)]
    case 'completed':
      return [{ from: 'jobs', condition: inFile }]
    default:
      return [{ from: 'jobs', condition: { sql: `${inFile.sql} AND state > ${completed}`, params: [] } }]
  }
}

/** Few jobs among many are looked for in their index, and sorted; many are met soon anyway. */
const few = 10_000

function part(index: 'jobs_delayed' | 'jobs_waiting' | 'jobs_running', count: number, { sql, params }: Condition): Part {
  if (count > few) return { from: 'jobs NOT INDEXED', condition: { sql, params } }
  // With a line the index finds those of a time, among however many of other times
  const lines = index === 'jobs_delayed' ? ` AND line IN (${linesWithDelayed})` : ''
  return { from: `jobs INDEXED BY ${index}`, condition: { sql: sql + lines, params } }
}

function countOf(session: Session, name: JobState): number {
  return Number(session.row(`SELECT sum(${name}) FROM lines`)?.[0] ?? 0)
}

function countDue(session: Session): number {
  return dueByQueue(session).reduce((sum, [, due]) => sum + due, 0)
}

function filterOf({ before, queues, kinds, tag }: ListQuery): readonly Condition[] {
  const filter: Condition[] = []
  if (before !== undefined) filter.push({ sql: 'seq < ?', params: [before] })
  if (queues !== undefined)
    filter.push({ sql: `line IN (SELECT id FROM lines WHERE queue IN ${listed})`, params: [JSON.stringify(queues)] })
  if (kinds !== undefined)
    filter.push({ sql: `line IN (SELECT id FROM lines WHERE kind IN ${listed})`, params: [JSON.stringify(kinds)] })
  if (tag !== undefined) filter.push({ sql: hasTag, params: [toText(tag), toText(tag)] })
  return filter
}

const listed = '(SELECT value FROM json_each(?))'
/** To look for its text is far cheaper than to read the tags one by one; but what is found may be the end of one and the beginning of the next. */
const hasTag = `instr(payloads.tags, ?) AND EXISTS (SELECT 1 FROM json_each(payloads.tags) WHERE payloads.tags -> key = ?)`

function jobOf(session: Session, row: SqlRow): StoredJob {
  return storedJob(row, session.book.lineById(Number(row[2])), session.now)
}
