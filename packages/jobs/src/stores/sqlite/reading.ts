import type { JobPage, ListQuery, StoredJob } from '../../store.ts'
import { awaken } from './claiming.ts'
import type { SqlRow, SqlValue } from './driver.ts'
import { jobColumns, jobsById, storedJob } from './job-rows.ts'
import { completed, delayed, running, stateName, stateOf, waiting } from './schema.ts'
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
  if (query.states !== undefined) awaken(session, session.book.linesWithDelayed())
  session.book.save()
  const rows = rowsOf(session, query)
  const jobs = rows.slice(0, query.limit).map(row => jobOf(session, row))
  return { jobs, next: rows.length > query.limit ? jobs.at(-1)?.seq : undefined }
}

/** The rows of a page, and one more if there is one. State by state where states are asked for, as each has its index. */
function rowsOf(session: Session, query: ListQuery): SqlRow[] {
  const { conditions, params } = filters(query)
  const select = (from: string, more: readonly string[]): SqlRow[] => {
    const all = [...more, ...conditions]
    const where = all.length === 0 ? '' : `WHERE ${all.join(' AND ')}`
    return session.rows(
      `SELECT ${jobColumns} FROM ${from} CROSS JOIN payloads USING (seq) ${where} ORDER BY seq DESC LIMIT ?`,
      ...params,
      query.limit + 1,
    )
  }
  if (query.states === undefined) return select('jobs', [])
  const parts = [...new Set(query.states)].map(name => {
    const state = stateOf(name)
    return select(placeOf(session, state), [`state = ${state}`, ...(state > completed ? [`state > ${completed}`] : [])])
  })
  return parts.flat().sort((a, b) => Number(b[0]) - Number(a[0]))
}

/** Few jobs among many are looked for in their index, and sorted; many are met soon anyway. */
const few = 10_000

function placeOf(session: Session, state: number): string {
  const index = { [delayed]: 'jobs_delayed', [waiting]: 'jobs_waiting', [running]: 'jobs_running' }[state]
  if (index === undefined) return 'jobs'
  const count = Number(session.row(`SELECT sum(${stateName(state)}) FROM lines`)?.[0] ?? 0)
  return count <= few ? `jobs INDEXED BY ${index}` : 'jobs NOT INDEXED'
}

function filters({ before, queues, kinds, tag }: ListQuery): {
  readonly conditions: string[]
  readonly params: SqlValue[]
} {
  const conditions: string[] = []
  const params: SqlValue[] = []
  const add = (condition: string, param: SqlValue): void => {
    conditions.push(condition)
    params.push(param)
  }
  if (before !== undefined) add('seq < ?', before)
  if (queues !== undefined) add(`line IN (SELECT id FROM lines WHERE queue IN ${listed})`, JSON.stringify(queues))
  if (kinds !== undefined) add(`line IN (SELECT id FROM lines WHERE kind IN ${listed})`, JSON.stringify(kinds))
  if (tag !== undefined) add('EXISTS (SELECT 1 FROM json_each(payloads.tags) WHERE json_quote(value) = ?)', toText(tag))
  return { conditions, params }
}

const listed = '(SELECT value FROM json_each(?))'

function jobOf(session: Session, row: SqlRow): StoredJob {
  return storedJob(row, session.book.lineById(Number(row[2])), session.now)
}
