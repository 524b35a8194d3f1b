import { readdirSync } from 'node:fs'
import type { RateTask } from '../harness/measure-rate.ts'

/** One workload, done twice: as one would without stages, and with them. Both are checked by the same formula. */
export interface Comparison extends Omit<RateTask, 'run'> {
  /** A few words, for the table: `64 KiB chunks, from a file`. */
  readonly what: string
  /** What one event is, for the rate: `chunks`, `objects`. */
  readonly direct: RateTask['run']
  readonly stages: RateTask['run']
}

/** The adapters of one kind of streams. A new one is a file in `subjects/` that exports its comparisons by id. */
export interface Subject {
  readonly title: string
  /** The packages that are measured, besides core: built before, if they are not. */
  readonly packages: readonly string[]
  readonly comparisons: Readonly<Record<string, Comparison>>
}

const folder = new URL('./subjects/', import.meta.url)

export const subjectIds: readonly string[] = readdirSync(folder)
  .filter(file => file.endsWith('.ts'))
  .map(file => file.slice(0, -'.ts'.length))
  .toSorted()

export async function loadSubject(id: string): Promise<Subject> {
  if (!subjectIds.includes(id)) throw new Error(`no subject "${id}"; there are ${subjectIds.join(', ')}`)
  const { subject } = (await import(new URL(`${id}.ts`, folder).href)) as { readonly subject: Subject }
  return subject
}

/** The two ways to do a workload; as peers of a cell. */
export const ways = ['direct', 'stages'] as const

export type Way = (typeof ways)[number]
