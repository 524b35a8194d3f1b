import { delayed } from './schema.ts'
import type { Session } from './session.ts'

/*
 * A delayed job becomes a waiting one with the first claim after its time. Until then the file says that it is delayed, and those who
 * only look have to see that it waits. They change nothing: so no lock keeps them waiting.
 */

/** What waits, though the file says that it is delayed. Takes the time. A line is named with it, for the index to find. */
export const isDue: string = `state = ${delayed} AND run_at <= ?`
/** What is delayed indeed. */
export const isNotDue: string = `state = ${delayed} AND run_at > ?`

/** The lines that may have any. The counts have to be saved. */
export const linesWithDelayed = 'SELECT id FROM lines WHERE delayed > 0'

const dueOfLines = `SELECT queue, (SELECT count(*) FROM jobs WHERE line = lines.id AND ${isDue}) FROM lines WHERE delayed > 0`

/** How many delayed jobs have become due, queue by queue; the same queue may come again. Reads those alone, in their index. */
export function dueByQueue(session: Session): readonly (readonly [queue: string, due: number])[] {
  session.book.save()
  return session.rows(dueOfLines, session.now).map(([queue, due]) => [String(queue), Number(due)])
}
